/*
 * G87 between processes: three processes share the slow stage of a pipeline; a last stage puts the order back.
 *
 * Pattern: more workers on one stage.
 */
#include "parts.h"

enum { ITEMS = 9, WORKERS = 3 };

static void generate(struct part *me)
{
    gc_chan out = chan_of(me, "numbers");

    for (int i = 1; i <= ITEMS; i++)
        send_text(me, out, "%d %d", i, i * i);
    close_chan(me, out);
}

/* Item 1 is held until all others have been passed on. */
static void slow(struct part *me)
{
    gc_chan in = chan_of(me, "numbers"), out = chan_of(me, "results");
    char text[TEXT_BYTES];
    int item, number;

    while (recv_text(me, in, text)) {
        must(sscanf(text, "%d %d", &item, &number) == 2);
        if (item <= WORKERS)
            step_wait(me, "all_at_work");
        if (item == 1)
            step_wait(me, "others_done");
        send_text(me, out, "%d %d", item, number + 1);
    }
}

/* "all 3 goroutines of the slow stage are at work at once" */
static void overseer(struct part *me)
{
    until_waiting(me, chan_of(me, "all_at_work"), 0, WORKERS);
    say(me, "3 are at work");
    step_done(me, "all_at_work");
}

static void orderer(struct part *me)
{
    gc_chan in = chan_of(me, "results");
    int result[ITEMS + 1] = {0}, item, number;
    char text[TEXT_BYTES];

    for (int i = 0; i < ITEMS; i++) {
        must(recv_text(me, in, text));
        must(sscanf(text, "%d %d", &item, &number) == 2);
        say(me, "ready: %02d", number);
        result[item] = number;
        if (i == ITEMS - 2)
            step_done(me, "others_done");
    }
    for (int i = 1; i <= ITEMS; i++)
        say(me, "ordered: %d", result[i]);
}

static void slow_stage(void)
{
    static const int wanted[ITEMS] = {2, 5, 10, 17, 26, 37, 50, 65, 82};

    must(said_first("3 are at work"));
    /* "the results are {2, 5, 10, 17, 26, 37, 50, 65, 82}" */
    for (int i = 0; i < ITEMS; i++)
        must(said_times("ready: %02d", wanted[i]) == 1);
    /* "ordered: exactly this sequence, though later ones were ready first" */
    must(said_before("ready: 82", "ready: 02"));
    must(said_by("ordered", LINES("ordered: 2", "ordered: 5", "ordered: 10", "ordered: 17", "ordered: 26",
                                  "ordered: 37", "ordered: 50", "ordered: 65", "ordered: 82")));
}

GUIDE_PARTS(G87, slow_stage, .channels = {{"numbers"}, {"results"}, {"all_at_work"}, {"others_done"}},
            .parts = {PART(generate), PARTS(WORKERS, slow), PART(overseer), PART(orderer)});
