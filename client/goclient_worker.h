/*
 * goclient_worker.h — be a worker: take the jobs that no plugin has, those submitted without a path.
 *
 *     struct gc_tasks tasks;
 *     while (gc_reserve(g, &(struct gc_reserve){.size = sizeof(struct gc_reserve), .queues = "mail"}, &tasks, GC_FOREVER) > 0) {
 *         ... tasks.items[0].data ...
 *         gc_task_complete(g, &tasks.items[0], result, size, GC_FOREVER);
 *         gc_tasks_clear(&tasks);
 *     }
 *
 * A task is the worker's until it says how it has ended, until its lease is over, or until its session ends: then the job
 * goes to another worker, under another run number, and whatever is still said of the old one is -ESTALE. What it gives back
 * costs no attempt; the end of a lease, and the death of a worker that had no other task, count as a crash of the job, and
 * `crashes_max` of them quarantine it. All limits of queues hold as they do for plugins.
 *
 * Waits, threads, memory and errors are as goclient.h says. Of a task only `job` and `run` are asked for after it came.
 */
#pragma once

#include "goclient_job.h"

#ifdef __cplusplus
extern "C" {
#endif

struct gc_reserve {
    size_t size;           /* sizeof(struct gc_reserve) */
    const char *queues;    /* names, a blank between two, at most 16; NULL: "default" */
    const char *functions; /* the same without that bound; NULL: whatever they are called */
    uint32_t max;          /* tasks, at most; 0: 1; never more than 256, nor after their data has 16 MiB */
    int64_t lease_ns;      /* 0: work_lease_ms of the daemon */
};

/* What points somewhere points into the memory of its gc_tasks. */
struct gc_task {
    gc_job job;
    uint64_t run;              /* the fencing token */
    uint32_t attempt, crashes; /* failures and crashes so far */
    const char *function, *queue;
    const void *data; /* the argument */
    size_t bytes;
    int64_t left_ns; /* to the time limit or deadline of the job; 0: none */
};

struct gc_tasks {
    struct gc_task *items;
    size_t n;
    void *memory_;
};

/* Waits until there is a job, and takes as many as there are then, at most `max`, into *out, to be freed with gc_tasks_clear.
 * The number of them. -EPERM: no right to work for one of the queues, -ENOENT: there is no such queue, -EINVAL: the lease is
 * negative or above work_lease_max_ms, -E2BIG: too many queues, -EAGAIN with GC_NOW: there is no job. A daemon that restarts
 * ends no wait: it goes on with the new one. */
GC_API int gc_reserve(gc_client *g, const struct gc_reserve *what, struct gc_tasks *out, gc_until until);
/* Frees what gc_reserve filled in; the tasks stay the worker's. Accepts zeroes. */
GC_API void gc_tasks_clear(struct gc_tasks *tasks);

/* The task is the worker's for another lease from now; 0: work_lease_ms. 0; -ECANCELED: it is to be ended, gc_why says why,
 * and the grace of the job runs; -ESTALE: it is the worker's no more; -EINVAL as for gc_reserve. */
GC_API int gc_task_extend(gc_client *g, const struct gc_task *task, int64_t lease_ns, gc_until until);
/* Waits until the task is to be ended, by a cancel, its context, its deadline or its time limit. 0; -ESTALE: it is the
 * worker's no more, also because it was completed. */
GC_API int gc_task_watch(gc_client *g, const struct gc_task *task, gc_until until);

/* It is done, with this result; returns after commit. 0, also when the result is larger than the daemon's result_bytes_max: then
 * the job has failed with -E2BIG, as gc_job_info tells; -ESTALE: it was the worker's no more, and the result counts for
 * nothing; -ENETRESET: the daemon was restarted, and the job may run again. */
GC_API int gc_task_complete(gc_client *g, const struct gc_task *task, const void *result, size_t bytes,
                            gc_until until);
/* It has failed with a negative errno value, and words (NULL: none). Passing: the job has another attempt if its policy says
 * so. `permanent`: it has none. 0; -EINVAL: the error is not negative; the rest as gc_task_complete. */
GC_API int gc_task_fail(gc_client *g, const struct gc_task *task, int error, bool permanent,
                        const char *words, gc_until until);
/* It was not begun, or can go on elsewhere: it is ready again, without an attempt. As gc_task_complete. */
GC_API int gc_task_release(gc_client *g, const struct gc_task *task, gc_until until);

/* How far it is, from 0 to 1, and in words (NULL: none). 0, -ESTALE. */
GC_API int gc_task_progress(gc_client *g, const struct gc_task *task, double fraction, const char *words,
                            gc_until until);
/* Appends to the kept output of the job. 0; -ENOBUFS: it is full, and the rest was dropped; -ESTALE. */
GC_API int gc_task_print(gc_client *g, const struct gc_task *task, const void *output, size_t bytes,
                         gc_until until);

#ifdef __cplusplus
}
#endif
