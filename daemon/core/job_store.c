/*
 * Jobs and the store's reports. A job stands in `unborn` until the store has said whether it exists, and in
 * `unstored` until it has said the same of the last change; both lists are in the order of batches, because batches
 * only grow. The end of a job is told to nobody, and the job started by nobody, before that.
 */
#include <assert.h>
#include <errno.h>

#include "feeds.h"
#include "job_admit.h"
#include "job_after.h"
#include "job_states.h"
#include "schedules.h"

uint64_t job_record(struct core *core, struct job *job, enum record_kind kind, const struct job_row *row,
                    struct bytes body)
{
    return job_work_get(core, job) ? core_record(core, kind, row, body) : 0;
}

void job_depends(struct core *core, struct job *job, uint64_t batch)
{
    struct job_work *work = job->work;

    assert(batch >= work->batch && "batches of a job rise");
    work->batch = batch;
    list_remove(&work->unstored);
    list_append(&core->jobs->unstored, &work->unstored);
}

void job_line_up(struct core *core, struct job *job)
{
    bool is_news = job->work && list_linked(&job->work->unstored); /* then it lines up when that is settled */

    if (job->state != JOB_READY || is_news)
        return;
    lane_put(core, job);
    dispatch_soon(core);
}

/* The store was full: the job never was. Who waits for it already is told so. */
static void vanish(struct core *core, struct job *job)
{
    assert(!job_run(job) && "nothing starts before it is stored");
    job_forget_waiters(core, job, -ENOENT);
    after_never_was(core, job);
    job_delete(core, job);
}

void job_forget(struct core *core, struct job *job)
{
    struct job_row row = job_row(job);

    retention_add(core, &row);
    job_delete(core, job);
}

static void settle(struct core *core, struct job *job)
{
    list_remove(&job->work->unstored);
    job_work_settle(core, job);
    if (!job_ended(job))
        return job_line_up(core, job);
    if (!after_parts(core, job))
        job_forget(core, job);
}

/* News of a job that did not reach the store: said again. A store that keeps to the rules of record.h never does
 * this; the job is what it is either way. When memory is out it stays in `unstored` with the batch that failed. */
static void say_again(struct core *core, struct job *job)
{
    struct job_row row = job_row(job);
    bool over = job_ended(job);
    uint64_t batch = job_record(core, job, over ? RECORD_JOB_END : RECORD_JOB_STATE, &row,
                                (struct bytes){job->body, over ? job->body_size : 0});

    if (batch)
        job_depends(core, job, batch);
}

void jobs_stored(struct core *core, uint64_t first, uint64_t last, int error)
{
    struct jobs *jobs = core->jobs;
    struct job_work *work, *after;

    states_stored(core, first, last, error);
    list_each_safe (work, after, &jobs->unborn, unborn) {
        if (work->born > last)
            break;
        list_remove(&work->unborn);
        jobs->room = jobs->room || jobs->bulks; /* one that joins it may wait for that */
        if (error && work->born >= first)
            vanish(core, work->job);
        else
            job_is_born(core, work->job);
    }
    list_each_safe (work, after, &jobs->unstored, unstored) {
        if (work->batch > last)
            break;
        if (error || work->batch < first) /* of before: it could not be said again then */
            say_again(core, work->job);
        else
            settle(core, work->job);
    }
    schedules_stored(core, first, last, error);
    feeds_stored(core, first, last, error);
}

uint64_t jobs_store_failed(struct core *core, struct op *op, int error)
{
    struct job *job = op->job ? job_find(core, op->job) : NULL;

    uint64_t batch = job ? job_work(job)->batch : 0;

    return !core_stored(core, batch) && batch > op->batch ? batch : 0;
}
