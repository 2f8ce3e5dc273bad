/*
 * G85 between processes: the same stages in two orders; which channels a stage is between is all that differs.
 *
 * Pattern: composed pipeline.
 */
#include "parts.h"

enum { LIMIT = 10 };

static void produce(struct part *me, const char *to, int most)
{
    gc_chan out = chan_of(me, to);

    for (int i = 1; i <= most; i++)
        send_number(me, out, i);
    close_chan(me, out);
}

static void twice(struct part *me, const char *from, const char *to)
{
    gc_chan in = chan_of(me, from), out = chan_of(me, to);
    int number;

    while (recv_number(me, in, &number))
        send_number(me, out, 2 * number);
    close_chan(me, out);
}

static void below(struct part *me, const char *from, const char *to)
{
    gc_chan in = chan_of(me, from), out = chan_of(me, to);
    int number;

    while (recv_number(me, in, &number))
        if (number < LIMIT)
            send_number(me, out, number);
    close_chan(me, out);
}

static void print(struct part *me, const char *from, const char *name)
{
    gc_chan in = chan_of(me, from);
    int number;

    while (recv_number(me, in, &number))
        say(me, "%s %d", name, number);
}

/* print(below10(double(produce(10)))), and then print(double(below10(produce(10)))) */
static void producer(struct part *me)
{
    produce(me, "a", 10);
    produce(me, "d", 10);
}

static void doubler(struct part *me)
{
    twice(me, "a", "b");
    twice(me, "e", "f");
}

static void filter(struct part *me)
{
    below(me, "b", "c");
    below(me, "d", "e");
}

static void printer(struct part *me)
{
    print(me, "c", "first");
    print(me, "f", "second");
}

static void nested_stages(void)
{
    /* "exactly 2, 4, 6, 8, in this order" */
    must(said_by("first", LINES("first 2", "first 4", "first 6", "first 8")));
    /* "the same stages in another order: 2, 4, 6, 8, 10, 12, 14, 16, 18" */
    must(said_by("second", LINES("second 2", "second 4", "second 6", "second 8", "second 10", "second 12",
                                 "second 14", "second 16", "second 18")));
}

GUIDE_PARTS(G85, nested_stages,
            .channels = {{"a"}, {"b"}, {"c"}, {"d", {.capacity = 10}}, {"e", {.capacity = 9}}, {"f"}},
            .parts = {PART(producer), PART(doubler), PART(filter), PART(printer)});
