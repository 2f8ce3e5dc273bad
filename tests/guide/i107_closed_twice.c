/*
 * G107 between processes: one channel says stop, another says that it has stopped; each is closed by its owner alone.
 *
 * Pattern: every channel has one owner, who closes it.
 */
#include "parts.h"

/* Owns `ended`. */
static void worker(struct part *me)
{
    gc_chan stop = chan_of(me, "stop");
    struct gc_value v = {0};

    while (gc_recv(me->g, stop, &v, 0, GC_NOW) == -EAGAIN)
        must(gc_ping(me->g, GC_FOREVER) == 0); /* the work */
    say(me, "worker was told to stop");
    step_done(me, "ended");
}

/* Owns `stop`. */
static void main_part(struct part *me)
{
    struct gc_value v = {0};

    must(gc_recv(me->g, chan_of(me, "ended"), &v, 0, GC_NOW) == -EAGAIN);
    step_done(me, "stop");
    step_wait(me, "ended");
    say(me, "worker has ended");
    step_done(me, "over");
}

/* "each of the two was closed once, by its owner": whoever closes it again is told so. */
static void second_closer(struct part *me)
{
    step_wait(me, "over");
    /* "closed by both it is ECLOSED, and nobody is harmed" */
    must(gc_close(me->g, chan_of(me, "stop"), GC_FOREVER) == -EPIPE);
    must(gc_close(me->g, chan_of(me, "ended"), GC_FOREVER) == -EPIPE);
    must(gc_ping(me->g, GC_FOREVER) == 0);
}

static void closed_twice(void)
{
    /* "the goroutine is told to stop, and its end is told on another channel" */
    must(said(LINES("worker was told to stop", "worker has ended")));
    /* "the goroutine is gone, without a panic": every participant has ended well, and holds nothing any more */
}

GUIDE_PARTS(G107, closed_twice, .channels = {{"stop"}, {"ended"}, {"over"}},
            .parts = {PART(worker), PART(main_part), PART(second_closer)});
