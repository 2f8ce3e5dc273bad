/*
 * G55 One counter, incremented a thousand times in four ways; and when to take which.
 *
 *     channel             when the value is handed on, or who owns it changes: the right to change it is a message
 *     mutex               for a few fields that must change together; the usual choice for the state of an object
 *     reader-writer lock  for what is read far more often than written, and not only for a moment
 *     atomic              for a single number or flag, and nothing else that would have to agree with it
 *
 * Pattern: choose by what is shared, not by speed.
 */
#include "guide.h"

enum { GOROUTINES = 1000 };

struct counter {
    go_chan *owner; /* holds the one copy of the value: who has taken it out may change it */
    go_mutex lock;
    int locked; /* lock */
    go_rwmutex rwlock;
    int rwlocked; /* rwlock */
    atomic_int atomic;
};

static void add_by_channel(void *arg)
{
    struct counter *counter = arg;
    int value;

    must(go_chan_recv(counter->owner, &value, GO_FOREVER) == 1);
    value++;
    must(go_chan_send(counter->owner, &value, GO_FOREVER) == 0);
}

static void add_by_mutex(void *arg)
{
    struct counter *counter = arg;

    go_mutex_lock(&counter->lock);
    counter->locked++;
    go_mutex_unlock(&counter->lock);
}

static void add_by_rwmutex(void *arg)
{
    struct counter *counter = arg;

    go_rwmutex_lock(&counter->rwlock);
    counter->rwlocked++;
    go_rwmutex_unlock(&counter->rwlock);
}

static void add_by_atomic(void *arg)
{
    struct counter *counter = arg;

    atomic_fetch_add_explicit(&counter->atomic, 1, memory_order_relaxed);
}

static int read_by_channel(struct counter *counter)
{
    int value;

    must(go_chan_recv(counter->owner, &value, GO_FOREVER) == 1);
    must(go_chan_send(counter->owner, &value, GO_FOREVER) == 0);
    return value;
}

static int read_by_rwmutex(struct counter *counter)
{
    int value;

    go_rwmutex_rlock(&counter->rwlock);
    value = counter->rwlocked;
    go_rwmutex_runlock(&counter->rwlock);
    return value;
}

static void add_many(void (*add)(void *counter), struct counter *counter)
{
    go_waitgroup all = {0};

    for (int i = 0; i < GOROUTINES; i++)
        must(go_waitgroup_go(&all, add, counter, 0) == 0);
    go_waitgroup_wait(&all);
}

static void four_counters(void)
{
    struct counter counter = {.owner = go_chan_new(sizeof(int), 1)};

    must(go_chan_send(counter.owner, &(int){0}, GO_FOREVER) == 0);
    add_many(add_by_channel, &counter);
    add_many(add_by_mutex, &counter);
    add_many(add_by_rwmutex, &counter);
    add_many(add_by_atomic, &counter);
    say("channel: %d", read_by_channel(&counter));
    say("mutex: %d", counter.locked); /* nobody else is left who could change it */
    say("reader-writer lock: %d", read_by_rwmutex(&counter));
    say("atomic: %d", atomic_load(&counter.atomic));
    /* "all four print 1000" */
    must(said(LINES("channel: 1000", "mutex: 1000", "reader-writer lock: 1000", "atomic: 1000")));
    /* "the text says when to take which": the head of this file. */
    go_chan_unref(counter.owner);
}

GUIDE_ROW(G55, four_counters);
