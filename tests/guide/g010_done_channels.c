/*
 * G10 One done channel for each worker; main receives from each in turn.
 *
 * Pattern: done channel per worker. The order of receiving is main's; that of finishing is anybody's.
 */
#include "guide.h"

enum { WORKERS = 3 };

struct worker {
    int id;
    go_chan *done;
    struct gate *gate;
};

static void work(void *arg)
{
    const struct worker *me = arg;

    say("Worker %d: Starting", me->id);
    gate_pass(me->gate);
    say("Worker %d: completed", me->id);
    must(go_chan_send(me->done, &(bool){true}, GO_FOREVER) == 0);
}

/* The gates open last worker first, so that main must wait for the slowest one first. */
static void run_workers(const int *order)
{
    struct gate gates[WORKERS] = {0};
    go_chan *done[WORKERS];

    for (int i = 0; i < WORKERS; i++) {
        done[i] = go_chan_new(sizeof(bool), 0);
        must(go_spawn(work, &((struct worker){i + 1, done[i], &gates[i]}), sizeof(struct worker)) == 0);
    }
    for (int i = 0; i < WORKERS; i++) {
        gate_until(&gates[order[i]], 1);
        gate_open(&gates[order[i]]);
        until_parked(i + 1, "chan send");
    }
    for (int i = 0; i < WORKERS; i++) {
        must(go_chan_recv(done[i], NULL, GO_FOREVER) == 1);
        go_chan_unref(done[i]);
    }
    say("All workers completed");
}

static void done_channels(void)
{
    static const int orders[][WORKERS] = {{2, 1, 0}, {0, 1, 2}, {1, 2, 0}};

    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        say_nothing_yet();
        run_workers(orders[i]);
        /* "3 start lines and 3 end lines" */
        must(said_in_any_order(LINES("Worker 1: Starting", "Worker 2: Starting", "Worker 3: Starting",
                                     "Worker 1: completed", "Worker 2: completed", "Worker 3: completed",
                                     "All workers completed")));
        /* ""All workers completed" last, in whatever order they finish" */
        must(said_last("All workers completed"));
        until_live(1);
    }
}

GUIDE_ROW(G10, done_channels);
