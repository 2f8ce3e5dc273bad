/*
 * Goroutines of one processor that have not run yet. Its owner takes the newest: whoever starts a tree of goroutines
 * then works on one branch after the other, with few stacks in use, all warm. Others take from the oldest, which stand
 * for the largest branches; so does the owner every now and then, so that each gets its turn (H6).
 *
 * Invariants: newest - oldest <= room, a power of two or 0; everything under the lock, but anybody may read whether it
 * is empty.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lock.h"

struct g;

enum { STARTS_TAKE_MAX = 128 };

struct starts {
    struct lock lock;
    _Atomic uint32_t oldest, newest; /* counts: i lies at slot[i % room] */
    uint32_t room;
    struct g **slot;
};

static inline bool starts_empty(struct starts *s)
{
    return atomic_load_explicit(&s->newest, memory_order_acquire) ==
           atomic_load_explicit(&s->oldest, memory_order_acquire);
}

/* Says which is the oldest: two equal answers, it was the same all the time. */
static inline uint32_t starts_oldest(struct starts *s)
{
    uint32_t oldest = atomic_load_explicit(&s->oldest, memory_order_acquire);

    return starts_empty(s) ? oldest - 1 : oldest;
}

/* False: no memory for more. */
bool starts_push(struct starts *s, struct g *g);

/* NULL when empty. */
struct g *starts_pop(struct starts *s);

/* The oldest: half of them rounded up, at most `max`; returns how many. */
uint32_t starts_take_oldest(struct starts *s, struct g **out, uint32_t max);

/* Nobody uses it any more. */
void starts_free(struct starts *s);
