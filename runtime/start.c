/*
 * Starting, the main goroutine, stopping.
 *
 * Invariants: sched.running is true exactly while processors may run; start and stop exclude each other by
 * `changing`, and only one go_main is under way.
 */
#include "start.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "blocking.h"
#include "crash.h"
#include "fatal.h"
#include "futex.h"
#include "leaks.h"
#include "living.h"
#include "netpoll.h"
#include "order.h"
#include "pin.h"
#include "scheduler.h"
#include "switch.h"
#include "watchdog.h"

#define STOP_SLICE_NS INT64_C(100000000)

static pthread_mutex_t changing = PTHREAD_MUTEX_INITIALIZER;

static bool left_behind; /* changing: threads of an earlier start still run */

static struct {
    int (*fn)(void *);
    void *arg;
    int result;
    struct g *face;
    _Atomic bool returned;
    _Atomic uint32_t done;
} main_call;

static int cpus(void)
{
    cpu_set_t set;

    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

int go_set_procs(int n)
{
    int old = atomic_load(&sched.procs);

    if (old == 0) {
        old = cpus() < PROCS_MAX ? cpus() : PROCS_MAX;
        atomic_store(&sched.procs, old);
    }
    if (n >= 1 && n != old)
        procs_set(n < PROCS_MAX ? n : PROCS_MAX);
    return old;
}

int64_t go_set_goroutines_max(int64_t n)
{
    return living_limit(n, stack_count_max());
}

bool go_running(void)
{
    return atomic_load(&sched.running);
}

/* ---- start and stop ---- */

static int runtime_start(int procs)
{
    int r;

    if (atomic_load(&sched.running) || left_behind)
        return -EBUSY;
    if (switch_refused())
        fatal("%s are on: goroutines change stacks, which they forbid; start with "
              "GLIBC_TUNABLES=glibc.cpu.x86_shstk=off",
              "user shadow stacks");
    order_start();
    go_set_procs(procs);
    go_set_goroutines_max(0);
    clock_coarse_set(clock_ns());
    atomic_store(&sched.poll_until_ns, INT64_MIN);
    atomic_store(&sched.stopping, false);
    atomic_store(&sched.alone, false);
    r = netpoll_open();
    if (r < 0)
        return r;
    crash_start();
    atomic_store(&sched.running, true);
    r = procs_set(atomic_load(&sched.procs));
    if (r == 0)
        r = watchdog_start();
    return r;
}

static int runtime_stop(void)
{
    if (!atomic_load(&sched.running))
        return left_behind ? -EBUSY : 0;
    atomic_store(&sched.running, false);
    watchdog_stop();
    if (!procs_stop(STOP_SLICE_NS) || !blocking_stop()) {
        left_behind = true;
        return -EBUSY;
    }
    pins_stop();
    procs_free();
    g_release_all(); /* those that never ended have begun */
    stack_release_all();
    netpoll_close();
    crash_stop();
    return 0;
}

static int start_locked(int procs)
{
    int r;

    pthread_mutex_lock(&changing);
    r = runtime_start(procs);
    if (r < 0 && r != -EBUSY)
        runtime_stop();
    pthread_mutex_unlock(&changing);
    return r;
}

int go_start(int procs)
{
    return start_locked(procs);
}

int go_stop(void)
{
    int r;

    pthread_mutex_lock(&changing);
    r = runtime_stop();
    pthread_mutex_unlock(&changing);
    return r;
}

/* ---- main ---- */

bool start_main_done(void)
{
    return atomic_load(&main_call.returned);
}

struct g *start_main_face(void)
{
    return main_call.face;
}

static void main_run(void *arg)
{
    atomic_store(&sched.alone, true); /* not before it runs: nothing runs before it */
    main_call.result = main_call.fn(main_call.arg);
    leaks_at_exit();
    atomic_store(&main_call.returned, true);
    atomic_store(&main_call.done, 1);
    futex_wake(&main_call.done, 1);
}

int go_main(int (*fn)(void *arg), void *arg)
{
    struct go_spawn_options options = {.name = "main", .stack_bytes = 1 << 20};
    int r = start_locked(0);

    if (r < 0)
        return r;
    main_call.fn = fn;
    main_call.arg = arg;
    main_call.face = thread_self() ? thread_self()->idle : NULL;
    atomic_store(&main_call.returned, false);
    atomic_store(&main_call.done, 0);
    r = go_spawn_with(main_run, NULL, 0, &options);
    if (r < 0) {
        go_stop();
        return r;
    }
    while (atomic_load(&main_call.done) == 0)
        futex_wait(&main_call.done, 0, -1);
    go_stop();
    return main_call.result;
}
