/*
 * G04 between processes: five workers run one function, and each has its own argument.
 *
 * Pattern: the argument travels with the start; nothing is shared.
 */
#include "parts.h"

static void worker(struct part *me)
{
    say(me, "started %d", me->index + 1);
    step_wait(me, "gate");
    say(me, "finished %d", me->index + 1);
}

/* Holds all five at the gate until its own line is said. */
static void starter(struct part *me)
{
    gc_chan gate = chan_of(me, "gate");

    until_waiting(me, gate, 0, 5);
    say(me, "All goroutines started...");
    close_chan(me, gate);
}

static void own_argument(void)
{
    /* "by value the ids are {1, 2, 3, 4, 5}, each started once and finished once" */
    must(said_in_any_order(LINES("started 1", "started 2", "started 3", "started 4", "started 5",
                                 "finished 1", "finished 2", "finished 3", "finished 4", "finished 5",
                                 "All goroutines started...")));
    /* ""All goroutines started..." waits for none of them" */
    must(said_before("All goroutines started...", "finished"));
    must(said_before("started", "finished"));
}

GUIDE_PARTS(G04, own_argument, .channels = {{"gate"}}, .parts = {PARTS(5, worker), PART(starter)});
