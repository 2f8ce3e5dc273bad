/*
 * The ledger of jobs, and what must hold: nothing acknowledged is lost, no promise leaves before it is on disk,
 * no run is offered twice or completes twice, a job that has ended stays as it ended.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

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

void judge_submitted(struct task *task)
{
    struct sim *sim = task->client->sim;

    sim->submits = realloc(sim->submits, sizeof(*sim->submits) * (sim->submits_n + 1));
    if (!sim->submits)
        abort();
    struct entry_submit *submit = &sim->submits[sim->submits_n++];
    *submit = (struct entry_submit){.session = task->session, .op = task->op.request.id};
    if (task->status < 0)
        return;
    struct entry_job *job = job_entry(sim, task->handle);
    if (job->known)
        sim_fail(sim, "two submits were answered with job %llx", (unsigned long long)job->id);
    submit->job = job->id;
    job->known = true;
}

/* ---- promises on their way out ---- */

static void reply_submit(struct sim *sim, const struct result *result)
{
    struct job_row row;

    if (!storage_job(sim, result->handle, &row))
        sim_fail(sim, "the submit of job %llx is answered before it is stored",
                 (unsigned long long)result->handle);
}

static void reply_job(struct sim *sim, const struct result *result)
{
    const struct job_info *info = result->jobs;
    struct job_row row;

    if (result->jobs_n != 1 || !terminal(info->state))
        return;
    if (!storage_job(sim, info->id, &row) || row.state != info->state)
        sim_fail(sim, "job %llx is said to have ended in state %u before that is stored",
                 (unsigned long long)info->id, info->state);
    struct entry_job *job = job_entry(sim, info->id);
    if (job->state && job->state != info->state)
        sim_fail(sim, "job %llx ended in state %u and then in %u", (unsigned long long)job->id, job->state,
                 info->state);
    job->state = info->state;
}

/* The daemon's own order counts: what reaches a host may be late. */
static void reply_done(struct sim *sim, const struct request_done *done)
{
    struct entry_job *job = job_entry(sim, done->job);
    struct job_row row;

    if (!storage_job(sim, done->job, &row) || (done->cause == CAUSE_NONE && row.state != JOB_DONE))
        sim_fail(sim, "the end of job %llx is acknowledged before it is stored",
                 (unsigned long long)done->job);
    if (job->done_run == done->run)
        sim_fail(sim, "run %llx of job %llx completes twice", (unsigned long long)done->run,
                 (unsigned long long)done->job);
    if (job->run != done->run)
        sim_fail(sim, "run %llx of job %llx completes, but run %llx was offered later",
                 (unsigned long long)done->run, (unsigned long long)done->job, (unsigned long long)job->run);
    job->done_run = done->run;
    job->done |= done->cause == CAUSE_NONE;
    sim->jobs_done += done->cause == CAUSE_NONE;
}

static void reply_started(struct sim *sim, const struct request_started *started)
{
    const struct entry_job *job = job_entry(sim, started->job);

    if (job->run != started->run)
        sim_fail(sim, "run %llx of job %llx may start, but run %llx was offered later",
                 (unsigned long long)started->run, (unsigned long long)started->job,
                 (unsigned long long)job->run);
}

static bool offered_before(const struct entry_job *job, uint64_t run)
{
    for (size_t i = 0; i < job->runs_n; i++)
        if (job->runs[i] == run)
            return true;
    return false;
}

/* An offer leaves the daemon, perhaps again. */
static void reply_offer(struct sim *sim, const struct offer *offer)
{
    struct entry_job *job = job_entry(sim, offer->job);

    if (offer->kind != OFFER_RUN || offered_before(job, offer->run))
        return;
    /* To a host that was cut off meanwhile: it leaves late and must not start (reply_started). */
    bool late = offer->run < job->run || job->done || job->state;
    job->runs = realloc(job->runs, sizeof(*job->runs) * (job->runs_n + 1));
    if (!job->runs)
        abort();
    job->runs[job->runs_n++] = offer->run;
    job->run = late ? job->run : offer->run;
}

/* Each result counts when it leaves for the first time. */
static void reply_first(struct sim *sim, const struct task *task, const struct result *result)
{
    switch (task->op.request.verb) {
    case VERB_SUBMIT:
        reply_submit(sim, result);
        break;
    case VERB_JOB_WAIT:
    case VERB_JOB_INFO:
    case VERB_SELECT:
        reply_job(sim, result);
        break;
    case VERB_STARTED:
        reply_started(sim, &task->op.request.started);
        break;
    case VERB_DONE:
        reply_done(sim, &task->op.request.done);
        break;
    default:
        break;
    }
}

void judge_reply(struct sim *sim, uint64_t conn, const struct result *result)
{
    if (result->offer) {
        reply_offer(sim, result->offer);
        return;
    }
    judge_lock_reply(sim, sim->conns[conn].session, result);
    struct task *task = task_of_op(sim, conn, result->op);
    if (!task || task->answered || result->status < 0)
        return;
    task->answered = true;
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
        if (job->known && !stored)
            sim_fail(sim, "job %llx was acknowledged and is lost", (unsigned long long)job->id);
        else if (stored && !terminal(row.state))
            sim_fail(sim, "job %llx never ended: state %u", (unsigned long long)job->id, row.state);
        else if (stored && job->done && row.state != JOB_DONE)
            sim_fail(sim, "job %llx was done and is in state %u", (unsigned long long)job->id, row.state);
        else if (stored && job->state && row.state != job->state)
            sim_fail(sim, "job %llx ended in state %u and is in %u", (unsigned long long)job->id, job->state,
                     row.state);
    }
    for (size_t i = 0; i < sim->submits_n && !sim->failed; i++) {
        const struct entry_submit *submit = &sim->submits[i];
        uint64_t job = storage_op(sim, &sim->sessions[submit->session].secret, submit->op);
        if (submit->never && job)
            sim_fail(sim, "op_status denied job %llx", (unsigned long long)job);
        if (submit->job && submit->job != job)
            sim_fail(sim, "the submit of job %llx made job %llx", (unsigned long long)submit->job,
                     (unsigned long long)job);
    }
}
