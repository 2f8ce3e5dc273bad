/*
 * G123 between processes: jobs are dealt by weight to the queues of three workers, one of which goes down.
 *
 * Pattern: weighted load balancer.
 */
#include "parts.h"

enum { WORKERS = 3, JOBS = 12, QUEUE = 6 };

static const int weight_of[WORKERS] = {3, 2, 1};

struct balancer {
    gc_chan queue[WORKERS];
    int credit[WORKERS];
    bool down[WORKERS];
};

static gc_chan queue_of(struct part *me, int worker)
{
    char name[TEXT_BYTES];

    snprintf(name, sizeof name, "queue.%d", worker);
    return chan_of(me, name);
}

/* Smooth weighted turns: everybody gains his weight, and who has most pays for all. */
static int next_worker(struct balancer *balancer)
{
    int best = -1, all = 0;

    for (int i = 0; i < WORKERS; i++) {
        if (balancer->down[i])
            continue;
        all += weight_of[i];
        balancer->credit[i] += weight_of[i];
        if (best < 0 || balancer->credit[i] > balancer->credit[best])
            best = i;
    }
    balancer->credit[best] -= all;
    return best;
}

static void worker(struct part *me)
{
    gc_chan queue = queue_of(me, me->index);
    char job[TEXT_BYTES];

    step_wait(me, "work");
    while (recv_text(me, queue, job))
        say(me, "W%d: %s", me->index, job);
}

static void submitter(struct part *me)
{
    struct balancer balancer = {0};
    struct gc_case cases[WORKERS];

    for (int i = 0; i < WORKERS; i++) {
        balancer.queue[i] = queue_of(me, i);
        cases[i] = gc_case_send(balancer.queue[i], gc_string("extra"));
    }
    for (int job = 0; job < JOBS; job++)
        send_text(me, balancer.queue[next_worker(&balancer)], "first");
    for (int i = 0; i < WORKERS; i++) /* fills up what is still free */
        while (gc_send(me->g, balancer.queue[i], gc_string("filling"), GC_NOW) == 0)
            ;
    /* "when all queues are full a submit that may not wait says so" */
    must(gc_select(me->g, cases, WORKERS, 0, GC_NOW) == -EAGAIN);
    step_done(me, "full");
    /* "another one waits until there is room" */
    must(gc_select(me->g, cases, WORKERS, 0, GC_FOREVER) >= 0);
    balancer =
        (struct balancer){.queue = {balancer.queue[0], balancer.queue[1], balancer.queue[2]}, .down = {true}};
    for (int job = 0; job < JOBS; job++)
        send_text(me, balancer.queue[next_worker(&balancer)], "second");
    for (int i = 0; i < WORKERS; i++)
        close_chan(me, balancer.queue[i]);
}

/* Lets the workers begin when the submitter waits at all three queues. */
static void overseer(struct part *me)
{
    step_wait(me, "full");
    for (int i = 0; i < WORKERS; i++)
        until_waiting(me, queue_of(me, i), 1, 0);
    step_done(me, "work");
}

static void weighted(void)
{
    /* "of 12 jobs the workers do 6, 4 and 2" */
    must(said_times("W0: first") == 6 && said_times("W1: first") == 4 && said_times("W2: first") == 2);
    /* "a worker that is down gets none, the others share its jobs by their weights: 0, 8 and 4" */
    must(said_times("W0: second") == 0 && said_times("W1: second") == 8 && said_times("W2: second") == 4);
    /* "no job that was accepted is lost" */
    must(part_lines.n == JOBS + (WORKERS * QUEUE - JOBS) + 1 + JOBS);
}

GUIDE_PARTS(G123, weighted,
            .channels = {{"queue.0", {.capacity = QUEUE}},
                         {"queue.1", {.capacity = QUEUE}},
                         {"queue.2", {.capacity = QUEUE}},
                         {"work"},
                         {"full"}},
            .parts = {PARTS(WORKERS, worker), PART(submitter), PART(overseer)});
