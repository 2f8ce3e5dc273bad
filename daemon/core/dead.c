/*
 * Dead letters: ended jobs that are given another life, or are forgotten. Both work on one page of the store's rows an
 * operation, so that neither a turn nor a batch grows with how many there are; a client asks for page after page.
 *
 * The rows were read some time ago: a job counts only if it is still kept when they come (retention.c).
 */
#include <errno.h>
#include <string.h>

#include "jobs_internal.h"

/* What the rows are for. */
struct page {
    bool purge;
    uint32_t limit;
    int64_t older_ns;
    size_t queue_size;
    char queue[NAME_BYTES_MAX];
};

/* ---- one job ---- */

/* It has not ended, or has done what it should. */
static void refuse_state(struct core *core, struct op *op, uint64_t job, enum job_state state)
{
    if (state < JOB_DONE)
        return op_fail(core, op, -EBUSY, "job %llu has not ended", (unsigned long long)job);
    op_fail(core, op, -EINVAL, "job %llu has not failed: only failed and dead jobs are retried",
            (unsigned long long)job);
}

static void refuse_queue(struct core *core, struct op *op, const struct job_row *row)
{
    op_fail(core, op, -ENOENT, "there is no queue %.*s any more, of which job %llu is: QUEUE_SET makes it",
            (int)row->queue.size, (const char *)row->queue.data, (unsigned long long)row->id);
}

/* Takes the job in state NONE, which is gone when this fails. */
static int revive(struct core *core, struct op *op, struct job *job)
{
    int r = job ? job_again(core, job) : -ENOMEM;

    if (r < 0) {
        job_delete(core, job);
        return r;
    }
    op_depends(op, job_work(job)->batch);
    return 0;
}

static void row_came(struct core *core, struct op *op, void *context, const struct input *in)
{
    const struct job_row *row = in->fetched.rows;
    int r = in->fetched.error;
    uint32_t uid;

    if (!op)
        return;
    if (r == 0 && (in->fetched.rows_n == 0 || !retention_has(core, row->id, &uid)))
        r = -ENOENT; /* deleted meanwhile, or somebody was faster */
    if (r == 0 && !job_allowed(op, row->uid))
        r = -EPERM;
    if (r == 0 && !job_may(row->state, JOB_READY))
        return refuse_state(core, op, row->id, row->state);
    if (r == 0 && !queue_find(core, row->queue))
        return refuse_queue(core, op, row);
    if (r == 0) {
        op->handle = row->id;
        r = revive(core, op, job_of_row(core, row));
    }
    op_finish(core, op, r < 0 ? r : 1);
}

static int retry_one(struct core *core, struct op *op, uint64_t id)
{
    struct job *job = job_find(core, id);
    struct fetch what = {.kind = FETCH_JOB, .job = id};
    int r;

    op->try = false;
    if (!job)
        return core_fetch(core, &what, row_came, op, NULL);
    if (!job_allowed(op, job->terms->account->uid))
        return -EPERM;
    if (!job_ended(job) || !job_may(job->state, JOB_READY)) {
        refuse_state(core, op, id, job->state);
        return 0;
    }
    r = job_again(core, job); /* its end is not stored yet */
    if (r < 0)
        return r;
    op->handle = id;
    op_depends(op, job_work(job)->batch);
    return 1;
}

/* ---- pages ---- */

static bool wanted(const struct core *core, const struct op *op, const struct page *page,
                   const struct job_row *row)
{
    uint32_t uid;

    if (!job_allowed(op, row->uid) || !retention_has(core, row->id, &uid))
        return false;
    if (page->purge ? row->ended_us + page->older_ns / 1000 > core->now.wall_ns / 1000
                    : !queue_find(core, row->queue))
        return false;
    return !page->queue_size || bytes_are(row->queue, page->queue, page->queue_size);
}

static int purge(struct core *core, struct op *op, const struct job_row *row)
{
    uint64_t batch = retention_purge(core, row->id);

    if (!batch)
        return -ENOMEM;
    op_depends(op, batch);
    return 0;
}

/* What could not be done any more is the next page's, unless it was the first. */
static void work_through(struct core *core, struct op *op, const struct page *page, const struct input *in)
{
    bool more = in->fetched.more;
    int done = 0, r = 0;

    for (size_t i = 0; i < in->fetched.rows_n; i++) {
        const struct job_row *row = &in->fetched.rows[i];
        if (wanted(core, op, page, row)) {
            r = page->purge ? purge(core, op, row) : revive(core, op, job_of_row(core, row));
            if (r < 0)
                break;
            done++;
        }
        op->handle = row->id;
    }
    if (r < 0 && done == 0)
        return op_finish(core, op, r);
    if (more || r < 0)
        op->flags |= RESULT_MORE;
    op_finish(core, op, done);
}

static void rows_came(struct core *core, struct op *op, void *context, const struct input *in)
{
    struct page *page = context;

    if (op && in->fetched.error)
        op_finish(core, op, in->fetched.error);
    else if (op)
        work_through(core, op, page, in);
    core_free(core, page);
}

/* `given` says which, and which may be named at all. */
static int ask_page(struct core *core, struct op *op, const struct page *given, struct bytes queue,
                    uint32_t states, uint64_t after)
{
    uint32_t most = (uint32_t)core->limits.revive_max;
    struct fetch what = {.kind = FETCH_JOBS, .job = after, .states = states};

    if (queue.size && name_check(queue) < 0)
        return -EINVAL;
    struct page *page = core_alloc(core, sizeof(*page));
    if (!page)
        return -ENOMEM;
    *page = *given;
    page->queue_size = queue.size;
    if (queue.size)
        memcpy(page->queue, queue.data, queue.size);
    what.limit = given->limit && given->limit < most ? given->limit : most;
    op->try = false;
    int r = core_fetch(core, &what, rows_came, op, page);
    if (r < 0)
        core_free(core, page);
    return r;
}

static int check_states(struct core *core, struct op *op, uint32_t states, uint32_t allowed,
                        const char *which)
{
    if (states & ~allowed) {
        op_fail(core, op, -EINVAL, "only jobs that %s can be named here", which);
        return -EINVAL;
    }
    return 0;
}

int handle_job_retry(struct core *core, struct op *op, const struct request *request)
{
    const struct request_job_retry *retry = &request->job_retry;
    uint32_t states = retry->states ? retry->states : 1u << JOB_DEAD;

    if (retry->job)
        return retry_one(core, op, retry->job);
    if (check_states(core, op, states, 1u << JOB_DEAD | 1u << JOB_FAILED, "have failed or are dead") < 0)
        return 0;
    return ask_page(core, op, &(struct page){.limit = retry->limit}, retry->queue, states, retry->after);
}

int handle_job_purge(struct core *core, struct op *op, const struct request *request)
{
    const struct request_job_purge *purge = &request->job_purge;
    uint32_t states = purge->states ? purge->states : 1u << JOB_DEAD;
    uint32_t ended = ((1u << JOB_STATES) - 1) & ~((1u << JOB_DONE) - 1);
    struct page page = {.purge = true, .limit = purge->limit, .older_ns = purge->older_ns};

    if (purge->older_ns < 0)
        return -EINVAL;
    if (check_states(core, op, states, ended, "have ended") < 0)
        return 0;
    return ask_page(core, op, &page, purge->queue, states, purge->after);
}
