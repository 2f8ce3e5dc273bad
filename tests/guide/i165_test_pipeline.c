/*
 * G165 between processes: a test of a whole pipeline; the fifth of its items fails.
 *
 * Pattern: integration test with a fixed failure.
 */
#include "parts.h"

enum { ITEMS = 5 };

static void feed(struct part *me)
{
    gc_chan out = chan_of(me, "items");

    for (int i = 1; i <= ITEMS; i++)
        send_text(me, out, "%d ok", i);
    close_chan(me, out);
}

static void process(struct part *me)
{
    gc_chan in = chan_of(me, "items"), out = chan_of(me, "processed");
    char text[TEXT_BYTES];

    while (recv_text(me, in, text))
        send_text(me, out, "%d %s", atoi(text), atoi(text) == ITEMS ? "failed" : "ok");
    close_chan(me, out);
}

static void validate(struct part *me)
{
    gc_chan in = chan_of(me, "processed"), out = chan_of(me, "validated");
    char text[TEXT_BYTES];

    while (recv_text(me, in, text))
        send_text(me, out, "%s", text);
    close_chan(me, out);
}

static void test_body(struct part *me)
{
    gc_chan in = chan_of(me, "validated");
    char text[TEXT_BYTES];
    int n = 0, good = 0;

    while (recv_text(me, in, text)) {
        n++;
        good += strstr(text, " ok") != NULL;
    }
    say(me, "%d items, %d good", n, good);
}

static void test_pipeline(void)
{
    /* "5 items come out, 4 of them good" */
    must(said(LINES("5 items, 4 good")));
}

GUIDE_PARTS(G165, test_pipeline, .channels = {{"items"}, {"processed"}, {"validated"}},
            .parts = {PART(feed), PART(process), PART(validate), PART(test_body)});
