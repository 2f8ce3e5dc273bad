/*
 * G39 After, timer, ticker, sleep.
 *
 * Pattern: ticker with a stop.
 */
#include "guide.h"

#define MS INT64_C(1000000)

enum { PERIOD_MS = 500 };

static void tick_three_times(void *unused)
{
    go_timer *ticker = go_ticker_new(PERIOD_MS * MS);
    int64_t fired, start = go_now_ns();

    for (int i = 0; i < 3; i++) {
        must(go_timer_wait(ticker, &fired, GO_FOREVER) == 1);
        say("tick at %d ms", (int)((fired - start) / MS));
    }
    /* "3 ticks, at 500, 1000, 1500 ms" */
    must(said(LINES("tick at 500 ms", "tick at 1000 ms", "tick at 1500 ms")));
    go_sleep(go_after_ms(5 * PERIOD_MS));
    /* "a slow reader finds at most one tick waiting" */
    must(go_timer_wait(ticker, NULL, GO_NOW) == 1 && go_timer_wait(ticker, NULL, GO_NOW) == -EAGAIN);
    go_sleep(go_after_ms(PERIOD_MS));
    go_timer_stop(ticker);
    /* "no tick after stop" */
    must(go_timer_wait(ticker, NULL, go_after_ms(10 * PERIOD_MS)) == -ETIMEDOUT);
    go_timer_unref(ticker);
}

static void after_and_sleep(void *unused)
{
    go_timer *after = go_timer_new(300 * MS);

    go_sleep(go_after_ms(200));
    must(go_timer_wait(after, NULL, GO_NOW) == -EAGAIN);
    must(go_timer_wait(after, NULL, GO_FOREVER) == 1);
    /* "a timer and a sleep end exactly when they are due" */
    must(fake_ms() == 300);
    go_timer_unref(after);
}

static void never_early(void)
{
    int64_t start = go_now_ns(), fired;
    go_timer *ticker = go_ticker_new(10 * MS);

    for (int i = 1; i <= 3; i++) {
        must(go_timer_wait(ticker, &fired, GO_FOREVER) == 1);
        /* "nothing fires early on the real clock" */
        must(fired - start >= i * 10 * MS && go_now_ns() >= fired);
    }
    go_timer_unref(ticker);
}

static void ticker(void)
{
    on_fake_clock(tick_three_times, NULL);
    on_fake_clock(after_and_sleep, NULL);
    never_early();
}

GUIDE_ROW(G39, ticker);
