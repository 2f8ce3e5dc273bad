/*
 * G79 between processes: one producer, three consumers, and a main that prints what they made.
 *
 * Pattern: producer and consumers.
 */
#include "parts.h"

static void producer(struct part *me)
{
    gc_chan items = chan_of(me, "items");

    for (int i = 1; i <= 10; i++)
        send_number(me, items, i);
    close_chan(me, items);
}

static void consumer(struct part *me)
{
    gc_chan items = chan_of(me, "items"), results = chan_of(me, "results");
    int item;

    while (recv_number(me, items, &item))
        send_number(me, results, 2 * item);
    send_number(me, chan_of(me, "ended"), me->index);
}

/* The results are closed when no consumer is left. */
static void closer(struct part *me)
{
    gc_chan ended = chan_of(me, "ended");
    int consumer;

    for (int i = 0; i < 3; i++)
        must(recv_number(me, ended, &consumer));
    close_chan(me, chan_of(me, "results"));
}

static void printer(struct part *me)
{
    gc_chan results = chan_of(me, "results");
    int result;

    while (recv_number(me, results, &result))
        say(me, "Result: %d", result);
    say(me, "All work completed");
}

static void producer_consumer(void)
{
    /* "the results are {2, 4, 6, 8, 10, 12, 14, 16, 18, 20}" */
    /* "each item is consumed once" */
    for (int item = 1; item <= 10; item++)
        must(said_times("Result: %d", 2 * item) == 1);
    /* ""All work completed" is the last line" */
    must(said_last("All work completed") && part_lines.n == 11);
}

GUIDE_PARTS(G79, producer_consumer, .channels = {{"items"}, {"results"}, {"ended"}},
            .parts = {PART(producer), PARTS(3, consumer), PART(closer), PART(printer)});
