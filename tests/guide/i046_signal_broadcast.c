/*
 * G46 between processes: a signal wakes one that waits, a broadcast wakes all; neither is remembered for later.
 *
 * Pattern: condition variable.
 */
#include "parts.h"

enum { WAITERS = 5 };

static void waiter(struct part *me)
{
    gc_chan woken = chan_of(me, "woken"), waiting = chan_of(me, "waiting");
    uint64_t token;

    must(gc_lock(me->g, "lock", &token, 0, GC_FOREVER) == 0);
    send_number(me, waiting, me->index); /* under the lock: whoever gets it next knows that this one waits */
    must(gc_cond_wait(me->g, "cond", "lock", &token, GC_FOREVER) == 0);
    /* "wait returns with the lock held" */
    must(gc_lock(me->g, "lock", &(uint64_t){0}, 0, GC_NOW) == -EAGAIN);
    send_number(me, woken, me->index);
    must(gc_unlock(me->g, "lock", token, 0, GC_FOREVER) == 0);
}

/* Until all that said so do wait: their lock is free again. */
static void until_all_wait(struct part *me, int n)
{
    uint64_t token;
    int who;

    for (int i = 0; i < n; i++)
        must(recv_number(me, chan_of(me, "waiting"), &who));
    must(gc_lock(me->g, "lock", &token, 0, GC_FOREVER) == 0);
    must(gc_unlock(me->g, "lock", token, 0, GC_FOREVER) == 0);
}

static void waker(struct part *me)
{
    gc_chan woken = chan_of(me, "woken");
    int who;

    /* "a signal that nobody waits for is not stored" */
    must(gc_cond_signal(me->g, "cond", GC_FOREVER) == 0);
    step_done(me, "begin");
    until_all_wait(me, WAITERS);
    /* "after a signal exactly 1 has woken" */
    must(gc_cond_signal(me->g, "cond", GC_FOREVER) == 1);
    must(recv_number(me, woken, &who));
    must(gc_recv(me->g, woken, &(struct gc_value){0}, 0, GC_NOW) == -EAGAIN);
    say(me, "1 has woken");
    /* "after a broadcast all 5" */
    must(gc_cond_broadcast(me->g, "cond", GC_FOREVER) == WAITERS - 1);
    for (int i = 1; i < WAITERS; i++)
        must(recv_number(me, woken, &who));
    say(me, "all have woken");
}

/* Nobody comes before the signal that is lost. */
static void late_waiter(struct part *me)
{
    step_wait(me, "begin");
    waiter(me);
}

static void signal_broadcast(void)
{
    must(said(LINES("1 has woken", "all have woken")));
}

GUIDE_PARTS(G46, signal_broadcast, .channels = {{"woken"}, {"waiting"}, {"begin"}},
            .parts = {PARTS(WAITERS, late_waiter), PART(waker)});
