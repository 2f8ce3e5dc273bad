/*
 * G99 Each worker has a channel of its own for its one result, so that results can be read in the order of the workers,
 * whoever is ready first.
 *
 * Pattern: one result channel per worker. With room for one value no worker waits for who reads.
 */
#include "guide.h"

enum { WORKERS = 5 };

struct result {
    int value, error; /* error: 0, or a negative errno value */
};

struct worker {
    int id;
    go_chan *out;
};

static void work(void *arg)
{
    const struct worker *me = arg;
    struct result result = {.value = 10 * me->id};

    if (me->id % 3 == 0)
        result = (struct result){.error = -EIO};
    must(go_chan_send(me->out, &result, GO_NOW) == 0);
}

static void own_result(void)
{
    go_chan *results[WORKERS];
    struct result result;

    for (int id = 0; id < WORKERS; id++) {
        results[id] = go_chan_new(sizeof(struct result), 1);
        must(go_spawn(work, &((struct worker){id, results[id]}), sizeof(struct worker)) == 0);
    }
    for (int id = 0; id < WORKERS; id++) {
        must(go_chan_recv(results[id], &result, GO_FOREVER) == 1);
        if (result.error < 0)
            say("%d: error \"worker %d failed\"", id, id);
        else
            say("%d: %d", id, result.value);
    }
    /* "exactly, in this order: 0 error "worker 0 failed", 1: 10, 2: 20, 3 error "worker 3 failed", 4: 40" */
    must(said(
        LINES("0: error \"worker 0 failed\"", "1: 10", "2: 20", "3: error \"worker 3 failed\"", "4: 40")));
    until_live(1);
    for (int id = 0; id < WORKERS; id++)
        go_chan_unref(results[id]);
}

GUIDE_ROW(G99, own_result);
