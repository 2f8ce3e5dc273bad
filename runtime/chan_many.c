/*
 * Batches: as many values as the channel has room for, or has, are moved under one lock, and all partners are woken
 * together. Only where nothing can be moved does a batch wait, as a single send or receive of its next value: so it
 * stands in the queue with one value, and on capacity 0 each value is a hand-over of its own.
 *
 * Invariant: values leave a batch in order, and what was not counted was not moved.
 */
#include <errno.h>
#include <limits.h>

#include "bubble.h"
#include "chan.h"

/* 0, or why nothing may be moved. */
static int many_begin(const go_chan *c, size_t n, go_until until)
{
    struct g *g = g_self();

    if (n < 1 || n > INT_MAX)
        return -EINVAL;
    if (c)
        bubble_check(c->bubble, g, "channel");
    return until_over(g, until);
}

/* NULL drops what is received, as in the single operation. */
static void *value_at(const go_chan *c, const void *values, size_t i)
{
    return c && values ? (unsigned char *)(uintptr_t)values + i * c->value_bytes : NULL;
}

/* What closing says is left to the single operation. Under the lock. */
static bool many_over(const go_chan *c, bool sends)
{
    return c->closed && (sends || atomic_load_explicit(&((go_chan *)c)->count, memory_order_relaxed) == 0);
}

/* How many of the n could be moved without waiting. */
static size_t many_now(go_chan *c, bool sends, const void *values, size_t n)
{
    struct wake_list wakes;
    bool moves = true;
    size_t moved = 0;
    int result;

    if (!c)
        return 0;
    wake_list_init(&wakes);
    lock_take(&c->lock, RANK_CHAN);
    while (moves && moved < n && !many_over(c, sends)) {
        void *value = value_at(c, values, moved);

        moves = sends ? chan_try_send(c, value, &result, &wakes) : chan_try_recv(c, value, &result, &wakes);
        moved += moves;
    }
    lock_drop(&c->lock);
    wake_all(&wakes);
    return moved;
}

/* What can be sent at once, or else one value as soon as it can be. */
static int send_some(go_chan *c, const void *values, size_t n, go_until until)
{
    size_t moved = many_now(c, true, values, n);
    int r = moved > 0 ? 0 : go_chan_send(c, values, until);

    if (r < 0)
        return r;
    return moved > 0 ? (int)moved : 1;
}

int go_chan_send_many(go_chan *c, const void *values, size_t n, go_until until)
{
    size_t sent = 0;
    int r;

    do {
        r = many_begin(c, n, until);
        if (r == 0)
            r = send_some(c, value_at(c, values, sent), n - sent, until);
        if (r > 0)
            sent += (size_t)r;
    } while (r > 0 && sent < n);
    return sent > 0 ? (int)sent : r;
}

int go_chan_recv_many(go_chan *c, void *values, size_t n, go_until until)
{
    int r = many_begin(c, n, until);
    size_t got;

    if (r < 0)
        return r;
    got = many_now(c, false, values, n);
    if (got > 0)
        return (int)got;
    r = go_chan_recv(c, values, until);
    return r == 1 ? 1 + (int)many_now(c, false, value_at(c, values, 1), n - 1) : r;
}
