/*
 * Pools of hosts, in some seeds: pools.c says what an operator does with them, judge_pools.c what must hold. The names they have
 * are few, in the order in which pools have their turn.
 */
#pragma once

#include "inspect.h"
#include "sim.h"

enum pool_value { POOL_HOSTS, POOL_MIN, POOL_GOROUTINES, POOL_QUEUES, POOL_FUNCTIONS, POOL_VALUES };

enum {
    POOL_NAMES = 4,
    POOL_BASE = 1, /* it may stand in the configuration */
    POOL_VALUE_BYTES = 40,
    POOL_TURNS = 128, /* of settings that are remembered */
};

/* What one origin says of a pool. */
struct pool_words {
    char value[POOL_VALUES][POOL_VALUE_BYTES]; /* "": nothing */
    bool drained;
};

struct pool_book {
    struct pool_words config;
    struct pool_words all[POOL_TURNS]; /* each is what was set after one more request */
    size_t all_n, acknowledged;        /* those before this one cannot come back */
    bool loaded;
    bool hidden; /* what is set gives it no work, and did not when the daemon started: it is not there */
    bool doubt;  /* somebody set something and said BYE with it: what came of it shows after a restart */
};

struct pool_ledger {
    uint64_t dice; /* chance of its own */
    uint64_t version;
    struct pool_book book[POOL_NAMES];
};

extern const char *const pool_names[POOL_NAMES], *const pool_value_names[POOL_VALUES];

/* In this seed there are pools; what is set lives until judge_pools_free. */
void pools_open(struct sim *sim);
void judge_pools_free(struct sim *sim);

/* ---- pools.c ---- */

/* The configuration of this start of the daemon. */
void pools_configure(struct sim *sim, struct core *core);
/* Now and then a client sets, drains, removes, or looks at pools. False: not now. */
bool work_pool(struct client *client);
/* After the work: none is left but those of the configuration. */
void pools_end(struct sim *sim);
/* Whether some are: then queues need not share their hosts. */
bool pools_stay(const struct sim *sim);

/* ---- judge_pools.c ---- */

/* What the configuration says of one now, and what the store had of it; then all is there. */
void judge_pool_configured(struct sim *sim, uint32_t pool, const char *text);
void judge_pool_loaded(struct sim *sim, struct bytes name, struct bytes kept);
void judge_pools_loaded(struct sim *sim);
/* The core has taken this operation; a result that is not an error leaves it first. */
void judge_pool_came(struct sim *sim, uint64_t conn, const struct request *request);
void judge_pool_reply(struct sim *sim, const struct task *task, const struct result *result);
/* A run has begun; after each step of the core. */
void judge_pool_start(struct sim *sim, const struct core_job *job);
void judge_pools_look(struct sim *sim);
/* Whether it is drained, or there at all. */
bool pool_drained(const struct sim *sim, uint32_t pool);
bool pool_is_there(const struct sim *sim, uint32_t pool);
/* What is set of some is not known. */
bool pools_doubted(const struct sim *sim);
/* How many may stand at once. */
uint64_t daemon_pools(const struct sim *sim);
