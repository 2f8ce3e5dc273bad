/*
 * G60 between processes: three workers under one context of the daemon; a cancel reaches all of them.
 *
 * Pattern: cancel.
 */
#include "goclient_context.h"
#include "parts.h"

enum { WORKERS = 3, ROUNDS = 2 };

/* A line of work for each turn, until the context is over. */
static void worker(struct part *me)
{
    gc_chan turns = chan_of(me, "turns");
    struct gc_value v = {0};
    gc_ctx *ctx;
    int r;

    step_wait(me, "made");
    must(gc_context_open(me->g, "work", &ctx, GC_FOREVER) == 0);
    while ((r = gc_recv(me->g, turns, &v, 0, gc_with(ctx))) == 1) {
        say(me, "worker %d works", me->index);
        gc_value_clear(&v);
    }
    say(me, "worker %d: %s", me->index, error_words(r));
    gc_ctx_free(ctx);
    send_number(me, chan_of(me, "ended"), me->index);
}

static void main_part(struct part *me)
{
    gc_chan turns = chan_of(me, "turns"), ended = chan_of(me, "ended");
    gc_ctx *ctx;
    int who;

    must(gc_context_derive(
             me->g, NULL,
             &(struct gc_context_options){.size = sizeof(struct gc_context_options), .name = "work"}, &ctx,
             GC_FOREVER) == 0);
    step_done(me, "made");
    for (int i = 0; i < ROUNDS * WORKERS; i++)
        send_text(me, turns, "go");
    until_waiting(me, turns, 0, WORKERS);
    say(me, "Cancelling workers...");
    must(gc_context_cancel(ctx, 0, NULL, GC_FOREVER) == 1);
    /* "a second cancel does nothing" */
    must(gc_context_cancel(ctx, 0, "again", GC_FOREVER) == 0);
    for (int i = 0; i < WORKERS; i++)
        must(recv_number(me, ended, &who));
    say(me, "Main: all workers have stopped");
    gc_ctx_free(ctx);
}

static void cancel(void)
{
    /* "each worker's cancel line exactly once, after its last line of work, with the error "context canceled"" */
    for (int i = 0; i < WORKERS; i++) {
        char cancelled[TEXT_BYTES], works[TEXT_BYTES];

        snprintf(cancelled, sizeof cancelled, "worker %d: context canceled", i);
        snprintf(works, sizeof works, "worker %d works", i);
        must(said_times("%s", cancelled) == 1 && said_before("Cancelling workers...", cancelled));
        must(said_times("%s", works) == 0 || said_before(works, cancelled));
    }
    /* ""Cancelling workers..." comes before them, main's line after them" */
    must(said_last("Main: all workers have stopped"));
}

GUIDE_PARTS(G60, cancel, .channels = {{"turns"}, {"made"}, {"ended"}},
            .parts = {PARTS(WORKERS, worker), PART(main_part)});
