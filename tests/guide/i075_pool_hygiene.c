/*
 * G75 between processes: a pool that counts, survives a panic, finishes what is queued, and refuses what comes too late.
 *
 * Pattern: hygiene of a pool.
 */
#include "parts.h"

enum { WORKERS = 3, TASKS = 12, PANICS = 5 };

/* The worker that gets it has it run as a job. */
static void task(struct part *me)
{
    must(me->index != PANICS);
}

static void worker(struct part *me)
{
    gc_chan tasks = chan_of(me, "tasks");
    int id, done = 0;

    step_wait(me, "all_queued");
    for (; recv_number(me, tasks, &id); done++) {
        int r = gc_wait(me->g, submit_part(me, "task", id), NULL, GC_FOREVER);

        must(r >= 0);
        say(me, "task %d %s", id, r == 1 ? "done" : "failed");
    }
    send_number(me, chan_of(me, "counters"), done);
}

/* Fills the queue and closes it: what is in it is done all the same. */
static void submitter(struct part *me)
{
    gc_chan tasks = chan_of(me, "tasks");

    for (int id = 1; id <= TASKS; id++)
        send_number(me, tasks, id);
    close_chan(me, tasks);
    /* "a submit after the close is refused" */
    must(gc_send(me->g, tasks, gc_string("13"), GC_FOREVER) == -EPIPE);
    step_done(me, "all_queued");
}

static void accountant(struct part *me)
{
    gc_chan counters = chan_of(me, "counters");
    int done, sum = 0;

    /* "after the task that panicked the pool still has all its workers" */
    for (int i = 0; i < WORKERS; i++) {
        must(recv_number(me, counters, &done));
        sum += done;
    }
    /* "the counters of the workers sum to the number of tasks" */
    must(sum == TASKS);
}

static void pool_hygiene(void)
{
    /* "the one that panicked is a failed result" */
    must(said_times("task %d failed", PANICS) == 1);
    /* "the drain finishes what is queued, one line of the log for each task" */
    for (int id = 1; id <= TASKS; id++)
        must(said_times("task %d done", id) == (id != PANICS));
    must(part_lines.n == TASKS);
}

GUIDE_PARTS(G75, pool_hygiene, .channels = {{"tasks", {.capacity = TASKS}}, {"all_queued"}, {"counters"}},
            .parts = {PARTS(WORKERS, worker), PART(submitter), PART(accountant),
                      PART_WITH(task, .on_call = true)});
