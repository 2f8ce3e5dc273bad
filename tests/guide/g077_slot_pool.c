/*
 * G77 Five slots: a goroutine is started for each task, but only when there is a slot for it.
 *
 * Pattern: slot pool. The slot is given back by a deferred function, so that it is free even when the task panics.
 */
#include "guide.h"

enum { SLOTS = 5, TASKS = 20, PANICKING = 13 };

struct slot_pool {
    go_chan *slots;
    go_waitgroup tasks;
    struct peak at_work;
    struct gate gate;
};

struct task {
    struct slot_pool *pool;
    void (*fn)(struct slot_pool *pool, int id);
    int id;
};

static void finish(void *arg)
{
    struct task *task = arg;

    if (go_recover())
        say("Task %d panicked", task->id);
    must(go_chan_recv(task->pool->slots, NULL, GO_FOREVER) == 1);
}

static void run_task(void *arg)
{
    struct task *task = arg;

    go_defer(finish, task);
    task->fn(task->pool, task->id);
}

static void run_in_slot(void *task)
{
    go_call(run_task, task); /* returns after a panic, too */
}

/* Waits while all slots are taken. */
static void submit(struct slot_pool *pool, void (*fn)(struct slot_pool *pool, int id), int id)
{
    must(go_chan_send(pool->slots, NULL, GO_FOREVER) == 0);
    must(go_waitgroup_go(&pool->tasks, run_in_slot, &((struct task){pool, fn, id}), sizeof(struct task)) ==
         0);
}

static void work(struct slot_pool *pool, int id)
{
    say("Executing task %d", id);
    peak_enter(&pool->at_work);
    gate_pass(&pool->gate);
    peak_leave(&pool->at_work);
    if (id == PANICKING)
        go_panic("unlucky");
    say("Completed task %d", id);
}

static void submit_all(void *arg)
{
    struct slot_pool *pool = arg;

    for (int id = 1; id <= TASKS; id++)
        submit(pool, work, id);
}

static void slot_pool(void)
{
    struct slot_pool pool = {.slots = go_chan_new(0, SLOTS)};
    go_waitgroup submitter = {0};

    must(go_waitgroup_go(&submitter, submit_all, &pool, 0) == 0);
    gate_until(&pool.gate, SLOTS);
    /* "a submit waits while all slots are taken" */
    until_parked(1, "chan send");
    gate_open(&pool.gate);
    go_waitgroup_wait(&submitter);
    go_waitgroup_wait(&pool.tasks);
    say("All tasks completed!");
    /* "at most 5 at once" */
    must(atomic_load(&pool.at_work.most) == SLOTS);
    /* "20 lines executed, and 20 completed or panicked, then "All tasks completed!"" */
    for (int id = 1; id <= TASKS; id++) {
        must(said_times("Executing task %d", id) == 1);
        must(said_times("Completed task %d", id) == (id != PANICKING));
    }
    must(said_times("Task 13 panicked") == 1 && said_lines() == 2 * TASKS + 1 &&
         said_last("All tasks completed!"));
    /* "the slot of a task that panics is free again" */
    must(go_chan_len(pool.slots) == 0);
    go_chan_unref(pool.slots);
}

GUIDE_ROW(G77, slot_pool);
