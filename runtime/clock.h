/*
 * The clock of the runtime: CLOCK_MONOTONIC, or one that stands still and is moved by a test; and of a
 * bubble.
 */
#pragma once

#include <stdint.h>

struct g;

/* The clock of all that is in no bubble. */
int64_t clock_ns(void);

/* CLOCK_MONOTONIC, whatever go_clock_fake says: for limits on the runtime itself. */
int64_t clock_real_ns(void);

/* For how long somebody has waited in a queue: CLOCK_MONOTONIC; in a seeded run it moves with the steps of the run. */
int64_t clock_queue_ns(void);

/* The clock of g: its bubble's or clock_ns. */
int64_t clock_of(const struct g *g);

/* clock_ns as some processor last saw it: at most a tick of the watchdog old while anything runs. For ages in
 * dumps. */
extern _Atomic int64_t clock_coarse;

static inline int64_t clock_coarse_ns(void)
{
    return __atomic_load_n((const int64_t *)&clock_coarse, __ATOMIC_RELAXED);
}
void clock_coarse_set(int64_t ns);

/* Adds without wrapping (T1). */
int64_t clock_add(int64_t a, int64_t b);

/* Whether go_clock_fake is in force: nothing sleeps for a deadline then. */
int clock_is_fake(void);
