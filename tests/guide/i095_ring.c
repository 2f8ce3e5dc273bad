/*
 * G95 between processes: a channel that makes room by dropping what is oldest.
 *
 * Pattern: ring buffer.
 */
#include "parts.h"

static void sender(struct part *me)
{
    gc_chan ring = chan_of(me, "ring");

    /* "who sends never waits: 1 to 10 are sent without a reader" */
    for (int i = 1; i <= 10; i++) {
        char text[16];

        snprintf(text, sizeof text, "%d", i);
        must(gc_send(me->g, ring, gc_string(text), GC_NOW) == 0);
    }
    step_done(me, "sent");
}

static void accountant(struct part *me)
{
    struct gc_chan_info info;

    step_wait(me, "sent");
    must(gc_chan_stat(me->g, "ring", &info, GC_FOREVER) == 0);
    /* "the oldest one gives way" */
    must(info.length == 3 && info.capacity == 3);
    /* "7 are counted as dropped" */
    must(info.dropped == 7);
    step_done(me, "counted");
}

static void receiver(struct part *me)
{
    gc_chan ring = chan_of(me, "ring");
    int number;

    step_wait(me, "counted");
    for (int i = 0; i < 3; i++) {
        must(recv_number(me, ring, &number));
        say(me, "%d", number);
    }
}

static void ring_buffer(void)
{
    /* "received exactly 8, 9, 10" */
    must(said(LINES("8", "9", "10")));
}

GUIDE_PARTS(G95, ring_buffer,
            .channels = {{"ring", {.capacity = 3, .full = GC_FULL_DROPS_OLDEST}}, {"sent"}, {"counted"}},
            .parts = {PART(sender), PART(accountant), PART(receiver)});
