/*
 * The proof: every processor is in the idle list or retired (so none runs, and none looks), the global queue
 * is empty, no timer is pending, nobody waits for a descriptor, and no wait is one that somebody outside can
 * end. Threads of the program that wait here are woken by goroutines only, except the one in go_main. Any
 * other thread may call in, whether it has done so before or not, as long as it lives: all threads of the
 * process are counted.
 */
#include "deadlock.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "annotate.h"
#include "blocking.h"
#include "goroutine_inspect.h"
#include "netpoll.h"
#include "pin.h"
#include "scheduler.h"
#include "start.h"
#include "watchdog.h"

enum { EXIT_DEADLOCK = 2 };

/* Of an emulator, there before the program began, and of the thread sanitizer, there later. They never call
 * in. */
static int threads_of_others;

/* 0 where the kernel does not say. */
static int threads_count(void)
{
    DIR *tasks = opendir("/proc/self/task");
    int n = -2; /* the folder and its parent */

    if (!tasks)
        return 0;
    while (readdir(tasks))
        n++;
    closedir(tasks);
    return n;
}

#ifdef ANNOTATE_TSAN
static void *nothing(void *arg)
{
    return arg;
}

/* The sanitizer starts a thread of its own with the program's first; one that forks before has two in the child. */
static int threads_of_sanitizer(void)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, nothing, NULL) == 0)
        pthread_join(thread, NULL);
    return 1;
}
#else
static int threads_of_sanitizer(void)
{
    return 0;
}
#endif

static void __attribute__((constructor)) threads_note(void)
{
    int n = threads_count();

    threads_of_others = n > 1 ? n - 1 : threads_of_sanitizer();
}

/* In this order: a timer that is taken out fires before `firing` falls, and whom it wakes is ready before that. */
bool nothing_pending(void)
{
    return sched_next_timer() == TIMER_NEVER && atomic_load(&sched.firing) == 0 && netpoll_waiting() == 0 &&
           atomic_load(&sched.outside) == 0;
}

/* The processors first: who is asleep will not begin to wait for anything any more. */
static bool all_asleep(void)
{
    bool asleep;

    lock_take(&sched.lock, RANK_SCHED);
    asleep = sched.active == 0 && !sched.global_first && nothing_pending();
    lock_drop(&sched.lock);
    return asleep;
}

/* A face other than that of the thread in go_main: somebody who has called in. */
ANNOTATE_UNCHECKED static int has_face(struct g *g, void *arg)
{
    return g->face && g != start_main_face();
}

bool foreign_thread(void)
{
    int own = 1 + atomic_load(&sched.made) + blocking_threads() + pin_threads() +
              watchdog_threads(); /* 1: in go_main */

    return g_each(has_face, NULL) || threads_count() > own + threads_of_others;
}

/* Whoever is asleep can be read in peace. */
static void report(void)
{
    if (go_live() == 0)
        fputs("fatal error: no goroutines (main called go_exit) - deadlock!\n", stderr);
    else
        fputs("fatal error: all goroutines are asleep - deadlock!\n\n", stderr);
    fflush(stderr);
    go_lock_cycles(NULL, STDERR_FILENO);
    go_dump(STDERR_FILENO);
}

void deadlock_check(void)
{
    static atomic_bool told;

    if (!atomic_load(&sched.alone) || atomic_load(&sched.stopping) || !all_asleep())
        return;
    if (foreign_thread() || start_main_done() || !all_asleep() || atomic_exchange(&told, true))
        return;
    report();
    _exit(EXIT_DEADLOCK);
}
