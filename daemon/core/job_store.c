/*
 * Jobs and the store's reports. A job stands in `unborn` until the store has said whether it exists, and in
 * `unstored` until it has said the same of the last change; both lists are in the order of batches, because batches
 * only grow. The end of a job is told to nobody, and the job started by nobody, before that.
 */
#include <assert.h>
#include <errno.h>

#include "jobs_internal.h"

void job_depends(struct core *core, struct job *job, uint64_t batch)
{
    assert(batch >= job->batch);
    job->batch = batch;
    list_remove(&job->unstored);
    list_append(&core->jobs->unstored, &job->unstored);
}

void job_line_up(struct core *core, struct job *job)
{
    if (job->state != JOB_READY || !core_stored(core, job->batch))
        return;
    lane_put(core, job);
    dispatch_soon(core);
}

/* The store was full: the job never was. Who waits for it already is told so. */
static void vanish(struct core *core, struct job *job)
{
    assert(!job->run && "nothing starts before it is stored");
    job_forget_waiters(core, job, -ENOENT);
    job_delete(core, job);
}

static void settle(struct core *core, struct job *job)
{
    list_remove(&job->unstored);
    if (!job_ended(job))
        return job_line_up(core, job);
    retention_add(core, job->id, job->ended_us, job->account->uid);
    job_delete(core, job);
}

/* News of a job that did not reach the store: said again. A store that keeps to the rules of record.h never does
 * this; the job is what it is either way. */
static void say_again(struct core *core, struct job *job)
{
    struct job_row row = job_row(job);
    bool over = job_ended(job);
    uint64_t batch = core_record(core, over ? RECORD_JOB_END : RECORD_JOB_STATE, &row,
                                 (struct bytes){job->body, over ? job->body_size : 0});

    if (batch)
        job_depends(core, job, batch);
}

void jobs_stored(struct core *core, uint64_t first, uint64_t last, int error)
{
    struct jobs *jobs = core->jobs;
    struct job *job, *after;

    list_each_safe (job, after, &jobs->unborn, unborn) {
        if (job->born > last)
            break;
        list_remove(&job->unborn);
        if (error && job->born >= first)
            vanish(core, job);
    }
    list_each_safe (job, after, &jobs->unstored, unstored) {
        if (job->batch > last)
            break;
        if (error && job->batch >= first)
            say_again(core, job);
        else
            settle(core, job);
    }
}

uint64_t jobs_store_failed(struct core *core, struct op *op, int error)
{
    struct job *job = op->job ? job_find(core, op->job) : NULL;

    return job && !core_stored(core, job->batch) && job->batch > op->batch ? job->batch : 0;
}
