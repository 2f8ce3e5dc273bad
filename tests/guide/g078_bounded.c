/*
 * G78 A thousand tasks: a goroutine for each, or ten workers for all of them.
 *
 * Pattern: bounded concurrency. Goroutines are cheap, what they hold is not: count them while they work, not when they have
 * ended.
 */
#include "goroutine_host.h"
#include "guide.h"

enum { TASKS = 1000, WORKERS = 10 };

struct run {
    struct gate gate; /* holds all until they were counted */
    go_chan *tasks;
    atomic_int done;
};

/* A job shares the runtime with others. */
static int live_here(void)
{
    int64_t n = go_group_current() ? go_group_live(go_group_current()) : go_live();

    return (int)n;
}

static void do_task(struct run *run)
{
    gate_pass(&run->gate);
    atomic_fetch_add(&run->done, 1);
}

static void one_task(void *arg)
{
    do_task(arg);
}

static void work(void *arg)
{
    struct run *run = arg;

    while (go_range(run->tasks, NULL))
        do_task(run);
}

static void unlimited(struct run *run, go_waitgroup *all)
{
    for (int i = 0; i < TASKS; i++)
        must(go_waitgroup_go(all, one_task, run, 0) == 0);
    gate_until(&run->gate, TASKS);
    say("unlimited: %d goroutines", live_here());
    gate_open(&run->gate);
}

static void bounded(struct run *run, go_waitgroup *all)
{
    for (int i = 0; i < WORKERS; i++)
        must(go_waitgroup_go(all, work, run, 0) == 0);
    for (int i = 0; i < WORKERS; i++)
        must(go_chan_send(run->tasks, NULL, GO_FOREVER) == 0);
    gate_until(&run->gate, WORKERS);
    say("bounded: %d goroutines", live_here());
    gate_open(&run->gate);
    for (int i = WORKERS; i < TASKS; i++)
        must(go_chan_send(run->tasks, NULL, GO_FOREVER) == 0);
    must(go_chan_close(run->tasks) == 0);
}

static void measure(void (*fn)(struct run *run, go_waitgroup *all))
{
    struct run run = {.tasks = go_chan_new(0, 0)};
    go_waitgroup all = {0};

    fn(&run, &all);
    go_waitgroup_wait(&all);
    until_live(1);
    say("%d done, %d goroutine", atomic_load(&run.done), live_here());
    go_chan_unref(run.tasks);
}

static void bounded_and_unlimited(void)
{
    measure(unlimited);
    measure(bounded);
    /* "at the peak 1001 goroutines and 11, while all are held" */
    /* "all 1000 tasks are done each time, and 1 goroutine is left" */
    must(said(LINES("unlimited: 1001 goroutines", "1000 done, 1 goroutine", "bounded: 11 goroutines",
                    "1000 done, 1 goroutine")));
}

GUIDE_ROW(G78, bounded_and_unlimited);
