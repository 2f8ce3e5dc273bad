/*
 * What a channel does, under its lock: inlined into send and receive (single.c), which are called more than anything
 * else here. Others call chan_try_send and chan_try_recv.
 */
#pragma once

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "chan.h"
#include "trace.h"

static inline void chan_check(const struct go_chan *c)
{
#ifndef NDEBUG
    size_t count = atomic_load_explicit(&((struct go_chan *)c)->count, memory_order_relaxed);

    assert(count <= c->capacity);
    assert(c->capacity == 0 || c->head < c->capacity);
#endif
}

static inline unsigned char *slot_at(struct go_chan *c, size_t i)
{
    size_t place = c->head + i;

    return c->buffer + (place < c->capacity ? place : place - c->capacity) * c->value_bytes;
}

/* Most values are a word or two: those need no call. */
static inline void value_copy(const struct go_chan *c, void *to, const void *from)
{
    if (!to)
        return;
    switch (c->value_bytes) {
    case 0:
        break;
    case 4:
        memcpy(to, from, 4);
        break;
    case 8:
        memcpy(to, from, 8);
        break;
    case 16:
        memcpy(to, from, 16);
        break;
    default:
        memcpy(to, from, c->value_bytes);
    }
}

static inline void value_zero(const struct go_chan *c, void *to)
{
    if (to && c->value_bytes)
        memset(to, 0, c->value_bytes);
}

static inline void buffer_put(struct go_chan *c, const void *value)
{
    size_t count = atomic_load_explicit(&c->count, memory_order_relaxed);

    value_copy(c, slot_at(c, count), value);
    atomic_store_explicit(&c->count, count + 1, memory_order_relaxed);
}

static inline void buffer_take(struct go_chan *c, void *value)
{
    value_copy(c, value, slot_at(c, 0));
    c->head = c->head + 1 < c->capacity ? c->head + 1 : 0;
    atomic_store_explicit(&c->count, atomic_load_explicit(&c->count, memory_order_relaxed) - 1,
                          memory_order_relaxed);
}

/* Returns whom to wake. */
static inline struct g *waiter_answer(struct waiter *w, int result)
{
    if (w->result)
        *w->result = result;
    return w->g;
}

/* As chan_try_send; whom to wake is left in *partner. */
static inline bool engine_send(struct go_chan *c, const void *value, int *result, struct g **partner)
{
    struct waiter *receiver;

    chan_check(c);
    *partner = NULL;
    *result = 0;
    if (c->closed) {
        *result = -EPIPE;
        return true;
    }
    receiver = waiter_claim(&c->receivers);
    if (receiver) {
        value_copy(c, receiver->value, value);
        if (trace_on())
            trace_pass(NULL, receiver->g);
        *partner = waiter_answer(receiver, 1);
        return true;
    }
    if (atomic_load_explicit(&c->count, memory_order_relaxed) == c->capacity)
        return false;
    buffer_put(c, value);
    if (trace_on())
        trace_put(c, NULL);
    return true;
}

static inline void trace_recv(const struct go_chan *c, const struct waiter *sender)
{
    size_t count = go_chan_len(c);

    if (count)
        trace_take(c, count);
    if (count && sender)
        trace_put(c, sender->g);
    else if (sender)
        trace_pass(sender->g, NULL);
}

static inline bool engine_recv(struct go_chan *c, void *value, int *result, struct g **partner)
{
    bool buffered = atomic_load_explicit(&c->count, memory_order_relaxed) > 0;
    struct waiter *sender = buffered || !c->closed ? waiter_claim(&c->senders) : NULL;

    chan_check(c);
    *partner = NULL;
    *result = 1;
    if (trace_on())
        trace_recv(c, sender);
    if (buffered) {
        buffer_take(c, value);
        if (sender)
            buffer_put(c, sender->value);
    } else if (sender) {
        value_copy(c, value, sender->value);
    } else if (c->closed) {
        value_zero(c, value);
        *result = 0;
    } else {
        return false;
    }
    if (sender)
        *partner = waiter_answer(sender, 0);
    return true;
}
