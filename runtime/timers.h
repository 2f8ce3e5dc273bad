/*
 * Timers: 4-ary heaps, one for each processor and one for each bubble. Everything that has a deadline embeds
 * a `struct timer`; nothing here allocates but the heap array.
 *
 * Ownership: the owner of a timer arms and disarms it, one call at a time (under its own lock, or because it
 * is a goroutine's own). Firing copies owner and tag under the heap's lock and calls after unlocking, so it
 * may come after a disarm: the owner's `fire` compares the tag with what it holds now.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lock.h"

#define TIMER_NEVER INT64_MAX

struct timers;

struct timer {
    int64_t when_ns;
    uint64_t tag;
    void (*fire)(void *owner, uint64_t tag, int64_t now_ns);
    void *owner;
    struct timers *home; /* the heap it is in, NULL for none: set so by firing, behind the owner's back */
    unsigned place;
};

struct timers {
    struct lock lock;
    struct timer_slot *heap;
    unsigned n, room;
    _Atomic int64_t next_ns; /* the earliest, TIMER_NEVER for none: read without the lock */
};

void timers_init(struct timers *timers);
/* Timers that are still armed become disarmed and will not fire. */
void timers_free(struct timers *timers);

static inline void timer_init(struct timer *timer)
{
    timer->home = NULL;
}

/* The timer is disarmed. False: no memory for the heap. */
bool timer_arm(struct timer *timer, struct timers *timers, int64_t when_ns, uint64_t tag);

/* True if it was armed and had not been taken out for firing. */
bool timer_disarm(struct timer *timer);

/* Fires what is due at now_ns, earliest first; returns how many. */
int timers_run(struct timers *timers, int64_t now_ns);

static inline int64_t timers_next(const struct timers *timers)
{
    return __atomic_load_n((const int64_t *)&timers->next_ns, __ATOMIC_SEQ_CST);
}
