/*
 * G99 between processes: each worker has a result channel of its own, and they are read in the order of the workers.
 *
 * Pattern: one result channel per worker.
 */
#include "parts.h"

enum { WORKERS = 5 };

static gc_chan result_of(struct part *me, int worker)
{
    char name[TEXT_BYTES];

    snprintf(name, sizeof name, "result.%d", worker);
    return chan_of(me, name);
}

static void worker(struct part *me)
{
    gc_chan result = result_of(me, me->index);

    if (me->index % 3 == 0)
        send_text(me, result, "error \"worker %d failed\"", me->index);
    else
        send_number(me, result, 10 * me->index);
}

/* Begins when the last one is ready. */
static void reader(struct part *me)
{
    char text[TEXT_BYTES];

    until_waiting(me, result_of(me, WORKERS - 1), 1, 0);
    for (int i = 0; i < WORKERS; i++) {
        must(recv_text(me, result_of(me, i), text));
        say(me, "%d: %s", i, text);
    }
}

static void own_result(void)
{
    /* "exactly, in this order: 0 error "worker 0 failed", 1: 10, 2: 20, 3 error "worker 3 failed", 4: 40" */
    must(said(
        LINES("0: error \"worker 0 failed\"", "1: 10", "2: 20", "3: error \"worker 3 failed\"", "4: 40")));
}

GUIDE_PARTS(G99, own_result,
            .channels = {{"result.0"}, {"result.1"}, {"result.2"}, {"result.3"}, {"result.4"}},
            .parts = {PARTS(WORKERS, worker), PART(reader)});
