/*
 * G83 between processes: 1 to 10; square, and keep the even ones.
 *
 * Pattern: pipeline with a filter.
 */
#include "parts.h"

static void generate(struct part *me)
{
    gc_chan out = chan_of(me, "numbers");

    for (int i = 1; i <= 10; i++)
        send_number(me, out, i);
    close_chan(me, out);
}

static void square(struct part *me)
{
    gc_chan in = chan_of(me, "numbers"), out = chan_of(me, "squares");
    int number;

    while (recv_number(me, in, &number))
        send_number(me, out, number * number);
    close_chan(me, out);
}

static void filter(struct part *me)
{
    gc_chan in = chan_of(me, "squares"), out = chan_of(me, "even");
    int number;

    while (recv_number(me, in, &number))
        if (number % 2 == 0)
            send_number(me, out, number);
    close_chan(me, out);
}

static void printer(struct part *me)
{
    gc_chan in = chan_of(me, "even");
    int number;

    while (recv_number(me, in, &number))
        say(me, "%d", number);
}

static void filtered(void)
{
    /* "exactly 4, 16, 36, 64, 100, in this order" */
    must(said(LINES("4", "16", "36", "64", "100")));
}

GUIDE_PARTS(G83, filtered, .channels = {{"numbers"}, {"squares"}, {"even"}},
            .parts = {PART(generate), PART(square), PART(filter), PART(printer)});
