/*
 * G120 between processes: an empty bucket into which a token falls every 200 minutes; one taker has 100 to wait, one 300.
 *
 * Pattern: token bucket, take with a timeout.
 */
#include "parts.h"

enum { MINUTE_MS = 60 * 1000, TAKERS = 2 };

static const struct gc_rate rate = {.period_ns = 200 * MINUTE_MS * INT64_C(1000000), .burst = 1};

static void taker(struct part *me)
{
    static const int patience[TAKERS] = {100, 300};

    step_wait(me, "empty");
    say(me, "%s with %d minutes",
        gc_limit_take(me->g, "bucket", rate, 1, gc_after_ms(patience[me->index] * MINUTE_MS)) == 0 ? "true"
                                                                                                   : "false",
        patience[me->index]);
    step_done(me, me->index == 0 ? "gave_up" : "granted");
}

/* Says the minute before it comes. */
static void advance_to(struct part *me, int *now, int minute)
{
    advance_ms(me, (minute - *now - 1) * MINUTE_MS);
    must(gc_ping(me->g, GC_FOREVER) == 0);
    say(me, "minute %d", minute);
    advance_ms(me, MINUTE_MS);
    *now = minute;
}

static void clock_hand(struct part *me)
{
    int now = 0;

    must(gc_limit_take(me->g, "bucket", rate, 1, GC_NOW) == 0);
    until_waiting(me, chan_of(me, "empty"), 0, TAKERS);
    step_done_until_parked(me, "empty");
    advance_to(me, &now, 100);
    step_wait(me, "gave_up");
    advance_to(me, &now, 200);
    step_wait(me, "granted");
    /* "the taker that timed out has taken no token: the first one is the other's, the second one comes at 400 minutes" */
    advance_ms(me, 199 * MINUTE_MS);
    must(gc_limit_take(me->g, "bucket", rate, 1, GC_NOW) == -EAGAIN);
    advance_ms(me, MINUTE_MS);
    must(gc_limit_take(me->g, "bucket", rate, 1, GC_NOW) == 0);
    must(gc_sync_reset(me->g, GC_SYNC_LIMITER, "bucket", GC_FOREVER) == 0);
}

static void take_timeout(void)
{
    /* "false at 100 minutes with a timeout of 100 minutes" */
    /* "true at 200 minutes with one of 300 minutes" */
    must(said(LINES("minute 100", "false with 100 minutes", "minute 200", "true with 300 minutes")));
}

GUIDE_PARTS(G120, take_timeout, .test_clock = true, .channels = {{"empty"}, {"gave_up"}, {"granted"}},
            .parts = {PARTS(TAKERS, taker), PART(clock_hand)});
