/*
 * G20 An unbuffered channel: send and receive meet, and the value goes straight across.
 *
 * Pattern: rendezvous.
 */
#include "guide.h"

struct sender {
    go_chan *out;
    const void *value;
    atomic_bool sent;
};

static void send_one(void *arg)
{
    struct sender *sender = arg;

    must(go_chan_send(sender->out, sender->value, GO_FOREVER) == 0);
    atomic_store(&sender->sent, true);
}

/* Receives what a sender, already parked, has to give. */
static void receive_from_parked(go_chan *c, const void *sent, void *got)
{
    struct sender sender = {.out = c, .value = sent};
    go_waitgroup done = {0};

    must(go_waitgroup_go(&done, send_one, &sender, 0) == 0);
    until_parked(1, "chan send");
    /* "length and capacity are 0, even with a sender parked" */
    must(go_chan_len(c) == 0 && go_chan_cap(c) == 0);
    /* "the sender's "sent" flag is not set before the receive has begun" */
    must(!atomic_load(&sender.sent));
    must(go_chan_recv(c, got, GO_FOREVER) == 1);
    go_waitgroup_wait(&done);
    must(atomic_load(&sender.sent));
}

static void unbuffered(void)
{
    char text[32] = "Hello from goroutine!", got_text[32];
    int number = 42, got_number;
    go_chan *texts = go_chan_new(sizeof text, 0), *numbers = go_chan_new(sizeof number, 0);

    receive_from_parked(texts, text, got_text);
    say("%s", got_text);
    receive_from_parked(numbers, &number, &got_number);
    say("%d", got_number);
    /* "the value arrives: "Hello from goroutine!", and 42" */
    must(said(LINES("Hello from goroutine!", "42")));
    go_chan_unref(texts);
    go_chan_unref(numbers);
}

GUIDE_ROW(G20, unbuffered);
