/* What runs in the handler is async-signal-safe: it reads, formats on its own stack, and writes. A report is made where
 * nobody else has a handler; a stack overflow is told in any case. */
#include "crash.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dump.h"
#include "fatal.h"
#include "interrupted.h"
#include "last_words.h"

enum { ALT_STACK_BYTES = 128 << 10, STACK_TEXT_BYTES = 16384 };

enum { SIGNALS = 4 };
static const int signals[SIGNALS] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
static struct sigaction before[SIGNALS];

bool go_crash_read(struct go_crash *out, const void *fault_address)
{
    struct thread *t = thread_self();
    struct g *g = t && t->current != t->idle ? t->current : NULL;
    const char *fault = fault_address;

    memset(out, 0, sizeof *out);
    out->name = out->function = out->file = "";
    if (!g)
        return false;
    out->id = go_id();
    out->name = g->name;
    if (g->site) {
        out->function = g->site->function;
        out->file = g->site->file;
        out->line = g->site->line;
    }
    out->pc = (void *)g->fn;
    out->group = g->group;
    out->stack_bytes = stack_class_bytes(g->stack_class);
    out->overflow = fault && fault >= g->stack && fault < stack_bottom(g->stack);
    return true;
}

/* ---- text without stdio ---- */

struct text {
    char bytes[512];
    size_t n;
};

static void put(struct text *t, const char *s)
{
    while (*s && t->n < sizeof t->bytes)
        t->bytes[t->n++] = *s++;
}

static void put_number(struct text *t, uint64_t v)
{
    char digits[24];
    size_t i = sizeof digits - 1;

    digits[i] = '\0';
    do
        digits[--i] = (char)('0' + v % 10);
    while (v /= 10);
    put(t, digits + i);
}

static void put_hex(struct text *t, uintptr_t v)
{
    char digit[2] = "";

    put(t, "0x");
    for (int shift = 60; shift >= 0; shift -= 4)
        if (v >> shift || shift == 0) {
            digit[0] = "0123456789abcdef"[v >> shift & 15];
            put(t, digit);
        }
}

static void text_write(const struct text *t)
{
    fd_write(STDERR_FILENO, t->bytes, t->n); /* there is nowhere else to say it */
}

static void put_goroutine(struct text *t, const struct go_crash *c)
{
    put(t, " in goroutine ");
    put_number(t, c->id);
    put(t, " (");
    put(t, c->name[0] ? c->name : c->function);
    put(t, ")");
    if (c->file[0]) {
        put(t, ", started at ");
        put(t, c->file);
        put(t, ":");
        put_number(t, (uint64_t)c->line);
    }
}

static void overflow_report(const struct go_crash *c)
{
    struct text t = {.n = 0};

    put(&t, "goroutine: fatal: stack overflow");
    put_goroutine(&t, c);
    put(&t, ": its stack has ");
    put_number(&t, c->stack_bytes >> 10);
    put(&t, " KiB; give it more with go_spawn_options.stack_bytes\n");
    text_write(&t);
}

static void signal_report(int sig, const siginfo_t *info, const struct go_crash *c)
{
    struct text t = {.n = 0};

    put(&t, "goroutine: fatal: SIG");
    put(&t, sigabbrev_np(sig));
    if (sig == SIGSEGV || sig == SIGBUS) {
        put(&t, " at address ");
        put_hex(&t, (uintptr_t)info->si_addr);
    }
    if (c->id)
        put_goroutine(&t, c);
    put(&t, "\n");
    text_write(&t);
}

/* Addresses alone when nobody finds the names. */
static void stack_report(const void *context)
{
    void *frames[GO_FRAMES_MAX];
    char names[STACK_TEXT_BYTES];
    int used = last_words_stack(context, names, sizeof names), n;

    if (used >= 0) {
        fd_write(STDERR_FILENO, names, (size_t)used);
        return;
    }
    n = interrupted_frames(context, frames, GO_FRAMES_MAX);
    for (int i = 0; i < n; i++) {
        struct text t = {.n = 0};

        put(&t, "    ");
        put_hex(&t, (uintptr_t)frames[i] - 1);
        put(&t, "\n");
        text_write(&t);
    }
}

static const struct sigaction *action_before(int sig)
{
    int i = 0;

    while (i < SIGNALS - 1 && signals[i] != sig)
        i++;
    return &before[i];
}

static void handler(int sig, siginfo_t *info, void *context)
{
    const struct sigaction *next = action_before(sig);
    bool ours =
        !(next->sa_flags & SA_SIGINFO) && (next->sa_handler == SIG_DFL || next->sa_handler == SIG_IGN);
    struct go_crash crash;

    go_crash_read(&crash, sig == SIGSEGV || sig == SIGBUS ? info->si_addr : NULL);
    if (crash.overflow)
        overflow_report(&crash);
    else if (ours)
        signal_report(sig, info, &crash);
    if (ours) {
        stack_report(context);
        signal(sig, SIG_DFL); /* the faulting instruction runs again and ends the process */
    } else if (next->sa_flags & SA_SIGINFO) {
        next->sa_sigaction(sig, info, context);
    } else {
        next->sa_handler(sig);
    }
}

void crash_start(void)
{
    struct sigaction act = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK};

    sigemptyset(&act.sa_mask);
    for (int i = 0; i < SIGNALS; i++)
        sigaction(signals[i], &act, &before[i]);
}

/* A handler that was put over ours stays. */
void crash_stop(void)
{
    struct sigaction now;

    for (int i = 0; i < SIGNALS; i++)
        if (sigaction(signals[i], NULL, &now) == 0 && now.sa_flags & SA_SIGINFO &&
            now.sa_sigaction == handler)
            sigaction(signals[i], &before[i], NULL);
}

bool crash_thread_start(void)
{
    stack_t stack = {.ss_size = ALT_STACK_BYTES}, old;

    if (sigaltstack(NULL, &old) == 0 && !(old.ss_flags & SS_DISABLE))
        return false; /* a sanitizer's */
    stack.ss_sp = mmap(NULL, ALT_STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stack.ss_sp == MAP_FAILED)
        fatal("no memory for a signal stack: %m");
    sigaltstack(&stack, NULL);
    return true;
}

void crash_thread_end(void)
{
    stack_t none = {.ss_flags = SS_DISABLE}, old;

    if (sigaltstack(&none, &old) == 0 && !(old.ss_flags & SS_DISABLE))
        munmap(old.ss_sp, old.ss_size);
}
