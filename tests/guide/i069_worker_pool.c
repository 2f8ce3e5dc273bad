/*
 * G69 between processes: three workers range over the jobs, and send twice each.
 *
 * Pattern: worker pool.
 */
#include "parts.h"

static void sender(struct part *me)
{
    gc_chan jobs = chan_of(me, "jobs");

    for (int i = 1; i <= 9; i++)
        send_number(me, jobs, i);
    close_chan(me, jobs);
}

static void worker(struct part *me)
{
    gc_chan jobs = chan_of(me, "jobs"), results = chan_of(me, "results");
    int job;

    while (recv_number(me, jobs, &job))
        send_number(me, results, 2 * job);
    send_number(me, chan_of(me, "ended"), me->index);
}

/* "the workers end after the close": each is counted, and then nothing more can come. */
static void closer(struct part *me)
{
    gc_chan ended = chan_of(me, "ended");
    int worker;

    for (int i = 0; i < 3; i++)
        must(recv_number(me, ended, &worker));
    close_chan(me, chan_of(me, "results"));
}

static void collector(struct part *me)
{
    gc_chan results = chan_of(me, "results");
    int result;

    while (recv_number(me, results, &result))
        say(me, "%d", result);
}

static void worker_pool(void)
{
    /* "the results are {2, 4, 6, 8, 10, 12, 14, 16, 18}" */
    /* "each job is done once" */
    must(said_in_any_order(LINES("2", "4", "6", "8", "10", "12", "14", "16", "18")));
}

GUIDE_PARTS(G69, worker_pool, .channels = {{"jobs"}, {"results"}, {"ended"}},
            .parts = {PART(sender), PARTS(3, worker), PART(closer), PART(collector)});
