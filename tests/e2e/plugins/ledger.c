/* A plugin whose function writes into a file that it began and that it ended: what really was done, whoever says what of it. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "goplugin.h"

enum { WORK_MS = 100 };

/* The file that this code was loaded from: each version has one of its own. */
static const char *version(void)
{
    static const int here;
    Dl_info info;

    return dladdr(&here, &info) ? strrchr(info.dli_fname, '/') + 1 : "?";
}

/* One write: the lines of all hosts stay whole. */
static int note(const char *path, const char *what, const char *number)
{
    char line[512];
    int n = snprintf(line, sizeof line, "%s %s %s\n", what, number, version());
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC), r;

    if (fd < 0)
        return -errno;
    r = write(fd, line, (size_t)n) == n ? 0 : -EIO;
    close(fd);
    return r;
}

static int park(void)
{
    return go_sleep(go_after_ms(WORK_MS)) < 0 ? -ECANCELED : 0;
}

/* Keeps its processor, so that others who were offered to this host have not begun. */
static int spin(void)
{
    struct timespec begin, now;

    clock_gettime(CLOCK_MONOTONIC, &begin);
    do
        clock_gettime(CLOCK_MONOTONIC, &now);
    while ((now.tv_sec - begin.tv_sec) * 1000 + (now.tv_nsec - begin.tv_nsec) / 1000000 < WORK_MS);
    return 0;
}

/* Its argument is NUMBER PATH; its result is NUMBER. */
static int do_work(gp_job *job, int (*how)(void))
{
    char number[32], path[256];
    int r = sscanf(gp_argument(job).data, "%31s %255s", number, path) == 2 ? 0 : -EINVAL;

    if (r == 0)
        r = note(path, "begin", number);
    if (r == 0)
        r = how();
    if (r == 0)
        r = note(path, "end", number);
    return r < 0 ? r : gp_result(job, number, strlen(number));
}

static int work(gp_job *job)
{
    return do_work(job, park);
}

static int work_hard(gp_job *job)
{
    return do_work(job, spin);
}

GP_PLUGIN("ledger", "1.0", {"work", "writes down that it began and ended", work},
          {"work_hard", "the same, and keeps a processor", work_hard});
