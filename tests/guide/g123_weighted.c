/*
 * G123 Three workers, one of which is worth three of another: jobs in the relation 3:2:1. What becomes of a job when all
 * queues are full, or when a worker is down.
 *
 * Pattern: load balancer, weighted. A job is accepted, or its submitter waits, or is told: none is lost.
 */
#include "goroutine_patterns.h"
#include "guide.h"

enum { WORKERS = 3, JOBS = 12, QUEUE = 2 };

struct shop {
    struct gate gate;
    atomic_int done[WORKERS];
};

static void work(int worker, void *job, void *arg)
{
    struct shop *shop = arg;

    gate_pass(&shop->gate);
    atomic_fetch_add(&shop->done[worker], 1);
}

static go_balancer *balancer_new(struct shop *shop, size_t queue)
{
    return go_balancer_new(&(struct go_balancer_options){.workers = WORKERS,
                                                         .weights = (const int[]){3, 2, 1},
                                                         .queue = queue,
                                                         .job_bytes = sizeof(int),
                                                         .fn = work,
                                                         .arg = shop});
}

static void close_and_join(go_balancer *balancer)
{
    go_balancer_close(balancer);
    go_balancer_wait(balancer, GO_FOREVER);
    go_balancer_unref(balancer);
}

static bool did(struct shop *shop, int zero, int one, int two)
{
    return atomic_load(&shop->done[0]) == zero && atomic_load(&shop->done[1]) == one &&
           atomic_load(&shop->done[2]) == two;
}

static void by_weight(void)
{
    struct shop shop = {0};
    go_balancer *balancer = balancer_new(&shop, JOBS);

    gate_open(&shop.gate);
    for (int job = 1; job <= JOBS; job++)
        must(go_balancer_submit(balancer, &job, GO_FOREVER) >= 0);
    close_and_join(balancer);
    /* "of 12 jobs the workers do 6, 4 and 2" */
    must(did(&shop, 6, 4, 2));
}

struct submitter {
    go_balancer *balancer;
    int job;
};

static void submit(void *arg)
{
    const struct submitter *me = arg;

    must(go_balancer_submit(me->balancer, &me->job, GO_FOREVER) >= 0);
}

static void full(void)
{
    struct shop shop = {0};
    go_balancer *balancer = balancer_new(&shop, QUEUE);
    int accepted = 0;
    go_waitgroup waits = {0};

    while (accepted < WORKERS * (QUEUE + 1)) { /* the queues, and one in the hands of each */
        if (go_balancer_submit(balancer, &accepted, GO_NOW) >= 0)
            accepted++;
        else
            go_yield();
    }
    gate_until(&shop.gate, WORKERS);
    /* "when all queues are full a submit that may not wait says so" */
    must(go_balancer_submit(balancer, &accepted, GO_NOW) == -EAGAIN);
    must(go_waitgroup_go(&waits, submit, &((struct submitter){balancer, accepted}),
                         sizeof(struct submitter)) == 0);
    until_waiting(WORKERS + 1);
    gate_open(&shop.gate);
    /* "another one waits until there is room" */
    go_waitgroup_wait(&waits);
    close_and_join(balancer);
    /* "no job that was accepted is lost" */
    must(shop.done[0] + shop.done[1] + shop.done[2] == accepted + 1);
}

static void one_down(void)
{
    struct shop shop = {0};
    go_balancer *balancer = balancer_new(&shop, JOBS);

    gate_open(&shop.gate);
    must(go_balancer_set_up(balancer, 0, 0) == 0);
    for (int job = 1; job <= JOBS; job++)
        must(go_balancer_submit(balancer, &job, GO_FOREVER) >= 0);
    close_and_join(balancer);
    /* "a worker that is down gets none, the others share its jobs by their weights: 0, 8 and 4" */
    must(did(&shop, 0, 8, 4));
}

static void weighted(void)
{
    by_weight();
    full();
    one_down();
}

GUIDE_ROW(G123, weighted);
