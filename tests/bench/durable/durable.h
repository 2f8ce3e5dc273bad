/*
 * What every figure of durable work has in common: a peer is a way to have jobs kept and done, written down as what each
 * process of a run does. A failure ends the program.
 */
#pragma once

#include <err.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "processes.h"

enum {
    ARGUMENT_BYTES = 64, /* of every job */
    BATCH = 1000,        /* jobs of one transaction, where the peer has them */
    WINDOW = 100,        /* requests under way on one connection, where the peer lets them */
    AHEAD_MAX = 8192,    /* jobs put and not yet ended: the queue is short, and never empty */
};

struct peer {
    const char *name;
    /* Any of these may be NULL: not offered. `where` is the server. */
    void (*prepare)(const char *where); /* once for each run, before its processes */
    void (*connect)(const char *where); /* of a process that calls put or ask */
    void (*put)(void);                  /* one job, acknowledged when it is as safe as the peer makes it */
    /* As many as it can, or `most` of them when that is not 0; what is acknowledged is counted in `accepted`. Calls ready(). */
    void (*fill)(const char *where, size_t most);
    /* Puts jobs for ever, keeping pace with those who end them. Calls ready(). */
    void (*produce)(const char *where, size_t number);
    /* Takes jobs and ends them, for ever, counting in `ended`. Calls ready(). NULL: the server has them run. */
    void (*work)(const char *where, size_t number);
    int producers, workers; /* processes of each */
    /* Takes one job after the other, and answers with the time at which it began. Calls ready(). NULL: as work. */
    void (*answer)(const char *where, size_t number);
    int64_t (*ask)(void); /* one job: nanoseconds from its submit to its start */
    /* Sends values for ever, `many` in each operation, the next one when that is acknowledged. Calls ready(). */
    void (*send)(const char *where, size_t many);
    /* Takes them for ever, counting in `ended`. Calls ready(). */
    void (*receive)(const char *where, size_t number);
};

extern const struct peer ours, redis, beanstalk, gearman, gearman_kept, postgres, sqlite, disk;

/* ours_channel.c */
void ours_send(const char *where, size_t many);
void ours_receive(const char *where, size_t number);

/* Shared by all processes of a run: jobs so far. */
struct tally {
    uint64_t accepted, put, ended;
};
extern struct tally *tally;

static inline void count(uint64_t *what, uint64_t n)
{
    __atomic_fetch_add(what, n, __ATOMIC_RELAXED);
}

static inline uint64_t counted(const uint64_t *what)
{
    return __atomic_load_n(what, __ATOMIC_RELAXED);
}

/* Before n more are put: waits until they are not too many. */
void keep_pace(uint64_t n);

/* ARGUMENT_BYTES of text. */
extern const char argument[];
