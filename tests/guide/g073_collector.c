/*
 * G73 A worker pool whose results are collected by a goroutine of their own, which is joined before the program goes on.
 *
 * Pattern: worker pool with a collector. "All completed" is true only when the collector has ended, too.
 */
#include "guide.h"

enum { WORKERS = 3, TASKS = 10 };

struct task {
    int id, value;
};

struct pool {
    go_chan *tasks, *results;
    go_waitgroup workers, collector;
    int sum; /* the collector's, until it has been joined */
};

static void work(void *arg)
{
    struct pool *pool = arg;
    struct task task;

    while (go_range(pool->tasks, &task)) {
        task.value *= 2;
        must(go_chan_send(pool->results, &task, GO_FOREVER) == 0);
    }
}

static void collect(void *arg)
{
    struct pool *pool = arg;
    struct task task;

    while (go_range(pool->results, &task)) {
        say("Task %d = %d", task.id, task.value);
        pool->sum += task.value;
    }
}

static void run(struct pool *pool)
{
    for (int i = 0; i < WORKERS; i++)
        must(go_waitgroup_go(&pool->workers, work, pool, 0) == 0);
    must(go_waitgroup_go(&pool->collector, collect, pool, 0) == 0);
    for (int id = 1; id <= TASKS; id++)
        must(go_chan_send(pool->tasks, &((struct task){id, 10 * id}), GO_FOREVER) == 0);
    must(go_chan_close(pool->tasks) == 0);
    go_waitgroup_wait(&pool->workers);
    must(go_chan_close(pool->results) == 0);
    go_waitgroup_wait(&pool->collector);
    say("All %d tasks completed", TASKS);
}

static void collector(void)
{
    struct pool pool = {.tasks = go_chan_new(sizeof(struct task), 0),
                        .results = go_chan_new(sizeof(struct task), 0)};

    run(&pool);
    /* "task i gives 20 i, for 1 to 10" */
    must(said_in_any_order(LINES("Task 1 = 20", "Task 2 = 40", "Task 3 = 60", "Task 4 = 80", "Task 5 = 100",
                                 "Task 6 = 120", "Task 7 = 140", "Task 8 = 160", "Task 9 = 180",
                                 "Task 10 = 200", "All 10 tasks completed")));
    /* "the sum is 1100" */
    must(pool.sum == 1100);
    /* "all 10 lines come before "All 10 tasks completed"" */
    must(said_last("All 10 tasks completed"));
    go_chan_unref(pool.tasks);
    go_chan_unref(pool.results);
}

GUIDE_ROW(G73, collector);
