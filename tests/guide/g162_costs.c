/*
 * G162 What it costs to start a goroutine and to switch to another, beside a thread of the system in the same run. Costs
 * are CPU time: that of the clock also measures who else uses the machine.
 *
 * Pattern: goroutines are cheap enough for one per task.
 */
#include <pthread.h>
#include <time.h>

#include "builds.h"
#include "guide.h"

enum { GOROUTINES = 100000, BATCH = 1000, THREADS = 2000, SWITCHES = 1000000 };

static int64_t cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void count_one(void *counter)
{
    atomic_fetch_add_explicit((atomic_int *)counter, 1, memory_order_relaxed);
}

static void *count_one_thread(void *counter)
{
    count_one(counter);
    return NULL;
}

/* Each of these returns nanoseconds an operation. */

static int64_t spawn_and_join(atomic_int *ran)
{
    int64_t start = cpu_ns();
    go_waitgroup all = {0};

    for (int i = 1; i <= GOROUTINES; i++) {
        must(go_waitgroup_go(&all, count_one, ran, 0) == 0);
        if (i % BATCH == 0)
            go_waitgroup_wait(&all);
    }
    return (cpu_ns() - start) / GOROUTINES;
}

static int64_t create_and_join(atomic_int *ran)
{
    int64_t start = cpu_ns();
    pthread_t thread;

    for (int i = 0; i < THREADS; i++) {
        must(pthread_create(&thread, NULL, count_one_thread, ran) == 0);
        must(pthread_join(thread, NULL) == 0);
    }
    return (cpu_ns() - start) / THREADS;
}

static void give_way(void *switched)
{
    for (int i = 0; i < SWITCHES / 2; i++) {
        count_one(switched);
        go_yield();
    }
}

static int64_t switch_to_and_fro(atomic_int *switched)
{
    int64_t start = cpu_ns();
    go_waitgroup both = {0};

    must(go_waitgroup_go(&both, give_way, switched, 0) == 0);
    must(go_waitgroup_go(&both, give_way, switched, 0) == 0);
    go_waitgroup_wait(&both);
    return (cpu_ns() - start) / SWITCHES;
}

static void costs(void)
{
    atomic_int ran = 0, switched = 0, threads_ran = 0;
    int64_t spawn, thread, change;

    spawn = spawn_and_join(&ran);
    thread = create_and_join(&threads_ran);
    change = switch_to_and_fro(&switched);
    /* "all 100,000 goroutines ran" */
    must(atomic_load(&ran) == 100000 && atomic_load(&threads_ran) == THREADS);
    /* "1,000,000 turns of two that yield were taken" */
    must(atomic_load(&switched) == 1000000);
    /* "the costs of a goroutine, a thread and a switch are printed" */
    say("goroutine %lld ns, thread %lld ns, switch %lld ns", (long long)spawn, (long long)thread,
        (long long)change);
    /* "starting and joining a goroutine is at least 5 times cheaper than a thread" */
    must(SANITIZED || 5 * spawn <= thread);
}

GUIDE_ROW(G162, costs, .no_race = "the costs would be those of the sanitizer");
