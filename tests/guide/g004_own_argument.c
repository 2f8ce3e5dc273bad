/*
 * G04 Many goroutines, each with an argument of its own; and what happens when they share the loop variable instead.
 *
 * Pattern: pass by value. The loop goes on changing its variable while the goroutines run.
 */
#include "guide.h"

enum { GOROUTINES = 5, ROUNDS = 500 };

struct task {
    int id;
    struct gate *gate;
};

static void run_task(void *arg)
{
    const struct task *task = arg;

    gate_pass(task->gate);
    say("start %d", task->id);
    say("finish %d", task->id);
}

static void own_argument(void)
{
    go_waitgroup done = {0};
    struct gate gate = {0};

    for (int i = 1; i <= GOROUTINES; i++)
        must(go_waitgroup_go(&done, run_task, &((struct task){i, &gate}), sizeof(struct task)) == 0);
    say("All goroutines started...");
    gate_open(&gate);
    go_waitgroup_wait(&done);

    /* ""All goroutines started..." waits for none of them" */
    must(said_first("All goroutines started..."));
    /* "by value the ids are {1, 2, 3, 4, 5}, each started once and finished once" */
    must(said_in_any_order(LINES("All goroutines started...", "start 1", "start 2", "start 3", "start 4",
                                 "start 5", "finish 1", "finish 2", "finish 3", "finish 4", "finish 5")));
}

static atomic_int sum;

static void read_shared(void *id)
{
    atomic_fetch_add_explicit(&sum, *(int *)id, memory_order_relaxed);
}

/* Wrong: all goroutines read the one variable that the loop writes. */
static void by_address(void)
{
    for (int round = 0; round < ROUNDS; round++) {
        go_waitgroup done = {0};

        for (int i = 1; i <= GOROUTINES; i++)
            must(go_waitgroup_go(&done, read_shared, &i, 0) == 0);
        go_waitgroup_wait(&done);
    }
}

GUIDE_ROW(G04, own_argument);
/* "by address the race build reports it" */
GUIDE_PART(G04, by_address, .ends = ENDS_IN_RACE, .says = {"read_shared"},
           .no_job = "a race is not for a job");
