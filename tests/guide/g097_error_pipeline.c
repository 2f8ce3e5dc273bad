/*
 * G97 A pipeline whose items carry what went wrong with them: a failed item goes on to the end, past the stages that have
 * nothing to do for it.
 *
 * Pattern: errors as part of the item. Nothing gets lost, and the end can tell successes from failures.
 */
#include <stdio.h>

#include "guide.h"

enum { ITEMS = 10, LENGTH_MIN = 10, TEXT_BYTES = 32 };

struct item {
    int id, error; /* error: 0, or a negative errno value */
    bool validated;
    char data[TEXT_BYTES];
};

struct stage {
    go_chan *in, *out;
    int short_id; /* this item has too few data; 0: none */
};

static void generate(void *arg)
{
    const struct stage *me = arg;

    for (int id = 1; id <= ITEMS; id++) {
        struct item item = {.id = id};

        snprintf(item.data, sizeof item.data, id == me->short_id ? "%d" : "data_of_item_%d", id);
        must(go_chan_send(me->out, &item, GO_FOREVER) == 0);
    }
    must(go_chan_close(me->out) == 0);
}

static void process(void *arg)
{
    const struct stage *me = arg;
    struct item item;

    while (go_range(me->in, &item)) {
        if (item.id == 3 || item.id == 7)
            item.error = -EIO;
        must(go_chan_send(me->out, &item, GO_FOREVER) == 0);
    }
    must(go_chan_close(me->out) == 0);
}

static void validate(void *arg)
{
    const struct stage *me = arg;
    struct item item;

    while (go_range(me->in, &item)) {
        item.validated = item.error == 0;
        if (item.validated && strlen(item.data) < LENGTH_MIN)
            item.error = -EINVAL;
        must(go_chan_send(me->out, &item, GO_FOREVER) == 0);
    }
    must(go_chan_close(me->out) == 0);
}

static void consume(go_chan *in)
{
    int successes = 0, errors = 0;
    struct item item;

    while (go_range(in, &item)) {
        if (item.error == 0)
            successes++;
        else
            errors++;
        if (item.error == 0)
            say("item %d: %s", item.id, item.data);
        else
            say("item %d: %s, %s", item.id, item.error == -EIO ? "processing failed" : "data too short",
                item.validated ? "validated" : "not validated");
    }
    say("%d successes, %d errors", successes, errors);
}

static void run(int short_id)
{
    static void (*const functions[])(void *) = {generate, process, validate};
    go_chan *between[4] = {NULL};

    say_nothing_yet();
    for (int i = 0; i < 3; i++) {
        between[i + 1] = go_chan_new(sizeof(struct item), 0);
        must(go_spawn(functions[i], &((struct stage){between[i], between[i + 1], short_id}),
                      sizeof(struct stage)) == 0);
    }
    consume(between[3]);
    until_live(1);
    for (int i = 1; i <= 3; i++)
        go_chan_unref(between[i]);
}

static void error_pipeline(void)
{
    run(0);
    /* "all items leave, in order" */
    must(said_lines() == ITEMS + 1 && said_first("item 1: data_of_item_1"));
    /* "the failed ones, 3 and 7, are not validated" */
    must(said_times("item 3: processing failed, not validated") == 1);
    must(said_times("item 7: processing failed, not validated") == 1);
    /* "with 10 long enough: "8 successes, 2 errors"" */
    must(said_last("8 successes, 2 errors"));
    run(5);
    /* "with a short one: "7 successes, 3 errors"" */
    must(said_times("item 5: data too short, validated") == 1 && said_last("7 successes, 3 errors"));
}

GUIDE_ROW(G97, error_pipeline);
