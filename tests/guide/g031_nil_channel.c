/*
 * G31 A channel that was declared but not made: nothing on it ever goes on.
 *
 * Pattern: nil channel. In a select, that switches a case off.
 */
#include "guide.h"

static void send_42(void *arg)
{
    must(go_chan_send(*(go_chan **)arg, &(int){42}, GO_FOREVER) == 0);
}

static void nil_channel(void)
{
    go_chan *c = NULL, *ready = go_chan_new(sizeof(int), 1);
    struct go_case cases[] = {GO_RECV(c, NULL), GO_SEND(c, &(int){1}), GO_RECV(ready, NULL)};
    int value;

    /* "send and receive on it never proceed" */
    must(go_chan_recv(c, &value, GO_NOW) == -EAGAIN && go_chan_send(c, &value, GO_NOW) == -EAGAIN);
    must(go_chan_recv(c, &value, go_after_ms(5)) == -ETIMEDOUT);
    /* "in a select its case is never chosen" */
    must(go_select(cases, 2, GO_NOW) == -EAGAIN);
    for (int i = 0; i < 100; i++) {
        must(go_chan_send(ready, &i, GO_NOW) == 0);
        must(go_select(cases, 3, GO_FOREVER) == 2);
    }
    c = go_chan_new(sizeof(int), 0);
    must(go_spawn(send_42, &c, sizeof c) == 0);
    must(go_chan_recv(c, &value, GO_FOREVER) == 1);
    say("%d", value);
    /* "once made, 42 passes" */
    must(said(LINES("42")));
    until_live(1);
    go_chan_unref(c);
    go_chan_unref(ready);
}

static void receive_from_nil(void)
{
    go_chan_recv(NULL, NULL, GO_FOREVER);
}

static void send_to_nil(void)
{
    go_chan_send(NULL, &(int){1}, GO_FOREVER);
}

GUIDE_ROW(G31, nil_channel);
/* "the deadlock report says "nil channel"" */
GUIDE_PART(G31, receive_from_nil, .ends = ENDS_IN_DEADLOCK, .says = {"chan receive (nil channel)"});
GUIDE_PART(G31, send_to_nil, .ends = ENDS_IN_DEADLOCK, .says = {"chan send (nil channel)"});
