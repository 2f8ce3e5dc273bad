#include "lock.h"

#include <assert.h>
#include <stddef.h>

#include "futex.h"
#include "tls.h"

enum { SPINS = 60 };

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

static void held_push(const struct lock *lock, enum lock_rank rank)
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
static void held_pop(const struct lock *lock)
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
#else
static void held_push(const struct lock *lock, enum lock_rank rank)
{
}

static void held_pop(const struct lock *lock)
{
}
#endif

static void lock_slow(struct lock *lock)
{
    for (int i = 0; i < SPINS; i++) {
        uint32_t free = 0;

        if (atomic_load_explicit(&lock->word, memory_order_relaxed) == 0 &&
            atomic_compare_exchange_strong_explicit(&lock->word, &free, 1, memory_order_acquire,
                                                    memory_order_relaxed))
            return;
        cpu_relax();
    }
    while (atomic_exchange_explicit(&lock->word, 2, memory_order_acquire) != 0)
        futex_wait(&lock->word, 2, -1);
}

void lock_take(struct lock *lock, enum lock_rank rank)
{
    uint32_t free = 0;

    held_push(lock, rank);
    if (!atomic_compare_exchange_strong_explicit(&lock->word, &free, 1, memory_order_acquire,
                                                 memory_order_relaxed))
        lock_slow(lock);
}

void lock_drop(struct lock *lock)
{
    held_pop(lock);
    if (atomic_exchange_explicit(&lock->word, 0, memory_order_release) == 2)
        futex_wake(&lock->word, 1);
}
