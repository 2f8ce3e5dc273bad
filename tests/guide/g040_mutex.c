/*
 * G40 A counter that a mutex protects.
 *
 * Pattern: mutual exclusion.
 */
#include "guide.h"

enum { GOROUTINES = 1000 };

struct counter {
    go_mutex lock;
    int value; /* lock */
    struct peak holders;
};

static void increment(void *arg)
{
    struct counter *counter = arg;

    go_mutex_lock(&counter->lock);
    peak_enter(&counter->holders);
    counter->value++;
    peak_leave(&counter->holders);
    go_mutex_unlock(&counter->lock);
}

static void mutex(void)
{
    struct counter counter = {0};
    go_waitgroup all = {0};

    for (int i = 0; i < GOROUTINES; i++)
        must(go_waitgroup_go(&all, increment, &counter, 0) == 0);
    go_waitgroup_wait(&all);
    say("Final counter: %d", counter.value);
    /* "exactly 1000" */
    must(said(LINES("Final counter: 1000")));
    /* "never two holders at once" */
    must(atomic_load(&counter.holders.most) == 1);
}

GUIDE_ROW(G40, mutex);
