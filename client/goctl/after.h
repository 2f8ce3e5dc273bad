/* --after: the jobs that end before. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct options;

enum { AFTER_LIST_MAX = 1024 }; /* the daemon has a limit of its own */

struct after {
    size_t n;
    uint64_t jobs[AFTER_LIST_MAX];
};

/* Reads it, and tells on standard error what is wrong. 0 or -EINVAL. */
int after_parse(const struct options *options, struct after *after);
