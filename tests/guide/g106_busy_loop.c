/*
 * G106 Two goroutines that never wait: one asks a channel again and again, one computes and calls nothing at all. Even with
 * one processor the others go on.
 *
 * Pattern: what to do about it is a channel to wait on (G109), or in a computation go_checkpoint.
 */
#include "goroutine_host.h"
#include "guide.h"

enum { STEPS = 1000 };

struct loops {
    go_chan *stop;
    atomic_bool stopped, computing;
};

/* Wrong: a select with a default branch, and nothing to do in it. */
static void spin_on_default(void *arg)
{
    struct loops *loops = arg;
    struct go_case stop = GO_RECV(loops->stop, NULL);

    while (go_select(&stop, 1, GO_NOW) == -EAGAIN)
        ;
}

/* Wrong: it comes to no point at which its processor could be taken from it. */
static void compute_for_ever(void *arg)
{
    struct loops *loops = arg;

    atomic_store(&loops->computing, true);
    while (!atomic_load_explicit(&loops->stopped, memory_order_relaxed))
        ;
}

static void count_steps(void *steps)
{
    int n = 0;

    while (go_range(steps, NULL))
        n++;
    say("%d steps", n);
}

static void work_on(void)
{
    go_chan *steps = go_chan_new(0, 0);
    go_waitgroup counter = {0};

    must(go_waitgroup_go(&counter, count_steps, steps, 0) == 0);
    for (int i = 0; i < STEPS; i++)
        must(go_chan_send(steps, NULL, GO_FOREVER) == 0);
    go_chan_close(steps);
    go_waitgroup_wait(&counter);
    go_chan_unref(steps);
}

static int find_hog(const struct go_info *info, void *found)
{
    *(bool *)found |= info->state == GO_STATE_RUNNING && strcmp(info->name, "compute_for_ever") == 0;
    return 0;
}

static void busy_loop(void)
{
    struct loops loops = {.stop = go_chan_new(0, 0)};
    bool found = false;

    must(go_spawn(spin_on_default, &loops, 0) == 0);
    must(go_spawn(compute_for_ever, &loops, 0) == 0);
    while (!atomic_load(&loops.computing))
        go_yield();
    work_on();
    /* "with one processor, too, the others go on: 1000 steps are done while both loop" */
    must(said(LINES("1000 steps")));
    go_each(go_group_current(), find_hog, &found);
    /* "the dump names the loop, as running" */
    must(found);
    /* "a loop that looks at something can be ended by it" */
    go_chan_close(loops.stop);
    atomic_store(&loops.stopped, true);
    until_live(1);
    go_chan_unref(loops.stop);
}

GUIDE_ROW(G106, busy_loop);
