/*
 * The runtime's own lock. A thread never switches goroutines and never runs code of the user while it holds one, so
 * locks are held for some nanoseconds, unless the kernel takes the CPU away meanwhile. So who finds it held spins, and
 * then looks again every now and then: dropping it is a plain store, which need not know whether anybody sleeps (a
 * pair costs 2.4 ns, with a word that counts sleepers 4.3). Zeroed is unlocked.
 *
 * The order in which locks may be taken is data: a thread takes only ranks above those it holds. Channels of
 * one select are the exception: same rank, rising addresses. Debug builds check every lock taken.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

enum lock_rank {
    RANK_GROUP = 1, /* members of a group, a bubble */
    RANK_CTX,       /* one tree of contexts */
    RANK_CHAN,      /* a channel, and every lock and queue of sync */
    RANK_POLL,      /* one descriptor's waiters */
    RANK_BLOCKING,  /* the queue of blocking calls */
    RANK_TIMER,     /* one heap of timers */
    RANK_SCHED,     /* global queue, idle processors */
    RANK_STARTS,    /* what a processor has not started yet */
    RANK_STACK,     /* free stacks */
    RANK_LIVING,    /* how many may live */
    RANK_G,         /* free and all goroutines */
};

struct lock {
    _Atomic uint32_t word; /* 0 free, 1 held */
};

/* Debug builds: notes what this thread holds and dies when the order is broken. */
void lock_order_push(const struct lock *lock, enum lock_rank rank);
void lock_order_pop(const struct lock *lock);

/* The way of lock_take when the lock is held. */
void lock_wait(struct lock *lock);

/* What to do between two looks at any word that is held as shortly as a lock; `round` counts them from 0. */
void lock_pause(int round);

static inline void lock_take(struct lock *lock, enum lock_rank rank)
{
    uint32_t free = 0;

#ifndef NDEBUG
    lock_order_push(lock, rank);
#endif
    if (!atomic_compare_exchange_strong_explicit(&lock->word, &free, 1, memory_order_acquire,
                                                 memory_order_relaxed))
        lock_wait(lock);
}

static inline void lock_drop(struct lock *lock)
{
#ifndef NDEBUG
    lock_order_pop(lock);
#endif
    atomic_store_explicit(&lock->word, 0, memory_order_release);
}
