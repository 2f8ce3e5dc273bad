/*
 * G21 A handshake with a slow receiver: each send ends when it has been received.
 *
 * Pattern: rendezvous. Whether "Sent" or "Got" comes first after the meeting is not fixed.
 */
#include "guide.h"

static void send_words(void *arg)
{
    static const char *const words[] = {"hello", "world"};
    go_chan *c = *(go_chan **)arg;

    say("Sending 'hello'...");
    for (int i = 0; i < 2; i++) {
        must(go_chan_send(c, &words[i], GO_FOREVER) == 0);
        say("Sent '%s'", words[i]);
    }
}

static void handshake(void)
{
    go_chan *c = go_chan_new(sizeof(char *), 0);
    const char *word;

    must(go_spawn(send_words, &c, sizeof c) == 0);
    until_parked(1, "chan send"); /* the receiver comes late */
    say("Receiving...");
    for (int i = 0; i < 2; i++) {
        must(go_chan_recv(c, &word, GO_FOREVER) == 1);
        say("Got: %s", word);
    }
    until_live(1);
    /* ""Receiving..." comes before both "Sent" lines" */
    must(said_before("Receiving...", "Sent"));
    /* "got hello, then world" */
    must(said_by("Got", LINES("Got: hello", "Got: world")));
    /* ""Sent 'world'" only after "Sent 'hello'"" */
    must(said_by("Sent", LINES("Sent 'hello'", "Sent 'world'")));
    go_chan_unref(c);
}

GUIDE_ROW(G21, handshake);
