/*
 * G69 Three workers share the jobs of one channel and put the results into another.
 *
 * Pattern: worker pool. The sender closes the jobs, which ends the workers; when they have ended the results are closed.
 */
#include "guide.h"

enum { WORKERS = 3, JOBS = 9 };

struct pool {
    go_chan *jobs, *results;
    go_waitgroup workers;
    struct peak at_work;
    atomic_int times_done[JOBS + 1];
};

static void work(void *arg)
{
    struct pool *pool = arg;
    int job, result;

    while (go_range(pool->jobs, &job)) {
        peak_enter(&pool->at_work);
        atomic_fetch_add(&pool->times_done[job], 1);
        result = 2 * job;
        must(go_chan_send(pool->results, &result, GO_FOREVER) == 0);
        peak_leave(&pool->at_work);
    }
    say("worker ends");
}

static void send_jobs(void *arg)
{
    struct pool *pool = arg;

    for (int job = 1; job <= JOBS; job++)
        must(go_chan_send(pool->jobs, &job, GO_FOREVER) == 0);
    must(go_chan_close(pool->jobs) == 0);
}

static void close_results(void *arg)
{
    struct pool *pool = arg;

    go_waitgroup_wait(&pool->workers);
    must(go_chan_close(pool->results) == 0);
}

static void worker_pool(void)
{
    struct pool pool = {.jobs = go_chan_new(sizeof(int), 0), .results = go_chan_new(sizeof(int), 0)};
    int results[JOBS + 1], n = 0;

    for (int i = 0; i < WORKERS; i++)
        must(go_waitgroup_go(&pool.workers, work, &pool, 0) == 0);
    must(go_spawn(send_jobs, &pool, 0) == 0);
    must(go_spawn(close_results, &pool, 0) == 0);
    until_parked(WORKERS + 1, "chan send"); /* every worker has a result, and there are more jobs */
    while (n <= JOBS && go_range(pool.results, &results[n]))
        n++;
    /* "the results are {2, 4, 6, 8, 10, 12, 14, 16, 18}" */
    must(ints_are_set(results, (size_t)n, INTS(2, 4, 6, 8, 10, 12, 14, 16, 18)));
    /* "each job is done once" */
    for (int job = 1; job <= JOBS; job++)
        must(atomic_load(&pool.times_done[job]) == 1);
    /* "the workers end after the close" */
    must(said_times("worker ends") == WORKERS);
    until_live(1);
    say("%d jobs, at most %d at work", JOBS, atomic_load(&pool.at_work.most));
    go_chan_unref(pool.jobs);
    go_chan_unref(pool.results);
}

GUIDE_ROW(G69, worker_pool, .prints = {"9 jobs, at most 3 at work"});
