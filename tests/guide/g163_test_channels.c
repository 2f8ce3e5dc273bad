/*
 * G163 A unit test of a worker that speaks over channels: feed it, and compare what comes back, one value at a time.
 *
 * Pattern: the test holds both ends.
 */
#include "guide.h"

struct worker {
    go_receiver jobs;
    go_sender results;
};

/* What is tested: doubles each job, and ends its results with the last. */
static void work(void *arg)
{
    const struct worker *me = arg;
    int job;

    while (go_receiver_recv(me->jobs, &job, GO_FOREVER) == 1)
        must(go_sender_send(me->results, &(int){2 * job}, GO_FOREVER) == 0);
    must(go_sender_close(me->results) == 0);
}

/* Whether the next value is the one expected; says both if not. */
static bool expect_recv(go_chan *c, int expected)
{
    int got = 0;
    bool good = go_chan_recv(c, &got, GO_FOREVER) == 1 && got == expected;

    if (good)
        say("%d", got);
    else
        say("expected %d, got %d", expected, got);
    return good;
}

static void test_channels(void)
{
    go_chan *jobs = go_chan_new(sizeof(int), 0), *results = go_chan_new(sizeof(int), 1);
    struct worker worker = {go_chan_receiver(jobs), go_chan_sender(results)};

    must(go_spawn(work, &worker, sizeof worker) == 0);
    for (int job = 5; job <= 10; job += 5) {
        must(go_chan_send(jobs, &job, GO_FOREVER) == 0);
        must(expect_recv(results, 2 * job));
    }
    /* "the sequence 10, 20" */
    must(said(LINES("10", "20")));

    must(go_chan_send(jobs, &(int){7}, GO_FOREVER) == 0);
    must(!expect_recv(results, 15));
    /* "a wrong value prints expected and got" */
    must(said_last("expected 15, got 14"));

    must(go_chan_close(jobs) == 0);
    must(!go_range(results, NULL));
    go_chan_unref(jobs);
    go_chan_unref(results);
}

GUIDE_ROW(G163, test_channels);
