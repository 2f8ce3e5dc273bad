/*
 * G19 between processes: a close wakes everybody who waits, and a value of no bytes does not look like one.
 *
 * Pattern: close as broadcast.
 */
#include "parts.h"

static void waiter(struct part *me)
{
    struct gc_value v = {0};

    must(gc_recv(me->g, chan_of(me, "stop"), &v, 0, GC_FOREVER) == 0);
    say(me, "waiter %d: closed", me->index);
}

/* Closes when all five wait, and not before somebody has got the empty value. */
static void closer(struct part *me)
{
    gc_chan stop = chan_of(me, "stop");

    step_wait(me, "got");
    until_waiting(me, stop, 0, 5);
    say(me, "closing");
    close_chan(me, stop);
}

static void empty_sender(struct part *me)
{
    must(gc_send(me->g, chan_of(me, "empty"), gc_bytes(NULL, 0), GC_FOREVER) == 0);
}

static void empty_receiver(struct part *me)
{
    struct gc_value v = {0};

    /* "a value of no bytes is a value, told apart from closed" */
    must(gc_recv(me->g, chan_of(me, "empty"), &v, 0, GC_FOREVER) == 1 && v.size == 0);
    gc_value_clear(&v);
    close_chan(me, chan_of(me, "empty"));
    must(gc_recv(me->g, chan_of(me, "empty"), &v, 0, GC_FOREVER) == 0);
    step_done(me, "got");
}

static void broadcast(void)
{
    must(said_first("closing"));
    /* "all 5 wake exactly once, and are told closed" */
    must(said_in_any_order(LINES("closing", "waiter 0: closed", "waiter 1: closed", "waiter 2: closed",
                                 "waiter 3: closed", "waiter 4: closed")));
}

GUIDE_PARTS(G19, broadcast, .channels = {{"stop"}, {"empty"}, {"got"}},
            .parts = {PARTS(5, waiter), PART(closer), PART(empty_sender), PART(empty_receiver)});
