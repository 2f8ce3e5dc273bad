/*
 * G110 The four ways in which goroutines are usually forgotten, and a helper for tests that finds them: who
 * lives after the test and did not before is left over, and its stack is printed.
 *
 * A goroutine that waits while others run is only suspected: it may just wait for long. When nobody is left who runs, and
 * nothing is due, it is proven.
 *
 * Pattern: leak detection.
 */
#include <stdio.h>

#include "goroutine_host.h"
#include "guide.h"

enum { STACK_BYTES = 8192 };

#define MS INT64_C(1000000)

struct forgotten {
    go_chan *results, *requests;
    go_waitgroup told;
    atomic_bool looping, stop_loop;
};

static void blocked_on_channel(void *arg)
{
    struct forgotten *all = arg;

    go_chan_send(all->results, &(int){1}, GO_FOREVER);
}

static void never_looks_at_its_context(void *arg)
{
    struct forgotten *all = arg;

    while (go_range(all->requests, NULL))
        ;
}

static void never_told_to_stop(void *arg)
{
    struct forgotten *all = arg;

    go_waitgroup_wait(&all->told);
}

static void endless_loop(void *arg)
{
    struct forgotten *all = arg;

    atomic_store(&all->looping, true);
    while (!atomic_load_explicit(&all->stop_loop, memory_order_relaxed))
        ;
}

/* The test that is checked: it starts them and forgets them. */
static void forgetful_test(struct forgotten *all)
{
    all->results = go_chan_new(sizeof(int), 0);
    all->requests = go_chan_new(0, 0);
    go_waitgroup_add(&all->told, 1);
    must(go_spawn(blocked_on_channel, all, 0) == 0);
    must(go_spawn(never_looks_at_its_context, all, 0) == 0);
    must(go_spawn(never_told_to_stop, all, 0) == 0);
    until_waiting(3);
}

static void loop_too(struct forgotten *all)
{
    must(go_spawn(endless_loop, all, 0) == 0);
    while (!atomic_load(&all->looping))
        go_yield();
}

/* ---- the helper ---- */

struct leaks {
    int64_t older_ns; /* who has waited less is not reported */
    int blocked, running;
    char stacks[4 * STACK_BYTES];
};

static int find_leak(const struct go_info *info, void *arg)
{
    struct leaks *leaks = arg;
    char paragraph[STACK_BYTES];
    size_t used = strlen(leaks->stacks);

    if (info->id == go_id() || (info->state == GO_STATE_PARKED && info->age_ns < leaks->older_ns))
        return 0;
    leaks->blocked += info->state == GO_STATE_PARKED;
    leaks->running += info->state == GO_STATE_RUNNING;
    go_info_format(info, paragraph, sizeof paragraph);
    snprintf(leaks->stacks + used, sizeof leaks->stacks - used, "%s\n", paragraph);
    return 0;
}

/* After a test that began with its caller alone: how many others are left. */
static int leaks_find(struct leaks *leaks, int64_t older_ns)
{
    *leaks = (struct leaks){.older_ns = older_ns};
    go_each(go_group_current(), find_leak, leaks);
    return leaks->blocked + leaks->running;
}

static bool shown(const struct leaks *leaks, const char *text)
{
    return strstr(leaks->stacks, text) != NULL;
}

static void tidy_up(struct forgotten *all)
{
    atomic_store(&all->stop_loop, true);
    must(go_chan_recv(all->results, NULL, GO_FOREVER) == 1);
    go_chan_close(all->requests);
    go_waitgroup_done(&all->told);
    until_live(1);
}

static void leak_detection(void)
{
    struct forgotten all = {0};
    struct leaks *leaks = malloc(sizeof *leaks);

    forgetful_test(&all);
    loop_too(&all);
    /* "the helper finds 4 more goroutines than there were, and prints their stacks" */
    must(leaks_find(leaks, 0) == 4);
    /* "the report lists the 3 that are blocked, each with its reason, its age and where it was started" */
    must(leaks->blocked == 3 && shown(leaks, "chan send") && shown(leaks, "chan receive") &&
         shown(leaks, "wait group"));
    must(shown(leaks, "blocked_on_channel") && shown(leaks, "never_looks_at_its_context") &&
         shown(leaks, "never_told_to_stop") && shown(leaks, "g110_leak_detection.c:"));
    /* "and the loop as running" */
    must(leaks->running == 1 && shown(leaks, "endless_loop"));
    /* "in a running program they are suspected, once they have waited longer than a given time" */
    must(leaks_find(leaks, GO_NS_FOREVER) == 1); /* the loop */
    while (leaks_find(leaks, 1 * MS) < 4)
        go_yield();
    tidy_up(&all);
    must(leaks_find(leaks, 0) == 0);
    free(leaks);
    go_chan_unref(all.results);
    go_chan_unref(all.requests);
}

/* Nothing else runs, and nothing is due: so what is left then is left for good. */
static void left_behind(void)
{
    static struct forgotten all; /* they still use it when this function is left */
    struct leaks *leaks = malloc(sizeof *leaks);

    forgetful_test(&all);
    if (leaks_find(leaks, 0) > 0)
        go_panic("%d goroutines are left behind:\n%s", leaks->blocked, leaks->stacks);
}

GUIDE_ROW(G110, leak_detection);
/* "when the test has ended they are proven: the helper fails it" */
GUIDE_PART(G110, left_behind, .ends = ENDS_IN_PANIC,
           .says = {"3 goroutines are left behind:", "parked: chan send", "blocked_on_channel"},
           .drops_goroutines = true);
