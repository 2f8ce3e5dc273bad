/*
 * G33 Back-pressure: a fast producer is held back by the capacity, not by memory.
 *
 * Pattern: bounded queue.
 */
#include <malloc.h>

#include "guide.h"

enum { ITEMS = 1000, CAPACITY = 3, ITEM_BYTES = 1024 };

struct producer {
    go_chan *out;
    atomic_int sent;
};

static void produce(void *arg)
{
    struct producer *me = arg;
    int item[ITEM_BYTES / sizeof(int)] = {0};

    for (item[0] = 1; item[0] <= ITEMS; item[0]++) {
        must(go_chan_send(me->out, item, GO_FOREVER) == 0);
        atomic_fetch_add(&me->sent, 1);
    }
    must(go_chan_close(me->out) == 0);
}

static void back_pressure(void)
{
    struct producer producer = {.out = go_chan_new(ITEM_BYTES, CAPACITY)};
    int item[ITEM_BYTES / sizeof(int)], next = 1;
    size_t before = mallinfo2().uordblks, grown;

    must(go_spawn(produce, &producer, 0) == 0);
    until_parked(1, "chan send");
    grown = mallinfo2().uordblks - before;
    /* "while the consumer stalls exactly 3 sends are done and the producer is parked" */
    must(atomic_load(&producer.sent) == 3 && go_chan_len(producer.out) == 3);
    /* "memory stays flat" */
    must(guide_is_job() || grown < 10 * ITEM_BYTES); /* other jobs allocate too */
    say("%zu of %d items wait, in %lld bytes", go_chan_len(producer.out), ITEMS, (long long)grown);
    while (go_range(producer.out, item))
        /* "after release 1 to 1000 in order" */
        must(item[0] == next++);
    must(next == ITEMS + 1 && atomic_load(&producer.sent) == ITEMS);
    until_live(1);
    go_chan_unref(producer.out);
}

GUIDE_ROW(G33, back_pressure);
