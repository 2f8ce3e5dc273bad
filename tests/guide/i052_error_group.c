/*
 * G52 between processes: five members of one group; the first error is the error of the whole, and the limit holds.
 *
 * Pattern: error group.
 */
#include "parts.h"

enum { MEMBERS = 5, FAILS = 3, LIMIT = 2 };

/* All begin; member 3 fails, and the others see that in the stop. */
static void member(struct part *me)
{
    int id = me->index + 1;

    must(gc_group_start(me->g, "whole", -1, GC_FOREVER) == 0);
    send_number(me, chan_of(me, "begun"), id);
    if (id == FAILS) {
        step_wait(me, "fail");
        must(gc_group_end(me->g, "whole", -EIO, GC_FOREVER) == 0);
        step_done(me, "stop");
    } else {
        step_wait(me, "stop");
        must(gc_group_end(me->g, "whole", -ECANCELED, GC_FOREVER) == 0);
    }
    must(gc_group_start(me->g, "limited", LIMIT, GC_FOREVER) == 0);
    say(me, "begins");
    must(gc_ping(me->g, GC_FOREVER) == 0);
    say(me, "ends");
    must(gc_group_end(me->g, "limited", 0, GC_FOREVER) == 0);
    send_number(me, chan_of(me, "done"), id);
}

static void main_part(struct part *me)
{
    gc_chan begun = chan_of(me, "begun"), done = chan_of(me, "done");
    int who, error = 0;

    for (int i = 0; i < MEMBERS; i++)
        must(recv_number(me, begun, &who));
    must(gc_group_wait(me->g, "whole", &error, GC_NOW) == -EAGAIN);
    step_done(me, "fail");
    /* "the wait returns after all 5 have ended" */
    must(gc_group_wait(me->g, "whole", &error, GC_FOREVER) == GC_MEMBER_FAILED);
    /* "the first error, that of member 3, is the result" */
    must(error == -EIO);
    for (int i = 0; i < MEMBERS; i++)
        must(recv_number(me, done, &who));
    /* "when all succeed there is no error" */
    must(gc_group_wait(me->g, "limited", &error, GC_FOREVER) == 0);
    must(gc_sync_reset(me->g, GC_SYNC_ERRGROUP, "whole", GC_FOREVER) == 0);
}

static void error_group(void)
{
    int at_once = 0;

    for (size_t i = 0; i < part_lines.n; i++) {
        at_once += strcmp(part_lines.line[i], "begins") == 0 ? 1 : -1;
        /* "with a limit of 2, 2 run at once and never 3" */
        must(at_once <= LIMIT);
    }
    must(part_lines.n == 2 * MEMBERS);
}

GUIDE_PARTS(G52, error_group, .channels = {{"begun"}, {"done"}, {"fail"}, {"stop"}},
            .parts = {PARTS(MEMBERS, member), PART(main_part)});
