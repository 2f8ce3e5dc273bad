/*
 * G61 between processes: two tasks under one timeout of two seconds of the daemon's clock.
 *
 * Pattern: timeout.
 */
#include "goclient_context.h"
#include "parts.h"

enum { TIMEOUT_MS = 2000, TASKS = 2 };

static void task(struct part *me)
{
    struct gc_value v = {0};
    gc_ctx *ctx;
    int r;

    step_wait(me, "made");
    must(gc_context_open(me->g, "limited", &ctx, GC_FOREVER) == 0);
    r = gc_recv(me->g, chan_of(me, "silent"), &v, 0, gc_with(ctx));
    say(me, "task: %s", error_words(r));
    gc_ctx_free(ctx);
    send_number(me, chan_of(me, "ended"), me->index);
}

/* Makes the context, and moves the time. */
static void clock_hand(struct part *me)
{
    struct gc_context_options options = {
        .size = sizeof options, .name = "limited", .timeout_ns = TIMEOUT_MS * INT64_C(1000000)};
    gc_chan ended = chan_of(me, "ended");
    gc_ctx *ctx, *other;
    int who;

    must(gc_context_derive(me->g, NULL, &options, &ctx, GC_FOREVER) == 0);
    step_done(me, "made");
    until_waiting(me, chan_of(me, "silent"), 0, TASKS);
    advance_ms(me, TIMEOUT_MS - 1);
    until_waiting(me, chan_of(me, "silent"), 0, TASKS);
    say(me, "1999 ms");
    advance_ms(me, 1);
    for (int i = 0; i < TASKS; i++)
        must(recv_number(me, ended, &who));
    /* "told from cancelled, which has an error of its own" */
    must(gc_context_new(me->g, &other, GC_FOREVER) == 0);
    must(gc_context_cancel(other, 0, NULL, GC_FOREVER) == 1);
    must(gc_recv(me->g, chan_of(me, "silent"), &(struct gc_value){0}, 0, gc_with(other)) == -ECANCELED);
    must(gc_recv(me->g, chan_of(me, "silent"), &(struct gc_value){0}, 0, gc_with(ctx)) == -ETIMEDOUT);
    gc_ctx_free(other);
    gc_ctx_free(ctx);
}

static void timeout(void)
{
    /* "both end with "context deadline exceeded"" */
    /* "exactly at 2 s on the fake clock" */
    must(said(LINES("1999 ms", "task: context deadline exceeded", "task: context deadline exceeded")));
}

GUIDE_PARTS(G61, timeout, .test_clock = true, .channels = {{"silent"}, {"made"}, {"ended"}},
            .parts = {PARTS(TASKS, task), PART(clock_hand)});
