/* Requests about pools. Part of message.h. */
#pragma once

#include <stdint.h>

#include "bytes.h"

struct request_pool_set {
    struct bytes name;
    struct bytes settings; /* NAME=VALUE, a blank between two; without VALUE: what the configuration says */
};

struct request_pool_remove {
    struct bytes name;
};

struct request_pool_info {
    struct bytes name;
};

struct request_pool_list {
    struct bytes prefix;
    struct bytes after; /* a page goes on behind this name */
    uint32_t limit;     /* 0: as many as there may be */
};

enum pool_drain_what {
    POOL_DRAIN_BEGIN = 1, /* no job of it is started, and its hosts end when they run none */
    POOL_DRAIN_END = 2,
};

struct request_pool_drain {
    struct bytes name;
    uint32_t what; /* enum pool_drain_what */
};
