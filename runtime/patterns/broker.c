/*
 * Publish and subscribe inside one process: a channel for each subscription.
 *
 * Invariants, inside the monitor: a subscription is in the broker's list, in the order in which they were made, from its
 * making until the last who uses it lets go of it: the subscriber, and each publication that is at it. So a publication
 * finds its way on, whoever leaves meanwhile. The channel is closed when the subscriber leaves or the broker closes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "monitor.h"

struct go_subscription {
    struct list link; /* monitor */
    int users;        /* monitor */
    go_broker *broker;
    enum go_publish_policy policy;
    go_chan *chan;
    _Atomic uint64_t dropped;
    char topic[];
};

struct go_broker {
    struct monitor m;
    _Atomic int holders, refs; /* refs: the holders together, and each subscription */
    size_t value_bytes;
    /* inside the monitor */
    bool closed;
    struct list subscriptions;
};

go_broker *go_broker_new(size_t value_bytes)
{
    go_broker *b = calloc(1, sizeof *b);

    if (!b)
        return NULL;
    monitor_init(&b->m, "broker");
    atomic_store(&b->holders, 1);
    atomic_store(&b->refs, 1);
    b->value_bytes = value_bytes;
    list_init(&b->subscriptions);
    return b;
}

go_broker *go_broker_ref(go_broker *b)
{
    atomic_fetch_add(&b->holders, 1);
    return b;
}

static void broker_drop(go_broker *b)
{
    if (atomic_fetch_sub(&b->refs, 1) == 1)
        free(b);
}

go_broker *go_broker_unref(go_broker *b)
{
    if (!b || atomic_fetch_sub(&b->holders, 1) > 1)
        return NULL;
    go_broker_close(b); /* -EPIPE: it was closed before */
    broker_drop(b);
    return NULL;
}

/* ---- the way through the subscriptions ---- */

/* Inside: true if nobody uses it any more: then it is out of the list, and the caller's to free. */
static bool let_go(go_subscription *s)
{
    if (--s->users > 0)
        return false;
    list_remove(&s->link);
    return true;
}

static void subscription_free(go_subscription *s)
{
    broker_drop(s->broker);
    go_chan_unref(s->chan);
    free(s);
}

static void subscription_drop(go_subscription *s)
{
    bool last;

    monitor_enter(&s->broker->m);
    last = let_go(s);
    monitor_leave(&s->broker->m);
    if (last)
        subscription_free(s);
}

/* The next one after *at of this topic, or of any for NULL, which the caller uses from now on in place of *at. False: there
 * is none. */
static bool step(go_broker *b, const char *topic, go_subscription **at)
{
    go_subscription *s, *last = NULL, *found = NULL;

    monitor_enter(&b->m);
    for (struct list *l = *at ? (*at)->link.next : b->subscriptions.next; l != &b->subscriptions && !found;
         l = l->next) {
        s = container_of(l, go_subscription, link);
        if (!topic || strcmp(s->topic, topic) == 0)
            found = s;
    }
    if (found)
        found->users++;
    if (*at && let_go(*at))
        last = *at;
    monitor_leave(&b->m);
    if (last)
        subscription_free(last);
    *at = found;
    return found;
}

static void step_end(go_subscription **at)
{
    if (*at)
        subscription_drop(*at);
}

/* ---- calls ---- */

int go_broker_close(go_broker *b)
{
    _cleanup_(step_end) go_subscription *at = NULL;
    bool closed;

    if (!b)
        return -EINVAL;
    monitor_enter(&b->m);
    closed = b->closed;
    b->closed = true;
    monitor_leave(&b->m);
    while (!closed && step(b, NULL, &at))
        go_chan_close(at->chan); /* -EPIPE: its subscriber is leaving */
    return closed ? -EPIPE : 0;
}

static bool is_closed(go_broker *b)
{
    bool closed;

    monitor_enter(&b->m);
    closed = b->closed;
    monitor_leave(&b->m);
    return closed;
}

/* 1: it took the value; 0: it does not want it; negative: it had no room until the end of `until`. */
static int deliver(go_subscription *s, const void *value, go_until until)
{
    int r = go_chan_send(s->chan, value, s->policy == GO_PUBLISH_DROPS ? GO_NOW : until);

    if (r == 0)
        return 1;
    if (r == -EPIPE)
        return 0;
    atomic_fetch_add(&s->dropped, 1);
    return s->policy == GO_PUBLISH_DROPS ? 0 : r;
}

int go_broker_publish(go_broker *b, const char *topic, const void *value, go_until until)
{
    _cleanup_(step_end) go_subscription *at = NULL;
    int r = until_over(g_self(), until), n = 0;

    if (r < 0)
        return r;
    if (is_closed(b))
        return -EPIPE;
    while (step(b, topic, &at)) {
        int taken = deliver(at, value, r < 0 ? GO_NOW : until);

        if (taken < 0 && r == 0)
            r = taken;
        n += taken > 0;
    }
    return r < 0 ? r : n;
}

go_subscription *go_broker_subscribe(go_broker *b, const char *topic, size_t capacity,
                                     enum go_publish_policy policy)
{
    go_subscription *s = calloc(1, sizeof *s + strlen(topic) + 1);
    bool closed;

    if (!s)
        return NULL;
    strcpy(s->topic, topic);
    s->broker = b;
    s->policy = policy;
    s->users = 1;
    s->chan = go_chan_new(b->value_bytes, capacity);
    if (!s->chan) {
        free(s);
        return NULL;
    }
    monitor_enter(&b->m);
    atomic_fetch_add(&b->refs, 1);
    closed = b->closed;
    list_append(&b->subscriptions, &s->link);
    monitor_leave(&b->m);
    return closed ? go_unsubscribe(s) : s;
}

go_subscription *go_unsubscribe(go_subscription *s)
{
    if (s) {
        go_chan_close(s->chan); /* -EPIPE: the broker was closed */
        subscription_drop(s);
    }
    return NULL;
}

go_receiver go_subscription_receiver(const go_subscription *s)
{
    return go_chan_receiver(s->chan);
}

uint64_t go_subscription_dropped(const go_subscription *s)
{
    return atomic_load(&((go_subscription *)s)->dropped);
}
