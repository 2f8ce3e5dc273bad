/*
 * G28 between processes: a range takes values until the channel is closed and drained.
 *
 * Pattern: range and close.
 */
#include "parts.h"

static void producer(struct part *me)
{
    gc_chan numbers = chan_of(me, "numbers"), filled = chan_of(me, "filled"), shared = chan_of(me, "shared");

    for (int i = 0; i < 5; i++)
        send_number(me, numbers, i);
    close_chan(me, numbers);
    for (int i = 10; i <= 30; i += 10)
        send_number(me, filled, i);
    close_chan(me, filled);
    until_waiting(me, shared, 0, 3);
    for (int i = 1; i <= 9; i++)
        send_number(me, shared, i);
    close_chan(me, shared);
}

static void range(struct part *me, const char *name, const char *last)
{
    gc_chan c = chan_of(me, name);
    struct gc_value v = {0};
    int r;

    while ((r = gc_range(me->g, c, &v, 0, GC_FOREVER)) > 0) /* for v := range c */
        say(me, "%s %d", name, number_of(&v));
    must(r == 0);
    say(me, "%s %s", name, last);
}

static void consumer(struct part *me)
{
    range(me, "numbers", "Channel closed!");
    range(me, "filled", "Loop ended");
}

static void sharer(struct part *me)
{
    range(me, "shared", "ended");
}

static void range_and_close(void)
{
    /* "exactly 0 to 4, then "Channel closed!"" */
    must(said_by("numbers", LINES("numbers 0", "numbers 1", "numbers 2", "numbers 3", "numbers 4",
                                  "numbers Channel closed!")));
    /* "10, 20, 30, then "Loop ended"" */
    must(said_by("filled", LINES("filled 10", "filled 20", "filled 30", "filled Loop ended")));
    /* "several ranges share: each value once, and all of them end" */
    for (int i = 1; i <= 9; i++)
        must(said_times("shared %d", i) == 1);
    must(said_times("shared ended") == 3);
}

GUIDE_PARTS(G28, range_and_close, .channels = {{"numbers"}, {"filled", {.capacity = 3}}, {"shared"}},
            .parts = {PART(producer), PART(consumer), PARTS(3, sharer)});
