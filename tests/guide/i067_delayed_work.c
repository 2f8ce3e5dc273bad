/*
 * G67 between processes: two jobs are due in a second of the daemon's clock; one is cancelled before.
 *
 * Pattern: cancellable delayed work.
 */
#include "parts.h"

static void work(struct part *me)
{
    say(me, "work %d is done", me->index);
}

static void submitter(struct part *me)
{
    gc_job job[2];

    for (int i = 0; i < 2; i++)
        job[i] = submit_part_with(me, "work", i, (struct gc_submit){.delay_ns = 1000 * INT64_C(1000000)});
    step_done(me, "submitted");
    step_wait(me, "almost");
    must(gc_job_cancel(me->g, job[0], "not needed", GC_FOREVER) == 0);
    must(gc_wait(me->g, job[0], NULL, GC_FOREVER) == 0);
    step_done(me, "cancelled");
    must(gc_wait(me->g, job[1], NULL, GC_FOREVER) == 1);
}

static void clock_hand(struct part *me)
{
    step_wait(me, "submitted");
    advance_ms(me, 999);
    say(me, "999 ms");
    step_done(me, "almost");
    step_wait(me, "cancelled");
    say(me, "1 s");
    advance_ms(me, 1);
}

static void delayed_work(void)
{
    /* "cancelled before, at 999 ms: done 0 times" */
    /* "not cancelled: done once, at 1 s" */
    must(said(LINES("999 ms", "1 s", "work 1 is done")));
}

GUIDE_PARTS(G67, delayed_work, .test_clock = true, .channels = {{"submitted"}, {"almost"}, {"cancelled"}},
            .parts = {PART(submitter), PART(clock_hand), PART_WITH(work, .on_call = true)});
