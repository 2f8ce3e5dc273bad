/*
 * G77 between processes: five slots, twenty tasks; a slot has its task run as a job, and outlives its panic.
 *
 * Pattern: slot pool.
 */
#include "parts.h"

enum { SLOTS = 5, TASKS = 20, PANICS = 7 };

static void task(struct part *me)
{
    say(me, "executed %d", me->index);
    if (me->index <= SLOTS)
        step_wait(me, "gate");
    must(me->index != PANICS);
}

static void slot(struct part *me)
{
    gc_chan tasks = chan_of(me, "tasks");
    int id;

    while (recv_number(me, tasks, &id)) {
        int r = gc_wait(me->g, submit_part(me, "task", id), NULL, GC_FOREVER);

        must(r >= 0);
        say(me, "%s %d", r == 1 ? "completed" : "panicked", id);
    }
    send_number(me, chan_of(me, "ended"), me->index);
}

static void submitter(struct part *me)
{
    gc_chan tasks = chan_of(me, "tasks"), ended = chan_of(me, "ended");
    int slot;

    for (int id = 1; id <= TASKS; id++)
        send_number(me, tasks, id);
    close_chan(me, tasks);
    for (int i = 0; i < SLOTS; i++)
        must(recv_number(me, ended, &slot));
    say(me, "All tasks completed!");
}

/* Opens the gate when all slots are taken, and the submit waits. */
static void overseer(struct part *me)
{
    until_waiting(me, chan_of(me, "gate"), 0, SLOTS);
    /* "a submit waits while all slots are taken" */
    until_waiting(me, chan_of(me, "tasks"), 1, 0);
    step_done(me, "gate");
}

static void slot_pool(void)
{
    int at_once = 0, executed = 0;

    for (size_t i = 0; i < part_lines.n; i++) {
        bool begins = strncmp(part_lines.line[i], "executed", 8) == 0;

        executed += begins;
        at_once += begins ? 1 : -1;
        /* "at most 5 at once" */
        must(at_once <= SLOTS);
    }
    /* "20 lines executed, and 20 completed or panicked, then "All tasks completed!"" */
    must(executed == TASKS && part_lines.n == 2 * TASKS + 1 && said_last("All tasks completed!"));
    /* "the slot of a task that panics is free again" */
    must(said_times("panicked %d", PANICS) == 1 && said_times("completed %d", TASKS) == 1);
}

GUIDE_PARTS(G77, slot_pool, .channels = {{"tasks"}, {"ended"}, {"gate"}},
            .parts = {PARTS(SLOTS, slot), PART(submitter), PART(overseer), PART_WITH(task, .on_call = true)});
