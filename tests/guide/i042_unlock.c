/*
 * G42 between processes: what becomes of a lock when its holder is killed, and when somebody unlocks what is free.
 *
 * Pattern: a lock is given back, whatever happens to its holder.
 */
#include <signal.h>
#include <unistd.h>

#include "parts.h"

static void victim(struct part *me)
{
    uint64_t token;

    must(gc_lock(me->g, "shared", &token, 0, GC_FOREVER) == 0);
    step_done(me, "holding");
    step_wait(me, "refused");
    kill(getpid(), SIGKILL);
}

/* "a killed holder gives the next locker the lock and says that the owner died, no hang" */
static void heir(struct part *me)
{
    uint64_t token;

    step_wait(me, "holding");
    must(gc_lock(me->g, "shared", &token, 0, GC_NOW) == -EAGAIN);
    step_done(me, "refused");
    must(gc_lock(me->g, "shared", &token, 0, GC_FOREVER) == GC_OWNER_DIED);
    must(gc_unlock(me->g, "shared", token, GC_CONSISTENT, GC_FOREVER) == 0);
    /* "unlocking a free one is EPERM" */
    must(gc_unlock(me->g, "shared", token, 0, GC_FOREVER) == -EPERM);
    step_done(me, "repaired");
}

/* Whoever comes after the repair finds an ordinary lock. */
static void witness(struct part *me)
{
    uint64_t token;

    step_wait(me, "repaired");
    must(gc_lock(me->g, "shared", &token, 0, GC_FOREVER) == 0);
    must(gc_unlock(me->g, "shared", token, 0, GC_FOREVER) == 0);
    say(me, "the lock is free");
}

static void unlock_discipline(void)
{
    must(said(LINES("the lock is free")));
}

GUIDE_PARTS(G42, unlock_discipline, .channels = {{"holding"}, {"refused"}, {"repaired"}},
            .parts = {PART_WITH(victim, .dies = true), PART(heir), PART(witness)});
