/*
 * Ring channel: a full one drops its oldest value for a new one, in one step under the channel's lock; so a value is
 * dropped only where there was no room. Its receivers are those of any channel.
 */
#include <stdlib.h>

#include "bubble.h"
#include "chan.h"
#include "goroutine_patterns.h"

struct go_ring {
    _Atomic int holders;
    _Atomic uint64_t dropped;
    go_chan *chan;
};

go_ring *go_ring_new(size_t value_bytes, size_t capacity)
{
    go_ring *r;

    if (capacity < 1)
        go_panic("go_ring_new: there is nothing to drop from a capacity of 0");
    r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    atomic_store(&r->holders, 1);
    r->chan = go_chan_new(value_bytes, capacity);
    if (r->chan)
        return r;
    free(r);
    return NULL;
}

go_ring *go_ring_ref(go_ring *r)
{
    atomic_fetch_add(&r->holders, 1);
    return r;
}

go_ring *go_ring_unref(go_ring *r)
{
    if (!r || atomic_fetch_sub(&r->holders, 1) > 1)
        return NULL;
    go_chan_close(r->chan); /* -EPIPE: it was closed before */
    go_chan_unref(r->chan);
    free(r);
    return NULL;
}

int go_ring_send(go_ring *r, const void *value, void *oldest)
{
    struct wake_list wakes;
    int result, dropped = 0;

    bubble_check(r->chan->bubble, g_self(), "ring channel");
    wake_list_init(&wakes);
    lock_take(&r->chan->lock, RANK_CHAN);
    if (!chan_try_send(r->chan, value, &result, &wakes)) {
        chan_try_recv(r->chan, oldest, &dropped, &wakes);
        chan_try_send(r->chan, value, &result, &wakes);
    }
    lock_drop(&r->chan->lock);
    wake_all(&wakes);
    atomic_fetch_add(&r->dropped, (uint64_t)dropped);
    return result < 0 ? result : dropped;
}

go_receiver go_ring_receiver(const go_ring *r)
{
    return go_chan_receiver(r->chan);
}

uint64_t go_ring_dropped(const go_ring *r)
{
    return atomic_load(&((go_ring *)r)->dropped);
}

int go_ring_close(go_ring *r)
{
    return go_chan_close(r ? r->chan : NULL);
}
