/* File descriptors that close when their block ends. */
#pragma once

#include <unistd.h>

static inline void cleanup_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}
