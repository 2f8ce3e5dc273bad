/* Feeds: topics whose messages become jobs; what is asked about them and told of them. Part of message.h. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "bytes.h"

/* What the argument of a job is. */
enum feed_argument {
    FEED_ARGUMENT_STAYS, /* SET: as it is; BODY of a new one */
    FEED_BODY,           /* the body of the message */
    FEED_MESSAGE,        /* lines that tell of the message, an empty one, and the body */
};

enum feed_pause { FEED_PAUSE_STAYS, FEED_HOLD, FEED_GO_ON };

/* Where it goes on. */
enum feed_from { FEED_FROM_STAYS, FEED_FROM_NEW, FEED_FROM_START, FEED_FROM_SEQUENCE, FEED_FROM_TIME };

enum feed_flags {
    FEED_PAUSED = 1 << 0, /* it is held */
    FEED_WAITS = 1 << 1,  /* something is in its way: `text` says what */
};

/* Makes one, or changes what is named of one that is there. */
struct request_feed_set {
    struct bytes name;
    struct bytes pattern;          /* empty: as it is */
    struct bytes plugin, function; /* as of a submit; without a function both are as they are */
    struct bytes queue;            /* empty: as it is, or `default` */
    uint64_t ahead;                /* it makes no job while so many wait in its queue; 0: as it is, or 1000 */
    uint32_t argument;             /* enum feed_argument */
    uint32_t pause;                /* enum feed_pause */
    uint32_t from;                 /* enum feed_from; STAYS of a new one: NEW */
    uint64_t from_sequence;
    int64_t from_time_us;
};

struct request_feed_remove {
    struct bytes name;
};

struct request_feed_list {
    struct bytes prefix;
    struct bytes after; /* the last name of the page before */
    uint32_t limit;
};

struct feed_info {
    struct bytes name, pattern, plugin, function, queue;
    uint32_t uid;
    uint32_t flags;    /* enum feed_flags */
    uint32_t argument; /* enum feed_argument */
    uint64_t ahead;
    uint64_t cursor;   /* messages up to this sequence have their job, or will have none */
    uint64_t waiting;  /* messages behind it, about */
    uint64_t jobs;     /* that it has made */
    uint64_t missed;   /* messages that had gone from the log before it came to them, about */
    uint64_t last_job; /* 0: none */
    struct bytes text; /* what it waits for */
};
