/*
 * G62 An operation with a deadline: what ends before it succeeds, what would end later fails when it comes.
 *
 * Pattern: absolute deadline. It is handed down as it is: nobody below can put it off.
 */
#include "guide.h"

enum { DEADLINE_MS = 2000, LONG_MS = 5000, SHORT_MS = 1000 };

static int operation(go_ctx *ctx, int ms)
{
    int r = go_sleep(go_both(go_after_ms(ms), ctx));

    if (r < 0)
        say("Error: %s", ctx_error(ctx));
    else
        say("Operation completed");
    return r;
}

static void try_operation(void *ms)
{
    go_ctx *ctx = go_ctx_with_deadline(go_ctx_background(), go_after_ms(DEADLINE_MS));

    must((operation(ctx, *(int *)ms) == 0) == (*(int *)ms < DEADLINE_MS));
    say("at %d ms", (int)fake_ms());
    go_ctx_unref(ctx);
}

static void past_deadline(void *unused)
{
    go_ctx *ctx = go_ctx_with_deadline(go_ctx_background(), go_after_ms(-1));

    /* "with a deadline in the past the context is done at once" */
    must(go_ctx_err(ctx) == -ETIMEDOUT && go_ctx_wait(ctx, GO_FOREVER) == 0);
    must(operation(ctx, SHORT_MS) == -ETIMEDOUT && fake_ms() == 0);
    go_ctx_unref(ctx);
}

static void child_deadlines(void *unused)
{
    go_ctx *ctx = go_ctx_with_deadline(go_ctx_background(), go_after_ms(DEADLINE_MS));
    go_ctx *later = go_ctx_with_deadline(ctx, go_after_ms(LONG_MS));
    go_ctx *sooner = go_ctx_with_deadline(ctx, go_after_ms(SHORT_MS));

    /* "a child cannot extend it, only shorten it" */
    must(go_ctx_deadline_ns(later) == go_ctx_deadline_ns(ctx));
    must(go_ctx_deadline_ns(sooner) < go_ctx_deadline_ns(ctx));
    must(operation(sooner, LONG_MS) == -ETIMEDOUT && fake_ms() == SHORT_MS && go_ctx_err(ctx) == 0);
    must(operation(later, LONG_MS) == -ETIMEDOUT && fake_ms() == DEADLINE_MS);
    go_ctx_unref(sooner);
    go_ctx_unref(later);
    go_ctx_unref(ctx);
}

static void deadline(void)
{
    on_fake_clock(try_operation, &(int){LONG_MS});
    on_fake_clock(try_operation, &(int){SHORT_MS});
    /* "the 5 s operation: "Error: context deadline exceeded", at 2 s" */
    /* "the 1 s operation succeeds, at 1 s" */
    must(said(LINES("Error: context deadline exceeded", "at 2000 ms", "Operation completed", "at 1000 ms")));
    on_fake_clock(past_deadline, NULL);
    on_fake_clock(child_deadlines, NULL);
}

GUIDE_ROW(G62, deadline);
