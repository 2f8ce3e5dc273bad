/*
 * G80 A producer that releases a job every 200 ms, five consumers, and a collector that counts.
 *
 * Pattern: producer and consumers, paced by a ticker.
 */
#include "guide.h"

enum { CONSUMERS = 5, JOBS = 20, PERIOD_MS = 200 };

struct plant {
    go_chan *jobs, *results;
    go_waitgroup consumers;
};

static void produce(void *arg)
{
    struct plant *plant = arg;
    go_timer *ticker = go_ticker_new(PERIOD_MS * INT64_C(1000000));

    for (int job = 1; job <= JOBS; job++) {
        must(go_timer_wait(ticker, NULL, GO_FOREVER) == 1);
        must(go_chan_send(plant->jobs, &job, GO_FOREVER) == 0);
    }
    go_timer_unref(ticker);
    must(go_chan_close(plant->jobs) == 0);
    go_waitgroup_wait(&plant->consumers);
    must(go_chan_close(plant->results) == 0);
}

static void consume(void *arg)
{
    struct plant *plant = arg;
    int job;

    while (go_range(plant->jobs, &job)) {
        /* "job k is released at k times 200 ms" */
        must(fake_ms() == (int64_t)job * PERIOD_MS);
        must(go_chan_send(plant->results, &job, GO_FOREVER) == 0);
    }
}

static void run_plant(void *unused)
{
    struct plant plant = {.jobs = go_chan_new(sizeof(int), 0), .results = go_chan_new(sizeof(int), 0)};
    go_waitgroup producer = {0};
    int collected = 0;

    for (int i = 0; i < CONSUMERS; i++)
        must(go_waitgroup_go(&plant.consumers, consume, &plant, 0) == 0);
    must(go_waitgroup_go(&producer, produce, &plant, 0) == 0);
    while (go_range(plant.results, NULL))
        collected++;
    go_waitgroup_wait(&producer);
    say("Total results collected: %d", collected);
    go_chan_unref(plant.jobs);
    go_chan_unref(plant.results);
}

static void rate_limited_producer(void)
{
    on_fake_clock(run_plant, NULL);
    /* "the results end, and the total is told: "Total results collected: 20"" */
    must(said(LINES("Total results collected: 20")));
}

GUIDE_ROW(G80, rate_limited_producer);
