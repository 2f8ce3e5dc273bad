/* --retry: how a job is tried again. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct options;

enum { RETRY_LIST_MAX = 1024 }; /* the daemon has a limit of its own */

struct retry {
    bool none;
    size_t delays_n; /* 0: they double */
    uint64_t delays_ns[RETRY_LIST_MAX];
};

/* Reads it, and tells on standard error what is wrong. 0 or -EINVAL. */
int retry_parse(const struct options *options, struct retry *retry);
