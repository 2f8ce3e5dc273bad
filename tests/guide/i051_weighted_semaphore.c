/*
 * G51 between processes: a semaphore of six units; requests are served in the order in which they came.
 *
 * Pattern: weighted semaphore.
 */
#include <signal.h>

#include "parts.h"

enum { SIZE = 6, HOUR_MS = 3600 * 1000 };

static int acquire(struct part *me, uint64_t units, gc_until until)
{
    int r = gc_sem_acquire(me->g, "memory", SIZE, units, until);

    if (r == 0)
        say(me, "take %d", (int)units);
    return r;
}

static void release(struct part *me, uint64_t units)
{
    say(me, "give %d", (int)units);
    must(gc_sem_release(me->g, "memory", units, GC_FOREVER) == 0);
}

/* Until somebody waits: then one unit is refused, though it is there. */
static void until_somebody_waits(struct part *me)
{
    while (gc_sem_acquire(me->g, "memory", SIZE, 1, GC_NOW) == 0)
        must(gc_sem_release(me->g, "memory", 1, GC_FOREVER) == 0);
}

/* Holds four while the others come, and dies with three. */
static void victim(struct part *me)
{
    must(acquire(me, 4, GC_FOREVER) == 0);
    step_done(me, "four_held");
    step_wait(me, "small_served");
    release(me, 1);
    say(me, "give 3"); /* by dying */
    raise(SIGKILL);
}

/* Asks for five, and gives up after an hour of the daemon's clock. */
static void large(struct part *me)
{
    step_wait(me, "four_held");
    must(acquire(me, 5, gc_after_ms(HOUR_MS)) == -ETIMEDOUT);
    say(me, "large gave up");
}

/* "a large request at the head is not overtaken by a small one that would fit" */
static void small(struct part *me)
{
    step_wait(me, "large_waits");
    must(acquire(me, 1, GC_FOREVER) == 0);
    say(me, "small served");
    release(me, 1);
    step_done(me, "small_served");
}

static void clock_hand(struct part *me)
{
    step_wait(me, "four_held");
    until_somebody_waits(me);
    /* "a request that only tries is refused while another waits, though there is enough for it" */
    must(gc_sem_acquire(me->g, "memory", SIZE, 2, GC_NOW) == -EAGAIN);
    until_waiting(me, chan_of(me, "large_waits"), 0, 1);
    until_waiting(me, chan_of(me, "small_served"), 0, 1);
    step_done_until_parked(me, "large_waits");
    /* "one that is cancelled takes nothing and lets the next go" */
    advance_ms(me, HOUR_MS);
    /* "the units of a client that died return" */
    must(acquire(me, SIZE, GC_FOREVER) == 0);
    release(me, SIZE);
}

static void weighted_semaphore(void)
{
    int held = 0, units;

    for (size_t i = 0; i < part_lines.n; i++) {
        if (sscanf(part_lines.line[i], "take %d", &units) == 1)
            held += units;
        if (sscanf(part_lines.line[i], "give %d", &units) == 1)
            held -= units;
        /* "the units held are never more than 6" */
        must(held <= SIZE);
    }
    must(held == 0 && said_times("small served") == 1 && said_times("large gave up") == 1);
}

GUIDE_PARTS(G51, weighted_semaphore, .test_clock = true,
            .channels = {{"four_held"}, {"large_waits"}, {"small_served"}},
            .parts = {PART_WITH(victim, .dies = true), PART(large), PART(small), PART(clock_hand)});
