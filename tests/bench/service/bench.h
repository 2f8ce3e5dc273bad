/*
 * What every figure of the service has in common: a peer is a way to move values from one process to another through a
 * third one, written down as what each process does.
 *
 * Each function runs in a process of its own, which the harness ends by a signal; a failure ends the program. It calls
 * `ready` once, when whoever comes next may begin.
 */
#pragma once

#include <err.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "processes.h"
#include "stream.h"

enum {
    BATCH = 1024,           /* values of one vector call */
    AHEAD_MAX = 128 * 1024, /* values under way, where a peer has no flow control of its own */
};

struct peer {
    const char *name;
    /* Values of `bytes` as fast as possible, for ever; `where` is the server. Any may be NULL: not offered. */
    void (*produce)(const char *where, size_t bytes);
    /* Counts each value that arrives in *received. */
    void (*consume)(const char *where, size_t bytes);
    /* Sends back each value it gets. */
    void (*echo)(const char *where, size_t bytes);
    /* The other side of echo: connects; then one value there and back. */
    void (*begin)(const char *where, size_t bytes);
    void (*ask)(void);
    /* The server itself, where it is written here. */
    void (*serve)(const char *where);
};

extern const struct peer ours, ours_single, ours_windowed, ping, job_run, select_8, lock_8, raw, redis, nats,
    gearman;

/* Shared by all processes of a run. */
extern volatile uint64_t *received;

/* A name that no other run has: what one leaves behind shall not be found by the next. */
const char *run_name(const char *what);

/* Waits until no more than AHEAD_MAX of what was sent is under way. */
void keep_pace(uint64_t sent);
