/*
 * G24 between processes: a channel of capacity 3 keeps what it holds, in order, when its sender has gone.
 *
 * Pattern: buffered channel, first in first out.
 */
#include "parts.h"

static void sender(struct part *me)
{
    gc_chan numbers = chan_of(me, "numbers");

    /* "no send waits: there is no receiver" */
    for (int i = 1; i <= 3; i++)
        must(gc_send(me->g, numbers, gc_string((char[]){(char)('0' + i), 0}), GC_NOW) == 0);
    must(gc_drop(me->g, numbers) == 0);
    step_done(me, "filled");
}

/* Comes when the sender has let go of the channel. */
static void latecomer(struct part *me)
{
    struct gc_chan_info info;
    gc_chan numbers;

    step_wait(me, "filled");
    do {
        must(gc_chan_stat(me->g, "numbers", &info, GC_FOREVER) == 0);
    } while (info.handles > 0);
    numbers = chan_of(me, "numbers");
    /* "length 3, capacity 3" */
    must(gc_len(me->g, numbers, GC_FOREVER) == 3 && gc_cap(me->g, numbers, GC_FOREVER) == 3);
    /* "a fourth try is refused" */
    must(gc_send(me->g, numbers, gc_string("4"), GC_NOW) == -EAGAIN);
    step_done(me, "tried");
}

static void receiver(struct part *me)
{
    gc_chan numbers;
    int number;

    step_wait(me, "tried");
    numbers = chan_of(me, "numbers");
    for (int i = 0; i < 3; i++) {
        must(recv_number(me, numbers, &number));
        say(me, "%d", number);
    }
}

static void buffered(void)
{
    /* "received 1, 2, 3 in order" */
    must(said(LINES("1", "2", "3")));
}

GUIDE_PARTS(G24, buffered, .channels = {{"numbers", {.capacity = 3}}, {"filled"}, {"tried"}},
            .parts = {PART(sender), PART(latecomer), PART(receiver)});
