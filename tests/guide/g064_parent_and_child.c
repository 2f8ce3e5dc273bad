/*
 * G64 A context below another one: to cancel the child leaves the parent alone, to cancel the parent ends both.
 *
 * Pattern: tree of contexts.
 */
#include "guide.h"

struct worker {
    const char *name;
    go_ctx *ctx;
    go_chan *rounds; /* a value for each round, taken when the round before has ended */
    go_waitgroup ended;
};

static void work(void *arg)
{
    struct worker *me = arg;

    while (go_chan_recv(me->rounds, NULL, go_with(me->ctx)) == 1)
        say("%s working", me->name);
    say("%s: %s", me->name, ctx_error(me->ctx));
}

static void start(struct worker *worker, const char *name, go_ctx *ctx)
{
    *worker = (struct worker){.name = name, .ctx = ctx, .rounds = go_chan_new(0, 0)};
    must(go_waitgroup_go(&worker->ended, work, worker, 0) == 0);
}

static void work_a_round(struct worker *worker)
{
    must(go_chan_send(worker->rounds, NULL, GO_FOREVER) == 0);
}

static void run(bool child_first)
{
    go_ctx *parent = go_ctx_new(go_ctx_background()), *child = go_ctx_new(parent);
    struct worker of_parent, of_child;

    start(&of_parent, "Parent", parent);
    start(&of_child, "Child", child);
    if (child_first) {
        go_ctx_cancel(child, 0, NULL);
        go_waitgroup_wait(&of_child.ended);
        must(go_ctx_err(parent) == 0);
        work_a_round(&of_parent);
        until_parked(1, "chan receive");
    }
    go_ctx_cancel(parent, 0, NULL);
    must(go_ctx_err(child) == -ECANCELED); /* before the cancel of the parent returns */
    go_waitgroup_wait(&of_parent.ended);
    go_waitgroup_wait(&of_child.ended);
    go_chan_unref(of_parent.rounds);
    go_chan_unref(of_child.rounds);
    go_ctx_unref(child);
    go_ctx_unref(parent);
}

static void parent_and_child(void)
{
    run(true);
    /* "after the child's cancel only Child stops, and Parent works another round" */
    /* "after the parent's cancel Parent stops" */
    /* "the errors are "context canceled"" */
    must(said(LINES("Child: context canceled", "Parent working", "Parent: context canceled")));
    say_nothing_yet();
    run(false);
    /* "in the other order the one cancel stops both" */
    must(said_in_any_order(LINES("Child: context canceled", "Parent: context canceled")));
}

GUIDE_ROW(G64, parent_and_child);
