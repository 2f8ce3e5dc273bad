/*
 * G90 between processes: the items are split into slices, one for each worker, and the last takes what is over.
 *
 * Pattern: fan-out by slices.
 */
#include "parts.h"

enum { WORKERS = 3 };

/* Sends worker i its slice, "items N: FIRST COUNT", of items 1 to n. */
static void split(struct part *me, gc_chan slices, int n)
{
    int size = n / WORKERS;

    for (int i = 0; i < WORKERS; i++)
        send_text(me, slices, "%d %d %d", n, 1 + i * size, i < WORKERS - 1 ? size : n - (WORKERS - 1) * size);
}

static void splitter(struct part *me)
{
    gc_chan slices = chan_of(me, "slices");

    split(me, slices, 6);
    split(me, slices, 7);
    split(me, slices, 2);
    close_chan(me, slices);
}

static void worker(struct part *me)
{
    gc_chan slices = chan_of(me, "slices"), results = chan_of(me, "results");
    char slice[TEXT_BYTES];
    int n, first, count;

    while (recv_text(me, slices, slice)) {
        must(sscanf(slice, "%d %d %d", &n, &first, &count) == 3);
        say(me, "of %d: %d", n, count);
        for (int i = first; i < first + count; i++)
            send_text(me, results, "%d %d", n, 2 * i);
    }
}

static void collector(struct part *me)
{
    gc_chan results = chan_of(me, "results");
    int n, result, processed[8] = {0};
    char text[TEXT_BYTES];

    for (int i = 0; i < 6 + 7 + 2; i++) {
        must(recv_text(me, results, text));
        must(sscanf(text, "%d %d", &n, &result) == 2);
        processed[n]++;
        say(me, "result of %d items: %d", n, result);
    }
    say(me, "Processed %d items", processed[6]);
    say(me, "Processed %d items", processed[7]);
    say(me, "Processed %d items", processed[2]);
}

static void slices(void)
{
    /* "the results are {2, 4, 6, 8, 10, 12}, "Processed 6 items"" */
    for (int i = 1; i <= 6; i++)
        must(said_times("result of 6 items: %d", 2 * i) == 1);
    must(said_times("Processed 6 items") == 1);
    /* "7 items are split 2, 2, 3 between 3 workers" */
    must(said_times("of 7: 2") == 2 && said_times("of 7: 3") == 1 && said_times("Processed 7 items") == 1);
    /* "more workers than items lose none" */
    must(said_times("result of 2 items: 2") == 1 && said_times("result of 2 items: 4") == 1);
    must(said_times("of 2: 0") == 2 && said_times("of 2: 2") == 1);
}

GUIDE_PARTS(G90, slices, .channels = {{"slices"}, {"results"}},
            .parts = {PART(splitter), PARTS(WORKERS, worker), PART(collector)});
