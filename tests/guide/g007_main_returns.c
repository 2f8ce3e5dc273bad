/*
 * G07 The main function returns: a program ends at once, whatever its other goroutines do. A job ends its scope.
 *
 * Pattern: the one who starts goroutines joins them; here nobody does.
 */
#include "guide.h"

enum { CHILDREN = 3 };

static void say_unwound(void *unused)
{
    say("deferred function ran");
}

static void release(void *c)
{
    go_chan_unref(c);
    say("channel released");
}

static void wait_for_ever(void *arg)
{
    go_chan *c = go_chan_ref(*(go_chan **)arg);

    go_defer(say_unwound, NULL);
    go_defer(release, c);
    say("child started");
    while (go_chan_recv(c, NULL, GO_FOREVER) == -ECANCELED)
        continue; /* when the scope of a job ends, one wait is told; the next one unwinds */
    say("finish line");
}

static void main_returns(void)
{
    go_chan *never = go_chan_new(0, 0);

    for (int i = 0; i < CHILDREN; i++)
        must(go_spawn(wait_for_ever, &never, sizeof never) == 0);
    until_parked(CHILDREN, "chan receive");
    say("Main function exiting...");
    go_chan_unref(never);
}

/* Children that have not come to run when main returns need not start: 0 to 3 lines are right. */
static void returns_at_once(void)
{
    go_chan *never = go_chan_new(0, 0);

    for (int i = 0; i < CHILDREN; i++)
        must(go_spawn(wait_for_ever, &never, sizeof never) == 0);
    say("Main function exiting...");
}

static void main_joins(void)
{
    must(go_live() >= 1);
    say("nothing is left running");
}

static void nothing_more_was_said(const struct guide_ending *ending)
{
    /* "program: it ends at once with exit 0" */
    must(ending->status == 0);
    /* "program: the deferred functions of the others do not run" */
    must(!strstr(ending->out, "deferred function ran") && !strstr(ending->out, "released"));
}

/* "job: its scope ends, the deferred functions of the rest run, then it is done", "job: no goroutine of it is left and
 * their channels are released": it is done when the last has ended. */
/* "the others' finish lines never appear" */
GUIDE_PART(G07, main_returns, .prints = {"Main function exiting..."}, .never = {"finish line"},
           .drops_goroutines = true, .judge = nothing_more_was_said,
           .job_prints = {"deferred function ran", "channel released"});
/* "how many of them got to start is not fixed" */
GUIDE_PART(G07, returns_at_once, .prints = {"Main function exiting..."}, .never = {"finish line"},
           .drops_goroutines = true, .judge = nothing_more_was_said);
GUIDE_ROW(G07, main_joins);
