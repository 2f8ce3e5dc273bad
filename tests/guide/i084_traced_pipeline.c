/*
 * G84 between processes: square, then cube; every stage tells of each item.
 *
 * Pattern: pipeline with a trace.
 */
#include "parts.h"

enum { ITEMS = 5 };

/* The line comes before the send: whoever has the item tells of it later. */
static void generate(struct part *me)
{
    gc_chan out = chan_of(me, "numbers");

    for (int i = 1; i <= ITEMS; i++) {
        say(me, "item %d: Generate", i);
        send_text(me, out, "%d %d", i, i);
    }
    close_chan(me, out);
}

static void stage(struct part *me, const char *from, const char *to, const char *name, int power)
{
    gc_chan in = chan_of(me, from), out = chan_of(me, to);
    char text[TEXT_BYTES];
    int item, number;

    while (recv_text(me, in, text)) {
        must(sscanf(text, "%d %d", &item, &number) == 2);
        say(me, "item %d: %s", item, name);
        send_text(me, out, "%d %d", item, power == 2 ? number * number : number * number * number);
    }
    close_chan(me, out);
}

static void square(struct part *me)
{
    stage(me, "numbers", "squares", "Square", 2);
}

static void cube(struct part *me)
{
    stage(me, "squares", "cubes", "Cube", 3);
}

static void printer(struct part *me)
{
    gc_chan in = chan_of(me, "cubes");
    char text[TEXT_BYTES];
    int item, number;

    while (recv_text(me, in, text)) {
        must(sscanf(text, "%d %d", &item, &number) == 2);
        say(me, "item %d: Final", item);
        say(me, "> %d", number);
    }
}

static void traced_pipeline(void)
{
    /* "exactly 1, 64, 729, 4096, 15625, in this order" */
    must(said_by(">", LINES("> 1", "> 64", "> 729", "> 4096", "> 15625")));
    /* "for each item Generate, Square, Cube, Final, in this order" */
    for (int i = 1; i <= ITEMS; i++) {
        char prefix[TEXT_BYTES], line[4][TEXT_BYTES];
        static const char *const stages[] = {"Generate", "Square", "Cube", "Final"};

        snprintf(prefix, sizeof prefix, "item %d:", i);
        for (int s = 0; s < 4; s++)
            snprintf(line[s], sizeof line[s], "item %d: %s", i, stages[s]);
        must(said_by(prefix, LINES(line[0], line[1], line[2], line[3])));
    }
}

GUIDE_PARTS(G84, traced_pipeline, .channels = {{"numbers"}, {"squares"}, {"cubes"}},
            .parts = {PART(generate), PART(square), PART(cube), PART(printer)});
