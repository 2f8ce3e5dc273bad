/*
 * G114 A sender whose receiver may leave at any time. It offers each value, and at the same time listens whether anybody
 * still wants one. The data channel is never closed: a send can neither panic nor wait for ever.
 *
 * Pattern: guarded send, by select between the send and a stop channel that its owner closes.
 */
#include "guide.h"

enum { SENDERS = 3, VALUES = 10, WANTED = 5 };

struct exchange {
    go_chan *data, *stop;
    atomic_int sent, refused, received;
};

static void send_values(void *arg)
{
    struct exchange *exchange = arg;

    for (int value = 0; value < VALUES; value++) {
        struct go_case cases[] = {GO_SEND(exchange->data, &value), GO_RECV(exchange->stop, NULL)};

        if (go_select(cases, 2, GO_FOREVER) == 0)
            atomic_fetch_add(&exchange->sent, 1);
        else
            atomic_fetch_add(&exchange->refused, 1);
    }
}

static void receive_some(void *arg)
{
    struct exchange *exchange = arg;

    for (int i = 0; i < WANTED; i++) {
        must(go_chan_recv(exchange->data, NULL, GO_FOREVER) == 1);
        atomic_fetch_add(&exchange->received, 1);
    }
    say("receiver leaves");
}

static void guarded_send(void)
{
    struct exchange exchange = {go_chan_new(sizeof(int), 0), go_chan_new(0, 0)};
    go_waitgroup senders = {0}, receiver = {0};

    for (int i = 0; i < SENDERS; i++)
        must(go_waitgroup_go(&senders, send_values, &exchange, 0) == 0);
    must(go_waitgroup_go(&receiver, receive_some, &exchange, 0) == 0);
    go_waitgroup_wait(&receiver);
    until_parked(SENDERS, "select"); /* each has more to send, and nobody receives */
    go_chan_close(exchange.stop);
    go_waitgroup_wait(&senders);
    say("senders have ended");
    /* "the receiver leaves, and nothing panics or hangs" */
    must(said(LINES("receiver leaves", "senders have ended")));
    until_live(1);
    /* "values received and values refused together are those that the senders had: 5 + 25 = 30" */
    must(atomic_load(&exchange.received) == WANTED && atomic_load(&exchange.sent) == WANTED);
    must(atomic_load(&exchange.refused) == SENDERS * VALUES - WANTED);
    go_chan_unref(exchange.data);
    go_chan_unref(exchange.stop);
}

GUIDE_ROW(G114, guarded_send);
