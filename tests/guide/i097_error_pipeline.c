/*
 * G97 between processes: items carry their error along, and later stages leave those that failed alone.
 *
 * Pattern: error-aware pipeline.
 */
#include "parts.h"

enum { ITEMS = 10, SHORTEST = 16, RUNS = 2 };

struct item {
    int id, error;
    bool validated;
    char data[32];
};

static void send_item(struct part *me, gc_chan out, const struct item *item)
{
    must(gc_send(me->g, out, gc_bytes(item, sizeof *item), GC_FOREVER) == 0);
}

static bool recv_item(struct part *me, gc_chan in, struct item *item)
{
    struct gc_value v = {0};
    int r = gc_recv(me->g, in, &v, 0, GC_FOREVER);

    must(r >= 0 && (r == 0 || v.size == sizeof *item));
    if (r > 0)
        memcpy(item, v.data, sizeof *item);
    gc_value_clear(&v);
    return r > 0;
}

/* Items 3 and 7 fail. In the second run item 5 is too short. */
static void produce(struct part *me)
{
    gc_chan out = chan_of(me, "produced");

    for (int run = 0; run < RUNS; run++)
        for (int id = 1; id <= ITEMS; id++) {
            struct item item = {.id = id, .error = id == 3 || id == 7 ? -EIO : 0};

            snprintf(item.data, sizeof item.data, run == 1 && id == 5 ? "short" : "data of the item %02d",
                     id);
            send_item(me, out, &item);
        }
    close_chan(me, out);
}

static void validate(struct part *me)
{
    gc_chan in = chan_of(me, "produced"), out = chan_of(me, "validated");
    struct item item;

    while (recv_item(me, in, &item)) {
        item.validated = !item.error;
        if (item.validated && strlen(item.data) < SHORTEST)
            item.error = -EINVAL;
        send_item(me, out, &item);
    }
    close_chan(me, out);
}

static void collect(struct part *me)
{
    gc_chan in = chan_of(me, "validated");
    struct item item;

    for (int run = 0; run < RUNS; run++) {
        int errors = 0;

        for (int id = 1; id <= ITEMS; id++) {
            /* "all items leave, in order" */
            must(recv_item(me, in, &item) && item.id == id);
            /* "the failed ones, 3 and 7, are not validated" */
            must(item.validated == (id != 3 && id != 7));
            errors += item.error != 0;
        }
        say(me, "%d successes, %d errors", ITEMS - errors, errors);
    }
    must(!recv_item(me, in, &item));
}

static void error_pipeline(void)
{
    /* "with 10 long enough: "8 successes, 2 errors"" */
    /* "with a short one: "7 successes, 3 errors"" */
    must(said(LINES("8 successes, 2 errors", "7 successes, 3 errors")));
}

GUIDE_PARTS(G97, error_pipeline,
            .channels = {{"produced", {.element_bytes = sizeof(struct item)}},
                         {"validated", {.element_bytes = sizeof(struct item)}}},
            .parts = {PART(produce), PART(validate), PART(collect)});
