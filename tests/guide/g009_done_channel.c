/*
 * G09 A done channel: the worker says that it has finished, and main waits for that.
 *
 * Pattern: done channel, one to one.
 */
#include "guide.h"

static void work(void *arg)
{
    go_chan *done = *(go_chan **)arg;

    say("Worker: starting");
    say("Worker: working");
    say("Worker: finished");
    must(go_chan_send(done, &(bool){true}, GO_FOREVER) == 0);
}

static void done_channel(void)
{
    go_chan *done = go_chan_new(sizeof(bool), 0);
    bool finished = false;

    must(go_spawn(work, &done, sizeof done) == 0);
    must(go_chan_recv(done, &finished, GO_FOREVER) == 1);
    say("Main: Goroutine finished");

    /* "the worker's lines in order, all before "Main: Goroutine finished"" */
    must(said(LINES("Worker: starting", "Worker: working", "Worker: finished", "Main: Goroutine finished")));
    until_live(1);
    /* "exactly one value on done" */
    must(finished && go_chan_recv(done, &finished, GO_NOW) == -EAGAIN);
    go_chan_unref(done);
}

GUIDE_ROW(G09, done_channel);
