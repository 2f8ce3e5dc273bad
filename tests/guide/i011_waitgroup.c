/*
 * G11 between processes: a wait group with a name; whoever waits goes on when all three workers have finished.
 *
 * Pattern: wait group. The units are there before the work begins, and each worker claims its own.
 */
#include "parts.h"

enum { WORKERS = 3, WAITERS = 2, ROUNDS = 2 };

static const char *const rounds[ROUNDS] = {"first", "second"};

static void worker(struct part *me)
{
    for (int i = 0; i < ROUNDS; i++) {
        step_wait(me, rounds[i]);
        must(gc_wg_claim(me->g, "workers", 1, GC_FOREVER) == 0);
        say(me, "%s: worker %d starts", rounds[i], me->index);
        say(me, "%s: worker %d ends", rounds[i], me->index);
        must(gc_wg_done(me->g, "workers", 1, GC_FOREVER) == 0);
    }
}

/* "several waiters all return" */
static void waiter(struct part *me)
{
    step_wait(me, "added");
    must(gc_wg_wait(me->g, "workers", 0, NULL, GC_FOREVER) == 0);
    say(me, "first: waiter returns");
    send_number(me, chan_of(me, "returned"), me->index);
}

static void main_part(struct part *me)
{
    int who;

    for (int i = 0; i < ROUNDS; i++) {
        uint64_t round;

        must(gc_wg_add(me->g, "workers", WORKERS, GC_DETACHED_UNITS, &round, GC_FOREVER) == 0);
        must(gc_wg_wait(me->g, "workers", round, NULL, GC_NOW) == -EAGAIN);
        if (i == 0) {
            until_waiting(me, chan_of(me, "first"), 0, WORKERS);
            until_waiting(me, chan_of(me, "added"), 0, WAITERS);
            step_done_until_parked(me, "added");
        }
        step_done(me, rounds[i]);
        must(gc_wg_wait(me->g, "workers", round, NULL, GC_FOREVER) == 0);
        for (int n = 0; i == 0 && n < WAITERS; n++)
            must(recv_number(me, chan_of(me, "returned"), &who));
        say(me, "%s: All workers completed", rounds[i]);
    }
    /* "wait at 0 returns at once" */
    must(gc_wg_wait(me->g, "workers", 0, NULL, GC_NOW) == 0);
}

static void waitgroup(void)
{
    /* "the group serves a second round" */
    for (int i = 0; i < ROUNDS; i++) {
        char workers[TEXT_BYTES], all[TEXT_BYTES];

        snprintf(workers, sizeof workers, "%s: worker", rounds[i]);
        snprintf(all, sizeof all, "%s: All workers completed", rounds[i]);
        /* "the set of start and end lines of all ids, in any order" */
        for (int id = 0; id < WORKERS; id++)
            must(said_times("%s %d starts", workers, id) == 1 && said_times("%s %d ends", workers, id) == 1);
        /* ""All workers completed" strictly last" */
        must(said_before(workers, all) && said_times("%s", all) == 1);
    }
    must(said_before("first: worker", "first: waiter returns") &&
         said_times("first: waiter returns") == WAITERS);
}

GUIDE_PARTS(G11, waitgroup, .channels = {{"added"}, {"first"}, {"second"}, {"returned"}},
            .parts = {PARTS(WORKERS, worker), PARTS(WAITERS, waiter), PART(main_part)});
