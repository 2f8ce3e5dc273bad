/*
 * goroutine_patterns.h: patterns of concurrent programs, ready made: a pool of workers.  Part of libgoroutine.
 *
 *     static int twice(const struct go_task *task)
 *     {
 *         *(int *)task->result = 2 * *(int *)task->arg;
 *         return 0;
 *     }
 *
 *     struct go_workers_options options = {.workers = 3, .queue = 10, .result_bytes = sizeof(int)};
 *     go_workers *pool = go_workers_new(&options);
 *     struct go_task_result r;
 *     int value;
 *
 *     for (int i = 1; i <= 9; i++)
 *         go_workers_submit(pool, twice, &i, sizeof i, GO_FOREVER);
 *     go_workers_close(pool);
 *     while (go_workers_result(pool, &r, &value, GO_FOREVER) == 1)
 *         printf("task %llu: %d\n", (unsigned long long)r.id, value);
 *     go_workers_unref(pool);
 *
 * What goroutine.h says of results, threads, waiting and memory holds here. Besides: `_close` begins the end and
 * returns at once, 0 or -EPIPE when it was closed before, -EINVAL for NULL; the `_unref` of the last holder closes
 * too; goroutines that an object has started hold it, so that it may be released while they end. A context given in
 * options is held, and may be NULL. An object made in a bubble may be used only there.
 */
#ifndef GOROUTINE_PATTERNS_H
#define GOROUTINE_PATTERNS_H

#include "goroutine.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- workers: a pool over a queue of tasks ---- */

typedef struct go_workers go_workers;

#define GO_WORKERS_MAX 1024

/* What a task is told. All of it lives until its function has ended. */
struct go_task {
    uint64_t id;  /* as submit returned it */
    int worker;   /* the number of the worker that runs it, from 0 */
    void *arg;    /* the copy, aligned for any type; or the pointer itself */
    void *result; /* `result_bytes` zeroes, for the task to fill in */
    go_ctx *ctx;  /* of the pool; never NULL */
};

/* Negative when the task failed. It may panic or call go_exit: that fails the task, not the worker. */
typedef int (*go_task_fn)(const struct go_task *task);

enum go_task_end {
    GO_TASK_RETURNED,
    GO_TASK_PANICKED,
    GO_TASK_EXITED,  /* it called go_exit, or its scope ended */
    GO_TASK_DROPPED, /* it was never started, because the context was done */
};

#define GO_TASK_TEXT_BYTES 64

/* What became of a task. */
struct go_task_result {
    uint64_t id;
    int worker; /* -1: none */
    enum go_task_end end;
    int code; /* what the function returned; -ENOTRECOVERABLE panicked, -ECANCELED exited, the context's error */
    char text[GO_TASK_TEXT_BYTES]; /* of a panic, cut; else "" */
};

struct go_workers_options {
    int workers;         /* how many at first: 1..GO_WORKERS_MAX */
    size_t queue;        /* tasks that may wait besides one for each idle worker; 0: handed over to one */
    size_t result_bytes; /* of the result of each task */
    size_t results;      /* no task is started while so many results wait; 0: queue + workers */
    int forget;          /* results are counted only, and nobody need collect them */
    go_ctx *ctx;         /* its end closes the pool and drops the tasks that wait */
};

/*
 * Starts the workers, in the group and bubble of the caller. Every accepted task has exactly one result. NULL: no
 * memory, no goroutines, or options out of range.
 */
GO_API go_workers *go_workers_new(const struct go_workers_options *options);
GO_API go_workers *go_workers_ref(go_workers *p);

/* The last one closes the pool: tasks that wait are still run, their results forgotten. Does not wait. */
GO_API go_workers *go_workers_unref(go_workers *p);

/*
 * Hands in a task: fn with a copy of the argument, or with the pointer `arg` itself when arg_bytes is 0. Waits while
 * the queue is full. Positive: the id of the task, from 1 up, in the order in which they were accepted. -EPIPE: the
 * pool was closed; -ECANCELED or -ETIMEDOUT also when its context is done; -EINVAL: more than GO_ARG_BYTES_MAX;
 * -ENOMEM. After an error the task will not run.
 */
GO_API int64_t go_workers_submit(go_workers *p, go_task_fn fn, const void *arg, size_t arg_bytes,
                                 go_until until);

/* Takes the next result, in the order in which tasks ended, and copies `result_bytes` to `value` (may be NULL). 1: a
 * result; 0: closed, all workers have left, and no result is left. */
GO_API int go_workers_result(go_workers *p, struct go_task_result *out, void *value, go_until until);

/*
 * From now on n workers, 1..GO_WORKERS_MAX; does not wait. Surplus workers leave when they are idle or their task
 * has ended: none of them starts another. -EINVAL; -EPIPE: closed, and all have left; or as go_spawn says: then
 * fewer than n were added.
 */
GO_API int go_workers_resize(go_workers *p, int n);

/* Refuses new tasks, also of those who wait to hand one in; those accepted are run. */
GO_API int go_workers_close(go_workers *p);

/* Waits until the pool is closed and the last worker has left. 0. Results must be collected meanwhile, unless there
 * is room for them or they are forgotten. */
GO_API int go_workers_wait(go_workers *p, go_until until);

/* All of one instant. */
struct go_workers_stats {
    int size, alive, running; /* workers wanted, workers that have not left, tasks that run */
    size_t queued, results;   /* tasks that wait to be run, results that wait to be collected */
    uint64_t submitted, succeeded, failed, dropped;
};
GO_API void go_workers_stats_read(go_workers *p, struct go_workers_stats *out);

/* How many tasks the worker of this number has run; of all that ever had the number. 0 for one that never was. */
GO_API uint64_t go_workers_ran(go_workers *p, int worker);

#ifdef __cplusplus
}
#endif
#endif
