/*
 * Who can never run again. If nobody but the caller can run, all who are parked: no goroutine is ready, no timer pending,
 * no descriptor waited for, nothing under way outside, and no thread there that could call in. In a group, if all members
 * wait for what only members can end.
 */
#include <sched.h>

#include "annotate.h"
#include "deadlock.h"
#include "group.h"
#include "leaks.h"
#include "scheduler.h"

enum { LOOKS = 1000 };

/* Whoever switches meanwhile may have made another one ready that was already looked at. */
static uint64_t switches(void)
{
    int made = atomic_load(&sched.made);
    uint64_t n = 0;

    for (int i = 0; i < made; i++)
        n += atomic_load(&atomic_load(&sched.proc[i])->switches);
    return n;
}

ANNOTATE_UNCHECKED static int can_run(struct g *g, void *arg)
{
    return !g->thread && g != arg && atomic_load(&g->token) != TOKEN_PARKED;
}

static bool nobody_can_run(void)
{
    uint64_t before = switches();

    return atomic_load(&sched.alone) && go_id() && nothing_pending() && !g_each(can_run, g_self()) &&
           !foreign_thread() && nothing_pending() && switches() == before;
}

bool leaks_proven(const go_group *group)
{
    if (group)
        return group_is_asleep(group);
    /* A processor that has just parked somebody switches once more before it sleeps. */
    for (int i = 0; i < LOOKS; i++) {
        if (nobody_can_run())
            return true;
        go_yield();
        sched_yield();
    }
    return false;
}
