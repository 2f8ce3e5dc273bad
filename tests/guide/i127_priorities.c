/*
 * G127 between processes: a channel for each priority, and a worker that looks at the urgent ones first.
 *
 * Pattern: priority queue of channels.
 */
#include "parts.h"

enum { PRIORITIES = 5, JOBS = 6 };

static gc_chan jobs_of(struct part *me, int priority)
{
    char name[TEXT_BYTES];

    snprintf(name, sizeof name, "jobs.%d", priority);
    return chan_of(me, name);
}

static int taken(struct gc_value *v)
{
    int job = number_of(v);

    gc_value_clear(v);
    return job;
}

/* The next job, or 0 when none is left and none will come. */
static int next_job(struct part *me, const gc_chan *jobs, gc_chan stop)
{
    struct gc_case cases[PRIORITIES + 1];
    struct gc_value v = {0};
    int chosen;

    for (int priority = PRIORITIES - 1; priority >= 0; priority--)
        if (gc_recv(me->g, jobs[priority], &v, 0, GC_NOW) == 1)
            return taken(&v);
    for (int priority = 0; priority < PRIORITIES; priority++)
        cases[priority] = gc_case_recv(jobs[priority], &v);
    cases[PRIORITIES] = gc_case_recv(stop, &v);
    chosen = gc_select(me->g, cases, PRIORITIES + 1, 0, GC_FOREVER);
    must(chosen >= 0);
    return chosen == PRIORITIES ? 0 : taken(&v);
}

/* Is held until all jobs are there. */
static void worker(struct part *me)
{
    gc_chan jobs[PRIORITIES], stop = chan_of(me, "stop");
    int job;

    for (int priority = 0; priority < PRIORITIES; priority++)
        jobs[priority] = jobs_of(me, priority);
    step_wait(me, "gate");
    while ((job = next_job(me, jobs, stop)) != 0)
        say(me, "job %d", job);
}

static void submitter(struct part *me)
{
    static const int priority_of[JOBS] = {2, 0, 4, 1, 4, 3};

    for (int job = 1; job <= JOBS; job++)
        send_number(me, jobs_of(me, priority_of[job - 1]), job);
    step_done(me, "gate");
}

/* Comes when the worker has nothing to do, with the least urgent job of all. */
static void latecomer(struct part *me)
{
    gc_chan stop = chan_of(me, "stop"), least = jobs_of(me, 0);

    step_wait(me, "gate");
    until_waiting(me, stop, 0, 1);
    send_number(me, least, 7);
    until_waiting(me, stop, 0, 1);
    close_chan(me, stop);
}

static void priorities(void)
{
    /* "jobs 1 to 6 with the priorities 2, 0, 4, 1, 4, 3 run in the order 3, 5, 6, 1, 4, 2" */
    /* "a worker that waits takes a job of any priority" */
    must(said(LINES("job 3", "job 5", "job 6", "job 1", "job 4", "job 2", "job 7")));
}

GUIDE_PARTS(G127, priorities,
            .channels = {{"jobs.0", {.capacity = 10}},
                         {"jobs.1", {.capacity = 10}},
                         {"jobs.2", {.capacity = 10}},
                         {"jobs.3", {.capacity = 10}},
                         {"jobs.4", {.capacity = 10}},
                         {"gate"},
                         {"stop"}},
            .parts = {PART(worker), PART(submitter), PART(latecomer)});
