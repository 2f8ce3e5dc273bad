/*
 * A pool of resources: connections, buffers, licences.
 *
 * Invariants, inside the monitor: a slot is free, idle (its resource waits to be taken), taken, or being made (no resource
 * yet; it counts as taken). While somebody waits no slot is free or idle: who gives one up hands it to the first in the
 * queue. Constructor and destructor run outside, for a slot that is nobody else's.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "monitor.h"

enum slot_state { SLOT_FREE, SLOT_IDLE, SLOT_TAKEN };

struct slot {
    enum slot_state state;
    void *resource; /* of a taken one: NULL while it is made */
};

struct go_resources {
    struct monitor m;
    _Atomic int holders;
    int (*make)(void **resource, void *arg);
    void (*drop)(void *resource, void *arg);
    void *arg;
    int n;
    /* inside the monitor */
    bool closed;
    struct list queue; /* values: struct slot *, the one handed over; NULL: the pool was closed */
    struct slot slots[];
};

go_resources *go_resources_new(const struct go_resources_options *o)
{
    go_resources *p;

    if (o->most < 1 || o->most > GO_RESOURCES_MAX)
        return NULL;
    p = calloc(1, sizeof *p + (size_t)o->most * sizeof *p->slots);
    if (!p)
        return NULL;
    monitor_init(&p->m, "pool of resources");
    atomic_store(&p->holders, 1);
    list_init(&p->queue);
    p->make = o->make;
    p->drop = o->drop;
    p->arg = o->arg;
    p->n = o->most;
    return p;
}

go_resources *go_resources_ref(go_resources *p)
{
    atomic_fetch_add(&p->holders, 1);
    return p;
}

go_resources *go_resources_unref(go_resources *p)
{
    if (!p || atomic_fetch_sub(&p->holders, 1) > 1)
        return NULL;
    go_resources_close(p); /* -EPIPE: it was closed before */
    free(p);
    return NULL;
}

/* ---- inside the monitor ---- */

/* The first slot of that state which holds that resource. */
static struct slot *slot_find(go_resources *p, enum slot_state state, const void *resource)
{
    for (int i = 0; i < p->n; i++)
        if (p->slots[i].state == state && (!resource || p->slots[i].resource == resource))
            return &p->slots[i];
    return NULL;
}

/* A slot that was taken, with its resource or without, is for the next who waits, or lies there. */
static void slot_give(go_resources *p, struct slot *s)
{
    struct slot **next = p->closed ? NULL : monitor_first(&p->m, &p->queue);

    if (next)
        *next = s;
    else
        s->state = s->resource ? SLOT_IDLE : SLOT_FREE;
}

/* ---- making and dropping, outside, for a slot that is taken and has no resource ---- */

struct making {
    go_resources *p;
    struct slot *slot;
    void *made;
    int result;
};

/* However the constructor ended. */
static void making_end(struct making **at)
{
    struct making *k = *at;
    bool unwanted;

    if (k->result == 0 && !k->made)
        k->result = -ENOMEM;
    monitor_enter(&k->p->m);
    unwanted = k->result == 0 && k->p->closed;
    if (k->result == 0 && !unwanted)
        k->slot->resource = k->made;
    else
        slot_give(k->p, k->slot);
    monitor_leave(&k->p->m);
    if (unwanted) {
        k->p->drop(k->made, k->p->arg);
        k->result = -EPIPE;
    }
}

static int slot_fill(go_resources *p, struct slot *s, void **out)
{
    struct making making = {.p = p, .slot = s, .result = -ECANCELED};

    {
        _cleanup_(making_end) struct making *k = &making;

        k->result = p->make(&k->made, p->arg);
    }
    if (making.result == 0)
        *out = making.made;
    return making.result;
}

/* Drops first: there are never more than `most` at a time. */
static void slot_empty(go_resources *p, struct slot *s, void *resource)
{
    p->drop(resource, p->arg);
    monitor_enter(&p->m);
    slot_give(p, s);
    monitor_leave(&p->m);
}

/* ---- getting and putting ---- */

int go_resources_get(go_resources *p, void **out, go_until until)
{
    struct slot *s = NULL;
    int r = monitor_enter_until(&p->m, until);

    if (r < 0)
        return r;
    if (!p->closed) {
        s = slot_find(p, SLOT_IDLE, NULL);
        s = s ? s : slot_find(p, SLOT_FREE, NULL);
        if (s)
            s->state = SLOT_TAKEN;
        else
            r = monitor_wait(&p->m, &p->queue, &s, "pool of resources", until);
    }
    if (r < 0)
        return r;
    *out = s ? s->resource : NULL;
    monitor_leave(&p->m);
    if (!s)
        return -EPIPE;
    return *out ? 0 : slot_fill(p, s, out);
}

static int give_back(go_resources *p, void *resource, bool keep)
{
    struct slot *s;

    monitor_enter(&p->m);
    s = resource ? slot_find(p, SLOT_TAKEN, resource) : NULL;
    keep = keep && !p->closed;
    if (s && keep)
        slot_give(p, s);
    else if (s)
        s->resource = NULL;
    monitor_leave(&p->m);
    if (s && !keep)
        slot_empty(p, s, resource);
    return s ? 0 : -EINVAL;
}

int go_resources_put(go_resources *p, void *resource)
{
    return give_back(p, resource, true);
}

int go_resources_discard(go_resources *p, void *resource)
{
    return give_back(p, resource, false);
}

/* An idle one is taken out of the closed pool. NULL: there is none. */
static struct slot *idle_take(go_resources *p, void **resource)
{
    struct slot *s;

    monitor_enter(&p->m);
    s = slot_find(p, SLOT_IDLE, NULL);
    if (s) {
        s->state = SLOT_TAKEN;
        *resource = s->resource;
        s->resource = NULL;
    }
    monitor_leave(&p->m);
    return s;
}

int go_resources_close(go_resources *p)
{
    bool closed;
    struct slot *s;
    void *resource;

    if (!p)
        return -EINVAL;
    monitor_enter(&p->m);
    closed = p->closed;
    p->closed = true;
    monitor_notify_all(&p->m, &p->queue);
    monitor_leave(&p->m);
    while ((s = idle_take(p, &resource)))
        slot_empty(p, s, resource);
    return closed ? -EPIPE : 0;
}

static int count(go_resources *p, enum slot_state state)
{
    int n = 0;

    monitor_enter(&p->m);
    for (int i = 0; i < p->n; i++)
        n += p->slots[i].state == state;
    monitor_leave(&p->m);
    return n;
}

int go_resources_taken(go_resources *p)
{
    return count(p, SLOT_TAKEN);
}

int go_resources_idle(go_resources *p)
{
    return count(p, SLOT_IDLE);
}
