/*
 * G170 Ten thousand items one by one, and in groups of a hundred: the same items in the same order, for a hundredth of the
 * operations.
 *
 * Pattern: batching.
 */
#include "guide.h"

enum { ITEMS = 10000, BATCH = 100 };

struct sender {
    go_chan *out;
    int batch, operations;
};

static void send_all(void *arg)
{
    struct sender *me = arg;
    int items[BATCH];

    for (int next = 0; next < ITEMS; next += me->batch) {
        for (int i = 0; i < me->batch; i++)
            items[i] = next + i;
        must(go_chan_send_many(me->out, items, (size_t)me->batch, GO_FOREVER) == me->batch);
        me->operations++;
    }
    must(go_chan_close(me->out) == 0);
}

/* How many operations the sender needs; the items are checked on the way. */
static int operations(int batch)
{
    struct sender sender = {.out = go_chan_new(sizeof(int), BATCH), .batch = batch};
    int items[BATCH], expected = 0, n;

    must(go_spawn(send_all, &sender, 0) == 0);
    while ((n = go_chan_recv_many(sender.out, items, BATCH, GO_FOREVER)) > 0)
        for (int i = 0; i < n; i++)
            /* "the same 10,000 items in order both times" */
            must(items[i] == expected++);
    must(n == 0 && expected == ITEMS);
    until_live(1);
    go_chan_unref(sender.out);
    return sender.operations;
}

static void batching(void)
{
    int single = operations(1), grouped = operations(BATCH);

    say("one by one: %d operations, in groups of %d: %d", single, BATCH, grouped);
    /* "10,000 operations one by one, 100 in groups" */
    must(single == 10000 && grouped == 100);
}

GUIDE_ROW(G170, batching);
