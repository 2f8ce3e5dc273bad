/*
 * G89 between processes: ten jobs, five workers, and a collector that is there before the jobs are sent.
 *
 * Pattern: collect while sending.
 */
#include "parts.h"

enum { JOBS = 10, WORKERS = 5 };

/* With nobody at the results it would wait for ever: each worker would stand in its send. */
static void sender(struct part *me)
{
    gc_chan jobs = chan_of(me, "jobs");

    until_waiting(me, chan_of(me, "results"), 0, 1);
    for (int i = 1; i <= JOBS; i++)
        send_number(me, jobs, i);
    close_chan(me, jobs);
}

static void worker(struct part *me)
{
    gc_chan jobs = chan_of(me, "jobs"), results = chan_of(me, "results");
    int job;

    while (recv_number(me, jobs, &job))
        send_number(me, results, 2 * job);
}

static void collector(struct part *me)
{
    gc_chan results = chan_of(me, "results");
    int result;

    for (int i = 0; i < JOBS; i++) {
        must(recv_number(me, results, &result));
        say(me, "%d", result);
    }
}

static void collect_first(void)
{
    /* "10 results: {2, 4, 6, 8, 10, 12, 14, 16, 18, 20}" */
    must(said_in_any_order(LINES("2", "4", "6", "8", "10", "12", "14", "16", "18", "20")));
}

GUIDE_PARTS(G89, collect_first, .channels = {{"jobs"}, {"results"}},
            .parts = {PART(sender), PARTS(WORKERS, worker), PART(collector)});
