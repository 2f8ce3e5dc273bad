/*
 * The runtime's own lock: spins a little, then sleeps in the kernel. A thread never switches goroutines and
 * never runs code of the user while it holds one. Zeroed is unlocked.
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
    RANK_STACK,     /* free stacks */
    RANK_G,         /* free and all goroutines */
};

struct lock {
    _Atomic uint32_t word; /* 0 free, 1 held, 2 held and somebody may sleep */
};

void lock_take(struct lock *lock, enum lock_rank rank);
void lock_drop(struct lock *lock);
