#include "chan.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bubble.h"
#include "frames.h"
#include "trace.h"

/* ---- making ---- */

void chan_init(struct go_chan *c, size_t value_bytes, size_t capacity, unsigned char *buffer)
{
    struct g *g = g_self();

    memset(c, 0, sizeof *c);
    atomic_store_explicit(&c->refs, 1, memory_order_relaxed);
    c->value_bytes = value_bytes;
    c->capacity = capacity;
    c->buffer = buffer;
    list_init(&c->receivers);
    list_init(&c->senders);
    c->bubble = g->bubble;
    c->group = g->group; /* compared, never followed */
}

go_chan *go_chan_new(size_t value_bytes, size_t capacity)
{
    size_t bytes;
    go_chan *c;

    if (__builtin_mul_overflow(value_bytes, capacity, &bytes) || bytes > PTRDIFF_MAX - sizeof *c ||
        capacity > PTRDIFF_MAX)
        go_panic("go_chan_new: %zu values of %zu bytes are more than memory can hold", capacity, value_bytes);
    c = malloc(sizeof *c + bytes);
    if (c)
        chan_init(c, value_bytes, capacity, (unsigned char *)(c + 1));
    return c;
}

go_chan *go_chan_ref(go_chan *c)
{
    atomic_fetch_add(&c->refs, 1);
    return c;
}

go_chan *go_chan_unref(go_chan *c)
{
    if (c && atomic_fetch_sub(&c->refs, 1) == 1)
        free(c);
    return NULL;
}

size_t go_chan_len(const go_chan *c)
{
    return c ? atomic_load(&((go_chan *)c)->count) : 0;
}

size_t go_chan_cap(const go_chan *c)
{
    return c ? c->capacity : 0;
}

/* ---- the engine: all under the lock ---- */

static void chan_check(const struct go_chan *c)
{
#ifndef NDEBUG
    size_t count = atomic_load_explicit(&((struct go_chan *)c)->count, memory_order_relaxed);

    assert(count <= c->capacity);
    assert(c->capacity == 0 || c->head < c->capacity);
#endif
}

static unsigned char *slot_at(struct go_chan *c, size_t i)
{
    size_t place = c->head + i;

    return c->buffer + (place < c->capacity ? place : place - c->capacity) * c->value_bytes;
}

/* Most values are a word or two: those need no call. */
static void value_copy(const struct go_chan *c, void *to, const void *from)
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

static void value_zero(const struct go_chan *c, void *to)
{
    if (to && c->value_bytes)
        memset(to, 0, c->value_bytes);
}

static void buffer_put(struct go_chan *c, const void *value)
{
    size_t count = atomic_load_explicit(&c->count, memory_order_relaxed);

    value_copy(c, slot_at(c, count), value);
    atomic_store_explicit(&c->count, count + 1, memory_order_relaxed);
}

static void buffer_take(struct go_chan *c, void *value)
{
    value_copy(c, value, slot_at(c, 0));
    c->head = c->head + 1 < c->capacity ? c->head + 1 : 0;
    atomic_fetch_sub_explicit(&c->count, 1, memory_order_relaxed);
}

static void waiter_answer(struct waiter *w, int result, struct wake_list *wakes)
{
    if (w->result)
        *w->result = result;
    wake_later(wakes, w->g);
}

bool chan_try_send(struct go_chan *c, const void *value, int *result, struct wake_list *wakes)
{
    struct waiter *receiver;

    chan_check(c);
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
        waiter_answer(receiver, 1, wakes);
        return true;
    }
    if (atomic_load_explicit(&c->count, memory_order_relaxed) == c->capacity)
        return false;
    buffer_put(c, value);
    if (trace_on())
        trace_put(c, NULL);
    return true;
}

static void trace_recv(const struct go_chan *c, const struct waiter *sender)
{
    size_t count = go_chan_len(c);

    if (count)
        trace_take(c, count);
    if (count && sender)
        trace_put(c, sender->g);
    else if (sender)
        trace_pass(sender->g, NULL);
}

bool chan_try_recv(struct go_chan *c, void *value, int *result, struct wake_list *wakes)
{
    bool buffered = atomic_load_explicit(&c->count, memory_order_relaxed) > 0;
    struct waiter *sender = buffered || !c->closed ? waiter_claim(&c->senders) : NULL;

    chan_check(c);
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
        waiter_answer(sender, 0, wakes);
    return true;
}

bool chan_try_close(struct go_chan *c, struct wake_list *wakes)
{
    struct waiter *w;

    if (c->closed)
        return false;
    c->closed = true;
    while ((w = waiter_claim(&c->receivers))) {
        value_zero(c, w->value);
        waiter_answer(w, 0, wakes);
    }
    while ((w = waiter_claim(&c->senders)))
        waiter_answer(w, -EPIPE, wakes);
    return true;
}

unsigned chan_locality(const struct go_chan *c, const struct g *g)
{
    return (c->group == g->group ? WAIT_GROUP : 0) | (c->bubble == g->bubble ? WAIT_BUBBLE : 0);
}

/* ---- calls ---- */

int go_chan_close(go_chan *c)
{
    struct wake_list wakes;
    bool closed;

    if (!c)
        return -EINVAL;
    bubble_check(c->bubble, g_self(), "channel");
    wake_list_init(&wakes);
    lock_take(&c->lock, RANK_CHAN);
    closed = chan_try_close(c, &wakes);
    lock_drop(&c->lock);
    wake_all(&wakes);
    return closed ? 0 : -EPIPE;
}

void chan_watch_close(struct go_chan *c, struct waiter *done)
{
    bool over;

    lock_take(&c->lock, RANK_CHAN);
    over = c->closed && wait_claim(done->g, done->ticket, done->outcome);
    if (c->closed)
        list_init(&done->link);
    else
        list_append(&c->receivers, &done->link);
    lock_drop(&c->lock);
    if (over)
        wake(done->g);
}

void chan_unwatch(struct go_chan *c, struct waiter *done)
{
    lock_take(&c->lock, RANK_CHAN);
    list_remove(&done->link);
    lock_drop(&c->lock);
}
