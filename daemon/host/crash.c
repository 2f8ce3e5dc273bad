/*
 * The last words of a host.
 *
 * All of this runs in a signal handler, on the alternate stack, in a process whose memory may be damaged. It takes no
 * lock of its own, allocates nothing and reads foreign memory only through process_vm_readv, which fails instead of
 * faulting again. Names are asked of the loader (dladdr), which may hold a lock: an alarm ends a handler that hangs.
 */
#include "crash.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

#include "goroutine_host.h"
#include "host_protocol.h"

enum { FRAMES_SHOWN_MAX = 40, HANDLER_SECONDS_MAX = 5 };

static struct {
    int fd;
    unsigned long long (*run_of)(void);
    volatile sig_atomic_t told; /* one report, whoever dies first */
} crash;

static struct host_crash report;

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

static void say_frame(int number, void *pc)
{
    Dl_info info;

    if (!dladdr(pc, &info))
        say("  #%d %p\n", number, pc);
    else if (info.dli_sname)
        say("  #%d %p %s+0x%lx (%s)\n", number, pc, info.dli_sname,
            (unsigned long)((char *)pc - (char *)info.dli_saddr), info.dli_fname);
    else
        say("  #%d %p %s+0x%lx\n", number, pc, info.dli_fname,
            (unsigned long)((char *)pc - (char *)info.dli_fbase));
}

/* The frame record at `frame`: the caller's frame and the return address. False at the end or in damaged memory. */
static bool read_frame(void *frame, void *record[2])
{
    struct iovec here = {record, 2 * sizeof(void *)}, there = {frame, 2 * sizeof(void *)};

    return frame && process_vm_readv(getpid(), &here, 1, &there, 1, 0) == (ssize_t)(2 * sizeof(void *));
}

static void say_stack(void *pc, void *frame)
{
    void *record[2];

    say_frame(0, pc);
    for (int i = 1; i < FRAMES_SHOWN_MAX && read_frame(frame, record); i++) {
        if (!record[1] || record[0] <= frame)
            return;
        say_frame(i, record[1]);
        frame = record[0];
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
    say("goroutine %llu %s (%s) started at %s:%d\n", (unsigned long long)who.id, who.name, who.function,
        who.file, who.line);
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

static void *program_counter(const ucontext_t *context)
{
#if defined(__x86_64__)
    return (void *)context->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    return (void *)context->uc_mcontext.pc;
#endif
}

static void *frame_pointer(const ucontext_t *context)
{
#if defined(__x86_64__)
    return (void *)context->uc_mcontext.gregs[REG_RBP];
#elif defined(__aarch64__)
    return (void *)context->uc_mcontext.regs[29];
#endif
}

static bool has_address(int signal)
{
    return signal == SIGSEGV || signal == SIGBUS;
}

static void on_signal(int number, siginfo_t *info, void *context)
{
    signal(number, SIG_DFL);
    signal(SIGALRM, SIG_DFL);
    alarm(HANDLER_SECONDS_MAX);
    if (!crash.told) {
        crash.told = 1;
        say("signal %d (SIG%s)", number, sigabbrev_np(number));
        if (has_address(number))
            say(" at address %p", info->si_addr);
        say("\n");
        say_goroutine(has_address(number) ? info->si_addr : NULL);
        say_stack(program_counter(context), frame_pointer(context));
        send_report(number, 0);
    }
    raise(number); /* delivered when the handler returns: the wait status of the process is true */
}

static void on_exit_called(int status, void *nothing)
{
    (void)nothing;
    if (crash.told)
        return;
    crash.told = 1;
    say("exit(%d) was called by plugin code\n", status);
    say_goroutine(NULL);
    say_stack(__builtin_return_address(0), __builtin_frame_address(0));
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
    crash.told = 1;
    _exit(status);
}
