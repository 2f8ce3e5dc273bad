/*
 * G33 between processes: a fast producer is held back by a consumer that stalls in another process.
 *
 * Pattern: back-pressure.
 */
#include "parts.h"

enum { ITEMS = 1000, CAPACITY = 3, BYTES_MAX = 64 };

static void producer(struct part *me)
{
    gc_chan items = chan_of(me, "items");

    for (int i = 1; i <= ITEMS; i++)
        send_number(me, items, i);
    close_chan(me, items);
}

/* Looks while the consumer stalls, and then lets it go on. */
static void observer(struct part *me)
{
    gc_chan items = chan_of(me, "items");
    struct gc_chan_info info;

    until_waiting(me, items, 1, 0);
    for (int look = 0; look < 100; look++) {
        must(gc_chan_info(me->g, items, &info, GC_FOREVER) == 0);
        /* "while the consumer stalls exactly 3 sends are done and the producer is parked" */
        must(info.length == CAPACITY && info.sent == CAPACITY && info.senders == 1);
        /* "memory stays flat" */
        must(info.bytes <= BYTES_MAX);
    }
    step_done(me, "release");
}

static void consumer(struct part *me)
{
    gc_chan items = chan_of(me, "items");
    int item, n = 0;

    step_wait(me, "release");
    while (recv_number(me, items, &item)) {
        n++;
        must(item == n);
    }
    say(me, "1 to %d in order", n);
}

static void back_pressure(void)
{
    /* "after release 1 to 1000 in order" */
    must(said(LINES("1 to 1000 in order")));
}

GUIDE_PARTS(G33, back_pressure, .channels = {{"items", {.capacity = CAPACITY}}, {"release"}},
            .parts = {PART(producer), PART(observer), PART(consumer)});
