/*
 * G128 What failed is tried again, after a pause that is twice as long each time; but not for ever, and not after it was
 * called off.
 *
 * Pattern: retry with exponential back-off.
 */
#include "goroutine_patterns.h"
#include "guide.h"

#define MS INT64_C(1000000)

enum { ATTEMPTS = 4, PAUSE_MS = 100, CANCEL_AT_MS = 150 };

struct task {
    int failures; /* it fails so often, each time with another error */
    int attempts;
    int at_ms[ATTEMPTS + 1];
};

static int try(void *arg)
{
    struct task *task = arg;

    must(task->attempts < ATTEMPTS);
    task->at_ms[task->attempts++] = (int)fake_ms();
    say("attempt %d at %d ms", task->attempts, (int)fake_ms());
    return task->attempts <= task->failures ? -task->attempts : 0;
}

static int run(struct task *task, go_ctx *ctx)
{
    return go_retry(try, task, ATTEMPTS, PAUSE_MS * MS, ctx);
}

static void succeeds(void *unused)
{
    struct task task = {.failures = 2};

    /* "attempts at 0, 100 and 300 ms, the third one succeeds" */
    must(run(&task, NULL) == 0 && ints_are(task.at_ms, (size_t)task.attempts, INTS(0, 100, 300)));
}

static void fails(void *unused)
{
    struct task task = {.failures = ATTEMPTS};

    /* "a task that always fails: attempts at 0, 100, 300 and 700 ms, then it is dead, with the last error" */
    must(run(&task, NULL) == -ATTEMPTS);
    must(ints_are(task.at_ms, (size_t)task.attempts, INTS(0, 100, 300, 700)));
}

static void cancel(void *ctx)
{
    go_ctx_cancel(ctx, 0, NULL);
}

static void called_off(void *unused)
{
    struct task task = {.failures = ATTEMPTS};
    go_ctx *ctx = go_ctx_new(go_ctx_background());
    go_timer *later = go_timer_func(CANCEL_AT_MS * MS, cancel, ctx);

    /* "cancelled in a pause: no further attempt" */
    must(run(&task, ctx) == -ECANCELED && fake_ms() == CANCEL_AT_MS);
    must(ints_are(task.at_ms, (size_t)task.attempts, INTS(0, 100)));
    go_timer_unref(later);
    go_ctx_unref(ctx);
}

static void retry(void)
{
    on_fake_clock(succeeds, NULL);
    on_fake_clock(fails, NULL);
    on_fake_clock(called_off, NULL);
}

GUIDE_ROW(G128, retry);
