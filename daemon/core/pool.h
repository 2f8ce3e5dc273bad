/*
 * Pools: named groups of hosts that run the jobs of some queues and functions.
 *
 *     pool ── crew ── host       a crew for each generation of the plugins whose jobs it runs (crew.h)
 *       └──── track              a function in a queue belongs to the first pool by name that has both, or to none
 *
 * A pool is queues × functions × goroutines × hosts. Jobs of its tracks run in its hosts and nowhere else, at most
 * `goroutines` of them in one host, in at most `hosts` hosts for each plugin. What queues bound of themselves holds besides.
 * Jobs without a plugin are the business of workers, and of no pool.
 *
 * A new host is started when a job finds no place (crew.h); `min` of them there always are, of each plugin that the pool names
 * in full. One that dies is replaced. Fewer hosts: the least busy ones are drained, they finish what they run. More: they start
 * when they are needed. Fewer goroutines: hosts take nothing until they run less. So no change of a pool takes a run from its job.
 * A drained pool starts nothing, and its hosts end when they run nothing; who asked for that waits until then. A pool that is
 * removed drains its hosts, and its jobs go to the next pool that has them, or to none. A new generation has crews of its own
 * beside those of the old one, which drain.
 *
 * What is set of a pool while the daemon runs is kept by the store as a text (pool_settings.h), as is that it is drained; it
 * wins over the configuration, value by value. Counters begin anew with the daemon.
 *
 * Invariants: `jobs->pools` is in the order of names. Each track knows its pool. `runs` counts the runs of all hosts of the pool;
 * somebody waits for its drain only while there are some, or until the end of the step. A pool has queues or functions.
 */
#pragma once

#include "jobs_internal.h"
#include "pool_settings.h"

struct pool {
    struct list link;     /* jobs->pools */
    struct list crews;    /* struct crew by pool_link */
    struct list drainers; /* struct waiter: until nothing runs */
    char *text[ORIGINS];  /* that the parts borrow from; NULL: nothing is set */
    struct pool_part parts[ORIGINS];
    struct pool_part sum; /* of them */
    uint8_t origin[POOL_FIELDS];
    uint64_t runs;          /* with a job, in its hosts */
    uint64_t started, died; /* hosts, since the daemon started */
    uint64_t ended;         /* runs that have come to an end of their own */
    struct timer again;     /* armed while a plugin it names in full cannot be used */
    uint32_t name_size;
    char name[];
};

/* NULL: unknown. */
struct pool *pool_find(const struct core *core, struct bytes name);
static inline struct bytes pool_name(const struct pool *pool)
{
    return (struct bytes){pool->name, pool->name_size};
}
/* The configuration or somebody has set it: what it is there for. */
static inline bool pool_stands(const struct pool_part *sum)
{
    return pool_part_list(sum, POOL_queues).size || pool_part_list(sum, POOL_functions).size;
}
/* Whether it is there, or one more may be. */
bool pool_has_room(const struct core *core, struct bytes name);
/* All that is set of a pool from this origin, made if need be; the text is copied. 0 or -ENOMEM: nothing happened. */
int pool_put(struct core *core, struct bytes name, enum policy_origin origin, struct bytes text,
             struct pool **out);
/* The next of those who wait for its drain and have not given up. NULL: nobody does. */
struct op *pool_drainer(struct core *core, struct pool *pool);
/* Its hosts drain, its jobs go elsewhere, who waits for its drain hears that it is gone. */
void pool_remove(struct core *core, struct pool *pool);
void pools_free(struct core *core);

/* Whose hosts run the jobs of this track; NULL: those of no pool. */
struct pool *pool_of(const struct core *core, const struct track *track);
/* A host that takes a job of this track now, which a sound plugin has. NULL: none yet; one is started when it may be. */
struct host *pool_host(struct core *core, struct track *track, uint32_t uid);
/* Why there is none, in words; empty: there is one. */
size_t pool_reason(const struct core *core, const struct track *track, char *to, size_t size);

/* A run begins / has come to an end of its own / leaves this host. */
void pool_run_begins(struct host *host);
void pool_run_ended(struct host *host);
void pool_run_leaves(struct core *core, struct host *host);

/* There may be hosts to start or drains that have ended: pools_turn looks. */
static inline void pools_soon(struct core *core)
{
    core->jobs->pools_look = true;
}
void pools_turn(struct core *core);
/* How many hosts it has, drained ones too; how many of its jobs are ready. */
uint64_t pool_hosts(const struct pool *pool);
uint64_t pool_ready(const struct core *core, const struct pool *pool);
void pools_check(const struct core *core);
