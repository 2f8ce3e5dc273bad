#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* getopt keeps its place in variables of its own. Held while a command line is read. */
static pthread_mutex_t options_lock = PTHREAD_MUTEX_INITIALIZER;

static int usage(const char *name, const char *operands, const char *flag)
{
    program_tell("usage: %s [-w WORKERS] [--sequential] %s%s%s%s", name, flag ? "[--" : "", flag ? flag : "",
                 flag ? "] " : "", operands);
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

    optind = 0;
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

int program_parse(int argc, char **argv, const char *operands, const char *flag, struct program *out)
{
    int r;

    pthread_mutex_lock(&options_lock);
    r = parse(argc, argv, flag, out);
    pthread_mutex_unlock(&options_lock);
    return r < 0 ? usage(argv[0], operands, flag) : STATUS_OK;
}

void program_error(const char *what, int error)
{
    program_tell("%s: %s", what, strerror(-error));
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
