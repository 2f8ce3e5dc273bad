/*
 * G90 An array is cut into slices, one for each worker; the last one takes what is left over.
 *
 * Pattern: fan-out by slices. Nothing is shared between the workers, so no channel is needed to hand out the work.
 */
#include "guide.h"

enum { WORKERS = 3, ITEMS_MAX = 8 };

struct slice {
    const int *items;
    int n;
    go_chan *out;
};

static void twice_each(void *arg)
{
    const struct slice *me = arg;

    for (int i = 0; i < me->n; i++)
        must(go_chan_send(me->out, &((int){2 * me->items[i]}), GO_FOREVER) == 0);
}

/* Worker i of `workers` gets this many of n. */
static int share(int n, int workers, int i)
{
    return i < workers - 1 ? n / workers : n - (workers - 1) * (n / workers);
}

/* Fills in n results. */
static void process(const int *items, int n, int workers, int *results)
{
    go_chan *out = go_chan_new(sizeof(int), 0);
    go_waitgroup all = {0};
    int begin = 0, processed = 0;

    for (int i = 0; i < workers; i++) {
        struct slice slice = {items + begin, share(n, workers, i), out};

        must(go_waitgroup_go(&all, twice_each, &slice, sizeof slice) == 0);
        say("worker %d of %d: %d", i + 1, workers, slice.n);
        begin += slice.n;
    }
    while (processed < n)
        must(go_chan_recv(out, &results[processed++], GO_FOREVER) == 1);
    go_waitgroup_wait(&all); /* nobody has another result */
    go_chan_unref(out);
    say("Processed %d items", processed);
}

static void slices(void)
{
    static const int items[ITEMS_MAX] = {1, 2, 3, 4, 5, 6, 7, 8};
    int results[ITEMS_MAX];

    process(items, 6, WORKERS, results);
    /* "the results are {2, 4, 6, 8, 10, 12}, "Processed 6 items"" */
    must(ints_are_set(results, 6, INTS(2, 4, 6, 8, 10, 12)) && said_last("Processed 6 items"));
    say_nothing_yet();
    process(items, 7, WORKERS, results);
    /* "7 items are split 2, 2, 3 between 3 workers" */
    must(said(LINES("worker 1 of 3: 2", "worker 2 of 3: 2", "worker 3 of 3: 3", "Processed 7 items")));
    process(items, 2, WORKERS, results);
    /* "more workers than items lose none" */
    must(ints_are_set(results, 2, INTS(2, 4)) && said_last("Processed 2 items"));
}

GUIDE_ROW(G90, slices);
