/*
 * G28 Close and range: the producer closes, the consumer's loop ends.
 *
 * Pattern: range over a channel until it is closed and drained.
 */
#include "guide.h"

enum { RANGERS = 3, SHARED = 30 };

static void produce(void *arg)
{
    go_chan *c = *(go_chan **)arg;

    for (int i = 0; i < 5; i++)
        must(go_chan_send(c, &i, GO_FOREVER) == 0);
    must(go_chan_close(c) == 0);
}

static void range_over_producer(void)
{
    go_chan *c = go_chan_new(sizeof(int), 0);
    int value;

    must(go_spawn(produce, &c, sizeof c) == 0);
    while (go_range(c, &value))
        say("%d", value);
    say("Channel closed!");
    /* "exactly 0 to 4, then "Channel closed!"" */
    must(said(LINES("0", "1", "2", "3", "4", "Channel closed!")));
    until_live(1);
    go_chan_unref(c);
}

static void range_over_filled(void)
{
    go_chan *c = go_chan_new(sizeof(int), 3);
    int value;

    for (int i = 10; i <= 30; i += 10)
        must(go_chan_send(c, &i, GO_NOW) == 0);
    must(go_chan_close(c) == 0);
    while (go_range(c, &value))
        say("%d", value);
    say("Loop ended");
    /* "10, 20, 30, then "Loop ended"" */
    must(said(LINES("10", "20", "30", "Loop ended")));
    go_chan_unref(c);
}

struct ranger {
    go_chan *c;
    atomic_int *times; /* of each value */
};

static void range_shared(void *arg)
{
    const struct ranger *me = arg;
    int value;

    while (go_range(me->c, &value))
        atomic_fetch_add(&me->times[value], 1);
}

static void range_together(void)
{
    go_chan *c = go_chan_new(sizeof(int), 4);
    atomic_int times[SHARED] = {0};
    go_waitgroup rangers = {0};

    for (int i = 0; i < RANGERS; i++)
        must(go_waitgroup_go(&rangers, range_shared, &((struct ranger){c, times}), sizeof(struct ranger)) ==
             0);
    for (int i = 0; i < SHARED; i++)
        must(go_chan_send(c, &i, GO_FOREVER) == 0);
    must(go_chan_close(c) == 0);
    go_waitgroup_wait(&rangers);
    /* "several ranges share: each value once, and all of them end" */
    for (int i = 0; i < SHARED; i++)
        must(atomic_load(&times[i]) == 1);
    go_chan_unref(c);
}

static void range(void)
{
    range_over_producer();
    say_nothing_yet();
    range_over_filled();
    range_together();
}

GUIDE_ROW(G28, range);
