/*
 * G36 Without waiting: a receive and a send that give up at once when nobody is ready.
 *
 * Pattern: select with default; here GO_NOW.
 */
#include "guide.h"

/* Whether it was refused. */
static bool try_receive(go_chan *c)
{
    int value;

    if (go_chan_recv(c, &value, GO_NOW) == -EAGAIN) {
        say("No message available");
        return true;
    }
    say("Received %d", value);
    return false;
}

static bool try_send(go_chan *c, int value)
{
    if (go_chan_send(c, &value, GO_NOW) == -EAGAIN) {
        say("Channel full, message not sent");
        return true;
    }
    say("Sent %d", value);
    return false;
}

static void send_7(void *arg)
{
    must(go_chan_send(arg, &(int){7}, GO_FOREVER) == 0);
}

static void receive_8(void *arg)
{
    int value;

    must(go_chan_recv(arg, &value, GO_FOREVER) == 1 && value == 8);
}

static void with_partners(go_chan *c)
{
    must(go_spawn(send_7, c, 0) == 0);
    until_parked(1, "chan send");
    try_receive(c);
    must(go_spawn(receive_8, c, 0) == 0);
    until_parked(1, "chan receive");
    try_send(c, 8);
    until_live(1);
}

static void default_is_last(void)
{
    go_chan *c = go_chan_new(sizeof(int), 1);
    struct go_case cases[] = {GO_RECV(c, NULL), GO_RECV(NULL, NULL)};

    for (int i = 0; i < 1000; i++) {
        must(go_chan_send(c, &i, GO_NOW) == 0);
        /* "the default is never taken while a case is ready" */
        must(go_select(cases, 2, GO_NOW) == 0 && cases[0].result == 1);
        must(go_select(cases, 2, GO_NOW) == -EAGAIN);
    }
    go_chan_unref(c);
}

static void non_blocking(void)
{
    go_chan *rendezvous = go_chan_new(sizeof(int), 0), *full = go_chan_new(sizeof(int), 1);
    int refused;

    must(go_chan_send(full, &(int){1}, GO_NOW) == 0);
    refused = try_receive(rendezvous) + try_send(full, 2);
    refused += try_send(rendezvous, 2);
    /* "on an empty channel "No message available", on a full one "Channel full, message not sent"" */
    must(said(
        LINES("No message available", "Channel full, message not sent", "Channel full, message not sent")));
    say_nothing_yet();
    with_partners(rendezvous);
    /* "with a parked sender or receiver the try succeeds" */
    must(said(LINES("Received 7", "Sent 8")));
    say("%d tries refused at once", refused);
    default_is_last();
    go_chan_unref(rendezvous);
    go_chan_unref(full);
}

GUIDE_ROW(G36, non_blocking, .prints = {"3 tries refused at once"});
