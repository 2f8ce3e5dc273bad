/*
 * G108 A task is given a second. If it takes longer its caller goes on without it, and the task can still end: there is
 * room for its result, though nobody will fetch it.
 *
 * Pattern: timeout by select, with a result channel of capacity 1. Without room each task that is late would wait for ever.
 */
#include "guide.h"

enum { ATTEMPTS = 5, TIMEOUT_MS = 1000 };

struct task {
    int id;
    go_chan *result;   /* counted: the task holds it, too */
    struct gate *gate; /* where it takes too long */
};

static void unref(void *result)
{
    go_chan_unref(result);
}

static void run_task(void *arg)
{
    const struct task *task = arg;

    go_defer(unref, task->result);
    gate_pass(task->gate);
    must(go_chan_send(task->result, &task->id, GO_NOW) == 0); /* never waits */
}

static int perform_task(int id, struct gate *gate, go_until timeout)
{
    go_chan *result = go_chan_new(sizeof(int), 1);
    struct task task = {id, go_chan_ref(result), gate};
    int value = 0, r;

    must(go_spawn(run_task, &task, sizeof task) == 0);
    r = go_chan_recv(result, &value, timeout);
    if (r == -ETIMEDOUT)
        say("task timed out after 1s");
    else
        say("result of task %d", value);
    go_chan_unref(result);
    return r;
}

static void attempts(void *unused)
{
    struct gate at_once = {.open = true}, late = {0};

    for (int id = 1; id <= ATTEMPTS; id++)
        perform_task(id, id % 2 ? &at_once : &late, go_after_ms(TIMEOUT_MS));
    /* "in time: the result", "late: "task timed out after 1s"" */
    must(said(LINES("result of task 1", "task timed out after 1s", "result of task 3",
                    "task timed out after 1s", "result of task 5")));
    must(fake_ms() == 2 * TIMEOUT_MS);
    gate_until(&late, 2); /* the two that were late are still at work */
    gate_open(&late);
    /* "when the late ones have ended, too, the count of goroutines is as at the start" */
    until_live(1 + 1); /* we, and who waits for this clock to end */
}

static void timeout_without_leak(void)
{
    on_fake_clock(attempts, NULL);
}

GUIDE_ROW(G108, timeout_without_leak);
