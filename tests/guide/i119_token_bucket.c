/*
 * G119 between processes: a bucket of five tokens in the daemon; who finds none is told so, and does not wait.
 *
 * Pattern: token bucket.
 */
#include "parts.h"

enum { TAKERS = 4, TRIES = 5, PERIOD_MS = 200, SCENES = 3 };

static const struct gc_rate rate = {.period_ns = PERIOD_MS * INT64_C(1000000), .burst = 5};
static const char *const scenes[SCENES] = {"at once", "after 600 ms", "10 s later"};
static const char *const steps[SCENES] = {"scene.0", "scene.1", "scene.2"};

/* Five tries in each scene. */
static void taker(struct part *me)
{
    for (int scene = 0; scene < SCENES; scene++) {
        step_wait(me, steps[scene]);
        for (int i = 0; i < TRIES; i++) {
            int r = gc_limit_take(me->g, "bucket", rate, 1, GC_NOW);

            must(r == 0 || r == -EAGAIN);
            say(me, "%s: %s", scenes[scene], r == 0 ? "token" : "rate limited");
        }
        send_number(me, chan_of(me, "tried"), me->index);
    }
}

static void clock_hand(struct part *me)
{
    static const int advance[SCENES] = {0, 600, 10000};
    int who;

    for (int scene = 0; scene < SCENES; scene++) {
        until_waiting(me, chan_of(me, steps[scene]), 0, TAKERS);
        if (advance[scene])
            advance_ms(me, advance[scene]);
        step_done(me, steps[scene]);
        for (int i = 0; i < TAKERS; i++)
            must(recv_number(me, chan_of(me, "tried"), &who));
    }
    must(gc_sync_reset(me->g, GC_SYNC_LIMITER, "bucket", GC_FOREVER) == 0);
}

static void token_bucket(void)
{
    /* "of 20 takers at once 5 are granted a token, and 15 are told "rate limited"" */
    must(said_times("at once: token") == 5 && said_times("at once: rate limited") == 15);
    /* "600 ms later: 3 more" */
    must(said_times("after 600 ms: token") == 3);
    /* "10 s later the bucket is full: 5, not more" */
    must(said_times("10 s later: token") == 5);
}

GUIDE_PARTS(G119, token_bucket, .test_clock = true,
            .channels = {{"scene.0"}, {"scene.1"}, {"scene.2"}, {"tried"}},
            .parts = {PARTS(TAKERS, taker), PART(clock_hand)});
