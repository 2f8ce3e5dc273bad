/*
 * G19 An empty signal: fifty goroutines wait for one close. A value of no bytes is still a value.
 *
 * Pattern: close as broadcast.
 */
#include "guide.h"

enum { WAITERS = 50 };

struct waiter {
    go_chan *stop;
    atomic_int *woken;
};

static void wait_for_stop(void *arg)
{
    const struct waiter *me = arg;

    /* "all 50 wake exactly once, and are told closed" */
    must(go_chan_recv(me->stop, NULL, GO_FOREVER) == 0);
    atomic_fetch_add(me->woken, 1);
}

static void broadcast(void)
{
    go_chan *stop = go_chan_new(0, 0), *values = go_chan_new(0, 1);
    atomic_int woken = 0;
    go_waitgroup waiters = {0};

    for (int i = 0; i < WAITERS; i++)
        must(go_waitgroup_go(&waiters, wait_for_stop, &((struct waiter){stop, &woken}),
                             sizeof(struct waiter)) == 0);
    until_parked(WAITERS, "chan receive");
    must(atomic_load(&woken) == 0);
    must(go_chan_close(stop) == 0);
    go_waitgroup_wait(&waiters);
    must(atomic_load(&woken) == WAITERS);

    must(go_chan_send(values, NULL, GO_FOREVER) == 0);
    must(go_chan_close(values) == 0);
    /* "a value of no bytes is a value, told apart from closed" */
    must(go_chan_recv(values, NULL, GO_FOREVER) == 1);
    must(go_chan_recv(values, NULL, GO_FOREVER) == 0);
    go_chan_unref(stop);
    go_chan_unref(values);
}

GUIDE_ROW(G19, broadcast);
