/*
 * A hog is a goroutine that has used HOG_NS of CPU time without a scheduling point: CPU time, since on a busy
 * machine wall time accuses those that were not running. Its processor cannot be taken from it; so one more
 * processor is activated, which steals from its queue like any thief, at most as many as there are
 * processors, and retired when the hog comes to a scheduling point. Until then dumps tell how long it has run.
 * Not while the clock is a test's, and in seeded runs there is no watchdog.
 */
#include "watchdog.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "clock.h"
#include "deadlock.h"
#include "futex.h"
#include "netpoll.h"
#include "order.h"
#include "scheduler.h"

enum { QUIET_TICKS_MAX = 10 };

#define TICK_NS INT64_C(1000000)
#define HOG_NS  INT64_C(10000000)

static struct {
    pthread_t thread;
    _Atomic uint32_t awake; /* what it sleeps on: 0 asleep */
    _Atomic bool stop;
    _Atomic bool runs;
} dog;

void watchdog_kick(void)
{
    if (atomic_load(&dog.awake) == 0 && atomic_exchange(&dog.awake, 1) == 0)
        futex_wake(&dog.awake, 1);
}

static void hog_ends(struct proc *p)
{
    p->hogged = false;
    procs_extra_end();
}

/* One processor, one tick. True if it runs something. Its thread may be another than at the last tick, a locked
 * goroutine's: the clocks of two threads do not compare. */
static bool proc_watch(struct proc *p)
{
    uint64_t switches = atomic_load_explicit(&p->switches, memory_order_relaxed);
    clockid_t clock = atomic_load(&p->cpu_clock);
    int64_t cpu_ns = proc_cpu_ns(p, clock);
    bool moved = switches != p->seen_switches || clock != p->seen_clock || atomic_load(&p->asleep);

    if (moved) {
        p->seen_switches = switches;
        p->seen_clock = clock;
        p->seen_cpu_ns = cpu_ns;
        atomic_store_explicit(&p->hog_since_ns, 0, memory_order_relaxed);
        if (p->hogged)
            hog_ends(p);
        return !atomic_load(&p->asleep);
    }
    if (atomic_load(&p->ring.next))
        atomic_store_explicit(&p->late, LATE_MAX, memory_order_relaxed);
    if (atomic_load(&p->ring.next) || proc_has_work(p))
        proc_wake_one(); /* it does not come to what it woke: another shall */
    if (!p->hogged && !clock_is_fake() && cpu_ns - p->seen_cpu_ns > HOG_NS) {
        atomic_store(&p->slice_over, true);
        atomic_store_explicit(&p->hog_switches, switches, memory_order_relaxed);
        if (!atomic_load_explicit(&p->hog_since_ns, memory_order_relaxed))
            atomic_store_explicit(&p->hog_since_ns, clock_ns() - HOG_NS, memory_order_relaxed);
        p->hogged = procs_extra_start() == 0;
    }
    return true;
}

/* From a timer's leaving its heap until what it wakes lies in a queue nothing shows that somebody will run: counted as
 * outside, so that nobody takes that for a deadlock. */
static void wake_what_is_due(void)
{
    atomic_fetch_add(&sched.outside, 1);
    sched_run_timers();
    if (netpoll_waiting())
        netpoll_wait(0);
    atomic_fetch_sub(&sched.outside, 1);
}

static bool tick(void)
{
    int made = atomic_load(&sched.made);
    bool busy = false;

    clock_coarse_set(clock_ns());
    for (int i = 0; i < made; i++)
        busy |= proc_watch(atomic_load(&sched.proc[i]));
    if (!atomic_load(&sched.poller))
        wake_what_is_due();
    return busy;
}

static void *dog_main(void *arg)
{
    int quiet = 0;

    while (!atomic_load(&dog.stop)) {
        static _Atomic uint32_t never;

        futex_wait(&never, 0, TICK_NS);
        quiet = tick() ? 0 : quiet + 1;
        if (quiet < QUIET_TICKS_MAX)
            continue;
        atomic_store(&dog.awake, 0);
        if (!tick() && !atomic_load(&dog.stop)) {
            deadlock_check();
            futex_wait(&dog.awake, 0, -1);
        }
        atomic_store(&dog.awake, 1);
        quiet = 0;
    }
    return NULL;
}

int watchdog_threads(void)
{
    return dog.runs;
}

int watchdog_start(void)
{
    sigset_t all, old;
    int r;

    if (order_seeded())
        return 0;
    atomic_store(&dog.stop, false);
    atomic_store(&dog.awake, 1);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    r = pthread_create(&dog.thread, NULL, dog_main, NULL);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    dog.runs = r == 0;
    return -r;
}

void watchdog_stop(void)
{
    if (!dog.runs)
        return;
    dog.runs = false;
    atomic_store(&dog.stop, true);
    atomic_store(&dog.awake, 1);
    futex_wake(&dog.awake, 1);
    pthread_join(dog.thread, NULL);
}
