/*
 * The run queue of one processor: a ring that its owner pushes to and anybody takes from, and a `next` slot
 * for the one just woken, which thieves take last.
 *
 * Invariants: tail - head <= RING_SIZE; only the owner writes tail and the slots between tail and head +
 * RING_SIZE; head moves by compare-and-swap only, so each entry is taken once.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct g;

enum { RING_SIZE = 256 };

struct ring {
    _Atomic uint32_t head;
    _Atomic uint32_t tail;
    _Atomic(struct g *) next;
    _Atomic(struct g *) slot[RING_SIZE];
};

/* Owner. False when full: the caller moves half away with ring_take_half. */
bool ring_push(struct ring *ring, struct g *g);

/* Owner. NULL when empty. By the time it is looked at, it may have been taken and run. */
static inline struct g *ring_first(struct ring *ring)
{
    uint32_t head = atomic_load_explicit(&ring->head, memory_order_acquire);

    return head == atomic_load_explicit(&ring->tail, memory_order_relaxed)
               ? NULL
               : atomic_load_explicit(&ring->slot[head % RING_SIZE], memory_order_relaxed);
}

/* Owner. The same, but NULL when fewer than `least` are here. */
static inline struct g *ring_first_of(struct ring *ring, uint32_t least)
{
    uint32_t head = atomic_load_explicit(&ring->head, memory_order_acquire);

    return atomic_load_explicit(&ring->tail, memory_order_relaxed) - head < least
               ? NULL
               : atomic_load_explicit(&ring->slot[head % RING_SIZE], memory_order_relaxed);
}

/* Owner. NULL when empty. */
struct g *ring_pop(struct ring *ring);

/* Anybody: takes half of what is there, rounded up, at most `room`; returns how many. */
uint32_t ring_take_half(struct ring *victim, struct g **out, uint32_t room);

/* Anything to run, `next` left out. */
bool ring_empty(struct ring *ring);
