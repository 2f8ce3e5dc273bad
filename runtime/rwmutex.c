/*
 * Readers and writers. One word says who holds it and is also the lock of the queues: BUSY. While nobody waits, one
 * addition or compare-and-swap takes it or gives it back; else everything happens under BUSY, and the addition that ends
 * that is the last touch of whoever gives the mutex back: who then takes it may free its memory. Ownership is handed over,
 * so whoever wakes has it.
 *
 * A reader counts itself first and then sees whether it may: if not it is at the door, and comes for BUSY to take the count
 * back or to find that it may after all. So under BUSY the count only rises, and who finds it above 0 can rely on somebody
 * who will come and settle again.
 *
 * Readers that are handed the mutex hold it before they run. A writer that comes meanwhile waits for each of them and
 * makes all others wait: once there is such a convoy every write pays a switch for each reader. So while DRAINS is set, who
 * wants the mutex first lets those run that are ready on its processor.
 *
 * Invariants: WRITER excludes readers; QUEUED exactly if a queue is not empty; DRAINS only while readers count; somebody
 * waits only while the mutex is held, a reader is at the door or a writer waits. A waiting writer keeps new readers out
 * (W2); when a writer unlocks, all readers that wait then go before the next writer (W3).
 */
#include <assert.h>

#include "frames.h"
#include "futex.h"
#include "goroutine.h"
#include "queue.h"
#include "scheduler.h"

enum {
    DRAINS = 1 << 27, /* below: how many readers hold it or are at the door */
    WRITER = 1 << 28,
    QUEUED = 1 << 29,
    BUSY = 1 << 30,
    READERS = DRAINS - 1,
    FLAGS = DRAINS | WRITER | QUEUED | BUSY,
};

enum { WRITER_SPINS = 30 };

struct rwmutex {
    _Atomic uint32_t word;
    struct list readers_waiting, writers_waiting;
};

static_assert(sizeof(struct rwmutex) <= sizeof(go_rwmutex), "go_rwmutex has room for it");

/* ---- while nobody waits ---- */

/* The guess is what the word most likely is: one access less than looking first. */
static inline bool word_swap(struct rwmutex *m, uint32_t *guess, uint32_t to)
{
    return atomic_compare_exchange_strong(&m->word, guess, to);
}

/* Without counting first: a try leaves no trace. */
static inline bool reader_tries(struct rwmutex *m)
{
    uint32_t word = 0;

    do {
        if (word_swap(m, &word, word + 1))
            return true;
    } while (!(word & FLAGS));
    return false;
}

static inline bool reader_enters(struct rwmutex *m)
{
    return !(atomic_fetch_add(&m->word, 1) & FLAGS);
}

static inline bool reader_leaves(struct rwmutex *m)
{
    uint32_t word = 1;

    do {
        if (word_swap(m, &word, word - 1))
            return true;
    } while (word && !(word & FLAGS));
    return false;
}

/* A reader on another processor is in for some nanoseconds only, most likely. */
static bool writer_spins(struct rwmutex *m)
{
    if (atomic_load_explicit(&sched.procs, memory_order_relaxed) == 1)
        return false;
    for (int i = 0; i < WRITER_SPINS; i++) {
        uint32_t word = atomic_load_explicit(&m->word, memory_order_relaxed);

        if (word & FLAGS)
            return false;
        if (word == 0 && word_swap(m, &word, WRITER))
            return true;
        cpu_relax();
    }
    return false;
}

/* ---- under BUSY ---- */

/* What the word says without the flags of the queues. Until `leave` only readers at the door change it. */
static uint32_t enter(struct rwmutex *m)
{
    for (int round = 0;; round++) {
        if (!(atomic_load_explicit(&m->word, memory_order_relaxed) & BUSY) &&
            !(atomic_fetch_or(&m->word, BUSY) & BUSY))
            break;
        lock_pause(round);
    }
    queue_list(&m->readers_waiting);
    queue_list(&m->writers_waiting);
    return atomic_load_explicit(&m->word, memory_order_relaxed) & ~(uint32_t)(QUEUED | BUSY);
}

/* `was` is what enter returned. */
static void leave(struct rwmutex *m, uint32_t was, uint32_t word)
{
    bool queued = !list_empty(&m->readers_waiting) || !list_empty(&m->writers_waiting);
    uint32_t flag = atomic_load_explicit(&m->word, memory_order_relaxed) & QUEUED;

    atomic_fetch_add(&m->word, word - was - BUSY - flag + (queued ? QUEUED : 0));
}

static uint32_t admit_readers(struct rwmutex *m, uint32_t word, struct wake_list *wakes)
{
    struct waiter *w;

    while ((w = waiter_claim(&m->readers_waiting))) {
        word = (word + 1) | DRAINS;
        wake_later(wakes, w->g);
    }
    return word;
}

/* Lets in whoever may go in now. */
static uint32_t settle(struct rwmutex *m, uint32_t word, bool readers_first, struct wake_list *wakes)
{
    struct waiter *w;

    if (word & WRITER)
        return word;
    if (!(word & READERS))
        word &= ~(uint32_t)DRAINS;
    if (readers_first || list_empty(&m->writers_waiting))
        word = admit_readers(m, word, wakes);
    if (word & READERS)
        return word;
    w = waiter_claim(&m->writers_waiting);
    if (!w)
        return admit_readers(m, word, wakes);
    wake_later(wakes, w->g);
    return word | WRITER;
}

static void settle_and_leave(struct rwmutex *m, uint32_t was, uint32_t word, bool readers_first)
{
    struct wake_list wakes;

    wake_list_init(&wakes);
    leave(m, was, settle(m, word, readers_first, &wakes));
    wake_all(&wakes);
}

/* One who leaves the queue without the mutex may have kept others out. */
static void wait_in(struct rwmutex *m, uint32_t was, uint32_t word, struct list *queue, const char *reason)
{
    struct waiter w = {.g = g_self()};
    unsigned outcome;

    w.ticket = wait_open(w.g, 0);
    list_append(queue, &w.link);
    wait_on(w.g, m, WAIT_ON_LOCK);
    settle_and_leave(m, was, word, false);
    outcome = park(w.g, reason);
    if (outcome != OUTCOME_SCOPE)
        return;
    word = enter(m);
    list_remove(&w.link);
    settle_and_leave(m, word, word, false);
    wait_check(w.g, outcome);
}

/* ---- when somebody may wait ---- */

static __attribute__((noinline)) void lock_slow_way(struct rwmutex *m)
{
    uint32_t word;

    if (writer_spins(m))
        return;
    word = enter(m);
    if (word & DRAINS && sched_others_ready()) {
        leave(m, word, word);
        sched_yield_self();
        word = enter(m);
    }
    if (word == 0)
        leave(m, word, WRITER);
    else
        wait_in(m, word, word, &m->writers_waiting, "rwmutex lock");
}

static __attribute__((noinline)) void unlock_slow_way(struct rwmutex *m)
{
    uint32_t word = enter(m);

    if (word & WRITER) {
        settle_and_leave(m, word, word & READERS, true);
        return;
    }
    leave(m, word, word);
    panic_fatal("unlock of an rwmutex that is not locked");
}

/* The reader is at the door. */
static __attribute__((noinline)) void rlock_slow_way(struct rwmutex *m)
{
    uint32_t word = enter(m);

    if (word & DRAINS && sched_others_ready()) {
        settle_and_leave(m, word, word - 1, false);
        sched_yield_self();
        atomic_fetch_add(&m->word, 1);
        word = enter(m);
    }
    if (!(word & WRITER) && list_empty(&m->writers_waiting))
        leave(m, word, word);
    else
        wait_in(m, word, word - 1, &m->readers_waiting, "rwmutex rlock");
}

static __attribute__((noinline)) void runlock_slow_way(struct rwmutex *m)
{
    uint32_t word = enter(m);

    if (word & READERS && !(word & WRITER)) { /* else the count is of those at the door */
        settle_and_leave(m, word, word - 1, false);
        return;
    }
    leave(m, word, word);
    panic_fatal("runlock of an rwmutex that no reader holds");
}

/* ---- calls ---- */

int go_rwmutex_trylock(go_rwmutex *mutex)
{
    struct rwmutex *m = (struct rwmutex *)mutex;
    uint32_t word = 0;

    return word_swap(m, &word, WRITER);
}

void go_rwmutex_lock(go_rwmutex *mutex)
{
    struct rwmutex *m = (struct rwmutex *)mutex;
    uint32_t word = 0;

    if (!word_swap(m, &word, WRITER))
        lock_slow_way(m);
}

void go_rwmutex_unlock(go_rwmutex *mutex)
{
    struct rwmutex *m = (struct rwmutex *)mutex;
    uint32_t word = WRITER;

    if (!word_swap(m, &word, 0))
        unlock_slow_way(m);
}

int go_rwmutex_tryrlock(go_rwmutex *mutex)
{
    struct rwmutex *m = (struct rwmutex *)mutex;
    bool entered = reader_tries(m);
    uint32_t word;

    if (entered)
        return true;
    word = enter(m);
    entered = !(word & WRITER) && list_empty(&m->writers_waiting);
    leave(m, word, word + entered);
    return entered;
}

void go_rwmutex_rlock(go_rwmutex *mutex)
{
    struct rwmutex *m = (struct rwmutex *)mutex;

    if (!reader_enters(m))
        rlock_slow_way(m);
}

void go_rwmutex_runlock(go_rwmutex *mutex)
{
    struct rwmutex *m = (struct rwmutex *)mutex;

    if (!reader_leaves(m))
        runlock_slow_way(m);
}
