/*
 * G127 One worker, and jobs of which some are more urgent than others: it takes the most urgent one there is, and of
 * equally urgent ones the one that came first.
 *
 * Pattern: one channel per priority. The worker looks into them from the most urgent one down, and waits on all of them
 * when all are empty.
 */
#include "guide.h"

enum { PRIORITIES = 5, JOBS = 6, ROOM = 10 };

struct queue {
    go_chan *jobs[PRIORITIES]; /* of ints; 4 is the most urgent one */
    go_chan *stop;
    struct gate gate;
};

/* The next job, or 0 when none is left and none will come. */
static int next_job(struct queue *queue)
{
    struct go_case cases[PRIORITIES + 1];
    int job, chosen;

    for (int priority = PRIORITIES - 1; priority >= 0; priority--)
        if (go_chan_recv(queue->jobs[priority], &job, GO_NOW) == 1)
            return job;
    for (int priority = 0; priority < PRIORITIES; priority++)
        cases[priority] = GO_RECV(queue->jobs[priority], &job);
    cases[PRIORITIES] = GO_RECV(queue->stop, NULL);
    chosen = go_select(cases, PRIORITIES + 1, GO_FOREVER);
    return chosen < PRIORITIES ? job : 0;
}

static void work(void *arg)
{
    struct queue *queue = arg;
    int job;

    gate_pass(&queue->gate);
    while ((job = next_job(queue)) != 0)
        say("job %d", job);
}

static void submit(struct queue *queue, int job, int priority)
{
    must(go_chan_send(queue->jobs[priority], &job, GO_NOW) == 0);
}

static void priorities(void)
{
    static const int priority_of[JOBS] = {2, 0, 4, 1, 4, 3};
    struct queue queue = {.stop = go_chan_new(0, 0)};
    go_waitgroup worker = {0};

    for (int i = 0; i < PRIORITIES; i++)
        queue.jobs[i] = go_chan_new(sizeof(int), ROOM);
    must(go_waitgroup_go(&worker, work, &queue, 0) == 0);
    gate_until(&queue.gate, 1); /* it is held until all jobs are there */
    for (int job = 1; job <= JOBS; job++)
        submit(&queue, job, priority_of[job - 1]);
    gate_open(&queue.gate);
    until_parked(1, "select"); /* it has done all, and waits for more */
    /* "jobs 1 to 6 with the priorities 2, 0, 4, 1, 4, 3 run in the order 3, 5, 6, 1, 4, 2" */
    must(said(LINES("job 3", "job 5", "job 6", "job 1", "job 4", "job 2")));
    submit(&queue, 7, 0);
    while (!said_last("job 7"))
        go_yield();
    /* "a worker that waits takes a job of any priority" */
    must(said_times("job 7") == 1);
    go_chan_close(queue.stop);
    go_waitgroup_wait(&worker);
    for (int i = 0; i < PRIORITIES; i++)
        go_chan_unref(queue.jobs[i]);
    go_chan_unref(queue.stop);
}

GUIDE_ROW(G127, priorities);
