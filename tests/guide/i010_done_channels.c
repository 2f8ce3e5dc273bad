/*
 * G10 between processes: three workers, each with a done channel of its own; main receives from each in turn.
 *
 * Pattern: one done channel per worker.
 */
#include "parts.h"

enum { WORKERS = 3 };

static gc_chan done_of(struct part *me, int worker)
{
    char name[TEXT_BYTES];

    snprintf(name, sizeof name, "done.%d", worker);
    return chan_of(me, name);
}

/* The last one is done first: each waits for the one after it. */
static void worker(struct part *me)
{
    char next[TEXT_BYTES];

    say(me, "Worker %d: Starting", me->index);
    snprintf(next, sizeof next, "ended.%d", me->index + 1);
    if (me->index + 1 < WORKERS)
        step_wait(me, next);
    say(me, "Worker %d: completed", me->index);
    snprintf(next, sizeof next, "ended.%d", me->index);
    step_done(me, next);
    send_text(me, done_of(me, me->index), "true");
}

static void wait_for_all(struct part *me)
{
    char text[TEXT_BYTES];

    for (int i = 0; i < WORKERS; i++)
        must(recv_text(me, done_of(me, i), text));
    say(me, "All workers completed");
}

static void done_channels(void)
{
    /* "3 start lines and 3 end lines" */
    must(said_in_any_order(LINES("Worker 0: Starting", "Worker 1: Starting", "Worker 2: Starting",
                                 "Worker 0: completed", "Worker 1: completed", "Worker 2: completed",
                                 "All workers completed")));
    must(said_before("Worker 2: completed", "Worker 0: completed"));
    /* ""All workers completed" last, in whatever order they finish" */
    must(said_last("All workers completed"));
}

GUIDE_PARTS(G10, done_channels,
            .channels = {{"done.0"}, {"done.1"}, {"done.2"}, {"ended.0"}, {"ended.1"}, {"ended.2"}},
            .parts = {PARTS(3, worker), PART(wait_for_all)});
