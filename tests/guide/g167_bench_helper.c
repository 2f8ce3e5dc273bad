/*
 * G167 A helper for benchmarks: it finds out itself how often to repeat, so that the whole takes long enough to be
 * measured, and what the function needs to prepare is not measured.
 *
 * Here it runs on the fake clock, on which every operation takes exactly a millisecond: so its figures are known.
 *
 * Pattern: benchmark with a growing N.
 */
#include "guide.h"

#define MS INT64_C(1000000)
#define S  INT64_C(1000000000)

/* ---- the helper ---- */

struct bench {
    long n; /* how often the function shall repeat */
    int64_t started_ns;
};

static void bench_reset_timer(struct bench *bench)
{
    bench->started_ns = go_now_ns();
}

/* Ten times as many, until they take a second. */
static void bench_run(const char *name, void (*fn)(struct bench *bench, void *arg), void *arg)
{
    struct bench bench = {.n = 1};
    int64_t took;

    for (;; bench.n *= 10) {
        bench_reset_timer(&bench);
        fn(&bench, arg);
        took = go_now_ns() - bench.started_ns;
        if (took >= S)
            break;
    }
    say("%s: %ld operations, %lld ns each", name, bench.n, (long long)(took / bench.n));
}

/* ---- what is measured ---- */

struct pool {
    int workers;
    long wanted, consumed; /* of the last run */
    go_chan *jobs, *results;
};

static void work(void *arg)
{
    const struct pool *pool = *(struct pool **)arg;
    long job;

    while (go_range(pool->jobs, &job)) {
        must(go_sleep(go_after_ns(MS)) == 0); /* the work */
        must(go_chan_send(pool->results, &job, GO_FOREVER) == 0);
    }
}

static void send_jobs(void *arg)
{
    const struct pool *pool = *(struct pool **)arg;

    for (long i = 0; i < pool->wanted; i++)
        must(go_chan_send(pool->jobs, &i, GO_FOREVER) == 0);
    go_chan_close(pool->jobs);
}

static void run_pool(struct bench *bench, void *arg)
{
    struct pool *pool = arg;
    go_waitgroup all = {0};
    long result;

    pool->wanted = bench->n;
    pool->consumed = 0;
    pool->jobs = go_chan_new(sizeof(long), 0);
    pool->results = go_chan_new(sizeof(long), 0);
    must(go_sleep(go_after_ns(10 * S)) == 0); /* a long preparation */
    bench_reset_timer(bench);
    for (int i = 0; i < pool->workers; i++)
        must(go_waitgroup_go(&all, work, &pool, sizeof pool) == 0);
    must(go_waitgroup_go(&all, send_jobs, &pool, sizeof pool) == 0);
    while (pool->consumed < bench->n && go_range(pool->results, &result))
        pool->consumed++;
    must(go_chan_recv(pool->results, NULL, GO_NOW) == -EAGAIN);
    go_waitgroup_wait(&all);
    go_chan_unref(pool->jobs);
    go_chan_unref(pool->results);
}

static void measure(void *arg)
{
    struct pool one = {.workers = 1}, four = {.workers = 4};

    bench_run("1 worker", run_pool, &one);
    bench_run("4 workers", run_pool, &four);
    /* "exactly N results are consumed, with 1 worker and with 4" */
    must(one.wanted == 1000 && one.consumed == 1000 && four.wanted == 10000 && four.consumed == 10000);
}

static void bench_helper(void)
{
    on_fake_clock(measure, NULL);
    /* "it prints name, N and time per operation: "1 worker: 1000 operations, 1000000 ns each", "4 workers: 10000
     * operations, 250000 ns each": the 10 s of preparation are not in it" */
    must(said(
        LINES("1 worker: 1000 operations, 1000000 ns each", "4 workers: 10000 operations, 250000 ns each")));
}

GUIDE_ROW(G167, bench_helper);
