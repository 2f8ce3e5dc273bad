/*
 * G112 between processes: a job that waits on a named channel is not asleep for ever: somebody else may send.
 *
 * Pattern: who could still wake whom.
 */
#include "parts.h"

static void waiting(struct part *me)
{
    int number;

    must(recv_number(me, chan_of(me, "c"), &number));
    /* "repaired: "Received: 42"" */
    say(me, "Received: %d", number);
}

/* "nor while a client or another job could" */
static void starter(struct part *me)
{
    gc_job job = submit_part(me, "waiting", 0);

    until_waiting(me, chan_of(me, "c"), 0, 1);
    for (int look = 0; look < 100; look++)
        must(job_state(me, job) == GC_JOB_RUNNING);
    say(me, "it waits, and is not ended");
    step_done(me, "seen");
    must(gc_wait(me->g, job, NULL, GC_FOREVER) == 1);
}

static void sender(struct part *me)
{
    step_wait(me, "seen");
    send_number(me, chan_of(me, "c"), 42);
}

static void deadlock(void)
{
    must(said(LINES("it waits, and is not ended", "Received: 42")));
}

GUIDE_PARTS(G112, deadlock, .channels = {{"c"}, {"seen"}},
            .parts = {PART(starter), PART(sender), PART_WITH(waiting, .on_call = true)});
