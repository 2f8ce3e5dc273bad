/*
 * G46 Signal wakes one that waits, broadcast wakes all; neither is remembered for later.
 *
 * Pattern: condition variable.
 */
#include "guide.h"

enum { WAITERS = 5 };

struct shared {
    go_mutex lock;
    go_cond changed;
    int woken, inside; /* lock */
};

static void wait_once(void *arg)
{
    struct shared *shared = arg;

    go_mutex_lock(&shared->lock);
    go_cond_wait(&shared->changed, &shared->lock);
    /* "wait returns with the lock held" */
    must(go_mutex_trylock(&shared->lock) == 0 && ++shared->inside == 1);
    go_yield();
    shared->inside--;
    shared->woken++;
    go_mutex_unlock(&shared->lock);
}

static int woken(struct shared *shared)
{
    int n;

    go_mutex_lock(&shared->lock);
    n = shared->woken;
    go_mutex_unlock(&shared->lock);
    return n;
}

static void signal_broadcast(void)
{
    struct shared shared = {0};

    go_cond_signal(&shared.changed);
    for (int i = 0; i < WAITERS; i++)
        must(go_spawn(wait_once, &shared, 0) == 0);
    until_parked(WAITERS, "cond");
    /* "a signal that nobody waits for is not stored" */
    must(woken(&shared) == 0);
    go_cond_signal(&shared.changed);
    until_live(WAITERS);
    /* "after a signal exactly 1 has woken" */
    must(woken(&shared) == 1 && parked("cond") == WAITERS - 1);
    go_cond_broadcast(&shared.changed);
    until_live(1);
    /* "after a broadcast all 5" */
    must(woken(&shared) == WAITERS);
}

GUIDE_ROW(G46, signal_broadcast);
