/*
 * goclient_job.h — more about jobs (goclient.h): keys under which they are submitted once, many at once, dead letters.
 *
 * A job whose attempts are used up, or that has crashed too often, is dead (GC_JOB_DEAD); one that has had its only attempt,
 * or whose function gave up (gp_give_up), has failed (GC_JOB_FAILED). Both stay for a time, to be looked at, and can be
 * given another life: the same job, with its argument, its output so far, and no failure counted. Errors are as
 * goclient.h says. Any thread; every call waits for the daemon.
 */
#pragma once

#include "goclient.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Within what a key is one. The keys of one user never meet those of another. */
enum gc_once_scope {
    GC_ONCE_FUNCTION, /* of a plugin */
    GC_ONCE_QUEUE,
    GC_ONCE_ALL,
};

/* What becomes of a submit whose key a job holds. */
enum gc_once_policy {
    GC_ONCE_REJECT,  /* gc_submit is -EEXIST; *out is that job */
    GC_ONCE_REPLACE, /* that job is cancelled, and this one is in its place, in one step; -EBUSY: it runs */
    GC_ONCE_JOIN,    /* gc_submit is 1, and *out that job: whoever waits for it gets the same result */
};

/* How long a job holds its key, beside a time in nanoseconds. */
#define GC_ONCE_UNTIL_END     INT64_C(0)
#define GC_ONCE_UNTIL_DELETED INT64_C(-1)

/* For `once` of struct gc_submit. A restart of the daemon changes nothing. */
struct gc_once {
    const char *key; /* 1 to 255 bytes */
    enum gc_once_scope scope;
    enum gc_once_policy policy;
    int64_t for_ns; /* a time from the submit on, also beyond the end of the job; or one of the above */
};

/*
 * Submits n jobs, all or none, in one write of the daemon's store: out[i] is jobs[i]. How many are new, once they are on disk;
 * the others have joined a job (GC_ONCE_JOIN), and out[] is that. `jobs` have all the same `size`. Nothing for n = 0.
 *
 * One of them is refused, and so are all: errors are those of gc_submit, *refused is its place, and out[] is zero, but for
 * the job that has its key (-EEXIST, -EBUSY). *refused is n when the reason is none of them. `refused`: or NULL.
 *
 * Room: waits until there is room for all at once, where a queue lets submits wait; -ENOBUFS, where it refuses; where it
 * drops the oldest, it drops none of these. -E2BIG: more of them in one queue than may wait there, or more than
 * bulk_jobs_max, or bulk_bytes_max in their arguments. Keys count in the order of the jobs: two of them may have the same
 * one only where the later joins the earlier, else it is -EEXIST. `after` names jobs that exist, none of these.
 * gc_op_status finds the first one of those that are new.
 */
GC_API int gc_submit_many(gc_client *g, const struct gc_submit *jobs, size_t n, gc_job *out, size_t *refused,
                          gc_until until);

/*
 * The same for a batch: the last job is its callback, which starts when all others have ended. With GC_AFTER_ANY however they
 * end; without, when all were done, and it is cancelled as soon as one was not, while the others go on. In its plugin gp_after
 * tells how many there were and how many were done. It has no `after` of its own (-EINVAL). A restart changes nothing.
 */
GC_API int gc_submit_batch(gc_client *g, const struct gc_submit *jobs, size_t n, gc_job *out, size_t *refused,
                           gc_until until);

/* A dead or failed job is ready again, once that is on disk. 0. Its time limits begin anew; a deadline that has passed
 * holds no more; a context it was bound to is gone. -ENOENT: the job is gone, or its queue. -EPERM: somebody else's.
 * -EBUSY: it has not ended. -EINVAL: it was done or cancelled. -ENOBUFS: its user has too many jobs. */
GC_API int gc_job_retry(gc_client *g, gc_job job, gc_until until);

/* Which ended jobs. Zero means: of no importance. */
struct gc_ended {
    size_t size;
    unsigned states;   /* 1u << GC_JOB_DEAD and so on; 0: dead */
    const char *queue; /* only of this queue */
    int64_t older_ns;  /* gc_jobs_purge: only those that ended at least so long ago */
    gc_job after;      /* from the job behind this one on */
    uint32_t limit;    /* look at no more */
};

/* The same for a page of jobs, of those that the caller may touch: the daemon looks at some hundreds at most. How many are
 * ready again; *next is where to go on, or 0 when that was all. -EINVAL: states beside failed and dead. Others as
 * gc_job_retry. */
GC_API int gc_jobs_retry(gc_client *g, const struct gc_ended *which, gc_job *next, gc_until until);

/* A page of ended jobs is forgotten, with results and output, once that is on disk. How many; *next as above. -EINVAL. */
GC_API int gc_jobs_purge(gc_client *g, const struct gc_ended *which, gc_job *next, gc_until until);

#ifdef __cplusplus
}
#endif
