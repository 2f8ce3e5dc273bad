/*
 * G16 between processes: five workers, a channel for their errors, and a closer that waits for all of them.
 *
 * Pattern: errors on a channel that is closed when all are done.
 */
#include "parts.h"

static void worker(struct part *me)
{
    int id = me->index + 1;

    if (id % 2 == 0)
        send_text(me, chan_of(me, "errors"), "worker %d failed", id);
    else
        say(me, "Worker %d succeeded", id);
    send_number(me, chan_of(me, "ended"), id);
}

static void closer(struct part *me)
{
    gc_chan ended = chan_of(me, "ended");
    int id;

    for (int i = 0; i < 5; i++)
        must(recv_number(me, ended, &id));
    close_chan(me, chan_of(me, "errors"));
}

static void collector(struct part *me)
{
    gc_chan errors = chan_of(me, "errors");
    char text[TEXT_BYTES];

    while (recv_text(me, errors, text))
        say(me, "Error: %s", text);
    say(me, "All workers finished!");
}

static void error_channel(void)
{
    /* "the errors {"worker 2 failed", "worker 4 failed"} and 3 success lines" */
    must(said_in_any_order(LINES("Error: worker 2 failed", "Error: worker 4 failed", "Worker 1 succeeded",
                                 "Worker 3 succeeded", "Worker 5 succeeded", "All workers finished!")));
    /* "the range ends, "All workers finished!" last" */
    must(said_last("All workers finished!"));
}

GUIDE_PARTS(G16, error_channel, .channels = {{"errors", {.capacity = 5}}, {"ended"}},
            .parts = {PARTS(5, worker), PART(closer), PART(collector)});
