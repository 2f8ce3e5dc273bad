/*
 * G89 Who sends all jobs before collecting a result waits for workers who wait for him.
 *
 * Pattern: fan-out with a collector that runs meanwhile.
 */
#include "guide.h"

enum { JOBS = 10, WORKERS = 5 };

struct pool {
    go_chan *jobs, *results;
    go_waitgroup workers;
};

static void work(void *arg)
{
    struct pool *pool = arg;
    int job;

    while (go_range(pool->jobs, &job)) {
        job *= 2;
        must(go_chan_send(pool->results, &job, GO_FOREVER) == 0);
    }
}

static void start_workers(struct pool *pool)
{
    *pool = (struct pool){go_chan_new(sizeof(int), 0), go_chan_new(sizeof(int), 0)};
    for (int i = 0; i < WORKERS; i++)
        must(go_waitgroup_go(&pool->workers, work, pool, 0) == 0);
}

__attribute__((noinline)) static void send_jobs(struct pool *pool)
{
    for (int job = 1; job <= JOBS; job++)
        must(go_chan_send(pool->jobs, &job, GO_FOREVER) == 0);
    must(go_chan_close(pool->jobs) == 0);
}

static void collect(void *arg)
{
    struct pool *pool = arg;
    int results[JOBS + 1], n = 0;

    while (n <= JOBS && go_range(pool->results, &results[n]))
        n++;
    /* "10 results: {2, 4, 6, 8, 10, 12, 14, 16, 18, 20}" */
    must(ints_are_set(results, (size_t)n, INTS(2, 4, 6, 8, 10, 12, 14, 16, 18, 20)));
    say("%d results", n);
}

static void collector_first(void)
{
    struct pool pool;
    go_waitgroup collector = {0};

    start_workers(&pool);
    must(go_waitgroup_go(&collector, collect, &pool, 0) == 0);
    send_jobs(&pool);
    go_waitgroup_wait(&pool.workers);
    must(go_chan_close(pool.results) == 0);
    go_waitgroup_wait(&collector);
    must(said(LINES("10 results")));
    go_chan_unref(pool.jobs);
    go_chan_unref(pool.results);
}

/* Wrong: the results are collected when all jobs have been sent, and the sixth is never taken. */
static void all_jobs_first(void)
{
    struct pool pool;

    start_workers(&pool);
    send_jobs(&pool);
    collect(&pool);
}

static size_t times(const char *text, const char *word)
{
    size_t n = 0;

    for (; (text = strstr(text, word)); text += strlen(word))
        n++;
    return n;
}

static void six_senders(const struct guide_ending *ending)
{
    /* "the report lists main in send on jobs, and 5 workers in send on results" */
    must(times(ending->err, "parked: chan send") == 1 + WORKERS);
    must(times(ending->err, "    send_jobs+") == 1 && times(ending->err, "    work+") == WORKERS);
}

GUIDE_ROW(G89, collector_first);
/* "the version that sends all jobs first ends with cause deadlock" */
GUIDE_PART(G89, all_jobs_first, .ends = ENDS_IN_DEADLOCK,
           .says = {"parked: chan send", "send_jobs+", "work+"}, .judge = six_senders);
