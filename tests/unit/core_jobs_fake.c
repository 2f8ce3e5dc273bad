/*
 * Jobs for tests of the engine: one record per submit, jobs end by DONE, host sessions get runs by STARTED.
 *
 *   SUBMIT   writes a record; its result waits for the store. Job ids count from 1.
 *   STARTED  makes the scope of `run` in this session;  DONE ends it.  PROGRESS pushes a stream result on RESERVE.
 *   JOB_CANCEL  ends the job: selects that wait for it take effect.
 */
#include <errno.h>
#include <stdlib.h>

#include "core_internal.h"

enum { FAKE_JOBS = 16 };

struct jobs {
    uint64_t jobs_n;
    struct list waiters[FAKE_JOBS];
    bool ended[FAKE_JOBS];
    struct op *reserve;
};

int jobs_init(struct core *core)
{
    core->jobs = core_alloc(core, sizeof(*core->jobs));
    if (!core->jobs)
        return -ENOMEM;
    for (int i = 0; i < FAKE_JOBS; i++)
        list_init(&core->jobs->waiters[i]);
    return 0;
}

void jobs_fini(struct core *core)
{
    core_free(core, core->jobs);
}

int jobs_load(struct core *core, const struct job_row *row, const char **why)
{
    return 0;
}

int jobs_load_schedule(struct core *core, const struct schedule_row *row, struct bytes argument,
                       const char **why)
{
    return 0;
}

void jobs_zone(struct core *core, const struct input *in)
{
}

int jobs_load_feed(struct core *core, const struct feed_row *row, const char **why)
{
    return 0;
}

void jobs_feeds_free(struct core *core)
{
}

bool feeds_have(const struct core *core, struct bytes name)
{
    return false;
}

uint64_t feeds_charged(const struct core *core, const struct account *account)
{
    return 0;
}

uint64_t schedules_charged(const struct core *core, const struct account *account)
{
    return 0;
}

void jobs_session_up(struct core *core, struct session *session)
{
}

void jobs_session_end(struct core *core, struct session *session, int error)
{
    core->jobs->reserve = NULL;
}

void jobs_scope_end(struct core *core, struct scope *scope)
{
}

int jobs_context_ended(struct core *core, void *job, int status, struct bytes words)
{
    return 0;
}

void jobs_submit_left(struct core *core, struct waiter *w)
{
}

void jobs_reserve_left(struct core *core, struct waiter *w)
{
}

void jobs_stored(struct core *core, uint64_t first, uint64_t last, int error)
{
}

uint64_t jobs_store_failed(struct core *core, struct op *op, int error)
{
    return op->verb == VERB_DONE
               ? core_record(core, RECORD_JOB_END, &(struct job_row){.id = 1}, (struct bytes){0})
               : 0;
}

void jobs_plugin(struct core *core, const struct input *in)
{
}

void jobs_host_up(struct core *core, const struct input *in)
{
}

void jobs_host_end(struct core *core, const struct input *in)
{
}

void jobs_drain(struct core *core)
{
}

void jobs_turn(struct core *core)
{
}

int jobs_case_ready(struct core *core, uint64_t job, uint64_t *batch)
{
    *batch = 0;
    return job >= FAKE_JOBS || job > core->jobs->jobs_n ? -ENOENT : core->jobs->ended[job];
}

bool jobs_case_allowed(const struct core *core, const struct op *op, uint64_t job)
{
    return true;
}

struct answer *jobs_case_answer(struct core *core, struct op *op, uint64_t job)
{
    return NULL;
}

struct list *jobs_case_waiters(struct core *core, uint64_t job)
{
    return &core->jobs->waiters[job];
}

void jobs_check(const struct core *core)
{
}

void jobs_stats(const struct core *core, void (*say)(void *, const char *, uint64_t), void *context)
{
    say(context, "jobs.fake", core->jobs->jobs_n);
}

int handle_submit(struct core *core, struct op *op, const struct request *request)
{
    struct job_row row = {.id = core->jobs->jobs_n + 1};

    if (!core_record(core, RECORD_JOB_NEW, &row, (struct bytes){0}))
        return -ENOMEM;
    op->handle = ++core->jobs->jobs_n;
    return 0;
}

int handle_job_cancel(struct core *core, struct op *op, const struct request *request)
{
    uint64_t job = request->job_cancel.job;

    core->jobs->ended[job] = true;
    waiters_job_ended(core, &core->jobs->waiters[job], 0);
    return 0;
}

int handle_started(struct core *core, struct op *op, const struct request *request)
{
    return scope_new(core, op->scope->session, request->started.run, op->scope->account) ? 0 : -ENOMEM;
}

int handle_done(struct core *core, struct op *op, const struct request *request)
{
    struct scope *scope = scope_find(core, op->scope->session, request->done.run);
    struct job_row row = {.id = request->done.job};

    if (!scope)
        return -ESTALE;
    if (!core_record(core, RECORD_JOB_END, &row, (struct bytes){0}))
        return -ENOMEM;
    scope_end(core, scope);
    return 0;
}

int handle_reserve(struct core *core, struct op *op, const struct request *request)
{
    int r = op_stream(core, op);

    if (r < 0 || (r = op_park(core, op, WAIT_STREAM)) < 0)
        return r;
    core->jobs->reserve = op;
    return 0;
}

int handle_progress(struct core *core, struct op *op, const struct request *request)
{
    struct offer offer = {.kind = OFFER_RUN, .run = request->progress.run};

    return session_stream_push(core, core->jobs->reserve, &(struct result){.offer = &offer});
}

#define REFUSED(name)                                                                                        \
    int handle_##name(struct core *core, struct op *op, const struct request *request)                       \
    {                                                                                                        \
        return -ENOSYS;                                                                                      \
    }
REFUSED(job_wait)
REFUSED(job_info)
REFUSED(job_list)
REFUSED(job_output)
REFUSED(print)
REFUSED(goroutines)
REFUSED(dumped)
REFUSED(inspect)
REFUSED(drain)
REFUSED(job_retry)
REFUSED(job_purge)
REFUSED(queue_set)
REFUSED(queue_info)
REFUSED(queue_list)
REFUSED(queue_pause)
REFUSED(queue_purge)
REFUSED(queue_remove)
REFUSED(submit_many)
REFUSED(work_reserve)
REFUSED(work_extend)
REFUSED(work_watch)
REFUSED(pool_set)
REFUSED(pool_remove)
REFUSED(pool_info)
REFUSED(pool_list)
REFUSED(pool_drain)
REFUSED(schedule_set)
REFUSED(schedule_remove)
REFUSED(schedule_pause)
REFUSED(schedule_list)
REFUSED(feed_set)
REFUSED(feed_remove)
REFUSED(feed_list)
REFUSED(transact)
