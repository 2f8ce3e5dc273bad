/*
 * G22 Both ways on one channel: main sends, the goroutine receives and answers on the same channel.
 *
 * Pattern: rendezvous in turns. Without a buffer nobody can receive its own message: it waits until the other takes it.
 */
#include "guide.h"

struct message {
    char text[32];
};

static void answer(void *arg)
{
    go_chan *c = *(go_chan **)arg;
    struct message got;

    must(go_chan_recv(c, &got, GO_FOREVER) == 1);
    say("goroutine got: %s", got.text);
    must(go_chan_send(c, &((struct message){"Hello from goroutine!"}), GO_FOREVER) == 0);
}

static void two_way(void)
{
    go_chan *c = go_chan_new(sizeof(struct message), 0);
    struct message got;

    must(go_spawn(answer, &c, sizeof c) == 0);
    must(go_chan_send(c, &((struct message){"Hello from main!"}), GO_FOREVER) == 0);
    must(go_chan_recv(c, &got, GO_FOREVER) == 1);
    say("main got: %s", got.text);
    /* "main gets "Hello from goroutine!", the goroutine gets "Hello from main!"" */
    must(said(LINES("goroutine got: Hello from main!", "main got: Hello from goroutine!")));
    until_live(1);
    /* "nobody gets its own message" */
    must(said_lines() == 2 && go_chan_recv(c, &got, GO_NOW) == -EAGAIN);
    go_chan_unref(c);
}

GUIDE_ROW(G22, two_way);
