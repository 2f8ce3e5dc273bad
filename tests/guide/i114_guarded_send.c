/*
 * G114 between processes: the receiver leaves while others have more to send; a stop channel tells them.
 *
 * Pattern: guarded send.
 */
#include "parts.h"

enum { SENDERS = 3, VALUES = 10, WANTED = 5 };

static void sender(struct part *me)
{
    gc_chan data = chan_of(me, "data"), stop = chan_of(me, "stop");
    int sent = 0, refused = 0;

    for (int i = 0; i < VALUES; i++) {
        struct gc_value none = {0};
        struct gc_case cases[] = {gc_case_send(data, gc_string("value")), gc_case_recv(stop, &none)};
        int chosen = gc_select(me->g, cases, 2, 0, GC_FOREVER);

        must(chosen >= 0);
        sent += chosen == 0;
        refused += chosen == 1;
    }
    send_text(me, chan_of(me, "tally"), "%d %d", sent, refused);
}

static void receiver(struct part *me)
{
    gc_chan data = chan_of(me, "data");
    char text[TEXT_BYTES];

    for (int i = 0; i < WANTED; i++)
        must(recv_text(me, data, text));
    say(me, "receiver leaves");
    step_done(me, "left");
}

/* The owner of `stop` closes that, and never the data channel. */
static void owner(struct part *me)
{
    gc_chan tally = chan_of(me, "tally");
    int sent, refused, all_sent = 0, all_refused = 0;
    char text[TEXT_BYTES];

    step_wait(me, "left");
    until_waiting(me, chan_of(me, "data"), SENDERS, 0);
    step_done(me, "stop");
    for (int i = 0; i < SENDERS; i++) {
        must(recv_text(me, tally, text) && sscanf(text, "%d %d", &sent, &refused) == 2);
        all_sent += sent;
        all_refused += refused;
    }
    /* "values received and values refused together are those that the senders had: 5 + 25 = 30" */
    must(all_sent == WANTED && all_refused == SENDERS * VALUES - WANTED);
    say(me, "senders have ended");
}

static void guarded_send(void)
{
    /* "the receiver leaves, and nothing panics or hangs" */
    must(said(LINES("receiver leaves", "senders have ended")));
}

GUIDE_PARTS(G114, guarded_send, .channels = {{"data"}, {"stop"}, {"tally"}, {"left"}},
            .parts = {PARTS(SENDERS, sender), PART(receiver), PART(owner)});
