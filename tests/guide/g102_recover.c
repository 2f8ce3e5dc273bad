/*
 * G102 Each goroutine recovers from its own panics, and hands them on as errors.
 *
 * Pattern: recover at the top of a goroutine. Nobody else can do it: a panic does not leave its goroutine.
 */
#include <stdio.h>

#include "guide.h"

enum { TASKS = 3, TEXT_BYTES = 64 };

struct outcome {
    int task;
    char error[TEXT_BYTES]; /* "": completed */
};

struct task {
    int id;
    go_chan *outcomes;
};

static void report(void *arg)
{
    const struct task *task = arg;
    const char *panic = go_recover();
    struct outcome outcome = {.task = task->id};

    if (panic)
        snprintf(outcome.error, sizeof outcome.error, "%s", panic);
    must(go_chan_send(task->outcomes, &outcome, GO_FOREVER) == 0);
}

static void run_task(void *arg)
{
    const struct task *task = arg;

    go_defer(report, arg);
    if (task->id == 2)
        go_panic("Something went wrong!");
}

static void try_outside(void *unused)
{
    say("outside: %s", go_recover() ? "something" : "nothing");
}

static void recovering(void)
{
    go_chan *outcomes = go_chan_new(sizeof(struct outcome), TASKS);
    struct outcome outcome;

    for (int id = 1; id <= TASKS; id++)
        must(go_spawn(run_task, &((struct task){id, outcomes}), sizeof(struct task)) == 0);
    for (int i = 0; i < TASKS; i++) {
        must(go_chan_recv(outcomes, &outcome, GO_FOREVER) == 1);
        say("Task %d: %s", outcome.task, outcome.error[0] ? outcome.error : "completed");
    }
    say("Done");
    /* "tasks 1 and 3 complete, 2 reports "Something went wrong!"" */
    must(said_in_any_order(
        LINES("Task 1: completed", "Task 2: Something went wrong!", "Task 3: completed", "Done")));
    /* ""Done" is printed, exit 0" */
    must(said_last("Done"));
    try_outside(NULL);
    /* "recover outside a deferred function gives nothing" */
    must(said_last("outside: nothing"));
    until_live(1);
    go_chan_unref(outcomes);
}

GUIDE_ROW(G102, recovering);
