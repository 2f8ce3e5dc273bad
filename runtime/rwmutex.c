/*
 * Readers and writers. Everything under one small lock; ownership is handed over, so whoever wakes has it.
 *
 * Invariants: writer excludes readers > 0; somebody waits only while the mutex is held or a writer waits. A waiting writer
 * keeps new readers out (W2); when a writer unlocks, all readers that wait then go before the next writer (W3).
 */
#include <assert.h>

#include "frames.h"
#include "goroutine.h"
#include "queue.h"

struct rwmutex {
    struct lock lock;
    int32_t readers;
    bool writer;
    struct list readers_waiting, writers_waiting;
};

static_assert(sizeof(struct rwmutex) <= sizeof(go_rwmutex), "go_rwmutex has room for it");

static struct rwmutex *rw_take(go_rwmutex *mutex)
{
    struct rwmutex *m = (struct rwmutex *)mutex;

    lock_take(&m->lock, RANK_CHAN);
    queue_list(&m->readers_waiting);
    queue_list(&m->writers_waiting);
    return m;
}

static void admit_readers(struct rwmutex *m, struct wake_list *wakes)
{
    struct waiter *w;

    while ((w = waiter_claim(&m->readers_waiting))) {
        m->readers++;
        wake_later(wakes, w->g);
    }
}

/* Lets in whoever may go in now. */
static void settle(struct rwmutex *m, bool readers_first, struct wake_list *wakes)
{
    struct waiter *w;

    if (m->writer)
        return;
    if (readers_first || list_empty(&m->writers_waiting))
        admit_readers(m, wakes);
    if (m->readers > 0)
        return;
    w = waiter_claim(&m->writers_waiting);
    if (w) {
        m->writer = true;
        wake_later(wakes, w->g);
    } else {
        admit_readers(m, wakes);
    }
}

static void settle_and_drop(struct rwmutex *m, bool readers_first)
{
    struct wake_list wakes;

    wake_list_init(&wakes);
    settle(m, readers_first, &wakes);
    lock_drop(&m->lock);
    wake_all(&wakes);
}

/* The lock is held and dropped. One who leaves without the mutex may have kept others out. */
static void wait_for(go_rwmutex *mutex, struct rwmutex *m, struct list *queue, const char *reason)
{
    struct waiter w = {.outcome = 0};
    unsigned outcome = queue_wait(queue, &m->lock, &w, false, reason, 0);

    if (outcome == OUTCOME_SCOPE)
        settle_and_drop(rw_take(mutex), false);
    wait_check(w.g, outcome);
}

int go_rwmutex_trylock(go_rwmutex *mutex)
{
    struct rwmutex *m = rw_take(mutex);
    bool free = !m->writer && m->readers == 0;

    if (free)
        m->writer = true;
    lock_drop(&m->lock);
    return free;
}

void go_rwmutex_lock(go_rwmutex *mutex)
{
    struct rwmutex *m = rw_take(mutex);

    if (!m->writer && m->readers == 0) {
        m->writer = true;
        lock_drop(&m->lock);
    } else {
        wait_for(mutex, m, &m->writers_waiting, "rwmutex lock");
    }
}

void go_rwmutex_unlock(go_rwmutex *mutex)
{
    struct rwmutex *m = rw_take(mutex);

    if (!m->writer) {
        lock_drop(&m->lock);
        panic_fatal("unlock of an rwmutex that is not locked");
    }
    m->writer = false;
    settle_and_drop(m, true);
}

int go_rwmutex_tryrlock(go_rwmutex *mutex)
{
    struct rwmutex *m = rw_take(mutex);
    bool free = !m->writer && list_empty(&m->writers_waiting);

    m->readers += free;
    lock_drop(&m->lock);
    return free;
}

void go_rwmutex_rlock(go_rwmutex *mutex)
{
    struct rwmutex *m = rw_take(mutex);

    if (!m->writer && list_empty(&m->writers_waiting)) {
        m->readers++;
        lock_drop(&m->lock);
    } else {
        wait_for(mutex, m, &m->readers_waiting, "rwmutex rlock");
    }
}

void go_rwmutex_runlock(go_rwmutex *mutex)
{
    struct rwmutex *m = rw_take(mutex);

    if (m->readers == 0) {
        lock_drop(&m->lock);
        panic_fatal("runlock of an rwmutex that no reader holds");
    }
    m->readers--;
    settle_and_drop(m, false);
}
