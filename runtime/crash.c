/* What runs in the handler is async-signal-safe: it reads, formats on its own stack, and writes. */
#include "crash.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fatal.h"
#include "g.h"

enum { ALT_STACK_BYTES = 64 << 10 };

static const int signals[] = {SIGSEGV, SIGBUS};
static struct sigaction before[2];

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
    out->stack_bytes = stack_class_bytes(g->class);
    out->overflow = fault && fault >= g->stack.low && fault < g->stack.low + stack_guard_bytes();
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

static void overflow_report(const struct go_crash *c)
{
    struct text t = {.n = 0};

    put(&t, "goroutine: fatal: stack overflow in goroutine ");
    put_number(&t, c->id);
    put(&t, " (");
    put(&t, c->name[0] ? c->name : c->function);
    put(&t, "), started at ");
    put(&t, c->file);
    put(&t, ":");
    put_number(&t, (uint64_t)c->line);
    put(&t, ": its stack has ");
    put_number(&t, c->stack_bytes >> 10);
    put(&t, " KiB; give it more with go_spawn_options.stack_bytes\n");
    if (write(STDERR_FILENO, t.bytes, t.n) < 0)
        return; /* nowhere left to say it */
}

static void handler(int sig, siginfo_t *info, void *context)
{
    struct sigaction *next = &before[sig == SIGBUS];
    struct go_crash crash;

    if (go_crash_read(&crash, info->si_addr) && crash.overflow)
        overflow_report(&crash);
    if (next->sa_flags & SA_SIGINFO) {
        next->sa_sigaction(sig, info, context);
        return;
    }
    if (next->sa_handler != SIG_DFL && next->sa_handler != SIG_IGN) {
        next->sa_handler(sig);
        return;
    }
    signal(sig, SIG_DFL); /* the faulting instruction runs again and ends the process */
}

void crash_start(void)
{
    struct sigaction act = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK};

    sigemptyset(&act.sa_mask);
    for (int i = 0; i < 2; i++)
        sigaction(signals[i], &act, &before[i]);
}

/* A handler that was put over ours stays. */
void crash_stop(void)
{
    struct sigaction now;

    for (int i = 0; i < 2; i++)
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
