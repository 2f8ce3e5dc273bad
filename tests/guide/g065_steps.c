/*
 * G65 A long task that looks between its steps whether it shall still go on, and tells its caller if it has not finished.
 *
 * Pattern: checkpoints. A step is never cut: the task ends between two of them.
 */
#include <stdio.h>

#include "guide.h"

enum { TASKS = 3, STEPS = 10, STEP_MS = 300, TIMEOUT_MS = 2000 };

struct task {
    int id;
    go_ctx *ctx;
};

static int run_task(void *arg)
{
    const struct task *task = arg;

    for (int step = 1; step <= STEPS; step++) {
        if (go_ctx_err(task->ctx) < 0) {
            say("Task %d: Cancelled due to %s", task->id, ctx_error(task->ctx));
            return go_ctx_err(task->ctx);
        }
        say("Task %d: step %d", task->id, step);
        go_sleep(go_after_ms(STEP_MS)); /* the work */
    }
    say("Task %d: success", task->id);
    return 0;
}

struct caller {
    struct task task;
    atomic_int *failures;
};

static void call_task(void *arg)
{
    struct caller *caller = arg;

    if (run_task(&caller->task) < 0) {
        say("Task %d failed", caller->task.id);
        atomic_fetch_add(caller->failures, 1);
    }
}

/* Of a task that is cut off after 2 s. */
static const char *const *lines_of(int id)
{
    static char text[7 + 2][64];
    static const char *lines[7 + 2 + 1];

    for (int step = 1; step <= 7; step++)
        snprintf(text[step - 1], sizeof text[0], "Task %d: step %d", id, step);
    snprintf(text[7], sizeof text[0], "Task %d: Cancelled due to context deadline exceeded", id);
    snprintf(text[8], sizeof text[0], "Task %d failed", id);
    for (int i = 0; i < 7 + 2; i++)
        lines[i] = text[i];
    return lines;
}

static void with_timeout(void *unused)
{
    go_ctx *ctx = go_ctx_with_deadline(go_ctx_background(), go_after_ms(TIMEOUT_MS));
    go_waitgroup all = {0};
    atomic_int failures = 0;

    for (int id = 1; id <= TASKS; id++)
        must(go_waitgroup_go(&all, call_task, &((struct caller){{id, ctx}, &failures}),
                             sizeof(struct caller)) == 0);
    go_waitgroup_wait(&all);
    /* "each does exactly steps 1 to 7, then "Cancelled due to context deadline exceeded", and its caller tells of it" */
    must(said_by("Task 1", lines_of(1)) && said_by("Task 2", lines_of(2)) && said_by("Task 3", lines_of(3)));
    /* "3 errors" */
    must(atomic_load(&failures) == TASKS);
    go_ctx_unref(ctx);
}

static void without_timeout(void *unused)
{
    /* "without the timeout: 10 steps, success" */
    must(run_task(&((struct task){1, go_ctx_background()})) == 0);
    must(said_lines() == STEPS + 1 && said_last("Task 1: success"));
}

static void steps(void)
{
    on_fake_clock(with_timeout, NULL);
    say_nothing_yet();
    on_fake_clock(without_timeout, NULL);
}

GUIDE_ROW(G65, steps);
