/* What a function writes to a descriptor, and counting in it. */
#pragma once

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "rt_test.h"

/* A descriptor to write to; rt_written reads and closes it. */
static inline int rt_paper(void)
{
    int fd = memfd_create("report", MFD_CLOEXEC);

    assert_true(fd >= 0);
    return fd;
}

/* All that was written, with a NUL behind it; free it. `size` may be NULL. */
static inline char *rt_written(int fd, size_t *size)
{
    off_t n = lseek(fd, 0, SEEK_END);
    char *text = calloc(1, (size_t)n + 1);

    assert_non_null(text);
    assert_true(pread(fd, text, (size_t)n, 0) == n);
    close(fd);
    if (size)
        *size = (size_t)n;
    return text;
}

static inline int rt_times(const char *text, const char *what)
{
    int n = 0;

    while ((text = strstr(text, what))) {
        text += strlen(what);
        n++;
    }
    return n;
}
