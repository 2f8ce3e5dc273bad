/*
 * The last words of a host.
 *
 * All of this runs in a signal handler, on the alternate stack, in a process whose memory may be damaged. It takes no
 * lock of its own and allocates nothing. The unwinder checks memory before it reads it; names are asked of the loader,
 * which may hold a lock or be damaged itself: an alarm ends a handler that hangs. Files and lines are looked up last, by
 * a child process (go_crash_stack).
 */
#define UNW_LOCAL_ONLY
#include "crash.h"

#include <dlfcn.h>
#include <errno.h>
#include <libunwind.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "goroutine_host.h"
#include "host_protocol.h"
#include "sandbox.h"

enum { LINES_MAX = 40, FRAMES_MAX = 1 << 16, HANDLER_SECONDS_MAX = 5 };

static struct {
    int fd;
    unsigned long long (*run_of)(void);
    atomic_bool told; /* whoever dies first speaks */
} crash;

static struct host_crash report;

/* The lines of the stack in the report. */
static struct {
    int n;
    struct {
        int first, last; /* frames that are alike */
        void *pc;        /* as a return address */
    } line[LINES_MAX];
} stack;

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
    size_t room = sizeof report.text - report.text_bytes;
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(report.text + report.text_bytes, room, format, args);
    va_end(args);
    if (n > 0)
        report.text_bytes += (size_t)n < room ? (size_t)n : room - 1;
}

/* One line for frames that are alike: a stack that overflowed says where, not how often in forty lines. */
static void say_frame(int number, int last, unw_cursor_t *frame)
{
    char name[128] = "";
    unw_word_t pc, offset = 0;
    Dl_info info;

    unw_get_reg(frame, UNW_REG_IP, &pc);
    if (last > number)
        say("  #%d…#%d ", number, last);
    else
        say("  #%d ", number);
    if (unw_get_proc_name(frame, name, sizeof(name), &offset) == 0)
        say("%s+0x%lx ", name, (unsigned long)offset);
    if (dladdr((void *)pc, &info))
        say("(%s+0x%lx)\n", strrchr(info.dli_fname, '/') ? strrchr(info.dli_fname, '/') + 1 : info.dli_fname,
            (unsigned long)(pc - (unw_word_t)info.dli_fbase));
    else
        say("(0x%lx)\n", (unsigned long)pc);
}

static void say_stack(void *context)
{
    unw_cursor_t frame, next;
    unw_word_t pc, next_pc;
    int first = 0, number = 0;

    if (unw_init_local2(&frame, context, UNW_INIT_SIGNAL_FRAME) < 0)
        return;
    for (; stack.n < LINES_MAX && number < FRAMES_MAX; number++) {
        bool more;

        next = frame;
        more = unw_step(&next) > 0;
        unw_get_reg(&frame, UNW_REG_IP, &pc);
        if (more && unw_get_reg(&next, UNW_REG_IP, &next_pc) == 0 && next_pc == pc) {
            frame = next;
            continue;
        }
        say_frame(first, number, &frame);
        stack.line[stack.n].first = first;
        stack.line[stack.n].last = number;
        stack.line[stack.n++].pc = (char *)pc + (first == 0);
        if (!more)
            return;
        first = number + 1;
        frame = next;
    }
}

static void say_goroutine(const void *fault_address)
{
    struct go_crash who;

    if (!go_crash_read(&who, fault_address)) {
        say("no goroutine was running on this thread\n");
        return;
    }
    if (who.overflow)
        say("stack overflow: the stack of this goroutine has %zu bytes\n", who.stack_bytes);
    say("goroutine %llu %s", (unsigned long long)who.id, who.name);
    if (*who.file)
        say(", %s started at %s:%d", who.function, who.file, who.line);
    say("\n");
}

static void send_report(int signal, int status)
{
    report.magic = HOST_CRASH_MAGIC;
    report.signal = signal;
    report.status = status;
    report.run = crash.run_of();
    while (write(crash.fd, &report, sizeof report) < 0 && errno == EINTR) {
    }
}

/* The stack once more, in place of what the report says of it since `before`, when names can be had. */
static void say_named_stack(uint32_t before)
{
    static char names[sizeof report.text];
    void *frames[LINES_MAX];
    const char *name = names;

    for (int i = 0; i < stack.n; i++)
        frames[i] = stack.line[i].pc;
    if (go_crash_stack(frames, stack.n, names, sizeof names) < 0)
        return;
    report.text_bytes = before;
    for (int i = 0; i < stack.n; i++) {
        size_t n;

        name += strspn(name, " ");
        n = strcspn(name, "\n");
        if (stack.line[i].last > stack.line[i].first)
            say("  #%d…#%d %.*s\n", stack.line[i].first, stack.line[i].last, (int)n, name);
        else
            say("  #%d %.*s\n", stack.line[i].first, (int)n, name);
        name += n + (name[n] == '\n');
    }
}

static bool has_address(int signal)
{
    return signal == SIGSEGV || signal == SIGBUS;
}

/* True for the first to die. Whoever comes later waits here for the end that the first one makes. */
static bool first_to_die(void)
{
    if (!atomic_exchange(&crash.told, true))
        return true;
    for (;;)
        pause();
}

/* The call is named when it is one that the plugin's code may not make. */
static void say_signal(int number, const siginfo_t *info)
{
    const char *call = number == SIGSYS ? sandbox_denied(info->si_syscall) : NULL;

    say("signal %d (SIG%s)", number, sigabbrev_np(number));
    if (has_address(number))
        say(" at address %p", info->si_addr);
    if (call)
        say(": code of a job may not ask for %s (seccomp = jobs)", call);
    say("\n");
}

/* What matters goes out before the stack is walked: the walk may fault, and then the kernel ends the process. */
static void on_signal(int number, siginfo_t *info, void *context)
{
    uint32_t before;

    if (!first_to_die())
        return;
    signal(SIGALRM, SIG_DFL);
    alarm(HANDLER_SECONDS_MAX);
    say_signal(number, info);
    say_goroutine(has_address(number) ? info->si_addr : NULL);
    send_report(number, 0);
    before = report.text_bytes;
    say_stack(context);
    send_report(number, 0);
    say_named_stack(before);
    send_report(number, 0);
    signal(number, SIG_DFL);
    raise(number); /* delivered when the handler returns: the wait status of the process is true */
}

static void on_exit_called(int status, void *nothing)
{
    unw_context_t context;
    uint32_t before;

    (void)nothing;
    if (!first_to_die())
        return;
    say("exit(%d) was called by plugin code\n", status);
    say_goroutine(NULL);
    unw_getcontext(&context);
    before = report.text_bytes;
    say_stack(&context);
    say_named_stack(before);
    send_report(0, status);
    _exit(status);
}

void crash_install(int fd, unsigned long long (*run_of)(void))
{
    static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGTRAP};
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    Dl_info warm;

    crash.fd = fd;
    crash.run_of = run_of;
    dladdr((void *)(uintptr_t)crash_install, &warm); /* bound now, not in the handler */
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof fatal / sizeof fatal[0]; i++)
        sigaction(fatal[i], &action, NULL);
    on_exit(on_exit_called, NULL);
}

void crash_exit(int status)
{
    atomic_store(&crash.told, true);
    _exit(status);
}
