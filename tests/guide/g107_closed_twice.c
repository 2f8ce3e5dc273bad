/*
 * G107 A goroutine that is told to end, and tells that it has. Each says it on a channel of its own, which nobody else
 * closes: so none is closed twice.
 *
 * Pattern: stop channel and end channel, each closed by its owner alone.
 */
#include "guide.h"

struct worker {
    go_chan *stop;  /* main's to close */
    go_chan *ended; /* the worker's to close */
};

static void close_ended(void *ended)
{
    must(go_chan_close(ended) == 0);
}

static void work(void *arg)
{
    const struct worker *me = arg;
    struct go_case stopped = GO_RECV(me->stop, NULL);

    go_defer(close_ended, me->ended); /* whatever way it ends */
    while (go_select(&stopped, 1, GO_NOW) == -EAGAIN)
        go_yield(); /* the work */
    say("worker was told to stop");
}

/* Wrong: both close the same channel. */
static void close_twice(void)
{
    go_chan *done = go_chan_new(0, 0);

    go_chan_must_close(done); /* by main, to say stop */
    go_chan_must_close(done); /* by the goroutine, to say that it has ended */
}

static void closed_twice(void)
{
    struct worker worker = {go_chan_new(0, 0), go_chan_new(0, 0)};

    must(go_spawn(work, &worker, 0) == 0);
    must(go_chan_recv(worker.ended, NULL, GO_NOW) == -EAGAIN);
    must(go_chan_close(worker.stop) == 0);
    must(go_chan_recv(worker.ended, NULL, GO_FOREVER) == 0);
    say("worker has ended");
    /* "the goroutine is told to stop, and its end is told on another channel" */
    must(said(LINES("worker was told to stop", "worker has ended")));
    /* "the goroutine is gone, without a panic" */
    until_live(1);
    /* "each of the two was closed once, by its owner" */
    must(go_chan_close(worker.stop) == -EPIPE && go_chan_close(worker.ended) == -EPIPE);
    go_chan_unref(worker.stop);
    go_chan_unref(worker.ended);
}

GUIDE_ROW(G107, closed_twice);
/* "closed by both it would be a panic: close of closed channel" */
GUIDE_PART(G107, close_twice, .ends = ENDS_IN_PANIC, .says = {"close of closed channel"});
