/*
 * G32 A channel of structs: the message is copied when it is sent.
 *
 * Pattern: message passing by value.
 */
#include <stdio.h>

#include "guide.h"

struct message {
    int id;
    char data[32];
    int err;
};

static void send_and_change(void *arg)
{
    go_chan *c = *(go_chan **)arg;
    struct message message = {1, "first", 0};

    must(go_chan_send(c, &message, GO_FOREVER) == 0);
    message = (struct message){99, "changed", -EIO}; /* after the send: not seen */
    message.id = 2;
    snprintf(message.data, sizeof message.data, "second");
    must(go_chan_send(c, &message, GO_FOREVER) == 0);
    memset(&message, 0xff, sizeof message);
    must(go_chan_close(c) == 0);
}

static void receive_all(size_t capacity, bool late)
{
    go_chan *c = go_chan_new(sizeof(struct message), capacity);
    struct message got;

    must(go_spawn(send_and_change, &c, sizeof c) == 0);
    if (late)
        until_live(1); /* both are stored, and the sender's struct is gone */
    while (go_range(c, &got))
        say("%d %s %d", got.id, got.data, got.err);
    /* "all fields arrive" */
    must(said_first("1 first 0"));
    /* "what the sender changes in its struct afterwards is not seen" */
    must(said(LINES("1 first 0", "2 second -5")));
    until_live(1);
    go_chan_unref(c);
}

static void messages(void)
{
    receive_all(0, false);
    say_nothing_yet();
    receive_all(2, true);
}

GUIDE_ROW(G32, messages);
