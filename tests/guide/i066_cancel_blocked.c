/*
 * G66 between processes: whatever a call waits for, it returns when its context is cancelled by another process.
 *
 * Pattern: every wait takes a context.
 */
#include "goclient_context.h"
#include "parts.h"

static gc_ctx *open_context(struct part *me)
{
    gc_ctx *ctx;

    step_wait(me, "made");
    must(gc_context_open(me->g, "all", &ctx, GC_FOREVER) == 0);
    return ctx;
}

/* Tells that it begins, so that the canceller can wait for all, and says what came of it. */
static void wait_for(struct part *me, const char *what, int r, gc_ctx *ctx)
{
    must(r == -ECANCELED);
    say(me, "%s: %s", what, error_words(r));
    gc_ctx_free(ctx);
}

static void receiver(struct part *me)
{
    gc_ctx *ctx = open_context(me);
    struct gc_value v = {0};

    wait_for(me, "receive", gc_recv(me->g, chan_of(me, "in"), &v, 0, gc_with(ctx)), ctx);
}

static void sender(struct part *me)
{
    gc_ctx *ctx = open_context(me);

    wait_for(me, "send", gc_send(me->g, chan_of(me, "out"), gc_string("never"), gc_with(ctx)), ctx);
}

static void locker(struct part *me)
{
    gc_ctx *ctx = open_context(me);
    uint64_t token;

    send_text(me, chan_of(me, "about_to"), "lock");
    wait_for(me, "lock", gc_lock(me->g, "held", &token, 0, gc_with(ctx)), ctx);
}

static void selector(struct part *me)
{
    gc_ctx *ctx = open_context(me);
    struct gc_value v = {0};
    struct gc_case cases[] = {gc_case_recv(chan_of(me, "in"), &v),
                              gc_case_send(chan_of(me, "out"), gc_string("never"))};

    wait_for(me, "select", gc_select(me->g, cases, 2, 0, gc_with(ctx)), ctx);
}

static void context_waiter(struct part *me)
{
    gc_ctx *ctx = open_context(me), *other;

    must(gc_context_new(me->g, &other, GC_FOREVER) == 0);
    send_text(me, chan_of(me, "about_to"), "wait for a context");
    wait_for(me, "context", gc_context_wait(other, gc_with(ctx)), ctx);
    gc_ctx_free(other);
}

static void canceller(struct part *me)
{
    struct gc_context_options options = {.size = sizeof options, .name = "all"};
    gc_chan in = chan_of(me, "in"), out = chan_of(me, "out"), about_to = chan_of(me, "about_to");
    char text[TEXT_BYTES];
    uint64_t token;
    gc_ctx *ctx;

    must(gc_lock(me->g, "held", &token, 0, GC_FOREVER) == 0);
    must(gc_context_derive(me->g, NULL, &options, &ctx, GC_FOREVER) == 0);
    step_done(me, "made");
    until_waiting(me, in, 0, 2);
    until_waiting(me, out, 2, 0);
    for (int i = 0; i < 2; i++)
        must(recv_text(me, about_to, text));
    must(gc_context_cancel(ctx, 0, NULL, GC_FOREVER) == 1);
    /* "none leaves an entry in a queue: who comes later finds nobody" */
    until_waiting(me, in, 0, 0);
    until_waiting(me, out, 0, 0);
    must(gc_send(me->g, in, gc_string("nobody"), GC_NOW) == -EAGAIN);
    must(gc_recv(me->g, out, &(struct gc_value){0}, 0, GC_NOW) == -EAGAIN);
    must(gc_unlock(me->g, "held", token, 0, GC_FOREVER) == 0);
    must(gc_lock(me->g, "held", &token, 0, GC_NOW) == 0);
    must(gc_unlock(me->g, "held", token, 0, GC_FOREVER) == 0);
    gc_ctx_free(ctx);
}

static void cancel_blocked(void)
{
    /* "every kind of wait between processes returns the error of the context: receive, send, lock, the end of another
       context, select" */
    must(said_in_any_order(LINES("receive: context canceled", "send: context canceled",
                                 "lock: context canceled", "select: context canceled",
                                 "context: context canceled")));
}

GUIDE_PARTS(G66, cancel_blocked, .channels = {{"in"}, {"out"}, {"made"}, {"about_to"}},
            .parts = {PART(receiver), PART(sender), PART(locker), PART(selector), PART(context_waiter),
                      PART(canceller)});
