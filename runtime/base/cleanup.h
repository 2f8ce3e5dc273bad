/* Cleanup on leaving a block: `_cleanup_(job_deletep) struct job *job = job_new();`. */
#pragma once

#include <stdlib.h>

/* A variable may be there for its cleanup alone. */
#define _cleanup_(function) __attribute__((cleanup(function), unused))

/* Defines `function`p for a destructor that takes and returns a pointer and accepts NULL. */
#define DEFINE_CLEANUP(type, function)                                                                       \
    static inline void function##p(type *p)                                                                  \
    {                                                                                                        \
        if (*p)                                                                                              \
            function(*p);                                                                                    \
    }

static inline void cleanup_free(void *p)
{
    free(*(void **)p);
}
