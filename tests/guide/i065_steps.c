/*
 * G65 between processes: long tasks that look at their context between steps.
 *
 * Pattern: check between steps, and return the error.
 */
#include "goclient_context.h"
#include "parts.h"

enum { TASKS = 3, STEPS = 10, STEP_MS = 300, TIMEOUT_MS = 2000 };

/* 0, or the error of the context; a step is over when the clock hand says so. */
static int long_task(struct part *me, const char *scene, gc_ctx *ctx)
{
    gc_chan ticks = chan_of(me, scene);
    char text[TEXT_BYTES];

    for (int step = 1; step <= STEPS; step++) {
        int r = ctx ? gc_ping(me->g, gc_with(ctx)) : 0;

        if (r < 0) {
            say(me, "task %d: Cancelled due to %s", me->index, error_words(r));
            return r;
        }
        say(me, "task %d, %s: step %d", me->index, scene, step);
        must(recv_text(me, ticks, text));
    }
    return 0;
}

static void task(struct part *me)
{
    gc_ctx *ctx;

    must(gc_context_with_timeout(me->g, NULL, TIMEOUT_MS, &ctx, GC_FOREVER) == 0);
    send_number(me, chan_of(me, "errors"), long_task(me, "limited", ctx));
    gc_ctx_free(ctx);
    send_number(me, chan_of(me, "errors"), long_task(me, "free", NULL));
}

static void run_steps(struct part *me, const char *scene, int steps)
{
    gc_chan ticks = chan_of(me, scene);

    for (int step = 1; step <= steps; step++) {
        until_waiting(me, ticks, 0, TASKS);
        advance_ms(me, STEP_MS);
        for (int i = 0; i < TASKS; i++)
            send_text(me, ticks, "over");
    }
}

static void count_errors(struct part *me, int wanted)
{
    int error, failed = 0;

    for (int i = 0; i < TASKS; i++) {
        must(recv_number(me, chan_of(me, "errors"), &error));
        if (error != 0)
            say(me, "task failed: %s", error_words(error));
        failed += error != 0;
    }
    must(failed == wanted);
}

static void clock_hand(struct part *me)
{
    run_steps(me, "limited", 7);
    /* "3 errors" */
    count_errors(me, TASKS);
    run_steps(me, "free", STEPS);
    /* "without the timeout: 10 steps, success" */
    count_errors(me, 0);
}

static void steps(void)
{
    for (int i = 0; i < TASKS; i++) {
        for (int step = 1; step <= STEPS; step++) {
            /* "each does exactly steps 1 to 7, then "Cancelled due to context deadline exceeded", and its caller tells of it" */
            must(said_times("task %d, limited: step %d", i, step) == (step <= 7));
            must(said_times("task %d, free: step %d", i, step) == 1);
        }
        must(said_times("task %d: Cancelled due to context deadline exceeded", i) == 1);
    }
    must(said_times("task failed: context deadline exceeded") == TASKS);
}

GUIDE_PARTS(G65, steps, .test_clock = true, .channels = {{"limited"}, {"free"}, {"errors"}},
            .parts = {PARTS(TASKS, task), PART(clock_hand)});
