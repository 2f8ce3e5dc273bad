/*
 * G17 between processes: a worker that cleans up when its context ends, and then tells that it is done.
 *
 * Pattern: cancellation joined with completion.
 */
#include "goclient_context.h"
#include "parts.h"

enum { SCENES = 2, ROUNDS = 4, TIMEOUT_MS = 3100, ROUND_MS = 200 };

static const char *const scene_name[SCENES] = {"cancelled", "timed_out"};

/* Works a round for each turn, until its context ends; the next scene has another context. */
static void worker(struct part *me)
{
    gc_chan turns = chan_of(me, "turns"), done = chan_of(me, "done");

    for (int scene = 0; scene < SCENES; scene++) {
        struct gc_value v = {0};
        gc_ctx *ctx;
        int r;

        step_wait(me, scene_name[scene]);
        must(gc_context_open(me->g, scene_name[scene], &ctx, GC_FOREVER) == 0);
        while ((r = gc_recv(me->g, turns, &v, 0, gc_with(ctx))) == 1) {
            gc_value_clear(&v);
            say(me, "%s: Processing", scene_name[scene]);
        }
        say(me, "%s: %s, cleaning up", scene_name[scene], r == -ECANCELED ? "cancelled" : error_words(r));
        gc_ctx_free(ctx);
        say(me, "%s: Cleanup completed", scene_name[scene]);
        send_text(me, done, "done");
    }
}

static gc_ctx *make_context(struct part *me, int scene)
{
    struct gc_context_options options = {.size = sizeof options,
                                         .name = scene_name[scene],
                                         .timeout_ns = scene == 1 ? TIMEOUT_MS * INT64_C(1000000) : 0};
    gc_ctx *ctx;

    must(gc_context_derive(me->g, NULL, &options, &ctx, GC_FOREVER) == 0);
    step_done(me, scene_name[scene]);
    return ctx;
}

static void main_part(struct part *me)
{
    gc_chan turns = chan_of(me, "turns"), done = chan_of(me, "done");
    char text[TEXT_BYTES];
    gc_ctx *ctx = make_context(me, 0);

    for (int i = 0; i < ROUNDS; i++)
        send_text(me, turns, "go");
    until_waiting(me, turns, 0, 1);
    must(gc_context_cancel(ctx, 0, NULL, GC_FOREVER) == 1);
    must(recv_text(me, done, text));
    say(me, "%s: Main: worker is done", scene_name[0]);
    gc_ctx_free(ctx);
    ctx = make_context(me, 1);
    step_done(me, "tick");
    must(recv_text(me, done, text));
    say(me, "%s: Main: worker is done", scene_name[1]);
    gc_ctx_free(ctx);
}

/* A turn, and 200 ms for it, as long as the worker takes them. */
static void clock_hand(struct part *me)
{
    gc_chan turns = chan_of(me, "turns");
    struct gc_chan_info info;

    step_wait(me, "tick");
    for (int at = 0; at < TIMEOUT_MS; at += ROUND_MS) {
        send_text(me, turns, "go");
        until_waiting(me, turns, 0, 1);
        advance_ms(me, ROUND_MS);
    }
    until_waiting(me, turns, 0, 0);
    must(gc_chan_info(me->g, turns, &info, GC_FOREVER) == 0 && info.senders == 0);
}

static void cancel_and_done(void)
{
    /* "cancelled after 4 acknowledged rounds: exactly 4 lines "Processing"" */
    /* "then "cancelled, cleaning up", "Cleanup completed", then main's" */
    must(
        said_by("cancelled:", LINES("cancelled: Processing", "cancelled: Processing", "cancelled: Processing",
                                    "cancelled: Processing", "cancelled: cancelled, cleaning up",
                                    "cancelled: Cleanup completed", "cancelled: Main: worker is done")));
    /* "with a timeout of 3.1 s and rounds of 200 ms: 16 lines" */
    must(said_times("timed_out: Processing") == 16);
    /* "and the error deadline exceeded" */
    must(said_times("timed_out: context deadline exceeded, cleaning up") == 1);
    must(said_last("timed_out: Main: worker is done"));
}

GUIDE_PARTS(G17, cancel_and_done, .test_clock = true,
            .channels = {{"turns"}, {"done"}, {"cancelled"}, {"timed_out"}, {"tick"}},
            .parts = {PART(worker), PART(main_part), PART(clock_hand)});
