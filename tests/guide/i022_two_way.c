/*
 * G22 between processes: two talk both ways over one channel.
 *
 * Pattern: request and answer on one channel, by turns.
 */
#include "parts.h"

static void talker(struct part *me)
{
    gc_chan talk = chan_of(me, "talk");
    char text[TEXT_BYTES];

    send_text(me, talk, "Hello from goroutine!");
    must(recv_text(me, talk, text));
    say(me, "Goroutine received: %s", text);
    step_done(me, "over");
}

static void answerer(struct part *me)
{
    gc_chan talk = chan_of(me, "talk");
    char text[TEXT_BYTES];

    must(recv_text(me, talk, text));
    say(me, "Main received: %s", text);
    send_text(me, talk, "Hello from main!");
}

/* Sees that both went over the one channel, and nothing else did. */
static void witness(struct part *me)
{
    struct gc_chan_info info;

    step_wait(me, "over");
    must(gc_chan_stat(me->g, "talk", &info, GC_FOREVER) == 0);
    must(info.sent == 2 && info.received == 2 && info.length == 0);
}

static void two_way(void)
{
    /* "main gets "Hello from goroutine!", the goroutine gets "Hello from main!"" */
    /* "nobody gets its own message" */
    must(said(LINES("Main received: Hello from goroutine!", "Goroutine received: Hello from main!")));
}

GUIDE_PARTS(G22, two_way, .channels = {{"talk"}, {"over"}},
            .parts = {PART(talker), PART(answerer), PART(witness)});
