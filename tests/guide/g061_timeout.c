/*
 * G61 Two tasks that would take too long share one timeout.
 *
 * Pattern: timeout by a context.
 */
#include "guide.h"

enum { TASKS = 2, TIMEOUT_MS = 2000, TASK_MS = 3000, REAL_TIMEOUT_MS = 20 };

struct task {
    int id;
    go_ctx *ctx;
};

static void run_task(void *arg)
{
    const struct task *task = arg;

    if (go_sleep(go_both(go_after_ms(TASK_MS), task->ctx)) == 0)
        say("Task %d completed", task->id);
    else
        say("Task %d: %s", task->id, ctx_error(task->ctx));
}

static void two_tasks(go_ctx *ctx)
{
    go_waitgroup all = {0};

    for (int id = 1; id <= TASKS; id++)
        must(go_waitgroup_go(&all, run_task, &((struct task){id, ctx}), sizeof(struct task)) == 0);
    go_waitgroup_wait(&all);
}

static void on_fake_time(void *unused)
{
    go_ctx *ctx = go_ctx_with_deadline(go_ctx_background(), go_after_ms(TIMEOUT_MS));

    two_tasks(ctx);
    /* "both end with "context deadline exceeded"" */
    must(said_in_any_order(LINES("Task 1: context deadline exceeded", "Task 2: context deadline exceeded")));
    /* "exactly at 2 s on the fake clock" */
    must(fake_ms() == TIMEOUT_MS);
    say("%d waits of %d ms cut short at %d ms", TASKS, TASK_MS, (int)fake_ms());
    go_ctx_unref(ctx);
}

static void on_real_time(void)
{
    int64_t start = go_now_ns();
    go_ctx *ctx = go_ctx_with_deadline(go_ctx_background(), go_after_ms(REAL_TIMEOUT_MS));

    two_tasks(ctx);
    /* "on the real clock never before it" */
    must(go_now_ns() >= start + REAL_TIMEOUT_MS * INT64_C(1000000));
    must(go_ctx_err(ctx) == -ETIMEDOUT);
    go_ctx_unref(ctx);
}

static void cancelled_before(void)
{
    go_ctx *ctx = go_ctx_with_deadline(go_ctx_background(), go_after_ms(TIMEOUT_MS));

    go_ctx_cancel(ctx, 0, NULL);
    two_tasks(ctx);
    /* "told from cancelled, which has an error of its own" */
    must(said_in_any_order(LINES("Task 1: context canceled", "Task 2: context canceled")));
    must(go_ctx_err(ctx) == -ECANCELED);
    go_ctx_unref(ctx);
}

static void timeout(void)
{
    on_fake_clock(on_fake_time, NULL);
    on_real_time();
    say_nothing_yet();
    cancelled_before();
}

GUIDE_ROW(G61, timeout, .prints = {"2 waits of 3000 ms cut short at 2000 ms"});
