/*
 * G116 A thousand goroutines increment one plain int. What comes of it is anybody's guess, often even the right number;
 * that it is wrong is told by the race build alone. Three ways to mend it.
 *
 * Pattern: what is shared has a lock, an owner or is atomic.
 */
#include "guide.h"

enum { GOROUTINES = 1000, ROUNDS = 100 };

struct counter {
    int plain;
    go_mutex lock;
    int locked;      /* lock */
    go_chan *orders; /* to the one goroutine that owns `owned` */
    int owned;
    atomic_int atomic;
};

static void increment(void *arg)
{
    struct counter *counter = arg;

    counter->plain++;
}

/* Wrong. */
static void increment_together(void)
{
    struct counter counter = {0};
    go_waitgroup all = {0};

    for (int i = 0; i < GOROUTINES; i++)
        must(go_waitgroup_go(&all, increment, &counter, 0) == 0);
    go_waitgroup_wait(&all);
}

static void increment_locked(void *arg)
{
    struct counter *counter = arg;

    go_mutex_lock(&counter->lock);
    counter->locked++;
    go_mutex_unlock(&counter->lock);
}

static void order_increment(void *arg)
{
    struct counter *counter = arg;

    must(go_chan_send(counter->orders, NULL, GO_FOREVER) == 0);
}

static void own(void *arg)
{
    struct counter *counter = arg;

    while (go_range(counter->orders, NULL))
        counter->owned++;
}

static void increment_atomic(void *arg)
{
    struct counter *counter = arg;

    atomic_fetch_add(&counter->atomic, 1);
}

static void run_all(void (*fn)(void *counter), struct counter *counter)
{
    go_waitgroup all = {0};

    for (int i = 0; i < GOROUTINES; i++)
        must(go_waitgroup_go(&all, fn, counter, 0) == 0);
    go_waitgroup_wait(&all);
}

static void one_round(void)
{
    struct counter counter = {.orders = go_chan_new(0, 0)};
    go_waitgroup owner = {0};

    run_all(increment_locked, &counter);
    must(go_waitgroup_go(&owner, own, &counter, 0) == 0);
    run_all(order_increment, &counter);
    go_chan_close(counter.orders);
    go_waitgroup_wait(&owner);
    run_all(increment_atomic, &counter);
    /* "with a mutex, a channel or an atomic it is exactly 1000, 100 times out of 100, and the race build is silent" */
    must(counter.locked == GOROUTINES && counter.owned == GOROUTINES &&
         atomic_load(&counter.atomic) == GOROUTINES);
    go_chan_unref(counter.orders);
}

static void data_races(void)
{
    for (int i = 0; i < ROUNDS; i++)
        one_round();
    say("%d rounds, each of them exactly %d", ROUNDS, GOROUTINES);
}

GUIDE_ROW(G116, data_races);
/* "the race build reports the plain increment with both accesses, both stacks and the places where both were spawned" */
GUIDE_PART(G116, increment_together, .ends = ENDS_IN_RACE,
           .says = {"Write of size 4", "Previous write of size 4", "increment", "increment_together"},
           .no_job = "a race is not for a job");
