/* A look inside the core, apart from sim.h: the core and the client have their own words for the same things. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bytes.h"

struct core;
struct secret;

struct left {
    size_t operations, parked, resolved, results, channels, sessions, handles, connections, ended, locks,
        contexts;
};

/* What the core still holds. */
struct left core_left(const struct core *core);

enum core_sight { CORE_NO_SESSION, CORE_NO_OPERATION, CORE_OPERATION };

/* Whether it has this session, and this operation of it. */
enum core_sight core_look(const struct core *core, const struct secret *session, uint64_t op);

struct outcome {
    int32_t status;
    uint64_t handle;
};

/* How this operation of the session has ended. False: there is none, or it waits. */
bool core_outcome(const struct core *core, const struct secret *session, uint64_t op, struct outcome *out);

/* Whether this operation has a grant that was neither acknowledged nor undone. */
bool core_has_grant(const struct core *core, const struct secret *session, uint64_t op);

/* Whether this run (0: the session itself) has not ended. */
bool core_scope_lives(const struct core *core, const struct secret *session, uint64_t run);

/* A subscription, by its handle in a session. */
struct core_subscription {
    bool lives, cut;   /* it is published to; it ended for want of room */
    uint64_t trailing; /* messages lost behind the last one that it has */
};

/* Tells each message that is there and not acknowledged, those received first. False: there is no such subscription. */
bool core_subscription(const struct core *core, const struct secret *session, uint64_t handle,
                       struct core_subscription *out,
                       void (*tell)(void *context, struct bytes body, struct bytes key, uint64_t lost,
                                    uint32_t flags),
                       void *context);

/* Turns on the planted bug of this name. False: there is none, or this build has none. */
bool core_plant(const char *name);

/* A job in memory. What it points at lives until the next step. */
struct core_job {
    uint64_t id, run, op;
    const struct secret *session;
    uint32_t state, priority;
    bool in_line;
    struct bytes queue, key;
    struct bytes path, name; /* of its plugin and function */
    uint64_t host;           /* that runs it; 0: none does, or a worker */
    uint64_t tries;          /* failures and crashes */
    const void *function;
    int64_t grace_ns;
    bool cancelling;   /* its run was told to end, and has its grace */
    struct bytes text; /* what it ended with, or its last run did */
};

/* The first one with a greater id. */
bool core_next_job(const struct core *core, uint64_t after, struct core_job *out);

/* Whether the states of a job with these flags are told nowhere. */
bool core_untold(uint32_t flags);

/* Whether it has ended and is kept. */
bool core_keeps(const struct core *core, uint64_t job);

/* A process of a plugin. What it points at lives until the next step. */
struct core_host {
    uint64_t number, busy;
    bool takes; /* jobs, or will */
    struct bytes pool;
    const void *generation;
};

/* The first one with a greater number. */
bool core_next_host(const struct core *core, uint64_t after, struct core_host *out);

/* Whether this pool is there, and is drained. */
bool core_pool_drained(const struct core *core, struct bytes pool);
