/*
 * G21 between processes: a receiver that comes late, and a sender that is told only when each word has arrived.
 *
 * Pattern: handshake.
 */
#include "parts.h"

static void sender(struct part *me)
{
    gc_chan words = chan_of(me, "words");

    send_text(me, words, "hello");
    say(me, "Sent 'hello'");
    send_text(me, words, "world");
    say(me, "Sent 'world'");
}

/* Lets the receiver begin when the sender waits. */
static void gatekeeper(struct part *me)
{
    until_waiting(me, chan_of(me, "words"), 1, 0);
    step_done(me, "gate");
}

static void receiver(struct part *me)
{
    gc_chan words = chan_of(me, "words");
    char text[TEXT_BYTES];

    step_wait(me, "gate");
    say(me, "Receiving...");
    for (int i = 0; i < 2; i++) {
        must(recv_text(me, words, text));
        say(me, "Got '%s'", text);
    }
}

static void handshake(void)
{
    /* ""Receiving..." comes before both "Sent" lines" */
    must(said_before("Receiving...", "Sent"));
    /* "got hello, then world" */
    must(said_by("Got", LINES("Got 'hello'", "Got 'world'")));
    /* ""Sent 'world'" only after "Sent 'hello'"" */
    must(said_by("Sent", LINES("Sent 'hello'", "Sent 'world'")));
}

GUIDE_PARTS(G21, handshake, .channels = {{"words"}, {"gate"}},
            .parts = {PART(sender), PART(gatekeeper), PART(receiver)});
