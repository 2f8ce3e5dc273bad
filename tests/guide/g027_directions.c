/*
 * G27 Send-only and receive-only ends of a channel: who may do what is part of the type.
 *
 * Pattern: directed ends. The producer alone has the end that can be closed.
 */
#include "guide.h"

struct producer {
    go_sender out;
};

static void produce(void *arg)
{
    const struct producer *me = arg;

    for (int i = 1; i <= 5; i++)
        must(go_sender_send(me->out, &i, GO_FOREVER) == 0);
    must(go_sender_close(me->out) == 0);
}

static void consume(go_receiver in)
{
    int value;

    while (go_receiver_range(in, &value))
        say("Consumed %d", value);
}

static void send_42(void *arg)
{
    must(go_sender_send(*(go_sender *)arg, &(int){42}, GO_FOREVER) == 0);
}

static int receive(go_receiver in)
{
    int value = 0;

    must(go_receiver_recv(in, &value, GO_FOREVER) == 1);
    return value;
}

static void directions(void)
{
    go_chan *many = go_chan_new(sizeof(int), 0), *one = go_chan_new(sizeof(int), 0);
    go_waitgroup done = {0};
    go_sender out = go_chan_sender(one);

    must(go_waitgroup_go(&done, produce, &((struct producer){go_chan_sender(many)}),
                         sizeof(struct producer)) == 0);
    consume(go_chan_receiver(many));
    must(go_waitgroup_go(&done, send_42, &out, sizeof out) == 0);
    say("%d", receive(go_chan_receiver(one)));
    go_waitgroup_wait(&done);

    /* "consumed 1 to 5, and 42" */
    must(said(LINES("Consumed 1", "Consumed 2", "Consumed 3", "Consumed 4", "Consumed 5", "42")));
    /* "the wrong direction does not compile, nor a close through a receive-only end": directions.py tries each. */
    go_chan_unref(many);
    go_chan_unref(one);
}

GUIDE_ROW(G27, directions);
