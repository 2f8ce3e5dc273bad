/* A program of program.h as a process: its main goroutine is that of the process. */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "goroutine_inspect.h"
#include "program.h"

struct start {
    struct program program;
    int (*fn)(const struct program *p);
};

/* Who waits for a signal. */
static struct {
    go_fd fd;
    go_waitgroup waiting;
} signals = {.fd = -1};

static int start(void *arg)
{
    struct start *s = arg;
    int status;

    if (s->program.workers == 0)
        s->program.workers = go_set_procs(0);
    status = s->fn(&s->program);
    if (signals.fd >= 0)
        go_fd_close(signals.fd);
    go_waitgroup_wait(&signals.waiting);
    return status;
}

int program_main(int argc, char **argv, const char *operands, const char *flag,
                 int (*fn)(const struct program *p))
{
    struct start s = {.fn = fn};
    int status = program_parse(argc, argv, operands, flag, &s.program);

    if (status != STATUS_OK)
        return status;
    status = go_main(start, &s);
    if (status < 0) {
        program_error("cannot start", status);
        return STATUS_FAILED;
    }
    if (fflush(stdout) != 0 || ferror(stdout)) {
        program_error("standard output", -errno);
        return STATUS_FAILED;
    }
    return status;
}

FILE *program_out(void)
{
    return stdout;
}

void program_tell(const char *format, ...)
{
    va_list args;
    char line[PROGRAM_LINE_BYTES];

    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    fprintf(stderr, "%s\n", line);
}

int64_t program_live(void)
{
    return 1 + go_leak_check((struct go_leak_mark){0}, STDERR_FILENO, go_after_ms(10000));
}

void signal_block(int signal_number)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, signal_number);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

static void signal_run(void *arg)
{
    go_ctx *ctx = *(go_ctx **)arg;
    struct signalfd_siginfo info;

    if (go_read(signals.fd, &info, sizeof info, GO_FOREVER) == (ssize_t)sizeof info)
        go_ctx_cancel(ctx, -EINTR, strsignal((int)info.ssi_signo));
    go_ctx_unref(ctx);
}

go_ctx *signal_ctx(int signal_number)
{
    go_ctx *ctx = go_ctx_new(go_ctx_background());
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, signal_number);
    signals.fd = go_fd_open(signalfd(-1, &set, SFD_CLOEXEC));
    if (!ctx || signals.fd < 0 || go_waitgroup_go(&signals.waiting, signal_run, &ctx, sizeof ctx) < 0)
        go_panic("cannot wait for signal %d", signal_number);
    return go_ctx_ref(ctx);
}
