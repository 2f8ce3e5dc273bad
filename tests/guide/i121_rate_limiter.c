/*
 * G121 between processes: ten requests of ten processes come at once; four may start in a second, a burst of four at once.
 *
 * Pattern: rate limiter, wait.
 */
#include "parts.h"

enum { REQUESTS = 10, BURST = 4, PERIOD_MS = 250 };

static const struct gc_rate rate = {.period_ns = PERIOD_MS * INT64_C(1000000), .burst = BURST};

static void request(struct part *me)
{
    step_wait(me, "begin");
    must(gc_limit_take(me->g, "service", rate, 1, GC_FOREVER) == 0);
    say(me, "starts");
    send_text(me, chan_of(me, "started"), "started");
}

/* Time goes on when all that may start have. */
static void clock_hand(struct part *me)
{
    gc_chan started = chan_of(me, "started");
    char text[TEXT_BYTES];
    int done = 0;

    until_waiting(me, chan_of(me, "begin"), 0, REQUESTS);
    step_done(me, "begin");
    for (; done < BURST; done++)
        must(recv_text(me, started, text));
    for (int at = PERIOD_MS; done < REQUESTS; at += PERIOD_MS, done++) {
        advance_ms(me, PERIOD_MS - 1);
        must(gc_ping(me->g, GC_FOREVER) == 0);
        say(me, "%d ms", at);
        advance_ms(me, 1);
        must(recv_text(me, started, text));
    }
    /* "10 are done" */
    say(me, "%d requests", done);
    must(gc_sync_reset(me->g, GC_SYNC_LIMITER, "service", GC_FOREVER) == 0);
}

static void rate_limiter(void)
{
    /* "4 start at 0, then one each at 250, 500, 750, 1000, 1250, 1500 ms" */
    must(said(LINES("starts", "starts", "starts", "starts", "250 ms", "starts", "500 ms", "starts", "750 ms",
                    "starts", "1000 ms", "starts", "1250 ms", "starts", "1500 ms", "starts", "10 requests")));
}

GUIDE_PARTS(G121, rate_limiter, .test_clock = true, .channels = {{"begin"}, {"started"}},
            .parts = {PARTS(REQUESTS, request), PART(clock_hand)});
