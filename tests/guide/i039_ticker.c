/*
 * G39 between processes: ticks on a channel that keeps one, a sleep and a timer, all by the clock of the daemon.
 *
 * Pattern: ticker with a stop.
 */
#include <time.h>

#include "goclient_context.h"
#include "parts.h"

enum { PERIOD_MS = 500, SLEEP_MS = 200, AFTER_MS = 300 };

/* Nobody sends on the channel: -ETIMEDOUT after so long, -ECANCELED where the context ends before. */
static int pass_time(struct part *me, const char *channel, gc_ctx *until, int ms)
{
    struct gc_value none;
    gc_ctx *ctx;
    int r;

    must(gc_context_with_timeout(me->g, until, ms, &ctx, GC_FOREVER) == 0);
    r = gc_recv(me->g, chan_of(me, channel), &none, 0, gc_with(ctx));
    gc_ctx_free(ctx);
    return r;
}

static void ticker(struct part *me)
{
    struct gc_context_options options = {.size = sizeof options, .name = "ticker"};
    gc_chan ticks = chan_of(me, "ticks");
    gc_ctx *ctx;
    int r;

    must(gc_context_derive(me->g, NULL, &options, &ctx, GC_FOREVER) == 0);
    step_done(me, "made");
    while (pass_time(me, "period", ctx, PERIOD_MS) == -ETIMEDOUT) {
        r = gc_send(me->g, ticks, gc_string("tick"), GC_NOW); /* who reads too slowly misses ticks */
        must(r == 0 || r == -EAGAIN);
    }
    gc_ctx_free(ctx);
    step_done(me, "stopped");
}

static void reader(struct part *me)
{
    gc_chan ticks = chan_of(me, "ticks");
    struct gc_value v = {0};
    char text[TEXT_BYTES];
    gc_ctx *ctx;

    for (int i = 0; i < 3; i++) {
        must(recv_text(me, ticks, text));
        say(me, "tick");
        send_text(me, chan_of(me, "seen"), "tick");
    }
    step_wait(me, "five_later");
    /* "a slow reader finds at most one tick waiting" */
    must(recv_text(me, ticks, text) && gc_recv(me->g, ticks, &v, 0, GC_NOW) == -EAGAIN);
    step_wait(me, "made");
    must(gc_context_open(me->g, "ticker", &ctx, GC_FOREVER) == 0);
    must(gc_context_cancel(ctx, 0, "no more", GC_FOREVER) == 1);
    gc_ctx_free(ctx);
    step_wait(me, "much_later");
    /* "no tick after stop" */
    must(gc_recv(me->g, ticks, &v, 0, GC_NOW) == -EAGAIN);
}

/* ---- a sleep, and a timer that runs meanwhile ---- */

static void sleeper(struct part *me)
{
    gc_ctx *after;

    step_wait(me, "sleep_now");
    must(gc_context_with_timeout(me->g, NULL, AFTER_MS, &after, GC_FOREVER) == 0);
    must(pass_time(me, "sleep", NULL, SLEEP_MS) == -ETIMEDOUT);
    say(me, "slept");
    must(gc_context_wait(after, GC_NOW) == -EAGAIN);
    send_text(me, chan_of(me, "slept"), "slept");
    must(gc_context_wait(after, GC_FOREVER) == 0);
    say(me, "timer");
    gc_ctx_free(after);
}

/* ---- who moves the time ---- */

static void a_millisecond_early(struct part *me, const char *waits, int ms)
{
    until_waiting(me, chan_of(me, waits), 0, 1);
    advance_ms(me, ms - 1);
    until_waiting(me, chan_of(me, waits), 0, 1);
}

static void clock_hand(struct part *me)
{
    gc_chan period = chan_of(me, "period");
    char text[TEXT_BYTES];

    for (int i = 1; i <= 3; i++) {
        a_millisecond_early(me, "period", PERIOD_MS);
        until_waiting(me, chan_of(me, "ticks"), 0, 1);
        say(me, "%d ms", i * PERIOD_MS - 1);
        advance_ms(me, 1);
        must(recv_text(me, chan_of(me, "seen"), text));
    }
    until_waiting(me, chan_of(me, "five_later"), 0, 1);
    for (int i = 0; i < 5; i++) {
        until_waiting(me, period, 0, 1);
        advance_ms(me, PERIOD_MS);
    }
    until_waiting(me, period, 0, 1);
    step_done(me, "five_later");
    step_wait(me, "stopped");
    advance_ms(me, 10 * PERIOD_MS);
    step_done(me, "much_later");
    step_done(me, "sleep_now");
    a_millisecond_early(me, "sleep", SLEEP_MS);
    say(me, "199 ms");
    advance_ms(me, 1);
    must(recv_text(me, chan_of(me, "slept"), text));
    advance_ms(me, AFTER_MS - SLEEP_MS - 1);
    say(me, "299 ms");
    advance_ms(me, 1);
}

static void tickers(void)
{
    /* "3 ticks, at 500, 1000, 1500 ms" */
    /* "a timer and a sleep end exactly when they are due" */
    must(said(
        LINES("499 ms", "tick", "999 ms", "tick", "1499 ms", "tick", "199 ms", "slept", "299 ms", "timer")));
}

GUIDE_PARTS(G39, tickers, .test_clock = true,
            .channels = {{"period"},
                         {"ticks", {.capacity = 1}},
                         {"seen"},
                         {"made"},
                         {"stopped"},
                         {"five_later"},
                         {"much_later"},
                         {"sleep_now"},
                         {"sleep"},
                         {"slept"}},
            .parts = {PART(ticker), PART(reader), PART(sleeper), PART(clock_hand)});

/* ---- the real clock ---- */

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* "nothing fires early on the real clock" */
static void never_early(struct part *me)
{
    struct gc_value none;

    for (int ms = 5; ms <= 15; ms += 5) {
        int64_t start = now_ns();

        must(gc_recv(me->g, chan_of(me, "silent"), &none, 0, gc_after_ms(ms)) == -ETIMEDOUT);
        must(now_ns() - start >= ms * INT64_C(1000000));
        must(pass_time(me, "silent", NULL, ms) == -ETIMEDOUT);
        must(now_ns() - start >= 2 * ms * INT64_C(1000000));
    }
    say(me, "not early");
}

static void on_the_real_clock(void)
{
    must(said_times("not early") == 3);
}

GUIDE_PARTS(G39, on_the_real_clock, .channels = {{"silent"}}, .parts = {PARTS(3, never_early)});
