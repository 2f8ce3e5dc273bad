/* Requests about queues. Part of message.h. */
#pragma once

#include <stdint.h>

#include "bytes.h"

enum { SETTINGS_BYTES_MAX = 4096 };

struct request_queue_set {
    struct bytes name;
    struct bytes settings; /* NAME=VALUE, a blank between two; without VALUE: what the configuration says */
};

struct request_queue_info {
    struct bytes name;
};

struct request_queue_list {
    struct bytes prefix;
    struct bytes after; /* a page goes on behind this name */
    uint32_t limit;     /* 0: as many as there may be */
};

enum pause_what {
    PAUSE_BEGIN = 1,   /* no job of it is started */
    PAUSE_SUBMITS = 2, /* none is taken, either; moments of schedules stay due */
    PAUSE_END = 3,
};

struct request_queue_pause {
    struct bytes name;
    uint32_t what;  /* enum pause_what */
    int64_t for_ns; /* 0: until it is ended */
};

struct request_queue_purge {
    struct bytes name;
};

struct request_queue_remove {
    struct bytes name;
};
