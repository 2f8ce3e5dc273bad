#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>

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

static int usage(const char *name, const char *operands, const char *flag)
{
    fprintf(stderr, "usage: %s [-w WORKERS] [--sequential] %s%s%s%s\n", name, flag ? "[--" : "",
            flag ? flag : "", flag ? "] " : "", operands);
    return STATUS_USAGE;
}

/* 0, or -EINVAL. */
static int workers_parse(const char *text, int *workers)
{
    char *end;
    long n = strtol(text, &end, 10);

    *workers = (int)n;
    return *end || n < 1 || n > WORKERS_MAX ? -EINVAL : 0;
}

static int parse(int argc, char **argv, const char *flag, struct program *p)
{
    const struct option options[] = {{"sequential", no_argument, NULL, 's'},
                                     {flag ? flag : "help", no_argument, NULL, flag ? 'f' : '?'},
                                     {0}};
    int option;

    while ((option = getopt_long(argc, argv, "w:", options, NULL)) != -1) {
        if (option == '?' || (option == 'w' && workers_parse(optarg, &p->workers) < 0))
            return -EINVAL;
        p->sequential = p->sequential || option == 's';
        p->flag = p->flag || option == 'f';
    }
    p->operands = argv + optind;
    p->operands_n = argc - optind;
    return p->operands_n > 0 ? 0 : -EINVAL;
}

int program_main(int argc, char **argv, const char *operands, const char *flag,
                 int (*fn)(const struct program *p))
{
    struct start s = {.fn = fn};
    int status;

    if (parse(argc, argv, flag, &s.program) < 0)
        return usage(argv[0], operands, flag);
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

void program_error(const char *what, int error)
{
    fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(-error));
}

static int open_to_read(void *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

go_fd file_open(const char *path)
{
    int fd = go_blocking(open_to_read, (void *)(uintptr_t)path);

    return fd < 0 ? fd : go_fd_open(fd);
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

void *must_alloc(size_t bytes)
{
    return must_realloc(NULL, bytes);
}

void *must_realloc(void *old, size_t bytes)
{
    void *new = realloc(old, bytes ? bytes : 1);

    if (!new)
        go_panic("no memory for %zu bytes", bytes);
    return new;
}
