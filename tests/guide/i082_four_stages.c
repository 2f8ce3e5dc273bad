/*
 * G82 between processes: 1 to 10; square, add ten, keep the even ones.
 *
 * Pattern: pipeline of four stages.
 */
#include "parts.h"

/* One stage: f makes of each number another one, or says to leave it out. */
static void stage(struct part *me, const char *from, const char *to, bool (*f)(int *number))
{
    gc_chan in = chan_of(me, from), out = chan_of(me, to);
    int number;

    while (recv_number(me, in, &number))
        if (f(&number))
            send_number(me, out, number);
    close_chan(me, out);
}

static bool squared(int *number)
{
    *number *= *number;
    return true;
}

static bool plus_ten(int *number)
{
    *number += 10;
    return true;
}

static bool is_even(int *number)
{
    return *number % 2 == 0;
}

static void generate(struct part *me)
{
    gc_chan out = chan_of(me, "numbers");

    for (int i = 1; i <= 10; i++)
        send_number(me, out, i);
    close_chan(me, out);
}

static void square(struct part *me)
{
    stage(me, "numbers", "squares", squared);
}

static void add_ten(struct part *me)
{
    stage(me, "squares", "sums", plus_ten);
}

static void keep_even(struct part *me)
{
    stage(me, "sums", "even", is_even);
}

static void printer(struct part *me)
{
    gc_chan in = chan_of(me, "even");
    int number;

    while (recv_number(me, in, &number))
        say(me, "%d", number);
}

static void four_stages(void)
{
    /* "exactly 14, 26, 46, 74, 110, in this order" */
    must(said(LINES("14", "26", "46", "74", "110")));
}

GUIDE_PARTS(G82, four_stages, .channels = {{"numbers"}, {"squares"}, {"sums"}, {"even"}},
            .parts = {PART(generate), PART(square), PART(add_ten), PART(keep_even), PART(printer)});
