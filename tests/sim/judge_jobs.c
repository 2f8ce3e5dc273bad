/*
 * The ledger of jobs, and what must hold: nothing acknowledged is lost, no promise leaves before it is on disk,
 * no run is offered twice or completes twice, a job that has ended stays as it ended.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backup.h"
#include "bulk.h"
#include "feeds.h"
#include "keeps.h"
#include "operator.h"
#include "pools.h"
#include "schedules.h"
#include "topics.h"
#include "workers.h"

static bool terminal(uint32_t state)
{
    return state >= JOB_DONE && state <= JOB_DEAD;
}

struct entry_job *job_entry(struct sim *sim, uint64_t id)
{
    for (size_t i = 0; i < sim->jobs_n; i++)
        if (sim->jobs[i].id == id)
            return &sim->jobs[i];
    sim->jobs = realloc(sim->jobs, sizeof(*sim->jobs) * (sim->jobs_n + 1));
    if (!sim->jobs)
        abort();
    sim->jobs[sim->jobs_n] = (struct entry_job){.id = id};
    return &sim->jobs[sim->jobs_n++];
}

/* Its row: retention and purges leave only those that have not ended. */
bool may_be_gone(struct sim *sim, uint64_t job)
{
    const struct life *life = life_find(sim, job);

    return sim->forgets || (life && ((sim_purges(sim) && life_ended(life)) || life_may_lack(sim, life)));
}

struct entry_submit *submit_entry(struct sim *sim, const struct task *task)
{
    sim->submits = realloc(sim->submits, sizeof(*sim->submits) * (sim->submits_n + 1));
    if (!sim->submits)
        abort();
    sim->submits[sim->submits_n] = (struct entry_submit){.session = task->session, .op = task->op.request.id};
    return &sim->submits[sim->submits_n++];
}

void submit_known(const struct task *task, uint64_t id, uint32_t flags)
{
    struct sim *sim = task->client->sim;
    struct entry_job *job = job_entry(sim, id);

    if (job->known)
        sim_fail(sim, "two submits were answered with job %llx", (unsigned long long)job->id);
    job->known = true;
    job->context = flags & SUBMIT_DETACHED || job->again ? 0 : task->op.request.context;
    job->incarnation = sim->daemon.incarnation;
}

void judge_submitted(struct task *task)
{
    struct sim *sim = task->client->sim;
    struct entry_submit *submit = submit_entry(sim, task);

    if (task->status < 0)
        return;
    if (task->status > 0)
        return judge_joined(sim, task);
    submit_known(task, task->handle, task->op.request.submit.flags);
    submit->job = task->handle;
}

/* ---- promises on their way out ---- */

static void reply_submit(struct sim *sim, const struct result *result)
{
    struct job_row row;

    if (!storage_job(sim, result->handle, &row) && !may_be_gone(sim, result->handle))
        sim_fail(sim, "the submit of job %llx is answered before it is stored",
                 (unsigned long long)result->handle);
}

static void reply_job(struct sim *sim, const struct result *result)
{
    const struct job_info *info = result->jobs;
    struct job_row row;

    if (result->jobs_n != 1 || !terminal(info->state) || job_entry(sim, info->id)->again)
        return;
    if (storage_job(sim, info->id, &row) ? row.state != info->state : !may_be_gone(sim, info->id))
        sim_fail(sim, "job %llx is said to have ended in state %u before that is stored",
                 (unsigned long long)info->id, info->state);
    struct entry_job *job = job_entry(sim, info->id);
    if (job->state && job->state != info->state)
        sim_fail(sim, "job %llx ended in state %u and then in %u", (unsigned long long)job->id, job->state,
                 info->state);
    job->state = info->state;
}

/* The daemon's own order counts: its answer may be late, and what reaches a host. */
void judge_run_came(struct sim *sim, uint64_t conn, const struct request *request)
{
    struct task *task = task_of_op(sim, conn, request->id);
    uint64_t job = request->verb == VERB_DONE ? request->done.job : request->started.job;

    if (task && job)
        task->last_run = job_entry(sim, job)->run;
}

void judge_run_over(struct sim *sim, const struct task *task, uint64_t id, uint64_t run)
{
    struct entry_job *job = job_entry(sim, id);

    if (job->done_run == run)
        sim_fail(sim, "run %llx of job %llx completes twice", (unsigned long long)run,
                 (unsigned long long)id);
    if (task->last_run != run)
        sim_fail(sim, "run %llx of job %llx completes, but run %llx was offered later",
                 (unsigned long long)run, (unsigned long long)id, (unsigned long long)task->last_run);
    job->done_run = run;
}

static void reply_done(struct sim *sim, const struct task *task)
{
    const struct request_done *done = &task->op.request.done;
    struct entry_job *job = job_entry(sim, done->job);
    struct job_row row;
    bool success = done->cause == CAUSE_NONE && done->result.size <= RESULT_BYTES;

    if (storage_job(sim, done->job, &row) ? success && row.state != JOB_DONE : !may_be_gone(sim, done->job))
        sim_fail(sim, "the end of job %llx is acknowledged before it is stored",
                 (unsigned long long)done->job);
    judge_run_over(sim, task, done->job, done->run);
    job->done |= success;
    sim->jobs_done += success;
}

static void reply_started(struct sim *sim, const struct task *task)
{
    const struct request_started *started = &task->op.request.started;

    if (task->last_run != started->run)
        sim_fail(sim, "run %llx of job %llx may start, but run %llx was offered later",
                 (unsigned long long)started->run, (unsigned long long)started->job,
                 (unsigned long long)task->last_run);
}

static bool told_before(const struct entry_job *job, uint64_t run)
{
    for (size_t i = 0; i < job->runs_n; i++)
        if (job->runs[i] == run)
            return true;
    return false;
}

bool judge_was_told(struct sim *sim, uint64_t id, uint64_t run)
{
    return told_before(job_entry(sim, id), run);
}

void judge_run_told(struct sim *sim, uint64_t id, uint64_t run)
{
    struct entry_job *job = job_entry(sim, id);

    if (told_before(job, run))
        return;
    /* To a host that was cut off meanwhile: it leaves late and must not start (reply_started). */
    bool late = run < job->run || job->done || job->state;
    job->runs = realloc(job->runs, sizeof(*job->runs) * (job->runs_n + 1));
    if (!job->runs)
        abort();
    job->runs[job->runs_n++] = run;
    job->run = late ? job->run : run;
}

/* Each result counts when it leaves for the first time. */
static void reply_first(struct sim *sim, const struct task *task, const struct result *result)
{
    switch (task->op.request.verb) {
    case VERB_SUBMIT:
        reply_submit(sim, result);
        break;
    case VERB_JOB_RETRY:
        judge_retry_reply(sim, task);
        break;
    case VERB_QUEUE_SET:
    case VERB_QUEUE_PAUSE:
    case VERB_QUEUE_PURGE:
    case VERB_QUEUE_INFO:
        judge_queue_reply(sim, task, result);
        break;
    case VERB_JOB_WAIT:
    case VERB_JOB_INFO:
    case VERB_SELECT:
        reply_job(sim, result);
        break;
    case VERB_STARTED:
        reply_started(sim, task);
        break;
    case VERB_DONE:
        reply_done(sim, task);
        break;
    case VERB_TRANSACT:
        if (!task->topical)
            judge_deal_reply(sim, task, result);
        break;
    case VERB_SCHEDULE_SET:
    case VERB_SCHEDULE_REMOVE:
    case VERB_SCHEDULE_PAUSE:
    case VERB_SCHEDULE_LIST:
        judge_schedule_reply(sim, task, result);
        break;
    case VERB_POOL_SET:
    case VERB_POOL_REMOVE:
    case VERB_POOL_INFO:
    case VERB_POOL_LIST:
    case VERB_POOL_DRAIN:
        judge_pool_reply(sim, task, result);
        break;
    default:
        break;
    }
}

void judge_reply(struct sim *sim, uint64_t conn, const struct result *result)
{
    if (result->offer) {
        if (result->offer->kind == OFFER_RUN) /* perhaps again */
            judge_run_told(sim, result->offer->job, result->offer->run);
        return;
    }
    judge_lock_reply(sim, sim->conns[conn].session, result);
    judge_object_reply(sim, sim->conns[conn].session, result);
    struct task *task = task_of_op(sim, conn, result->op);
    judge_work_reply(sim, sim->conns[conn].session, task, result);
    judge_user_reply(sim, task, result);
    if (task)
        judge_topic_reply(sim, task, result);
    if (task)
        judge_keep_reply(sim, task, result);
    if (task)
        judge_feed_reply(sim, task, result);
    if (task && task->op.request.verb == VERB_SUBMIT_MANY)
        judge_bulk_reply(sim, sim->conns[conn].session, result);
    if (task && task->op.request.verb == VERB_BACKUP)
        judge_backup_reply(sim, sim->conns[conn].session, result);
    if (!task || task->answered || result->status < 0)
        return;
    task->answered = true;
    judge_drain_reply(sim, task);
    reply_first(sim, task, result);
}

/* ---- the fate of submits ---- */

void judge_op_status(struct task *task)
{
    struct sim *sim = task->client->sim;
    struct entry_submit *submit = &sim->submits[task->slot];

    if (task->status < 0)
        return;
    submit->never |= task->status == 0;
    if (task->status == 1 && submit->job && task->handle != submit->job)
        sim_fail(sim, "op_status names job %llx, the submit was answered with %llx",
                 (unsigned long long)task->handle, (unsigned long long)submit->job);
    if (task->status == 0 && submit->job)
        sim_fail(sim, "op_status denies job %llx", (unsigned long long)submit->job);
}

/* ---- the end ---- */

void judge_jobs_end(struct sim *sim)
{
    for (size_t i = 0; i < sim->jobs_n && !sim->failed; i++) {
        const struct entry_job *job = &sim->jobs[i];
        struct job_row row;
        bool stored = storage_job(sim, job->id, &row);
        if (job->known && !stored && !may_be_gone(sim, job->id))
            sim_fail(sim, "job %llx was acknowledged and is lost", (unsigned long long)job->id);
        else if (stored && !terminal(row.state))
            sim_fail(sim, "job %llx never ended: state %u", (unsigned long long)job->id, row.state);
        else if (stored && job->done && row.state != JOB_DONE)
            sim_fail(sim, "job %llx was done and is in state %u", (unsigned long long)job->id, row.state);
        else if (stored && job->state && !job->again && row.state != job->state)
            sim_fail(sim, "job %llx ended in state %u and is in %u", (unsigned long long)job->id, job->state,
                     row.state);
    }
    for (size_t i = 0; i < sim->submits_n && !sim->failed; i++) {
        const struct entry_submit *submit = &sim->submits[i];
        uint64_t job = storage_op(sim, &sim->sessions[submit->session].secret, submit->op);
        if (sim->forgets)
            break;
        if (submit->never && job)
            sim_fail(sim, "op_status denied job %llx", (unsigned long long)job);
        if (submit->job && submit->job != job && !may_be_gone(sim, submit->job))
            sim_fail(sim, "the submit of job %llx made job %llx", (unsigned long long)submit->job,
                     (unsigned long long)job);
    }
}
