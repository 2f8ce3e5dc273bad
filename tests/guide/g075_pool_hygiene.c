/*
 * G75 What a pool owes to who runs it: it counts and logs what it does, survives a task that panics, and ends in order.
 *
 * Pattern: worker pool, counters and drain.
 */
#include "goroutine_patterns.h"
#include "guide.h"

enum { WORKERS = 3, TASKS = 20, PANICKING = 7 };

static int log_task(const struct go_task *task)
{
    int number = *(int *)task->arg;

    if (number == PANICKING)
        go_panic("task %d is broken", number);
    say("task %d done", number);
    return 0;
}

static int wait_at_gate(const struct go_task *task)
{
    gate_pass(*(struct gate **)task->arg);
    return 0;
}

static void hold_all_workers(go_workers *pool, struct gate *gate)
{
    for (int i = 0; i < WORKERS; i++)
        must(go_workers_submit(pool, wait_at_gate, &gate, sizeof gate, GO_FOREVER) > 0);
    gate_until(gate, WORKERS);
}

/* Returns how many results there were. */
static int collect(go_workers *pool)
{
    struct go_task_result result;
    int n = 0;

    for (; go_workers_result(pool, &result, NULL, GO_FOREVER) == 1; n++)
        if (result.end == GO_TASK_PANICKED)
            say("failed: %s", result.text);
    return n;
}

static void count(go_workers *pool, int tasks)
{
    struct go_workers_stats stats;
    uint64_t ran = 0;

    for (int i = 0; i < WORKERS; i++)
        ran += go_workers_ran(pool, i);
    go_workers_stats_read(pool, &stats);
    /* "the counters of the workers sum to the number of tasks" */
    must(ran == (uint64_t)tasks && stats.submitted == ran && stats.succeeded == ran - 1 && stats.failed == 1);
}

static void pool_hygiene(void)
{
    struct go_workers_options options = {.workers = WORKERS, .queue = TASKS, .results = TASKS + 2 * WORKERS};
    go_workers *pool = go_workers_new(&options);
    struct gate first = {0}, last = {0};

    must(pool);
    hold_all_workers(pool, &first);
    gate_open(&first);
    for (int i = 1; i <= TASKS / 2; i++)
        must(go_workers_submit(pool, log_task, &i, sizeof i, GO_FOREVER) > 0);
    /* "after the task that panicked the pool still has all its workers" */
    hold_all_workers(pool, &last);
    for (int i = TASKS / 2 + 1; i <= TASKS; i++)
        must(go_workers_submit(pool, log_task, &i, sizeof i, GO_FOREVER) > 0);
    must(go_workers_close(pool) == 0);
    /* "a submit after the close is refused" */
    must(go_workers_submit(pool, log_task, &(int){0}, sizeof(int), GO_FOREVER) == -EPIPE);
    must(said_lines() == TASKS / 2 - 1);
    gate_open(&last);
    /* "the drain finishes what is queued, one line of the log for each task" */
    must(collect(pool) == TASKS + 2 * WORKERS && said_lines() == TASKS && said_times("task 20 done") == 1);
    /* "the one that panicked is a failed result" */
    must(said_times("failed: task 7 is broken") == 1);
    must(go_workers_wait(pool, GO_FOREVER) == 0);
    count(pool, TASKS + 2 * WORKERS);
    go_workers_unref(pool);
}

GUIDE_ROW(G75, pool_hygiene);
