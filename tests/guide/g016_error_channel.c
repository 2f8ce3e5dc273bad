/*
 * G16 A wait group and an error channel: a closer waits for all, then closes the channel, so that a range over it ends.
 *
 * Pattern: closer goroutine.
 */
#include <stdio.h>

#include "guide.h"

enum { WORKERS = 5 };

struct failure {
    char text[32];
};

struct worker {
    int id;
    go_chan *errors;
};

struct closer {
    go_waitgroup *workers;
    go_chan *errors;
};

static void work(void *arg)
{
    const struct worker *me = arg;
    struct failure failure;

    if (me->id % 2 == 0) {
        snprintf(failure.text, sizeof failure.text, "worker %d failed", me->id);
        must(go_chan_send(me->errors, &failure, GO_FOREVER) == 0);
        return;
    }
    say("worker %d succeeded", me->id);
}

static void close_after_all(void *arg)
{
    const struct closer *closer = arg;

    go_waitgroup_wait(closer->workers);
    must(go_chan_close(closer->errors) == 0);
}

static void error_channel(void)
{
    go_chan *errors = go_chan_new(sizeof(struct failure), WORKERS);
    go_waitgroup workers = {0};
    struct failure failure;

    for (int id = 1; id <= WORKERS; id++)
        must(go_waitgroup_go(&workers, work, &((struct worker){id, errors}), sizeof(struct worker)) == 0);
    must(go_spawn(close_after_all, &((struct closer){&workers, errors}), sizeof(struct closer)) == 0);
    while (go_range(errors, &failure))
        say("error: %s", failure.text);
    say("All workers finished!");

    /* "the errors {"worker 2 failed", "worker 4 failed"} and 3 success lines" */
    must(said_in_any_order(LINES("error: worker 2 failed", "error: worker 4 failed", "worker 1 succeeded",
                                 "worker 3 succeeded", "worker 5 succeeded", "All workers finished!")));
    /* "the range ends, "All workers finished!" last" */
    must(said_last("All workers finished!"));
    until_live(1); /* the closer has let go of the channel */
    go_chan_unref(errors);
}

GUIDE_ROW(G16, error_channel);
