/*
 * G165 An integration test of a pipeline whose items carry their errors (G97): the failing item is fixed, so that the test
 * can fail.
 *
 * Pattern: end to end with known faults.
 */
#include <stdio.h>

#include "guide.h"

enum { ITEMS = 5, BAD = 5, TEXT_BYTES = 32 };

struct item {
    int id, error;
    char text[TEXT_BYTES];
};

struct stage {
    go_chan *in, *out;
};

static void produce(void *arg)
{
    const struct stage *me = arg;

    for (int id = 1; id <= ITEMS; id++)
        must(go_chan_send(me->out, &(struct item){.id = id}, GO_FOREVER) == 0);
    must(go_chan_close(me->out) == 0);
}

static void process(void *arg)
{
    const struct stage *me = arg;
    struct item item;

    while (go_range(me->in, &item)) {
        item.error = item.id == BAD ? -EIO : 0;
        must(go_chan_send(me->out, &item, GO_FOREVER) == 0);
    }
    must(go_chan_close(me->out) == 0);
}

static void label(void *arg)
{
    const struct stage *me = arg;
    struct item item;

    while (go_range(me->in, &item)) {
        if (item.error == 0)
            snprintf(item.text, sizeof item.text, "item %d", item.id);
        must(go_chan_send(me->out, &item, GO_FOREVER) == 0);
    }
    must(go_chan_close(me->out) == 0);
}

static void test_pipeline(void)
{
    static void (*const stages[])(void *) = {produce, process, label};
    enum { STAGES = sizeof stages / sizeof stages[0] };
    go_chan *between[STAGES + 1] = {NULL};
    int all = 0, good = 0;
    struct item item;

    for (int i = 0; i < STAGES; i++) {
        between[i + 1] = go_chan_new(sizeof(struct item), 0);
        must(go_spawn(stages[i], &((struct stage){between[i], between[i + 1]}), sizeof(struct stage)) == 0);
    }
    while (go_range(between[STAGES], &item)) {
        all++;
        good += item.error == 0 && item.text[0] != '\0';
        must((item.error != 0) == (item.id == BAD));
    }
    /* "5 items come out, 4 of them good" */
    must(all == ITEMS && good == ITEMS - 1);
    for (int i = 1; i <= STAGES; i++)
        go_chan_unref(between[i]);
}

GUIDE_ROW(G165, test_pipeline);
