/*
 * G98 Results in one channel, errors in another, and a summary when both have ended.
 *
 * Pattern: error channel with a closer. Who collects selects over both until both are closed.
 */
#include "guide.h"

enum { TASKS = 10, WORKERS = 3 };

struct pool {
    go_chan *tasks, *results, *errors; /* of int: the number of the task */
    go_waitgroup workers;
};

static bool succeeds(int task)
{
    return task != 4 && task != 8;
}

static void work(void *arg)
{
    struct pool *pool = arg;
    int task;

    while (go_range(pool->tasks, &task))
        must(go_chan_send(succeeds(task) ? pool->results : pool->errors, &task, GO_FOREVER) == 0);
}

static void send_tasks(void *arg)
{
    struct pool *pool = arg;

    for (int task = 1; task <= TASKS; task++)
        must(go_chan_send(pool->tasks, &task, GO_FOREVER) == 0);
    must(go_chan_close(pool->tasks) == 0);
}

static void close_after_all(void *arg)
{
    struct pool *pool = arg;

    go_waitgroup_wait(&pool->workers);
    must(go_chan_close(pool->results) == 0);
    must(go_chan_close(pool->errors) == 0);
}

/* A channel that has ended is taken out of the select: nothing is ever received from NULL. */
static void collect(const struct pool *pool)
{
    go_chan *results = pool->results, *errors = pool->errors;
    int successful = 0, failed = 0, task = 0;

    while (results || errors) {
        struct go_case cases[] = {GO_RECV(results, &task), GO_RECV(errors, &task)};
        int chosen = go_select(cases, 2, GO_FOREVER);

        if (cases[chosen].result == 0) {
            *(chosen == 0 ? &results : &errors) = NULL;
            continue;
        }
        say("%s: task-%d", chosen == 0 ? "Processed" : "Failed", task);
        ++*(chosen == 0 ? &successful : &failed);
    }
    say("Summary: %d successful, %d failed", successful, failed);
}

static void error_summary(void)
{
    struct pool pool = {go_chan_new(sizeof(int), 0), go_chan_new(sizeof(int), 0),
                        go_chan_new(sizeof(int), 0)};

    for (int i = 0; i < WORKERS; i++)
        must(go_waitgroup_go(&pool.workers, work, &pool, 0) == 0);
    must(go_spawn(send_tasks, &pool, 0) == 0);
    must(go_spawn(close_after_all, &pool, 0) == 0);
    collect(&pool);
    /* "8 lines "Processed: task-i"" */
    /* "2 failures, {4, 8}" */
    must(said_in_any_order(LINES("Processed: task-1", "Processed: task-2", "Processed: task-3",
                                 "Failed: task-4", "Processed: task-5", "Processed: task-6",
                                 "Processed: task-7", "Failed: task-8", "Processed: task-9",
                                 "Processed: task-10", "Summary: 8 successful, 2 failed")));
    /* ""Summary: 8 successful, 2 failed", last" */
    must(said_last("Summary: 8 successful, 2 failed"));
    until_live(1);
    go_chan_unref(pool.tasks);
    go_chan_unref(pool.results);
    go_chan_unref(pool.errors);
}

GUIDE_ROW(G98, error_summary);
