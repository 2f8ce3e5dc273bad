#include "lock.h"

#include <assert.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "futex.h"
#include "tls.h"

/* Each look takes the word's cache line away from the holder, so they come at growing distances: at equal ones of one
 * pause two processors that share a channel get a third as much done. */
enum { SPINS = 12, PAUSES_FIRST = 8, PAUSES_MAX = 64, YIELDS = 4 };

#define NAP_NS 20000

#ifndef NDEBUG
/* What this thread holds, outermost first. A select may hold very many channels: only the last 16 are
 * checked. */
struct held {
    unsigned n;
    struct {
        const struct lock *lock;
        enum lock_rank rank;
    } last[16];
};

static TLS struct held held;

TLS_GETTER struct held *held_self(void)
{
    TLS_BARRIER();
    return &held;
}

void lock_order_push(const struct lock *lock, enum lock_rank rank)
{
    struct held *h = held_self();
    unsigned top = (h->n - 1) % 16;

    if (h->n)
        assert(h->last[top].rank < rank ||
               (rank == RANK_CHAN && h->last[top].rank == rank && h->last[top].lock < lock));
    h->last[h->n % 16].lock = lock;
    h->last[h->n % 16].rank = rank;
    h->n++;
}

/* Dropping is in any order; what cannot be seen any more is taken on trust. */
void lock_order_pop(const struct lock *lock)
{
    struct held *h = held_self();
    unsigned seen = h->n < 16 ? h->n : 16;

    assert(h->n > 0);
    for (unsigned i = 1; i <= seen; i++)
        if (h->last[(h->n - i) % 16].lock == lock) {
            for (; i > 1; i--)
                h->last[(h->n - i) % 16] = h->last[(h->n - i + 1) % 16];
            break;
        }
    h->n--;
}
#endif

static bool lock_try(struct lock *lock)
{
    uint32_t free = 0;

    return atomic_load_explicit(&lock->word, memory_order_relaxed) == 0 &&
           atomic_compare_exchange_strong_explicit(&lock->word, &free, 1, memory_order_acquire,
                                                   memory_order_relaxed);
}

static void spin(int round)
{
    int pauses = PAUSES_FIRST << (round < 3 ? round : 3);

    for (int i = 0; i < pauses; i++)
        cpu_relax();
}

static_assert(PAUSES_FIRST << 3 == PAUSES_MAX, "the distance doubles three times");

/* The holder works, or it has lost its CPU, perhaps to us. */
void lock_pause(int round)
{
    static const struct timespec nap = {.tv_nsec = NAP_NS};

    if (round < SPINS)
        spin(round);
    else if (round < SPINS + YIELDS)
        sched_yield();
    else
        clock_nanosleep(CLOCK_MONOTONIC, 0, &nap, NULL);
}

void lock_wait(struct lock *lock)
{
    for (int round = 0; !lock_try(lock); round++)
        lock_pause(round);
}
