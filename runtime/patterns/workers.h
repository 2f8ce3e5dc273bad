/*
 * Workers: a pool of goroutines over a queue of tasks. workers.c is the pool, tasks.c how tasks get
 * in and results out, worker.c what each goroutine does.
 *
 * Invariants, inside the monitor
 *   A task is in exactly one place: the queue, a worker's hands, the results, or a collector's hands.
 *   A worker takes a task only while no more workers are alive than wanted, in one step with that look: so no surplus
 * worker starts a task.
 *   At most `queue` tasks more than there are idle workers wait. A worker never waits with a result in its hands:
 * what bounds the results is that no task is started while there are too many.
 *   The pool has finished once it is closed and no worker is alive; it stays so.
 */
#pragma once

#include "monitor.h"

struct task {
    struct list link; /* of the queue, then of the results */
    int rank;         /* the queue is sorted by it, and by arrival */
    go_task_fn fn;
    struct go_task told;
    struct go_task_result outcome;
    _Alignas(16) unsigned char bytes[]; /* the result, then the argument */
};

struct go_workers {
    struct monitor m;
    _Atomic int holders, refs; /* refs: the holders together, each worker, the watch on the context */
    go_ctx *ctx;
    go_ctx_func *watch;
    size_t queue_max, results_max, result_bytes;
    /* inside the monitor */
    bool forget, closed;
    int closed_why; /* what submit says then */
    int idle;
    struct go_workers_stats stats;
    struct list queue, results;                          /* struct task */
    struct list submitters, idlers, collectors, joiners; /* who waits */
    struct {
        bool taken;
        uint64_t ran;
    } slots[GO_WORKERS_MAX];
};

/* Frees what the last of `refs` held. */
void workers_drop(go_workers *p);

/* Inside: whether no worker is left and none will come. */
static inline bool workers_finished(const go_workers *p)
{
    return p->closed && p->stats.alive == 0;
}

/* Inside. The first `why` counts. The second also answers every task of the queue with it. */
void workers_close(go_workers *p, int why);
void workers_close_and_drop(go_workers *p, int why);

/* Inside: the first task of the queue; and one that has ended, for a collector. */
struct task *workers_take(go_workers *p);
void workers_result(go_workers *p, struct task *t);

/* Starts workers until there are as many as wanted; as go_spawn. */
int workers_start(go_workers *p);
