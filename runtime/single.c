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
#include "chan_engine.h"
#include "select.h"
#include "single.h"

static const char sending[] = "chan send", receiving[] = "chan receive";

/*
 * The lock is held and is dropped, nothing was ready. One function for both, and what they call last: so whoever wakes
 * returns from the same place straight to its caller, which the processor guesses right more often (a message costs 36 ns,
 * and 43 with a return more). It stands in a section of its own, since reports shall show which of the two was called.
 */
static __attribute__((noinline, section("single_wait_text"))) int
single_wait(struct g *g, go_chan *c, bool sends, void *value, int64_t until_ns)
{
    bool scope = scope_has(g);
    unsigned local = scope ? chan_locality(c, g) : 0, outcome;
    int result = 0;
    struct waiter w;

    w.g = g;
    w.value = value;
    w.result = &result;
    w.outcome = 0;
    w.sole = !scope && until_ns == GO_NS_FOREVER;
    if (until_ns != GO_NS_FOREVER)
        local &= ~(unsigned)WAIT_GROUP;
    w.ticket = wait_open(g, local);
    list_append(sends ? &c->senders : &c->receivers, &w.link);
    lock_drop(&c->lock);
    wait_on(g, &c, 1);
    wait_deadline(g, w.ticket, until_ns);
    outcome = park(g, sends ? sending : receiving);
    if (outcome == 0)
        return result; /* claimed through the entry, which has left the queue; the channel may be gone */
    lock_take(&c->lock, RANK_CHAN);
    list_remove(&w.link);
    lock_drop(&c->lock);
    return wait_failed(g, outcome, NULL);
}

static inline __attribute__((always_inline)) int single(go_chan *c, bool sends, void *value, go_until until)
{
    struct g *g = g_self(), *partner;
    int result = until_over(g, until);
    bool ready;

    if (result)
        return result;
    bubble_check(c->bubble, g, "channel");
    lock_take(&c->lock, RANK_CHAN);
    ready = sends ? engine_send(c, value, &result, &partner) : engine_recv(c, value, &result, &partner);
    if (!ready && until.ns != GO_NS_NOW)
        return single_wait(g, c, sends, value, until.ns);
    lock_drop(&c->lock);
    if (partner)
        wake(partner);
    return ready ? result : -EAGAIN;
}

/* What is no single operation on one channel. */
static __attribute__((noinline)) int send_select(go_chan *c, const void *value, go_until until)
{
    return select_one(GO_SEND(c, value), until, NULL);
}

static __attribute__((noinline)) int recv_select(go_chan *c, void *value, go_until until)
{
    return select_one(GO_RECV(c, value), until, NULL);
}

int go_chan_send(go_chan *c, const void *value, go_until until)
{
    if (!c || until.ctx)
        return send_select(c, value, until);
    return single(c, true, (void *)(uintptr_t)value, until);
}

int go_chan_recv(go_chan *c, void *value, go_until until)
{
    if (!c || until.ctx)
        return recv_select(c, value, until);
    return single(c, false, value, until);
}

/* The linker's: where that section begins and ends. */
extern const char __start_single_wait_text[], __stop_single_wait_text[];

void *single_called(void *pc, const char *reason)
{
    if ((const char *)pc < __start_single_wait_text || (const char *)pc >= __stop_single_wait_text)
        return pc;
    return (char *)(reason == sending ? (void *)go_chan_send : (void *)go_chan_recv) + 1;
}
