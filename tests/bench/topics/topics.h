/*
 * What every figure of topics has in common: a peer is a way to publish messages and to get them, live or from a log, written
 * down as what each process of a run does. A failure ends the program.
 */
#pragma once

#include <err.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "processes.h"

enum {
    MESSAGE_BYTES = 64, /* of every message */
    BATCH = 256,        /* messages written at once, where the peer has no vectors */
    AHEAD_MAX =
        32 * 1024,      /* messages that a live subscriber has not had, where the peer has no flow control */
    PENDING_MAX = 4096, /* messages of a log that are not confirmed, or not acknowledged */
    SUBSCRIBERS_MAX = 64,
    SAMPLES_MAX = 1 << 16,
};

struct peer {
    const char *name;
    /* Any of these may be NULL: not offered. `where` is the server. */
    void (*prepare)(const char *where); /* once for each run, before its processes */
    /* Publishes to the live topic for ever, none of it lost. Calls ready(). */
    void (*publish)(const char *where, size_t number);
    /* Gets what is published live, for ever, counting in arrived(number). Calls ready(). */
    void (*subscribe)(const char *where, size_t number);
    /* Gets messages that hold when they were published, and says had() of each. Calls ready(). */
    void (*hear)(const char *where, size_t number);
    /* In the process that publishes them: connects; then one message. */
    void (*connect)(const char *where);
    void (*tell)(const void *message);
    /* Publishes to the log for ever, at the pace of who consumes, or `most` messages when that is not 0; what is confirmed is
     * counted in `accepted`. Calls ready(). */
    void (*fill)(const char *where, size_t most);
    /* Consumes the log as a group of its own, acknowledging each message; counts in arrived(number). Calls ready(). */
    void (*consume)(const char *where, size_t number);
    /* Reads the log from its first message; counts likewise. Calls ready(). */
    void (*replay)(const char *where, size_t number);
    /* Makes so many live subscriptions, each to a topic of its own; returns when the server has them. */
    void (*idle)(const char *where, size_t many);
};

extern const struct peer ours, nats, jetstream, redis;

/* Shared by all processes of a run. */
struct tally {
    uint64_t accepted; /* confirmed messages */
    uint32_t samples, ns[SAMPLES_MAX];
    struct {
        uint64_t n; /* written by that subscriber alone */
        char apart[56];
    } arrived[SUBSCRIBERS_MAX];
};
extern struct tally *tally;

static inline void count(uint64_t *what, uint64_t n)
{
    __atomic_store_n(what, __atomic_load_n(what, __ATOMIC_RELAXED) + n, __ATOMIC_RELAXED);
}

static inline uint64_t counted(const uint64_t *what)
{
    return __atomic_load_n(what, __ATOMIC_RELAXED);
}

/* So many more messages have come to the subscriber. */
static inline void arrived(size_t number, uint64_t n)
{
    count(&tally->arrived[number].n, n);
}

/* Whether the slowest of the run's subscribers has AHEAD_MAX of what was sent still to come. */
bool far_ahead(uint64_t sent);
/* Before more are published: waits while that is so. */
void keep_pace(uint64_t sent);

/* Takes the time since the moment that the message begins with. */
void had(const void *message);

/* A name that no other run has: what one leaves behind shall not be found by the next. */
const char *run_name(const char *what);

/* Whether who consumes begins with the first message, or with what is published from then on. */
extern bool from_start;

/* MESSAGE_BYTES of text. */
extern const char body[];
