/*
 * G62 between processes: an operation that takes too long under a deadline, one that does not, and a child context.
 *
 * Pattern: deadline; a child can only shorten it.
 */
#include "goclient_context.h"
#include "parts.h"

enum { SECOND_MS = 1000, DEADLINE_MS = 2000 };

static gc_ctx *with_timeout(struct part *me, gc_ctx *parent, int64_t ms)
{
    gc_ctx *ctx;

    must(gc_context_with_timeout(me->g, parent, ms, &ctx, GC_FOREVER) == 0);
    return ctx;
}

/* Waits for the operation's result, until the context ends. */
static void operation(struct part *me, const char *name)
{
    gc_ctx *ctx = with_timeout(me, NULL, DEADLINE_MS);
    struct gc_value v = {0};
    int r;

    step_done(me, me->index == 0 ? "quick_began" : "slow_began");
    r = gc_recv(me->g, chan_of(me, name), &v, 0, gc_with(ctx));
    if (r == 1)
        say(me, "%s: success", name);
    else
        say(me, "%s: Error: %s", name, error_words(r));
    gc_value_clear(&v);
    gc_ctx_free(ctx);
}

static void operator_part(struct part *me)
{
    operation(me, me->index == 0 ? "quick" : "slow");
}

/* "a child cannot extend it, only shorten it"; "with a deadline in the past the context is done at once" */
static void deriver(struct part *me)
{
    gc_ctx *parent = with_timeout(me, NULL, DEADLINE_MS), *longer = with_timeout(me, parent, 2 * DEADLINE_MS),
           *shorter = with_timeout(me, parent, SECOND_MS), *past = with_timeout(me, parent, 0);

    must(gc_ping(me->g, gc_with(past)) == -ETIMEDOUT && gc_ctx_done(past));
    step_done(me, "derived");
    step_wait(me, "one_second");
    must(gc_ping(me->g, gc_with(shorter)) == -ETIMEDOUT && gc_ping(me->g, gc_with(longer)) == 0);
    step_done(me, "looked");
    step_wait(me, "two_seconds");
    must(gc_ping(me->g, gc_with(longer)) == -ETIMEDOUT && gc_ping(me->g, gc_with(parent)) == -ETIMEDOUT);
    gc_ctx_free(past);
    gc_ctx_free(shorter);
    gc_ctx_free(longer);
    gc_ctx_free(parent);
}

/* The quick operation has its result after one second; the slow one would have it after five. */
static void clock_hand(struct part *me)
{
    step_wait(me, "quick_began");
    step_wait(me, "slow_began");
    step_wait(me, "derived");
    until_waiting(me, chan_of(me, "slow"), 0, 1);
    advance_ms(me, SECOND_MS);
    say(me, "1 s");
    send_text(me, chan_of(me, "quick"), "result");
    step_done(me, "one_second");
    step_wait(me, "looked");
    say(me, "2 s");
    advance_ms(me, SECOND_MS);
    step_done(me, "two_seconds");
}

static void deadline(void)
{
    /* "the 5 s operation: "Error: context deadline exceeded", at 2 s" */
    must(said_times("slow: Error: context deadline exceeded") == 1 && said_before("2 s", "slow"));
    /* "the 1 s operation succeeds, at 1 s" */
    must(said_times("quick: success") == 1 && said_before("1 s", "quick"));
    /* "with a deadline in the past the context is done at once" */
    /* "a child cannot extend it, only shorten it" */
}

GUIDE_PARTS(G62, deadline, .test_clock = true,
            .channels = {{"quick"},
                         {"slow"},
                         {"quick_began"},
                         {"slow_began"},
                         {"derived"},
                         {"looked"},
                         {"one_second"},
                         {"two_seconds"}},
            .parts = {PARTS(2, operator_part), PART(deriver), PART(clock_hand)});
