/*
 * G101 One of three tasks panics, and nobody recovers: that is not the end of its goroutine alone, but of the program; of a
 * job it is the end of the job, with all its goroutines.
 *
 * Pattern: a panic is a bug. What nobody has foreseen must not go on as if nothing had happened.
 */
#include "guide.h"

enum { TASKS = 3 };

struct task {
    int id;
    bool panics, stays; /* stays: it is still at work when another one panics */
    go_chan *never;     /* these two are the first goroutine's, which goes last when a job ends */
    go_waitgroup *all;
};

__attribute__((noinline)) static void risky(const struct task *task)
{
    if (task->panics)
        go_panic("Something went wrong in task %d!", task->id);
    if (task->stays && go_chan_recv(task->never, NULL, GO_FOREVER) < 0)
        go_exit(); /* the job ends, and all its goroutines with it */
    say("Task %d completed", task->id);
}

static void run_task(void *arg)
{
    const struct task *task = arg;

    risky(task);
    go_waitgroup_done(task->all);
}

static void release(void *never)
{
    go_chan_unref(never);
}

static void run_tasks(int panics)
{
    go_chan *never = go_chan_new(0, 0);
    go_waitgroup all = {0};

    go_defer(release, never);
    go_waitgroup_add(&all, TASKS);
    for (int id = 1; id <= TASKS; id++) {
        struct task task = {id, id == panics, panics != 0, never, &all};

        if (go_spawn(run_task, &task, sizeof task) < 0)
            go_exit(); /* the job has ended already */
    }
    go_waitgroup_wait(&all);
    say("Done");
}

static void task_2_panics(void)
{
    run_tasks(2);
}

static void no_task_panics(void)
{
    run_tasks(0);
    /* "without the panic: 3 lines "completed", then "Done"" */
    must(said_in_any_order(LINES("Task 1 completed", "Task 2 completed", "Task 3 completed", "Done")));
    must(said_last("Done"));
}

GUIDE_ROW(G101, no_task_panics);
/* "with it the program, or the job, has failed with value and stack" */
/* ""Done" is not printed, nor anything of the other tasks" */
GUIDE_PART(G101, task_2_panics, .ends = ENDS_IN_PANIC, .says = {"Something went wrong in task 2!", "risky+"},
           .never = {"Done", "completed"});
