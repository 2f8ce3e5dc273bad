/*
 * Send and receive: a select of one case, without what only several cases need. One look under the one lock; who has to
 * wait enters the one queue under the same lock. A context would be a second case: that is left to select.c, and so is
 * the NULL channel.
 *
 * Invariant: as in select.c the entry and the value it points to stay where they are until the wait is over, and
 * whoever claims the wait has done the work.
 */
#include <errno.h>

#include "bubble.h"
#include "chan.h"
#include "select.h"

/* The lock is held and is dropped, nothing was ready. */
static int single_wait(struct g *g, go_chan *c, bool sends, void *value, int64_t until_ns)
{
    bool scope = scope_has(g);
    unsigned local = scope ? chan_locality(c, g) : 0, outcome;
    int result = 0;
    struct waiter w = {
        .g = g, .value = value, .result = &result, .sole = !scope && until_ns == GO_NS_FOREVER};

    if (until_ns != GO_NS_FOREVER)
        local &= ~(unsigned)WAIT_GROUP;
    w.ticket = wait_open(g, local);
    list_append(sends ? &c->senders : &c->receivers, &w.link);
    lock_drop(&c->lock);
    wait_on(g, &c, 1);
    wait_deadline(g, w.ticket, until_ns);
    outcome = park(g, sends ? "chan send" : "chan receive");
    if (outcome == 0)
        return result; /* claimed through the entry, which has left the queue; the channel may be gone */
    lock_take(&c->lock, RANK_CHAN);
    list_remove(&w.link);
    lock_drop(&c->lock);
    return wait_failed(g, outcome, NULL);
}

static inline int single(go_chan *c, bool sends, void *value, go_until until)
{
    struct g *g = g_self();
    struct wake_list wakes;
    int result = until_over(g, until);
    bool ready;

    if (result)
        return result;
    bubble_check(c->bubble, g, "channel");
    wake_list_init(&wakes);
    lock_take(&c->lock, RANK_CHAN);
    ready = sends ? chan_try_send(c, value, &result, &wakes) : chan_try_recv(c, value, &result, &wakes);
    if (!ready && until.ns != GO_NS_NOW)
        return single_wait(g, c, sends, value, until.ns);
    lock_drop(&c->lock);
    wake_all(&wakes);
    return ready ? result : -EAGAIN;
}

int go_chan_send(go_chan *c, const void *value, go_until until)
{
    void *from = (void *)(uintptr_t)value;

    return !c || until.ctx ? select_one(GO_SEND(c, value), until, NULL) : single(c, true, from, until);
}

int go_chan_recv(go_chan *c, void *value, go_until until)
{
    return !c || until.ctx ? select_one(GO_RECV(c, value), until, NULL) : single(c, false, value, until);
}
