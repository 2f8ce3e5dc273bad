/*
 * G122 Ten jobs for three workers, to each in turn.
 *
 * Pattern: load balancer, round robin. Each worker has a queue of its own; closing the balancer lets what is in the queues
 * be done, and waiting for it joins the workers.
 */
#include "goroutine_patterns.h"
#include "guide.h"

enum { WORKERS = 3, JOBS = 10, QUEUE = 10 };

static void work(int worker, void *job, void *unused)
{
    say("W%d: %d", worker, *(int *)job);
}

static void round_robin(void)
{
    go_balancer *balancer = go_balancer_new(&(struct go_balancer_options){
        .workers = WORKERS, .queue = QUEUE, .job_bytes = sizeof(int), .fn = work});

    for (int job = 1; job <= JOBS; job++)
        must(go_balancer_submit(balancer, &job, GO_FOREVER) == (job - 1) % WORKERS);
    go_balancer_close(balancer);
    must(go_balancer_submit(balancer, &(int){JOBS + 1}, GO_FOREVER) == -EPIPE);
    go_balancer_wait(balancer, GO_FOREVER);
    /* "worker 0 does 1, 4, 7, 10, worker 1 does 2, 5, 8, worker 2 does 3, 6, 9, each in this order" */
    must(said_by("W0", LINES("W0: 1", "W0: 4", "W0: 7", "W0: 10")));
    must(said_by("W1", LINES("W1: 2", "W1: 5", "W1: 8")));
    must(said_by("W2", LINES("W2: 3", "W2: 6", "W2: 9")));
    go_balancer_unref(balancer);
    /* "close refuses further jobs and joins the workers" */
    until_live(1);
}

GUIDE_ROW(G122, round_robin);
