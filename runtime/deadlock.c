/*
 * The proof: every processor is in the idle list or retired (so none runs, and none looks), the global queue
 * is empty, no timer is pending, nobody waits for a descriptor, and no wait is one that somebody outside can
 * end. Threads of the program that wait here are woken by goroutines only, except the one in go_main; other
 * threads could still call in, and are counted as outside as long as they live.
 */
#include "deadlock.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "annotate.h"
#include "netpoll.h"
#include "scheduler.h"
#include "start.h"

static bool all_asleep(void)
{
    bool asleep;

    lock_take(&sched.lock, RANK_SCHED);
    asleep = sched.active == 0 && !sched.global_first && sched_next_timer() == TIMER_NEVER &&
             netpoll_waiting() == 0 && atomic_load(&sched.outside) == 0;
    lock_drop(&sched.lock);
    return asleep;
}

/* A face other than that of the thread in go_main: somebody who may call in. */
ANNOTATE_UNCHECKED static int foreign_thread(struct g *g, void *arg)
{
    return g->face && g != start_main_face();
}

void deadlock_check(void)
{
    if (!atomic_load(&sched.alone) || atomic_load(&sched.stopping) || !all_asleep())
        return;
    if (g_each(foreign_thread, NULL) || start_main_done() || !all_asleep())
        return;
    if (go_live() == 0)
        fputs("fatal error: no goroutines (main called go_exit) - deadlock!\n", stderr);
    else
        fputs("fatal error: all goroutines are asleep - deadlock!\n", stderr);
    fflush(stderr);
    go_dump(STDERR_FILENO);
    _exit(2);
}
