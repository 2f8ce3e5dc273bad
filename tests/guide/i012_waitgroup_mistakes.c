/*
 * G12 between processes: what goes wrong with wait groups is an error, and harms nobody.
 *
 * Pattern: exactly one done for each unit; a round ends when none is left.
 */
#include "parts.h"

static void keeper(struct part *me)
{
    uint64_t round, next;

    must(gc_wg_add(me->g, "group", 1, 0, &round, GC_FOREVER) == 0);
    /* "it is EINVAL and the counter is as before" */
    must(gc_wg_done(me->g, "group", 2, GC_FOREVER) == -EINVAL);
    must(gc_wg_wait(me->g, "group", round, NULL, GC_NOW) == -EAGAIN);
    step_done(me, "kept");
    step_wait(me, "refused");
    send_text(me, chan_of(me, "round"), "%llu", (unsigned long long)round);
    until_waiting(me, chan_of(me, "ask"), 0, 1);
    until_waiting(me, chan_of(me, "over"), 0, 1);
    step_done_until_parked(me, "ask");
    /* "an add at counter 1 with a waiter is legal: the waiter waits for both" */
    must(gc_wg_add(me->g, "group", 1, 0, &next, GC_FOREVER) == 0 && next == round);
    must(gc_wg_done(me->g, "group", 1, GC_FOREVER) == 0);
    must(gc_wg_wait(me->g, "group", round, NULL, GC_NOW) == -EAGAIN);
    say(me, "the last is done");
    must(gc_wg_done(me->g, "group", 1, GC_FOREVER) == 0);
    /* "it begins a new round" */
    must(gc_wg_add(me->g, "group", 1, 0, &next, GC_FOREVER) == 0 && next == round + 1);
    must(gc_wg_done(me->g, "group", 1, GC_FOREVER) == 0);
}

static void waiter(struct part *me)
{
    char round[TEXT_BYTES];

    must(recv_text(me, chan_of(me, "round"), round));
    step_wait(me, "ask");
    must(gc_wg_wait(me->g, "group", strtoull(round, NULL, 10), NULL, GC_FOREVER) == 0);
    say(me, "the waiter goes on");
    step_done(me, "over");
}

/* What is not his he cannot settle. */
static void stranger(struct part *me)
{
    step_wait(me, "kept");
    must(gc_wg_done(me->g, "group", 1, GC_FOREVER) == -EPERM);
    step_done(me, "refused");
    step_wait(me, "over");
}

static void waitgroup_mistakes(void)
{
    must(said(LINES("the last is done", "the waiter goes on")));
}

GUIDE_PARTS(G12, waitgroup_mistakes, .channels = {{"round"}, {"kept"}, {"refused"}, {"ask"}, {"over"}},
            .parts = {PART(keeper), PART(waiter), PART(stranger)});
