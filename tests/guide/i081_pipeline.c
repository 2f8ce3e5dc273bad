/*
 * G81 between processes: generate, square, double; each stage is another process, and closes what it sends to.
 *
 * Pattern: pipeline.
 */
#include "parts.h"

static void generate(struct part *me)
{
    gc_chan out = chan_of(me, "numbers");

    for (int i = 1; i <= 5; i++)
        send_number(me, out, i);
    close_chan(me, out);
    say(me, "generate has ended");
}

static void square(struct part *me)
{
    gc_chan in = chan_of(me, "numbers"), out = chan_of(me, "squares");
    int number;

    while (recv_number(me, in, &number))
        send_number(me, out, number * number);
    close_chan(me, out);
    say(me, "square has ended");
}

static void twice(struct part *me)
{
    gc_chan in = chan_of(me, "squares"), out = chan_of(me, "results");
    int number;

    while (recv_number(me, in, &number))
        send_number(me, out, 2 * number);
    close_chan(me, out);
    say(me, "double has ended");
}

static void printer(struct part *me)
{
    gc_chan in = chan_of(me, "results");
    int number;

    while (recv_number(me, in, &number))
        say(me, "> %d", number);
}

static void pipeline(void)
{
    /* "exactly 2, 8, 18, 32, 50, in this order" */
    must(said_by(">", LINES("> 2", "> 8", "> 18", "> 32", "> 50")));
    /* "then every stage ends" */
    must(said_times("generate has ended") == 1 && said_times("square has ended") == 1 &&
         said_times("double has ended") == 1);
}

GUIDE_PARTS(G81, pipeline, .channels = {{"numbers"}, {"squares"}, {"results"}},
            .parts = {PART(generate), PART(square), PART(twice), PART(printer)});
