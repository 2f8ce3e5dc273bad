/*
 * Workers, and every run of a job, judged:
 *
 *     a run is given by one WORK_RESERVE, once; what it gives is of the queues and functions that it named, and not more than it asked
 *     what is said of a run counts only while it is the run of its job, for hosts too; and the worker whose run it is is not told
 *     that it is not
 *     a job whose worker says nothing is taken from it when the lease ends, or its grace; one whose worker is gone, too
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lives.h"
#include "schedules.h"
#include "workers.h"

/* Longer than the daemon waits to try again what there was no memory for. */
#define SLACK (400 * MS)

/* A run that a worker was given. */
struct stint {
    uint64_t job, run;
    uint64_t session, op; /* that reserved it */
    int64_t until_ns;     /* its lease ends not later, */
    int64_t least_ns;     /* nor earlier than that */
    bool cancelled;       /* it was told to end: its grace takes the place of its lease */
    bool over;            /* it is not the run of its job any more */
};

struct work_ledger {
    struct stint *all;
    size_t n;
};

static struct work_ledger *ledger(struct sim *sim)
{
    if (!sim->work)
        sim->work = sim_alloc(sizeof(*sim->work));
    return sim->work;
}

void judge_workers_free(struct sim *sim)
{
    if (sim->work)
        free(sim->work->all);
    free(sim->work);
}

static struct stint *find(struct sim *sim, uint64_t run)
{
    struct work_ledger *work = ledger(sim);

    for (size_t i = 0; i < work->n; i++)
        if (work->all[i].run == run)
            return &work->all[i];
    return NULL;
}

/* As the core was after its last step. */
static bool is_run_of_now(struct sim *sim, uint64_t job, uint64_t run)
{
    const struct life *life = life_find(sim, job);

    return life && life->here && life->state == JOB_RUNNING && life->run == run;
}

/* ---- what is reserved ---- */

static bool names(struct bytes list, struct bytes name, const char *otherwise)
{
    struct bytes one;
    bool any = false;

    while (names_next(&list, &one)) {
        any = true;
        if (one.size == name.size && memcmp(one.data, name.data, name.size) == 0)
            return true;
    }
    return !any &&
           (!otherwise || (name.size == strlen(otherwise) && memcmp(name.data, otherwise, name.size) == 0));
}

static int64_t lease_of(int64_t asked_ns)
{
    return asked_ns ? asked_ns : LEASE_MS * MS;
}

/* Another lease counts from now: it may be over before the one that was. */
static void extend(struct sim *sim, struct stint *stint, int64_t asked_ns)
{
    int64_t until_ns = sim->now_ns + lease_of(asked_ns);

    if (asked_ns < 0)
        return;
    stint->least_ns = until_ns;
    stint->until_ns = until_ns > stint->until_ns ? until_ns : stint->until_ns;
}

static void given(struct sim *sim, uint64_t session, const struct task *task, const struct job_info *row)
{
    const struct request_work_reserve *asked = &task->op.request.work_reserve;
    struct work_ledger *work = ledger(sim);
    const struct stint *before = find(sim, row->run);

    if (before && (before->session != session || before->op != task->op.request.id))
        sim_fail(sim, "run %llx of job %llx is given to two workers", (unsigned long long)row->run,
                 (unsigned long long)row->id);
    if (!names(asked->queues, row->queue, "default") || !names(asked->functions, row->function, NULL))
        sim_fail(sim, "job %llx is of queue %.*s, function %.*s, and was not asked for",
                 (unsigned long long)row->id, (int)row->queue.size, (const char *)row->queue.data,
                 (int)row->function.size, (const char *)row->function.data);
    if (before)
        return;
    work->all = realloc(work->all, sizeof(*work->all) * (work->n + 1));
    if (!work->all)
        abort();
    struct stint *stint = &work->all[work->n++];
    *stint = (struct stint){.job = row->id, .run = row->run, .session = session, .op = task->op.request.id};
    extend(sim, stint, asked->lease_ns);
    judge_run_told(sim, row->id, row->run);
}

static void reply_reserve(struct sim *sim, uint64_t session, const struct task *task,
                          const struct result *result)
{
    uint64_t most = task->op.request.work_reserve.max ? task->op.request.work_reserve.max : 1;

    if (result->status >= 0 &&
        (result->jobs_n != (size_t)result->status || !result->jobs_n || result->jobs_n > most))
        sim_fail(sim, "a worker asks for %llu jobs and has %zu, status %d", (unsigned long long)most,
                 result->jobs_n, result->status);
    for (size_t i = 0; i < result->jobs_n && !sim->failed; i++)
        given(sim, session, task, &result->jobs[i]);
}

/* ---- what is said of runs ---- */

/* Job and run are the first members of all these requests. */
static bool is_about_run(enum verb verb)
{
    return verb == VERB_STARTED || verb == VERB_DONE || verb == VERB_PRINT || verb == VERB_PROGRESS ||
           verb == VERB_WORK_EXTEND || verb == VERB_WORK_WATCH || verb == VERB_TRANSACT;
}

/* Only these are judged and answered in the step in which they come. */
static bool is_judged_at_once(enum verb verb)
{
    return verb == VERB_DONE || verb == VERB_PRINT || verb == VERB_PROGRESS || verb == VERB_WORK_EXTEND;
}

void judge_work_came(struct sim *sim, struct task *task, const struct request *request)
{
    const struct request_started *about = &request->started;
    struct stint *stint;

    if (!task || task->topical || !is_about_run(request->verb))
        return;
    stint = find(sim, about->run);
    task->fence = FENCE_OTHER;
    if (is_run_of_now(sim, about->job, about->run))
        task->fence = stint && stint->session == task->session && stint->least_ns > sim->now_ns
                          ? FENCE_OWN
                          : FENCE_UNKNOWN; /* or its lease has ended in this step */
    if (task->fence == FENCE_OWN && request->verb == VERB_WORK_EXTEND)
        extend(sim, stint, request->work_extend.lease_ns);
}

static void reply_about_run(struct sim *sim, const struct task *task, const struct result *result)
{
    const struct request_started *about = &task->op.request.started;
    enum verb verb = task->op.request.verb;

    if (result->status >= 0 && task->fence == FENCE_OTHER)
        sim_fail(sim, "verb %d of client %u counts, and run %llx was not that of job %llx any more", verb,
                 task->client->who, (unsigned long long)about->run, (unsigned long long)about->job);
    if (result->status == -ESTALE && task->fence == FENCE_OWN && is_judged_at_once(verb))
        sim_fail(sim, "verb %d of client %u is stale, and run %llx of job %llx is its own", verb,
                 task->client->who, (unsigned long long)about->run, (unsigned long long)about->job);
}

void judge_work_reply(struct sim *sim, uint64_t session, const struct task *task, const struct result *result)
{
    if (!task || task->answered || task->topical)
        return;
    if (task->op.request.verb == VERB_WORK_RESERVE)
        reply_reserve(sim, session, task, result);
    else if (is_about_run(task->op.request.verb))
        reply_about_run(sim, task, result);
}

/* ---- leases ---- */

static void look_at_cancel(struct sim *sim, struct stint *stint)
{
    struct core_job job;

    if (stint->cancelled || !core_next_job(sim->daemon.core, stint->job - 1, &job) || !job.cancelling)
        return;
    stint->cancelled = true;
    stint->until_ns = sim->now_ns + job.grace_ns;
}

static void look_at(struct sim *sim, struct stint *stint)
{
    bool gone = core_look(sim->daemon.core, &sim->sessions[stint->session].secret, 0) == CORE_NO_SESSION;

    stint->over = !is_run_of_now(sim, stint->job, stint->run);
    if (stint->over)
        return;
    look_at_cancel(sim, stint);
    if (gone && stint->until_ns > sim->now_ns)
        stint->until_ns = sim->now_ns;
    if ((sim->memory.short_of || time_has_passed(sim)) && stint->until_ns < sim->now_ns)
        stint->until_ns = sim->now_ns;
    if (sim->now_ns > stint->until_ns + SLACK)
        sim_fail(sim, "run %llx of job %llx goes on, and its worker %s", (unsigned long long)stint->run,
                 (unsigned long long)stint->job, gone ? "is gone" : "let its lease end");
}

void judge_work_look(struct sim *sim)
{
    struct work_ledger *work = ledger(sim);

    for (size_t i = 0; i < work->n && !sim->failed; i++)
        if (!work->all[i].over)
            look_at(sim, &work->all[i]);
}
