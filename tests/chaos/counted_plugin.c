/*
 * A function whose runs are counted outside of everything that may be killed. Its argument is "FILE:WORDS": it appends
 * "S id run" to FILE when it begins and "C id run" when it is about to be done, and gives its argument back.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "goplugin.h"

/* One write of one line at the end of the file: lines of different processes never mix. */
static int note(int fd, char what, const gp_job *job)
{
    char line[64];
    int n = snprintf(line, sizeof line, "%c %" PRIu64 " %" PRIu64 "\n", what, gp_id(job), gp_run(job));

    return write(fd, line, (size_t)n) == n ? 0 : -EIO;
}

static int count(gp_job *job)
{
    struct gp_bytes argument = gp_argument(job);
    const char *end = argument.size ? memchr(argument.data, ':', argument.size) : NULL;
    char path[256];

    if (!end || end - (const char *)argument.data >= (int)sizeof path)
        return -EINVAL;
    snprintf(path, sizeof path, "%.*s", (int)(end - (const char *)argument.data),
             (const char *)argument.data);
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    int r = note(fd, 'S', job);
    go_yield();
    if (r == 0)
        r = gp_result(job, argument.data, argument.size);
    if (r == 0)
        r = note(fd, 'C', job);
    close(fd);
    return r;
}

GP_PLUGIN("counted", "1.0", {"count", "writes down that it has run", count});
