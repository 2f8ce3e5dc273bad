/*
 * G67 Work that begins after a second, unless it is called off before.
 *
 * Pattern: select between a timer and a context. Who starts it joins it before the context is cancelled at the end of the
 * function: cancelled earlier the work would never be done.
 */
#include "guide.h"

enum { DELAY_MS = 1000 };

struct delayed {
    go_ctx *ctx;
    atomic_int done;
};

static void work_later(void *arg)
{
    struct delayed *me = arg;
    go_timer *delay = go_timer_new(DELAY_MS * INT64_C(1000000));
    struct go_case cases[] = {GO_DONE(me->ctx), GO_TIMER(delay, NULL)};

    if (go_select(cases, 2, GO_FOREVER) == 1)
        atomic_fetch_add(&me->done, 1);
    go_timer_unref(delay);
}

static void called_off(void *unused)
{
    struct delayed delayed = {.ctx = go_ctx_new(go_ctx_background())};
    go_waitgroup joined = {0};

    must(go_waitgroup_go(&joined, work_later, &delayed, 0) == 0);
    go_sleep(go_after_ms(DELAY_MS - 1));
    go_ctx_cancel(delayed.ctx, 0, NULL);
    go_waitgroup_wait(&joined);
    say("called off: done %d times", atomic_load(&delayed.done));
    must(fake_ms() == DELAY_MS - 1);
    go_ctx_unref(delayed.ctx);
}

static void left_alone(void *unused)
{
    struct delayed delayed = {.ctx = go_ctx_new(go_ctx_background())};
    go_waitgroup joined = {0};

    must(go_waitgroup_go(&joined, work_later, &delayed, 0) == 0);
    go_waitgroup_wait(&joined);
    go_ctx_cancel(delayed.ctx, 0, NULL);
    say("left alone: done %d times", atomic_load(&delayed.done));
    must(fake_ms() == DELAY_MS);
    go_ctx_unref(delayed.ctx);
}

static void delayed_work(void)
{
    on_fake_clock(called_off, NULL);
    on_fake_clock(left_alone, NULL);
    /* "cancelled before, at 999 ms: done 0 times" */
    /* "not cancelled: done once, at 1 s" */
    must(said(LINES("called off: done 0 times", "left alone: done 1 times")));
}

GUIDE_ROW(G67, delayed_work);
