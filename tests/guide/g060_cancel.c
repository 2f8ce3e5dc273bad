/*
 * G60 Three workers work until they are told to stop, all of them by one call.
 *
 * Pattern: cancellation by a context. A worker waits for its work or for the end of the context, whichever comes first.
 */
#include "guide.h"

enum { WORKERS = 3, JOBS_EACH = 2 };

struct worker {
    int id;
    go_chan *jobs;
    go_ctx *ctx;
};

static void work(void *arg)
{
    const struct worker *me = arg;

    for (;;) {
        struct go_case cases[] = {GO_DONE(me->ctx), GO_RECV(me->jobs, NULL)};

        if (go_select(cases, 2, GO_FOREVER) == 0)
            break;
        say("Worker %d working", me->id);
    }
    say("Worker %d: %s", me->id, ctx_error(me->ctx));
}

static void cancel(void)
{
    go_ctx *ctx = go_ctx_new(go_ctx_background());
    go_chan *jobs[WORKERS];
    go_waitgroup all = {0};

    for (int i = 0; i < WORKERS; i++) {
        jobs[i] = go_chan_new(0, 0);
        must(go_waitgroup_go(&all, work, &((struct worker){i + 1, jobs[i], ctx}), sizeof(struct worker)) ==
             0);
    }
    for (int i = 0; i < WORKERS * JOBS_EACH; i++)
        must(go_chan_send(jobs[i % WORKERS], NULL, GO_FOREVER) == 0);
    until_parked(WORKERS, "select"); /* all is worked */
    say("Cancelling workers...");
    go_ctx_cancel(ctx, 0, NULL);
    go_ctx_cancel(ctx, -EIO, "too late");
    go_waitgroup_wait(&all);
    say("All workers stopped");

    /* "each worker's cancel line exactly once, after its last line of work, with the error "context canceled"" */
    must(said_by("Worker 1", LINES("Worker 1 working", "Worker 1 working", "Worker 1: context canceled")));
    must(said_by("Worker 2", LINES("Worker 2 working", "Worker 2 working", "Worker 2: context canceled")));
    must(said_by("Worker 3", LINES("Worker 3 working", "Worker 3 working", "Worker 3: context canceled")));
    /* ""Cancelling workers..." comes before them, main's line after them" */
    must(said_before("Cancelling workers...", "Worker 1: ") &&
         said_before("Cancelling workers...", "Worker 2: "));
    must(said_before("Cancelling workers...", "Worker 3: ") && said_last("All workers stopped"));
    /* "a second cancel does nothing" */
    must(go_ctx_err(ctx) == -ECANCELED && go_ctx_cause(ctx).code == -ECANCELED);
    for (int i = 0; i < WORKERS; i++)
        go_chan_unref(jobs[i]);
    go_ctx_unref(ctx);
}

GUIDE_ROW(G60, cancel);
