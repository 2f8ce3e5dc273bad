/*
 * How many processors there are, and their threads.
 *
 * Invariants: processor i runs when i < sched.procs + sched.extras, else it is retired and sleeps; threads
 * are made when first needed and end with the runtime only. `retired` and `attention` change under
 * sched.lock.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "annotate.h"
#include "clock.h"
#include "cpu_profile.h"
#include "crash.h"
#include "futex.h"
#include "living.h"
#include "order.h"
#include "scheduler.h"

#define STOP_CPU_NS                                                                                          \
    INT64_C(100000000) /* a goroutine that computes for so long after the stop will not end by itself */

static struct lock changing; /* one change at a time; below everything */
static _Atomic uint32_t threads_left;

static void *proc_main(void *arg)
{
    struct proc *p = arg;
    bool alt_stack;
    clockid_t cpu_clock;
    struct sampled sampled;

    thread_set(&p->thread);
    if (pthread_getcpuclockid(pthread_self(), &cpu_clock) == 0)
        atomic_store(&p->cpu_clock, cpu_clock);
    atomic_store(&p->tid, gettid());
    p->thread.idle->tsan_fiber = annotate_fiber_self();
    alt_stack = crash_thread_start();
    cpu_profile_join(&sampled);
    proc_loop(p);
    cpu_profile_leave(&sampled);
    if (alt_stack)
        crash_thread_end();
    thread_set(NULL);
    atomic_store(&p->thread_ended, true);
    atomic_fetch_sub(&threads_left, 1);
    futex_wake(&threads_left, 1);
    return NULL;
}

static struct proc *proc_new(int index)
{
    struct proc *p = aligned_alloc(64, (sizeof *p + 63) & ~(size_t)63);

    if (!p)
        return NULL;
    memset(p, 0, sizeof *p);
    timers_init(&p->timers);
    p->index = index;
    p->random = order_random(index);
    atomic_store(&p->attention, order_attention());
    p->thread.proc = p;
    if (g_new_idle(&p->thread))
        return p;
    free(p);
    return NULL;
}

static void proc_delete(struct proc *p)
{
    timers_free(&p->timers);
    starts_free(&p->starts);
    g_delete(p->thread.idle, NULL);
    free(p);
}

/* The program's signals go to the program's threads; those a goroutine causes come here, and profiling. */
static void signals_block(sigset_t *old)
{
    static const int ours[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS, SIGPROF};
    sigset_t set;

    sigfillset(&set);
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        sigdelset(&set, ours[i]);
    pthread_sigmask(SIG_SETMASK, &set, old);
}

int worker_thread_start(pthread_t *thread, void *(*fn)(void *), void *arg)
{
    sigset_t old;
    int r;

    signals_block(&old);
    r = pthread_create(thread, NULL, fn, arg);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return -r;
}

static int proc_start(int index)
{
    struct proc *p = proc_new(index);
    int r;

    if (!p)
        return -ENOMEM;
    atomic_store(&sched.proc[index], p);
    atomic_store(&sched.made, index + 1);
    atomic_fetch_add(&threads_left, 1);
    proc_active_add(1);
    r = worker_thread_start(&p->pthread, proc_main, p);
    if (r < 0) {
        proc_active_add(-1);
        atomic_fetch_sub(&threads_left, 1);
        living_unmake(index);
        proc_delete(p);
    }
    return r;
}

int64_t proc_cpu_ns(const struct proc *p, clockid_t clock)
{
    struct timespec t;

    if (atomic_load(&p->tid) == 0 || clock_gettime(clock, &t) < 0)
        return 0;
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Processors from..to-1 shall run, or shall not. */
static void procs_change(int from, int to, bool retired)
{
    int made = atomic_load(&sched.made);

    for (int i = from; i < to && i < made; i++) {
        struct proc *p = atomic_load(&sched.proc[i]);

        lock_take(&sched.lock, RANK_SCHED);
        p->retired = retired;
        atomic_fetch_or(&p->attention, ATTEND_CHANGE);
        lock_drop(&sched.lock);
        proc_wake(p);
    }
}

static int procs_make(int n)
{
    int r = 0;

    while (r == 0 && atomic_load(&sched.made) < n)
        r = proc_start(atomic_load(&sched.made));
    return r;
}

/* Who runs and who is retired, from the counts. */
static int procs_apply(void)
{
    int wanted = order_seeded() ? 1 : atomic_load(&sched.procs) + atomic_load(&sched.extras);
    int r = procs_make(wanted);

    procs_change(0, wanted, false);
    procs_change(wanted, PROCS_MADE_MAX, true);
    return r;
}

int procs_set(int procs)
{
    int r = 0;

    lock_take(&changing, RANK_GROUP);
    atomic_store(&sched.procs, procs);
    if (atomic_load(&sched.running))
        r = procs_apply();
    lock_drop(&changing);
    return r;
}

int procs_extra_start(void)
{
    int r = -EAGAIN;

    lock_take(&changing, RANK_GROUP);
    if (atomic_load(&sched.extras) < atomic_load(&sched.procs)) {
        atomic_fetch_add(&sched.extras, 1);
        r = procs_apply();
    }
    lock_drop(&changing);
    return r;
}

void procs_extra_end(void)
{
    lock_take(&changing, RANK_GROUP);
    atomic_fetch_sub(&sched.extras, 1);
    procs_apply();
    lock_drop(&changing);
}

/* The scheduler's letter for the thread in /proc: R runs or wants to, D is in the kernel for a moment, S sleeps. */
static char thread_state(pid_t tid)
{
    char path[64], line[256], *after_name;
    FILE *f;

    snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)tid);
    f = fopen(path, "re");
    if (!f)
        return 'R'; /* it has just ended, or cannot be seen */
    after_name = fgets(line, sizeof line, f) ? strrchr(line, ')') : NULL;
    fclose(f);
    return after_name && after_name[1] ? after_name[2] : 'R';
}

/* Whether the thread will come to a scheduling point by itself: it sleeps here, or it has had no CPU to get there. */
static bool may_come(const struct proc *p)
{
    if (atomic_load(&p->thread_ended) || atomic_load(&p->asleep))
        return true;
    return thread_state(atomic_load(&p->tid)) != 'S' &&
           proc_cpu_ns(p, p->stop_clock) - p->stop_cpu_ns < STOP_CPU_NS;
}

static void may_come_from_now(struct proc *p)
{
    p->stop_clock = atomic_load(&p->cpu_clock);
    p->stop_cpu_ns = proc_cpu_ns(p, p->stop_clock);
}

static bool all_may_come(void)
{
    for (int i = 0; i < atomic_load(&sched.made); i++)
        if (!may_come(atomic_load(&sched.proc[i])))
            return false;
    return true;
}

bool procs_stop(int64_t slice_ns)
{
    uint32_t left;

    for (int i = 0; i < atomic_load(&sched.made); i++)
        may_come_from_now(atomic_load(&sched.proc[i]));
    atomic_store(&sched.stopping, true);
    procs_change(0, PROCS_MADE_MAX, false);
    for (int64_t begin = clock_real_ns(); (left = atomic_load(&threads_left)) > 0;) {
        futex_wait(&threads_left, left, slice_ns);
        if (clock_real_ns() - begin >= slice_ns && !all_may_come())
            return false;
    }
    for (int i = 0; i < atomic_load(&sched.made); i++)
        pthread_join(atomic_load(&sched.proc[i])->pthread, NULL);
    return true;
}

void procs_free(void)
{
    int made = living_stop();

    for (int i = 0; i < made; i++) {
        proc_delete(atomic_load(&sched.proc[i]));
        atomic_store(&sched.proc[i], NULL);
    }
    atomic_store(&sched.extras, 0);
    atomic_store(&sched.idle_n, 0);
    atomic_store(&sched.spinning, 0);
    atomic_store(&sched.global_n, 0);
    sched.idle_first = NULL;
    sched.active = 0;
    sched.global_first = NULL;
    sched.global_last = &sched.global_first;
}
