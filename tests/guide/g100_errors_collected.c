/*
 * G100 The error of a goroutine goes nowhere by itself: somebody must carry it, and somebody must look at it.
 *
 * Pattern: aggregation of errors. The first error, for who only wants to know whether all went well; or all of them.
 */
#include <stdio.h>

#include "goroutine_sync.h"
#include "guide.h"

enum { TASKS = 3, TEXT_BYTES = 64 };

/* The order in which the tasks fail: each waits for the one before. */
struct order {
    struct gate may_fail[TASKS + 1];
};

struct task {
    int id;
    struct order *order;
};

static const int errors[TASKS + 1] = {0, -ENOENT, -EACCES, -ETIMEDOUT};

static int fail(void *arg)
{
    const struct task *task = arg;

    gate_pass(&task->order->may_fail[task->id]);
    return errors[task->id];
}

static void fail_for_nobody(void *task)
{
    (void)fail(task); /* a goroutine returns nothing: its error ends here */
}

static void nobody_is_told(void)
{
    struct order order = {0};

    gate_open(&order.may_fail[1]);
    must(go_spawn(fail_for_nobody, &((struct task){1, &order}), sizeof(struct task)) == 0);
    until_live(1);
    say("nobody was told");
}

static void first_error(void)
{
    go_errgroup group = {0};
    struct order order = {0};

    for (int id = 1; id <= TASKS; id++)
        must(go_errgroup_go(&group, fail, &((struct task){id, &order}), sizeof(struct task), GO_FOREVER) ==
             0);
    for (int id = TASKS; id >= 1; id--) {
        gate_open(&order.may_fail[id]);
        until_live(id); /* the members below, and we */
    }
    say("first: %s", strerror(-go_errgroup_wait(&group)));
}

struct report {
    int id, error;
};

struct reporter {
    struct task task;
    go_chan *reports;
};

static void fail_and_report(void *arg)
{
    struct reporter *me = arg;
    struct report report = {me->task.id, fail(&me->task)};

    must(go_chan_send(me->reports, &report, GO_FOREVER) == 0);
}

static void all_errors(void)
{
    go_chan *reports = go_chan_new(sizeof(struct report), TASKS);
    struct order order = {0};
    struct report report;

    for (int id = 1; id <= TASKS; id++) {
        gate_open(&order.may_fail[id]);
        must(go_spawn(fail_and_report, &((struct reporter){{id, &order}, reports}),
                      sizeof(struct reporter)) == 0);
    }
    for (int i = 0; i < TASKS; i++) {
        must(go_chan_recv(reports, &report, GO_FOREVER) == 1);
        say("task %d: %s", report.id, strerror(-report.error));
    }
    until_live(1);
    go_chan_unref(reports);
}

static void errors_collected(void)
{
    nobody_is_told();
    first_error();
    /* "the first of 3 errors is the one that came first, that of task 3" */
    must(said(LINES("nobody was told", "first: Connection timed out")));
    /* "who ignores the result of a group gets a warning of the compiler": directions.py tries it. */
    say_nothing_yet();
    all_errors();
    /* "all of them: 3 are listed" */
    must(said_in_any_order(LINES("task 1: No such file or directory", "task 2: Permission denied",
                                 "task 3: Connection timed out")));
}

GUIDE_ROW(G100, errors_collected);
