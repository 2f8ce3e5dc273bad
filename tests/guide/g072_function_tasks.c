/*
 * G72 A pool that runs any function: a task is an id, a function and its argument.
 *
 * Pattern: worker pool, tasks as functions. C has no closures; the argument stands in for what a closure would hold.
 */
#include "guide.h"

enum { WORKERS = 3, TASKS = 10, FAILING = 7 };

struct task {
    int id;
    int (*fn)(int arg); /* 0, or a negative errno value */
    int arg;
};

struct worker {
    int id;
    go_chan *tasks;
    go_waitgroup *open; /* tasks that are not done */
};

static int check_even(int number)
{
    return number % 2 == 0 ? 0 : -EINVAL;
}

static int check_small(int number)
{
    return number < 100 ? 0 : -ERANGE;
}

static void work(void *arg)
{
    const struct worker *me = arg;
    struct task task;

    while (go_range(me->tasks, &task)) {
        int error = task.fn(task.arg);

        if (error < 0)
            say("Task %d failed in worker %d: %s", task.id, me->id, strerror(-error));
        else
            say("Task %d done", task.id);
        go_waitgroup_done(me->open);
    }
    say("Worker %d exiting", me->id);
}

static void function_tasks(void)
{
    go_chan *tasks = go_chan_new(sizeof(struct task), 0);
    go_waitgroup workers = {0}, open = {0};
    size_t failed = 0;

    for (int id = 1; id <= WORKERS; id++)
        must(go_waitgroup_go(&workers, work, &((struct worker){id, tasks, &open}), sizeof(struct worker)) ==
             0);
    for (int id = 1; id <= TASKS; id++) {
        struct task task = {id, id % 2 ? check_small : check_even, id == FAILING ? 1000 : id};

        go_waitgroup_add(&open, 1);
        must(go_chan_send(tasks, &task, GO_FOREVER) == 0);
    }
    go_waitgroup_wait(&open);
    must(go_chan_close(tasks) == 0);
    go_waitgroup_wait(&workers);

    /* "the ids 1 to 10, each once" */
    for (int id = 1; id <= TASKS; id++)
        must(said_times("Task %d done", id) == (id != FAILING));
    /* "the error of a task is told with the worker that met it" */
    for (int id = 1; id <= WORKERS; id++)
        failed += said_times("Task %d failed in worker %d: Numerical result out of range", FAILING, id);
    must(failed == 1);
    /* "3 lines "exiting", after the last task" */
    must(said_lines() == TASKS + WORKERS && said_before("Task", "Worker"));
    for (int id = 1; id <= WORKERS; id++)
        must(said_times("Worker %d exiting", id) == 1);
    go_chan_unref(tasks);
}

GUIDE_ROW(G72, function_tasks);
