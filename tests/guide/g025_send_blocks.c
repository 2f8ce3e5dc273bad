/*
 * G25 A send waits when the buffer is full.
 *
 * Pattern: bounded queue.
 */
#include "guide.h"

struct message {
    char text[8];
};

static void store_three(void *arg)
{
    static const struct message messages[] = {{"msg1"}, {"msg2"}, {"msg3"}};
    go_chan *c = *(go_chan **)arg;

    for (int i = 0; i < 3; i++) {
        must(go_chan_send(c, &messages[i], GO_FOREVER) == 0);
        say("Stored '%s'", messages[i].text);
    }
}

static void send_blocks(void)
{
    go_chan *c = go_chan_new(sizeof(struct message), 2);
    struct message got;

    must(go_spawn(store_three, &c, sizeof c) == 0);
    until_parked(1, "chan send");
    /* "before the first receive: msg1 and msg2 stored, the sender parked on msg3, length 2" */
    must(said(LINES("Stored 'msg1'", "Stored 'msg2'")) && go_chan_len(c) == 2);
    must(go_chan_recv(c, &got, GO_FOREVER) == 1);
    say("Got %s", got.text);
    until_live(1);
    /* "after one receive it goes on" */
    must(said_times("Stored 'msg3'") == 1 && go_chan_len(c) == 2);
    while (go_chan_recv(c, &got, GO_NOW) == 1)
        say("Got %s", got.text);
    /* "received msg1, msg2, msg3" */
    must(said_by("Got", LINES("Got msg1", "Got msg2", "Got msg3")));
    go_chan_unref(c);
}

GUIDE_ROW(G25, send_blocks);
