/*
 * G164 A unit test of a pool of workers: jobs in, all results out, and the wait group says when there are no more.
 *
 * Pattern: closer. One goroutine waits for all workers and then closes what they share.
 */
#include "guide.h"

enum { WORKERS = 3, JOBS = 6 };

struct pool {
    go_chan *jobs, *results;
    go_waitgroup workers;
};

static void work(void *arg)
{
    struct pool *pool = arg;
    int job;

    while (go_range(pool->jobs, &job))
        must(go_chan_send(pool->results, &(int){2 * job}, GO_FOREVER) == 0);
}

static void close_after_all(void *arg)
{
    struct pool *pool = arg;

    go_waitgroup_wait(&pool->workers);
    must(go_chan_close(pool->results) == 0);
}

static void test_waitgroup(void)
{
    struct pool pool = {.jobs = go_chan_new(sizeof(int), JOBS), .results = go_chan_new(sizeof(int), 0)};
    int got[JOBS + 1];
    size_t n = 0;

    for (int i = 0; i < WORKERS; i++)
        must(go_waitgroup_go(&pool.workers, work, &pool, 0) == 0);
    must(go_spawn(close_after_all, &pool, 0) == 0);
    for (int job = 1; job <= JOBS; job++)
        must(go_chan_send(pool.jobs, &job, GO_FOREVER) == 0);
    must(go_chan_close(pool.jobs) == 0);
    while (n <= JOBS && go_range(pool.results, &got[n]))
        n++;
    /* "6 results, the set {2, 4, 6, 8, 10, 12}" */
    must(ints_are_set(got, n, INTS(2, 4, 6, 8, 10, 12)));
    go_chan_unref(pool.jobs);
    go_chan_unref(pool.results);
}

GUIDE_ROW(G164, test_waitgroup);
