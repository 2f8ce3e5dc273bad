/*
 * G35 between processes: a select that gives up after an hour of the daemon's clock, which a third process moves.
 *
 * Pattern: select with timeout.
 */
#include "parts.h"

enum { MINUTE_MS = 60 * 1000, HOUR_MS = 60 * MINUTE_MS };

static void waiter(struct part *me)
{
    gc_chan silent = chan_of(me, "silent"), ready = chan_of(me, "ready");
    struct gc_value v = {0};
    struct gc_case cases[] = {gc_case_recv(silent, &v), gc_case_recv(ready, &v)};

    must(gc_select(me->g, cases, 1, 0, gc_after_ms(HOUR_MS)) == -ETIMEDOUT);
    say(me, "timeout");
    step_done(me, "timed_out");
    until_waiting(me, ready, 1, 0);
    /* "ready: the value branch, at once" */
    must(gc_select(me->g, cases, 2, 0, gc_after_ms(HOUR_MS)) == 1);
    say(me, "value %d", number_of(&v));
    gc_value_clear(&v);
}

/* Time moves in here alone. */
static void clock_hand(struct part *me)
{
    gc_chan silent = chan_of(me, "silent");

    until_waiting(me, silent, 0, 1);
    advance_ms(me, 59 * MINUTE_MS);
    until_waiting(me, silent, 0, 1);
    say(me, "59 minutes are over");
    advance_ms(me, MINUTE_MS);
}

static void feeder(struct part *me)
{
    step_wait(me, "timed_out");
    send_number(me, chan_of(me, "ready"), 42);
}

static void select_timeout(void)
{
    /* "silent: the timeout branch, after exactly the time on the fake clock" */
    must(said(LINES("59 minutes are over", "timeout", "value 42")));
}

GUIDE_PARTS(G35, select_timeout, .test_clock = true, .channels = {{"silent"}, {"ready"}, {"timed_out"}},
            .parts = {PART(waiter), PART(clock_hand), PART(feeder)});
