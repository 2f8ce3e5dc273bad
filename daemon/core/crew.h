/*
 * Crews: the hosts of one generation that take the same jobs, those of one pool (pool.h) or of no pool.
 *
 * Each generation has a crew of its own, of one host, for the jobs of no pool. A crew of a pool has as many as the pool says,
 * and each of them runs at most so many jobs. One more is started when a job finds no place in those there are, one at a time,
 * and after a delay that doubles with each life that came to nothing. A job goes to the host with the fewest.
 *
 * Invariants: `hosts` has those that take jobs or will (STARTING, SERVING), oldest first. A crew has hosts that take jobs only
 * while its generation is the newest and its pool wants them. One of a pool goes with its last host when either is not so.
 */
#pragma once

#include "core_internal.h"

struct generation;
struct host;
struct pool;
struct track;

struct crew {
    struct list link;      /* generation->crews; the generation's own is in none */
    struct list pool_link; /* pool->crews */
    struct generation *generation;
    struct pool *pool;       /* NULL: the generation's own, or its pool is gone */
    struct list hosts;       /* struct host by `peers` */
    uint64_t hosts_n;        /* of them */
    uint64_t living;         /* with those that are drained or killed, and have not ended */
    uint64_t trials;         /* this many of the next runs start one at a time in a host */
    uint64_t suspects_after; /* hosts with a greater number are younger than the death that is looked into */
    uint32_t unsolved;       /* deaths in a row that could be charged to nobody */
    uint64_t failures;       /* starts and lives in a row that came to nothing */
    struct timer again;      /* armed while none may be started */
};

/* One with nothing in it. Its place in the timers is the business of the caller. */
void crew_init(struct crew *crew, struct generation *generation, struct pool *pool);
/* A host that takes a job now. NULL: none; one more is started when there may be. */
struct host *crew_host(struct core *core, struct crew *crew, uint32_t uid);
/* How many hosts it may have. */
uint64_t crew_most(const struct crew *crew);
/* Starts hosts until there are so many that take jobs or will, as far as that may be now. */
void crew_fill(struct core *core, struct crew *crew, uint64_t n, uint32_t uid);
/* Drains those that are more than it may have, the least busy first. Safe to repeat. */
void crew_shape(struct core *core, struct crew *crew);
/* A host is there / takes jobs no more / has ended, which may free the crew of a pool. */
void crew_joins(struct core *core, struct crew *crew, struct host *host);
void crew_leaves(struct core *core, struct host *host);
void crew_ended(struct core *core, struct host *host);
/* A host has died: the next one waits, longer after each life that came to nothing. */
void crew_hold_off(struct core *core, struct crew *crew, bool proved);
/* Nobody knows which of so many runs it died of: the next ones start one at a time. */
void crew_suspects(struct core *core, struct crew *crew, uint64_t runs);
/* Frees the crew of a pool that has no host and will have none. Safe for every crew. */
void crew_settle(struct core *core, struct crew *crew);
/* The crew of a pool in this generation, made if need be. NULL: out of memory. */
struct crew *crew_get(struct core *core, struct pool *pool, struct generation *generation);
/* All those of pools go with their generation, which has no hosts. */
void crews_free(struct core *core, struct generation *generation);
/* Each crew of a generation that is not the newest any more drains its hosts. */
void crews_retire(struct core *core, struct generation *generation);
/* Why no host takes a job, in words; empty: one does. */
size_t crew_reason(const struct core *core, const struct crew *crew, char *to, size_t size);
void crew_check(const struct core *core, const struct crew *crew);
