/*
 * G70 A worker pool whose jobs may fail: a result says which job it is of, and either what came out or what went wrong.
 *
 * Pattern: worker pool, results that carry an error.
 */
#include <stdio.h>

#include "guide.h"

enum { WORKERS = 3, JOBS = 10, TEXT_BYTES = 32 };

struct job {
    int id;
    char data[TEXT_BYTES];
};

struct result {
    int id, error; /* error: 0, or a negative errno value */
    char output[TEXT_BYTES];
};

struct pool {
    go_chan *jobs, *results;
    go_waitgroup workers;
};

static struct result process(const struct job *job)
{
    struct result result = {.id = job->id};

    if (job->id % 3 == 0)
        result.error = -EIO;
    else
        snprintf(result.output, sizeof result.output, "processed_%.20s", job->data);
    return result;
}

static void work(void *arg)
{
    struct pool *pool = arg;
    struct job job;

    while (go_range(pool->jobs, &job)) {
        struct result result = process(&job);

        must(go_chan_send(pool->results, &result, GO_FOREVER) == 0);
    }
}

static void send_jobs(void *arg)
{
    struct pool *pool = arg;

    for (int id = 1; id <= JOBS; id++) {
        struct job job = {.id = id};

        snprintf(job.data, sizeof job.data, "data_%d", id);
        must(go_chan_send(pool->jobs, &job, GO_FOREVER) == 0);
    }
    must(go_chan_close(pool->jobs) == 0);
    go_waitgroup_wait(&pool->workers);
    must(go_chan_close(pool->results) == 0);
}

static void pool_with_errors(void)
{
    struct pool pool = {go_chan_new(sizeof(struct job), 0), go_chan_new(sizeof(struct result), 0)};
    struct result result;

    for (int i = 0; i < WORKERS; i++)
        must(go_waitgroup_go(&pool.workers, work, &pool, 0) == 0);
    must(go_spawn(send_jobs, &pool, 0) == 0);
    while (go_range(pool.results, &result))
        if (result.error < 0)
            say("job %d: processing failed", result.id);
        else
            say("job %d succeeded: %s", result.id, result.output);
    /* "7 jobs succeed, with "processed_data_j" for job j" */
    /* "3 fail, the ids are {3, 6, 9}" */
    must(said_in_any_order(LINES("job 1 succeeded: processed_data_1", "job 2 succeeded: processed_data_2",
                                 "job 3: processing failed", "job 4 succeeded: processed_data_4",
                                 "job 5 succeeded: processed_data_5", "job 6: processing failed",
                                 "job 7 succeeded: processed_data_7", "job 8 succeeded: processed_data_8",
                                 "job 9: processing failed", "job 10 succeeded: processed_data_10")));
    until_live(1);
    go_chan_unref(pool.jobs);
    go_chan_unref(pool.results);
}

GUIDE_ROW(G70, pool_with_errors);
