/*
 * G122 between processes: jobs are dealt in turn to the queues of three workers.
 *
 * Pattern: load balancer, round robin.
 */
#include "parts.h"

enum { WORKERS = 3, JOBS = 10 };

static gc_chan queue_of(struct part *me, int worker)
{
    char name[TEXT_BYTES];

    snprintf(name, sizeof name, "queue.%d", worker);
    return chan_of(me, name);
}

static void worker(struct part *me)
{
    gc_chan queue = queue_of(me, me->index);
    int job;

    while (recv_number(me, queue, &job))
        say(me, "W%d: %d", me->index, job);
    send_number(me, chan_of(me, "ended"), me->index);
}

static void balancer(struct part *me)
{
    gc_chan queue[WORKERS], ended = chan_of(me, "ended");
    int worker;

    for (int i = 0; i < WORKERS; i++)
        queue[i] = queue_of(me, i);
    for (int job = 1; job <= JOBS; job++)
        send_number(me, queue[(job - 1) % WORKERS], job);
    /* "close refuses further jobs and joins the workers" */
    for (int i = 0; i < WORKERS; i++) {
        close_chan(me, queue[i]);
        must(gc_send(me->g, queue[i], gc_string("11"), GC_FOREVER) == -EPIPE);
    }
    for (int i = 0; i < WORKERS; i++)
        must(recv_number(me, ended, &worker));
    say(me, "closed");
}

static void round_robin(void)
{
    /* "worker 0 does 1, 4, 7, 10, worker 1 does 2, 5, 8, worker 2 does 3, 6, 9, each in this order" */
    must(said_by("W0", LINES("W0: 1", "W0: 4", "W0: 7", "W0: 10")));
    must(said_by("W1", LINES("W1: 2", "W1: 5", "W1: 8")));
    must(said_by("W2", LINES("W2: 3", "W2: 6", "W2: 9")));
    must(said_last("closed"));
}

GUIDE_PARTS(G122, round_robin,
            .channels = {{"queue.0", {.capacity = 10}},
                         {"queue.1", {.capacity = 10}},
                         {"queue.2", {.capacity = 10}},
                         {"ended"}},
            .parts = {PARTS(WORKERS, worker), PART(balancer)});
