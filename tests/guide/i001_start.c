/*
 * G01 between processes: main starts a job, goes on, and waits for its end.
 *
 * Pattern: start and join.
 */
#include "parts.h"

static void say_hello(struct part *me)
{
    step_wait(me, "gate");
    say(me, "Hello, World!");
}

/* A submit returns when the job is known to the daemon, not when it has run. */
static void main_part(struct part *me)
{
    gc_job job = submit_part(me, "say_hello", 0);

    say(me, "Main function continues...");
    step_done(me, "main_went_on");
    must(gc_wait(me->g, job, NULL, GC_FOREVER) == 1);
    say(me, "joined");
}

/* Holds the job until main has gone on. */
static void gatekeeper(struct part *me)
{
    step_wait(me, "main_went_on");
    step_done(me, "gate");
}

static void start(void)
{
    /* "the set {"Main function continues...", "Hello, World!"}" */
    /* "with the child held at a gate the starter's line comes first, as a spawn never waits" */
    must(said(LINES("Main function continues...", "Hello, World!", "joined")));
}

GUIDE_PARTS(G01, start, .channels = {{"gate"}, {"main_went_on"}},
            .parts = {PART(main_part), PART(gatekeeper), PART_WITH(say_hello, .on_call = true)});
