/*
 * G17 Cancel and completion: the one who cancels still waits until the worker has cleaned up.
 *
 * Pattern: cancel, then join. Cancelling asks; the done signal says that it has happened.
 */
#include "guide.h"

enum { ROUNDS = 4 };

struct worker {
    go_ctx *ctx;
    go_chan *rounds; /* a value for each round to work; NULL: a round every 200 ms */
    go_chan *done;
};

static void say_done(void *arg)
{
    must(go_chan_close(((struct worker *)arg)->done) == 0);
}

static bool next_round(const struct worker *me)
{
    if (me->rounds)
        return go_chan_recv(me->rounds, NULL, go_with(me->ctx)) == 1;
    return go_sleep(go_both(go_after_ms(200), me->ctx)) == 0;
}

static void work(void *arg)
{
    struct worker *me = arg;

    go_defer(say_done, me);
    do
        say("Processing");
    while (next_round(me));
    say("cancelled, cleaning up");
    say("Cleanup completed");
}

static void cancel_after_rounds(void)
{
    struct worker worker = {go_ctx_new(go_ctx_background()), go_chan_new(0, 0), go_chan_new(0, 0)};

    must(go_spawn(work, &worker, sizeof worker) == 0);
    for (int i = 1; i < ROUNDS; i++)
        must(go_chan_send(worker.rounds, NULL, GO_FOREVER) == 0);
    until_parked(1, "chan receive"); /* the last round is worked */
    go_ctx_cancel(worker.ctx, 0, NULL);
    must(go_chan_recv(worker.done, NULL, GO_FOREVER) == 0);
    say("Main: worker stopped");
    /* "cancelled after 4 acknowledged rounds: exactly 4 lines "Processing"" */
    must(said_times("Processing") == ROUNDS);
    /* "then "cancelled, cleaning up", "Cleanup completed", then main's" */
    must(said(LINES("Processing", "Processing", "Processing", "Processing", "cancelled, cleaning up",
                    "Cleanup completed", "Main: worker stopped")));
    until_live(1);
    go_ctx_unref(worker.ctx);
    go_chan_unref(worker.rounds);
    go_chan_unref(worker.done);
}

static void time_out(void *unused)
{
    struct worker worker = {go_ctx_with_deadline(go_ctx_background(), go_after_ms(3100)), NULL,
                            go_chan_new(0, 0)};

    must(go_spawn(work, &worker, sizeof worker) == 0);
    must(go_chan_recv(worker.done, NULL, GO_FOREVER) == 0);
    /* "with a timeout of 3.1 s and rounds of 200 ms: 16 lines" */
    must(said_times("Processing") == 16 && fake_ms() == 3100);
    /* "and the error deadline exceeded" */
    must(go_ctx_err(worker.ctx) == -ETIMEDOUT);
    go_ctx_unref(worker.ctx);
    go_chan_unref(worker.done);
}

static void cancel_and_done(void)
{
    cancel_after_rounds();
    say_nothing_yet();
    on_fake_clock(time_out, NULL);
}

GUIDE_ROW(G17, cancel_and_done);
