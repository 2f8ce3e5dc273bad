/*
 * G30 between processes: what a close forbids is refused, to whoever tries it.
 *
 * Pattern: only senders close; with many senders a closer does, which waits for all of them.
 */
#include "parts.h"

/* "send on closed, close twice, close of nil, a sender parked at the close, select-send on closed: each is refused" */
/* "each gives ECLOSED, and the daemon is unharmed" */
static void parked_sender(struct part *me)
{
    must(gc_send(me->g, chan_of(me, "closed"), gc_string("never"), GC_FOREVER) == -EPIPE);
}

static void breaker(struct part *me)
{
    gc_chan closed = chan_of(me, "closed");
    struct gc_case k = gc_case_send(closed, gc_string("never"));

    until_waiting(me, closed, 1, 0);
    close_chan(me, closed);
    must(gc_send(me->g, closed, gc_string("never"), GC_FOREVER) == -EPIPE);
    must(gc_send(me->g, closed, gc_string("never"), GC_NOW) == -EPIPE);
    must(gc_close(me->g, closed, GC_FOREVER) == -EPIPE);
    must(gc_close(me->g, GC_NIL, GC_FOREVER) == -EINVAL);
    must(gc_select(me->g, &k, 1, 0, GC_FOREVER) == 0 && k.status == -EPIPE);
    must(gc_ping(me->g, GC_FOREVER) == 0);
    step_done(me, "tried");
}

/* One of three senders of a channel that none of them closes. */
static void sender(struct part *me)
{
    gc_chan shared = chan_of(me, "shared");

    for (int i = 0; i < 3; i++)
        send_number(me, shared, 10 * me->index + i);
    send_number(me, chan_of(me, "ended"), me->index);
}

/* "only senders close: with many senders a closer waits for all of them" */
static void closer(struct part *me)
{
    gc_chan ended = chan_of(me, "ended");
    int who;

    for (int i = 0; i < 3; i++)
        must(recv_number(me, ended, &who));
    close_chan(me, chan_of(me, "shared"));
}

static void reader(struct part *me)
{
    gc_chan shared = chan_of(me, "shared");
    char text[TEXT_BYTES];

    step_wait(me, "tried");
    /* "nothing of a refused value is ever delivered" */
    must(!recv_text(me, chan_of(me, "closed"), text));
    while (recv_text(me, shared, text))
        say(me, "%s", text);
}

static void closing_rules(void)
{
    must(said_in_any_order(LINES("0", "1", "2", "10", "11", "12", "20", "21", "22")));
}

GUIDE_PARTS(G30, closing_rules, .channels = {{"closed"}, {"shared"}, {"ended"}, {"tried"}},
            .parts = {PART(parked_sender), PART(breaker), PARTS(3, sender), PART(closer), PART(reader)});
