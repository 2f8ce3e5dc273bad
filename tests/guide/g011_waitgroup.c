/*
 * G11 A wait group: main goes on when all workers have finished, in whatever order they do.
 *
 * Pattern: wait group. Add before the spawn, done in a deferred function.
 */
#include <stdio.h>

#include "guide.h"

struct worker {
    int id;
    go_waitgroup *all;
    struct gate *gate;
};

static void done(void *arg)
{
    go_waitgroup_done(((struct worker *)arg)->all);
}

static void work(void *arg)
{
    struct worker *me = arg;

    go_defer(done, me);
    say("Worker %d starting", me->id);
    if (me->gate)
        gate_pass(me->gate);
    say("Worker %d done", me->id);
}

static void all_lines(int workers, bool add_at_once)
{
    go_waitgroup all = {0};

    say_nothing_yet();
    if (add_at_once)
        go_waitgroup_add(&all, workers);
    for (int id = 1; id <= workers; id++) {
        if (!add_at_once)
            go_waitgroup_add(&all, 1);
        must(go_spawn(work, &((struct worker){id, &all, NULL}), sizeof(struct worker)) == 0);
    }
    go_waitgroup_wait(&all);
    say("All workers completed");
    for (int id = 1; id <= workers; id++) {
        char start[32], end[32];

        snprintf(start, sizeof start, "Worker %d starting", id);
        snprintf(end, sizeof end, "Worker %d done", id);
        /* "the set of start and end lines of all ids, in any order" */
        must(said_times("%s", start) == 1 && said_times("%s", end) == 1 && said_before(start, end));
    }
    /* ""All workers completed" strictly last" */
    must((int)said_lines() == 2 * workers + 1 && said_last("All workers completed"));
    until_live(1);
}

static void count_down(void)
{
    go_waitgroup all = {0};
    struct gate gates[3] = {0};

    /* "wait at 0 returns at once" */
    go_waitgroup_wait(&all);
    go_waitgroup_add(&all, 3);
    for (int i = 0; i < 3; i++)
        must(go_spawn(work, &((struct worker){i, &all, &gates[i]}), sizeof(struct worker)) == 0);
    for (int i = 0; i < 3; i++) {
        /* "the counter reads 3, 2, 1, 0" */
        must(go_waitgroup_count(&all) == 3 - i);
        gate_open(&gates[i]);
        until_live(3 - i);
    }
    must(go_waitgroup_count(&all) == 0);
}

static void wait_too(void *all)
{
    go_waitgroup_wait(all);
}

static void several_waiters(void)
{
    go_waitgroup all = {0};

    for (int round = 0; round < 2; round++) {
        go_waitgroup_add(&all, 1);
        for (int i = 0; i < 5; i++)
            must(go_spawn(wait_too, &all, 0) == 0);
        until_parked(5, "wait group");
        go_waitgroup_done(&all);
        /* "several waiters all return", "the group serves a second round" */
        until_live(1);
    }
}

static void waitgroup(void)
{
    all_lines(5, false);
    all_lines(3, true);
    count_down();
    several_waiters();
}

GUIDE_ROW(G11, waitgroup);
