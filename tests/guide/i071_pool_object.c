/*
 * G71 between processes: the pool is a pair of channels in the daemon; who adds, who works and who collects are others.
 *
 * Pattern: pool with a queue of its own.
 */
#include "parts.h"

enum { QUEUE = 10, MANY = 30 };

/* First ten, which fit into the queue; then thirty, which do not. */
static void add_tasks(struct part *me)
{
    gc_chan tasks = chan_of(me, "tasks");

    for (int i = 1; i <= QUEUE; i++)
        must(gc_send(me->g, tasks, gc_string((char[]){(char)('A' + i - 1), 0}), GC_NOW) == 0);
    step_done(me, "queued");
    step_wait(me, "ten_collected");
    for (int i = 1; i <= MANY; i++)
        send_text(me, tasks, "many");
    close_chan(me, tasks);
}

static void worker(struct part *me)
{
    gc_chan tasks = chan_of(me, "tasks"), results = chan_of(me, "results");
    char task[TEXT_BYTES];

    step_wait(me, "queued");
    while (recv_text(me, tasks, task))
        if (strcmp(task, "many") == 0)
            send_text(me, results, "many");
        else
            send_text(me, results, "Processed: Task-%d", task[0] - 'A' + 1);
}

static void collector(struct part *me)
{
    gc_chan results = chan_of(me, "results");
    char text[TEXT_BYTES];

    for (int i = 0; i < QUEUE; i++) {
        must(recv_text(me, results, text));
        say(me, "%s", text);
    }
    step_done(me, "ten_collected");
    for (int i = 0; i < MANY; i++)
        must(recv_text(me, results, text) && strcmp(text, "many") == 0);
    /* "30 jobs go through a queue of 10, too" */
    say(me, "All jobs completed");
}

static void pool_object(void)
{
    /* "10 results "Processed: Task-i", all of them before "All jobs completed"" */
    for (int i = 1; i <= QUEUE; i++)
        must(said_times("Processed: Task-%d", i) == 1);
    must(said_last("All jobs completed") && part_lines.n == QUEUE + 1);
}

GUIDE_PARTS(G71, pool_object,
            .channels = {{"tasks", {.capacity = QUEUE}}, {"results"}, {"queued"}, {"ten_collected"}},
            .parts = {PART(add_tasks), PARTS(3, worker), PART(collector)});
