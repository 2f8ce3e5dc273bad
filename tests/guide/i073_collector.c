/*
 * G73 between processes: tasks of two numbers go to workers, and a collector of its own sums up what they make of them.
 *
 * Pattern: pool with a collector that is joined.
 */
#include "parts.h"

enum { TASKS = 10, WORKERS = 3 };

static void sender(struct part *me)
{
    gc_chan tasks = chan_of(me, "tasks");

    for (int id = 1; id <= TASKS; id++)
        send_text(me, tasks, "%d %d", id, 10 * id);
    close_chan(me, tasks);
}

static void worker(struct part *me)
{
    gc_chan tasks = chan_of(me, "tasks"), results = chan_of(me, "results");
    char task[TEXT_BYTES];
    int id, number;

    while (recv_text(me, tasks, task)) {
        must(sscanf(task, "%d %d", &id, &number) == 2);
        send_text(me, results, "%d %d", id, 2 * number);
    }
    send_number(me, chan_of(me, "ended"), me->index);
}

static void collector(struct part *me)
{
    gc_chan results = chan_of(me, "results");
    char result[TEXT_BYTES];
    int id, number, sum = 0;

    while (recv_text(me, results, result)) {
        must(sscanf(result, "%d %d", &id, &number) == 2);
        say(me, "Task %d: %d", id, number);
        sum += number;
    }
    /* "the sum is 1100" */
    must(sum == 1100);
    step_done(me, "collected");
}

/* Closes the results when the workers have ended, and then waits for the collector. */
static void main_part(struct part *me)
{
    gc_chan ended = chan_of(me, "ended");
    int worker;

    for (int i = 0; i < WORKERS; i++)
        must(recv_number(me, ended, &worker));
    close_chan(me, chan_of(me, "results"));
    step_wait(me, "collected");
    say(me, "All 10 tasks completed");
}

static void pool_with_collector(void)
{
    /* "task i gives 20 i, for 1 to 10" */
    for (int id = 1; id <= TASKS; id++)
        must(said_times("Task %d: %d", id, 20 * id) == 1);
    /* "all 10 lines come before "All 10 tasks completed"" */
    must(said_last("All 10 tasks completed") && part_lines.n == TASKS + 1);
}

GUIDE_PARTS(G73, pool_with_collector, .channels = {{"tasks"}, {"results"}, {"ended"}, {"collected"}},
            .parts = {PART(sender), PARTS(WORKERS, worker), PART(collector), PART(main_part)});
