/*
 * G47 Atomic operations: those of C11 are the ones to use from goroutines.
 *
 * Pattern: atomic counter, atomic flag.
 */
#include "guide.h"

enum { ADDERS = 100, EACH = 10 };

struct shared {
    _Atomic int32_t i32;
    _Atomic uint32_t u32;
    _Atomic int64_t i64;
    _Atomic uint64_t u64;
    _Atomic int32_t owner;
    atomic_int winners;
    atomic_bool ready;
    int message; /* written before `ready`, read after it */
};

static void add(void *arg)
{
    struct shared *shared = arg;

    for (int i = 0; i < EACH; i++) {
        atomic_fetch_add(&shared->i32, 1);
        atomic_fetch_add(&shared->u32, 1);
        atomic_fetch_sub(&shared->i64, INT64_C(1) << 40);
        atomic_fetch_add(&shared->u64, UINT64_C(1) << 40);
    }
}

static void try_to_own(void *arg)
{
    struct shared *shared = arg;
    int32_t nobody = 0;

    atomic_fetch_add(&shared->winners, atomic_compare_exchange_strong(&shared->owner, &nobody, 1));
}

static void raise_flag(void *arg)
{
    struct shared *shared = arg;

    shared->message = 42;
    atomic_store(&shared->ready, true);
}

static void many(void (*fn)(void *), struct shared *shared)
{
    go_waitgroup all = {0};

    for (int i = 0; i < ADDERS; i++)
        must(go_waitgroup_go(&all, fn, shared, 0) == 0);
    go_waitgroup_wait(&all);
}

static void atomics(void)
{
    struct shared shared = {0};

    many(add, &shared);
    say("%d", (int)atomic_load(&shared.i32));
    /* "1000 after 1000 additions, for 32 and 64 bits, signed and unsigned" */
    must(said(LINES("1000")) && atomic_load(&shared.u32) == 1000);
    must(atomic_load(&shared.i64) == -(INT64_C(1000) << 40) && atomic_load(&shared.u64) == UINT64_C(1000)
                                                                                               << 40);
    many(try_to_own, &shared);
    /* "of 100 compare-and-swaps from 0 exactly 1 wins" */
    must(atomic_load(&shared.winners) == 1 && atomic_load(&shared.owner) == 1);
    atomic_store(&shared.u64, 7);
    /* "swap returns the old value" */
    must(atomic_exchange(&shared.u64, 8) == 7 && atomic_load(&shared.u64) == 8);
    must(go_spawn(raise_flag, &shared, 0) == 0);
    while (!atomic_load(&shared.ready))
        go_yield();
    /* "what was written before a flag is seen after it, the race build silent" */
    must(shared.message == 42);
}

GUIDE_ROW(G47, atomics);
