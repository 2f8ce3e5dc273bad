#include "book.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

enum { ABSENT_MS = 30000, LINE_BYTES = 512 };

int book_open(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    if (fd < 0)
        err(1, "%s", path);
    return fd;
}

void book_line(int fd, const char *format, ...)
{
    char line[LINE_BYTES];
    va_list arguments;

    va_start(arguments, format);
    int n = vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    if (n < 0 || n >= (int)sizeof(line) - 1)
        errx(1, "a line of %d bytes", n);
    line[n++] = '\n';
    if (write(fd, line, (size_t)n) != n)
        err(1, "ledger");
}

void book_progress(void)
{
    if (write(STDOUT_FILENO, "\n", 1) != 1)
        err(1, "standard output");
}

gc_client *survivor(void)
{
    struct gc_options options = {.size = sizeof(options), .absent_ms = ABSENT_MS, .reconnect_ms = ABSENT_MS};
    char why[GC_WHY_BYTES];
    gc_client *g;

    if (gc_connect(&options, &g, why) < 0)
        errx(1, "%s", why);
    return g;
}

bool survivor_lost(int r)
{
    return r == -ENETRESET || r == -ECONNRESET || r == -ECONNREFUSED;
}

static bool settle(gc_client *g, gc_job *job)
{
    struct gc_op op = gc_last_op();
    int r;

    do
        r = gc_op_status(g, &op, job, GC_FOREVER);
    while (survivor_lost(r));
    if (r < 0 && r != -ENOENT)
        errx(1, "op_status: %s (%s)", gc_strerror(r), gc_why());
    return r == 1;
}

bool survivor_submit(gc_client *g, const struct gc_submit *what, gc_job *job)
{
    int r = gc_submit(g, what, job, GC_FOREVER);

    if (r == 0)
        return true;
    if (r == -ECONNREFUSED)
        return false;
    if (!survivor_lost(r))
        errx(1, "submit %s: %s (%s)", what->function, gc_strerror(r), gc_why());
    return settle(g, job);
}
