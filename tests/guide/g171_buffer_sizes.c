/*
 * G171 What a buffer buys: a burst of 50 into capacities 0, 10 and 50 while the consumer is held.
 *
 * Pattern: a buffer for the burst that is expected. It takes waits away from the sender, not work from the consumer.
 */
#include "guide.h"

enum { BURST = 50 };

struct sender {
    go_chan *out;
    atomic_int sent;
    int parks; /* sends that found no room */
};

static void send_burst(void *arg)
{
    struct sender *me = arg;

    for (int i = 0; i < BURST; i++) {
        if (go_chan_send(me->out, &i, GO_NOW) == -EAGAIN) {
            me->parks++;
            must(go_chan_send(me->out, &i, GO_FOREVER) == 0);
        }
        atomic_fetch_add(&me->sent, 1);
    }
    must(go_chan_close(me->out) == 0);
}

struct outcome {
    int held, parks; /* sends done while the consumer was held; sends that had to wait */
};

static struct outcome burst_into(size_t capacity)
{
    struct sender sender = {.out = go_chan_new(sizeof(int), capacity)};
    struct outcome outcome;
    int value, expected = 0;

    must(go_spawn(send_burst, &sender, 0) == 0);
    if (capacity < BURST)
        until_parked(1, "chan send");
    else
        until_live(1);
    outcome.held = atomic_load(&sender.sent);
    while (go_range(sender.out, &value))
        /* "all are delivered in order" */
        must(value == expected++);
    must(expected == BURST);
    until_live(1);
    outcome.parks = sender.parks;
    go_chan_unref(sender.out);
    return outcome;
}

static void buffer_sizes(void)
{
    struct outcome none = burst_into(0), some = burst_into(10), all = burst_into(BURST);

    say("sends done while the consumer is held: %d, %d, %d", none.held, some.held, all.held);
    say("sends that had to wait: %d, %d, %d", none.parks, some.parks, all.parks);
    /* "sends done while the consumer is held: 0, 10, 50" */
    must(none.held == 0 && some.held == 10 && all.held == 50);
    /* "the waits of the sender fall accordingly: at most 50, at most 40 and at least 1, none" */
    must(none.parks >= 1 && none.parks <= 50 && some.parks >= 1 && some.parks <= 40 && all.parks == 0);
}

GUIDE_ROW(G171, buffer_sizes, .prints = {"sends done while the consumer is held: 0, 10, 50"});
