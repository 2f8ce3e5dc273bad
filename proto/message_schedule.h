/* What message.h says about schedules: requests, and what is told of one. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "bytes.h"

/* What becomes of moments at which it could not submit. The order is that of the wire and of the store. */
enum schedule_missed {
    MISSED_ONE,  /* any number of them is made up for by one run */
    MISSED_SKIP, /* by none */
    MISSED_ALL,  /* by a run each, the newest missed_most of them */
};

/* When the run before has not ended. */
enum schedule_overlap {
    OVERLAP_ALLOW, /* they run side by side */
    OVERLAP_SKIP,  /* the moment passes without a run */
};

enum schedule_flags {
    SCHEDULE_PAUSED = 1 << 0, /* SET: begins so; told: is so */
    SCHEDULE_BROKEN = 1 << 1, /* told: its zone or its text cannot be used any more; `text` says why */
};

/* A name that is there is replaced. The members from `plugin` on are those of request_submit. */
struct request_schedule_set {
    struct bytes name;
    struct bytes spec;    /* as daemon/core/cron.h describes it */
    struct bytes zone;    /* IANA name; empty: UTC */
    uint32_t missed;      /* enum schedule_missed */
    uint32_t missed_most; /* MISSED_ALL; 0: as many as the daemon allows */
    uint32_t overlap;     /* enum schedule_overlap */
    uint32_t flags;       /* SCHEDULE_PAUSED */
    struct bytes plugin, function, argument, queue, key;
    uint32_t attempts_max, priority;
    int64_t backoff_ns, backoff_max_ns, time_limit_ns, grace_ns;
    int64_t deadline_in_ns, delay_ns; /* from the submit on */
    uint32_t jitter;
    const uint64_t *delays_ns;
    size_t delays_ns_n;
};

struct request_schedule_remove {
    struct bytes name;
};

struct request_schedule_pause {
    struct bytes name;
    uint32_t resume; /* 1: it goes on from now; 0: it is held */
};

struct request_schedule_list {
    struct bytes prefix;
    struct bytes after; /* the last name of the page before */
    uint32_t limit;
};

struct schedule_info {
    struct bytes name, spec, zone;
    uint32_t missed, missed_most, overlap;
    uint32_t flags; /* enum schedule_flags */
    uint32_t uid;
    struct bytes plugin, function, queue;
    struct bytes text;        /* what is wrong with it, or with its last moment */
    int64_t last_us, next_us; /* moments it was and is due, wall clock, UTC; 0: none */
    uint64_t runs, skipped;   /* jobs submitted; times it was due and submitted none */
    uint64_t last_job;        /* 0: none */
};
