/*
 * G29 between processes: a receive says whether it has a value or the channel is closed.
 *
 * Pattern: value, ok := <-c.
 */
#include "parts.h"

enum { AGAIN = 3 };

static void producer(struct part *me)
{
    gc_chan c = chan_of(me, "c");

    for (int i = 1; i <= 3; i++)
        send_number(me, c, i);
    close_chan(me, c);
}

/* "every later receive says closed at once, with a value of zero" */
static void must_be_closed(struct part *me, gc_chan c)
{
    for (int i = 0; i < AGAIN; i++) {
        struct gc_value v = {.data = "old", .size = 3};

        must(gc_recv(me->g, c, &v, 0, GC_NOW) == 0);
        must(v.data == NULL && v.size == 0);
    }
}

static void consumer(struct part *me)
{
    gc_chan c = chan_of(me, "c");
    struct gc_value v = {0};

    while (gc_recv(me->g, c, &v, 0, GC_FOREVER) == 1) {
        say(me, "Received: %d", number_of(&v));
        gc_value_clear(&v);
    }
    say(me, "Channel closed");
    must_be_closed(me, c);
    step_done(me, "over");
}

/* Somebody who opens it afterwards is told the same. */
static void latecomer(struct part *me)
{
    step_wait(me, "over");
    must_be_closed(me, chan_of(me, "c"));
}

static void closed_flag(void)
{
    /* "1, 2, 3 with a value, then "Channel closed"" */
    must(said(LINES("Received: 1", "Received: 2", "Received: 3", "Channel closed")));
}

GUIDE_PARTS(G29, closed_flag, .channels = {{"c"}, {"over"}},
            .parts = {PART(producer), PART(consumer), PART(latecomer)});
