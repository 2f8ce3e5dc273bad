/* Where a function that writes to a descriptor may write, and reading what it wrote. */
#pragma once

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guide.h"

/* A descriptor to write to; paper_read closes it. */
static inline int paper(void)
{
    int fd = memfd_create("paper", MFD_CLOEXEC);

    must(fd >= 0);
    return fd;
}

/* All that was written, with a NUL behind it; to be freed. */
static inline char *paper_read(int fd)
{
    off_t size = lseek(fd, 0, SEEK_END);
    char *text = calloc(1, (size_t)size + 1);

    must(text && pread(fd, text, (size_t)size, 0) == size);
    close(fd);
    return text;
}

/* How often `what` is in the text. */
static inline int times_in(const char *text, const char *what)
{
    int n = 0;

    while ((text = strstr(text, what))) {
        text += strlen(what);
        n++;
    }
    return n;
}
