/*
 * G74 A pool that ends when its owner closes it, or early when its context does; whatever was accepted has a result.
 *
 * Pattern: worker pool under a context.
 */
#include "goroutine_patterns.h"
#include "guide.h"

enum { WORKERS = 3, TASKS = 10, TIMEOUT_MS = 5000 };

static int ten_times(const struct go_task *task)
{
    *(int *)task->result = 10 * *(int *)task->arg;
    return 0;
}

static go_workers *pool_under(go_ctx *ctx)
{
    struct go_workers_options options = {
        .workers = WORKERS, .queue = TASKS, .result_bytes = sizeof(int), .ctx = ctx};
    go_workers *pool = go_workers_new(&options);

    must(pool);
    return pool;
}

static void closed_in_time(void *unused)
{
    go_ctx *ctx = go_ctx_with_deadline(go_ctx_background(), go_after_ms(TIMEOUT_MS));
    go_workers *pool = pool_under(ctx);
    struct go_task_result result;
    int values[TASKS + 1], n = 0;

    for (int i = 1; i <= TASKS; i++)
        must(go_workers_submit(pool, ten_times, &i, sizeof i, GO_FOREVER) == i);
    must(go_workers_close(pool) == 0);
    while (n <= TASKS && go_workers_result(pool, &result, &values[n], GO_FOREVER) == 1)
        n++;
    /* "10 results, 10 to 100" */
    must(ints_are_set(values, (size_t)n, INTS(10, 20, 30, 40, 50, 60, 70, 80, 90, 100)));
    /* "and the end, without waiting for the timeout" */
    must(go_workers_wait(pool, GO_FOREVER) == 0 && fake_ms() == 0);
    go_workers_unref(pool);
    go_ctx_unref(ctx);
}

/* A task that works until it is told to stop. */
static int until_done(const struct go_task *task)
{
    gate_pass(*(struct gate **)task->arg);
    go_ctx_wait(task->ctx, GO_FOREVER);
    return go_ctx_err(task->ctx);
}

static void count_results(go_workers *pool, int *stopped, int *dropped)
{
    bool seen[TASKS + 1] = {false};
    struct go_task_result result;

    while (go_workers_result(pool, &result, NULL, GO_FOREVER) == 1) {
        must(result.code == -ECANCELED && !seen[result.id]);
        seen[result.id] = true;
        *stopped += result.end == GO_TASK_RETURNED;
        *dropped += result.end == GO_TASK_DROPPED;
    }
}

static void cancelled(void)
{
    go_ctx *ctx = go_ctx_new(go_ctx_background());
    go_workers *pool = pool_under(ctx);
    struct gate gate = {0}, *its = &gate;
    int stopped = 0, dropped = 0;

    for (int i = 1; i <= TASKS; i++)
        must(go_workers_submit(pool, until_done, &its, sizeof its, GO_FOREVER) == i);
    gate_until(&gate, WORKERS); /* the others are in the queue */
    gate_open(&gate);
    go_ctx_cancel(ctx, 0, NULL);
    count_results(pool, &stopped, &dropped);
    /* "cancelled: every task that was accepted has exactly one result, its own or the error of the context" */
    must(stopped == WORKERS && dropped == TASKS - WORKERS);
    /* "a submit afterwards returns an error" */
    must(go_workers_submit(pool, ten_times, &(int){1}, sizeof(int), GO_FOREVER) < 0);
    say("%d were told to stop, %d were never begun", stopped, dropped);
    must(go_workers_wait(pool, GO_FOREVER) == 0);
    go_workers_unref(pool);
    go_ctx_unref(ctx);
}

static void pool_under_context(void)
{
    on_fake_clock(closed_in_time, NULL);
    cancelled();
}

GUIDE_ROW(G74, pool_under_context);
