/*
 * G171 between processes: a burst of fifty into channels of capacity 0, 10 and 50, while the consumer is held.
 *
 * Pattern: buffer size.
 */
#include "parts.h"

enum { BURST = 50 };

static void burst(struct part *me, const char *name)
{
    gc_chan c = chan_of(me, name);

    for (int i = 1; i <= BURST; i++)
        send_number(me, c, i);
    close_chan(me, c);
}

static void sender_0(struct part *me)
{
    burst(me, "c0");
}

static void sender_10(struct part *me)
{
    burst(me, "c10");
}

static void sender_50(struct part *me)
{
    burst(me, "c50");
}

static void drain(struct part *me, const char *name)
{
    gc_chan c = chan_of(me, name);
    int number, next = 0;

    while (recv_number(me, c, &number))
        /* "all are delivered in order" */
        must(number == ++next);
    must(next == BURST);
}

/* "sends done while the consumer is held: 0, 10, 50" */
static void consumer(struct part *me)
{
    static const char *const name[] = {"c0", "c10", "c50"};
    static const unsigned done[] = {0, 10, 50}, parked[] = {1, 1, 0};

    for (int i = 0; i < 3; i++) {
        gc_chan c = chan_of(me, name[i]);

        until_length(me, c, done[i]);
        /* "the one with room for all of them does not wait" */
        until_waiting(me, c, parked[i], 0);
        must(gc_len(me->g, c, GC_FOREVER) == done[i]);
    }
    say(me, "sends done: 0, 10, 50");
    for (int i = 0; i < 3; i++)
        drain(me, name[i]);
    say(me, "all have come in order");
}

static void buffer_sizes(void)
{
    must(said(LINES("sends done: 0, 10, 50", "all have come in order")));
}

GUIDE_PARTS(G171, buffer_sizes, .channels = {{"c0"}, {"c10", {.capacity = 10}}, {"c50", {.capacity = 50}}},
            .parts = {PART(sender_0), PART(sender_10), PART(sender_50), PART(consumer)});
