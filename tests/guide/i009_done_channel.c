/*
 * G09 between processes: a worker tells its end on a channel, and main waits for that.
 *
 * Pattern: done channel.
 */
#include "parts.h"

static void worker(struct part *me)
{
    for (int step = 1; step <= 3; step++)
        say(me, "Worker: step %d", step);
    send_text(me, chan_of(me, "done"), "true");
}

static void wait_for_worker(struct part *me)
{
    char text[TEXT_BYTES];

    must(recv_text(me, chan_of(me, "done"), text) && strcmp(text, "true") == 0);
    say(me, "Main: Goroutine finished");
    step_done(me, "finished");
}

/* Asks the daemon how many values ever went over the channel. */
static void accountant(struct part *me)
{
    struct gc_chan_info info;

    step_wait(me, "finished");
    until_waiting(me, chan_of(me, "done"), 0, 0);
    must(gc_chan_stat(me->g, "done", &info, GC_FOREVER) == 0);
    /* "exactly one value on done" */
    must(info.sent == 1 && info.received == 1 && info.length == 0);
}

static void done_channel(void)
{
    /* "the worker's lines in order, all before "Main: Goroutine finished"" */
    must(said(LINES("Worker: step 1", "Worker: step 2", "Worker: step 3", "Main: Goroutine finished")));
}

GUIDE_PARTS(G09, done_channel, .channels = {{"done"}, {"finished"}},
            .parts = {PART(worker), PART(wait_for_worker), PART(accountant)});
