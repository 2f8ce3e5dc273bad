/*
 * G72 between processes: a task names its function; the worker that gets it has it run as a job of the plugin.
 *
 * Pattern: function tasks.
 */
#include "parts.h"

enum { TASKS = 10, WORKERS = 3 };

static void sender(struct part *me)
{
    gc_chan tasks = chan_of(me, "tasks");

    for (int i = 1; i <= TASKS; i++)
        send_text(me, tasks, "%d %s", i, i == 7 ? "failing" : "printing");
    close_chan(me, tasks);
}

/* The functions that tasks name. They run in a host, when a worker submits them. */
static void printing(struct part *me)
{
    say(me, "task %d", me->index);
}

static void failing(struct part *me)
{
    say(me, "task %d", me->index);
    must(!"the task fails");
}

static void worker(struct part *me)
{
    gc_chan tasks = chan_of(me, "tasks");
    char task[TEXT_BYTES], function[TEXT_BYTES];
    int id;

    while (recv_text(me, tasks, task)) {
        must(sscanf(task, "%d %s", &id, function) == 2);
        if (gc_wait(me->g, submit_part(me, function, id), NULL, GC_FOREVER) != 1)
            say(me, "worker %d met the error of task %d", me->index, id);
    }
    send_number(me, chan_of(me, "ended"), me->index);
    step_wait(me, "all_ended");
    say(me, "worker %d exiting", me->index);
}

static void joiner(struct part *me)
{
    gc_chan ended = chan_of(me, "ended");
    int worker;

    for (int i = 0; i < WORKERS; i++)
        must(recv_number(me, ended, &worker));
    step_done(me, "all_ended");
}

static void function_tasks(void)
{
    /* "the ids 1 to 10, each once" */
    for (int i = 1; i <= TASKS; i++)
        must(said_times("task %d", i) == 1);
    /* "the error of a task is told with the worker that met it" */
    must(said_times("worker 0 met the error of task 7") + said_times("worker 1 met the error of task 7") +
             said_times("worker 2 met the error of task 7") ==
         1);
    /* "3 lines "exiting", after the last task" */
    for (int i = 0; i < WORKERS; i++)
        must(said_times("worker %d exiting", i) == 1);
    must(said_before("task", "worker 0 exiting") && part_lines.n == TASKS + WORKERS + 1);
}

GUIDE_PARTS(G72, function_tasks, .channels = {{"tasks"}, {"ended"}, {"all_ended"}},
            .parts = {PART(sender), PARTS(WORKERS, worker), PART(joiner),
                      PART_WITH(printing, .on_call = true), PART_WITH(failing, .on_call = true)});
