#include "chan.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bubble.h"
#include "chan_engine.h"
#include "frames.h"

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

bool chan_try_send(struct go_chan *c, const void *value, int *result, struct wake_list *wakes)
{
    struct g *partner;
    bool done = engine_send(c, value, result, &partner);

    if (partner)
        wake_later(wakes, partner);
    return done;
}

bool chan_try_recv(struct go_chan *c, void *value, int *result, struct wake_list *wakes)
{
    struct g *partner;
    bool done = engine_recv(c, value, result, &partner);

    if (partner)
        wake_later(wakes, partner);
    return done;
}

bool chan_try_close(struct go_chan *c, struct wake_list *wakes)
{
    struct waiter *w;

    if (c->closed)
        return false;
    c->closed = true;
    while ((w = waiter_claim(&c->receivers))) {
        value_zero(c, w->value);
        wake_later(wakes, waiter_answer(w, 0));
    }
    while ((w = waiter_claim(&c->senders)))
        wake_later(wakes, waiter_answer(w, -EPIPE));
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
