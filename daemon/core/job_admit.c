/*
 * Jobs become known, one or many: all of them in one batch, and so all of them or none, also for those in whose place they
 * come. Everything that may fail is done for all of them first; then all change.
 *
 * A batch with news of a job that is replaced is no admission that a full store may refuse (record.h): then all of it is kept
 * until it is stored.
 */
#include "job_admit.h"

#include <errno.h>

#include "job_after.h"
#include "job_once.h"
#include "job_states.h"

/* The argument of what starts soon is not read from the store. There it is as well: memory is for a short line. */
static void keep_argument(struct core *core, struct job *job)
{
    job->kept = true;
    core->jobs->kept_bytes += job->body_size;
    if (job->state != JOB_READY || core->jobs->kept_bytes > core->limits.arguments_kept_bytes)
        job_forget_argument(core, job);
}

static bool comes_later(const struct core *core, const struct job *job)
{
    return job->due_ns != INT64_MAX && job->due_ns > core->now.mono_ns;
}

/* ---- what may fail ---- */

static int record_job(struct core *core, struct newcomer *one, enum record_kind kind)
{
    struct job *job = one->job;
    bool later = comes_later(core, job);

    if (after_reserve(core, job) < 0 || !job_work_get(core, job))
        return -ENOMEM;
    job->created_us = core->now.wall_ns / 1000;
    job->due_us = later ? job_wall_us(core, job->due_ns) : 0;
    if (job->parts)
        job->parts->deadline_us = job_wall_us(core, job->parts->deadline_ns);
    struct job_row row = job_row(job);
    row.state = after_blocks(job) ? JOB_BLOCKED : later ? JOB_SCHEDULED : JOB_READY;
    if (flags_durability(row.flags) == DURABLE_NONE)
        job_id_keep(core, job->id);
    if (one->schedule)
        one->schedule->progress.last_job = job->id;
    if (state_ready(core, job, &row, &one->told) < 0 ||
        (after_blocks(job) && state_ready_to_go_on(core, job) < 0))
        return -ENOMEM;
    one->record = record_new_of(kind, &row, one->schedule, (struct bytes){job->body, job->body_size});
    if (!one->record)
        return -ENOMEM;
    if (one->step) {
        one->step->to.last_job = job->id;
        one->record->step = PLANTED(PARTED_STEP) ? (struct feed_step){0} : *one->step;
    }
    return 0;
}

static int record_old(struct core *core, struct newcomer *one)
{
    static const char words[] = "a later submit with its key has replaced it";

    if (!one->old)
        return 0;
    if (!job_work_get(core, one->old))
        return -ENOMEM;
    struct job_row row = job_row(one->old);
    row.state = JOB_CANCELLED;
    row.cause = CAUSE_CANCELED;
    row.error = -ECANCELED;
    row.ended_us = core->now.wall_ns / 1000;
    row.text = (struct bytes){words, sizeof(words) - 1};
    row.once = (struct bytes){0};
    if (state_ready(core, one->old, &row, &one->told_end) < 0)
        return -ENOMEM;
    one->end = record_new(RECORD_JOB_END, &row, (struct bytes){0});
    return one->end ? 0 : -ENOMEM;
}

enum record_kind jobs_kind(const struct newcomer *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (list[i].job && list[i].old)
            return RECORD_JOB_REPLACE;
    return RECORD_JOB_NEW;
}

void jobs_number(struct core *core, struct newcomer *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (list[i].job && !list[i].job->id)
            list[i].job->id = job_id_next(core);
}

static int record_all(struct core *core, struct newcomer *list, size_t n, enum record_kind kind)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < n; i++) {
        if (!list[i].job)
            continue;
        r = record_job(core, &list[i], kind);
        if (r == 0)
            r = record_old(core, &list[i]);
    }
    return r;
}

void jobs_unprepare(struct core *core, struct newcomer *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        list[i].told = notice_delete(core, list[i].told);
        list[i].told_end = notice_delete(core, list[i].told_end);
        list[i].record = record_delete(list[i].record);
        list[i].end = record_delete(list[i].end);
    }
}

/* Its batch; 0: out of memory, and they are the caller's. */
static uint64_t hand_over(struct core *core, struct newcomer *list, size_t n)
{
    struct list records = LIST_INIT(records);

    for (size_t i = 0; i < n; i++)
        if (list[i].job)
            list_append(&records, &list[i].record->link);
    for (size_t i = 0; i < n; i++)
        if (list[i].end)
            list_append(&records, &list[i].end->link);
    uint64_t batch = core_record_all(core, &records);
    while (!list_empty(&records))
        list_remove(records.next);
    return batch;
}

/* ---- what cannot ---- */

static void become_known(struct core *core, struct job *job, enum job_state state, uint64_t batch)
{
    job->argument_bytes = job->body_size;
    job_restore(core, job, state);
    keep_argument(core, job);
    job->work->born = batch;
    list_append(&core->jobs->unborn, &job->work->unborn);
    if (job->parts && job->parts->once)
        once_take(core, &job->parts->once, job->id);
    after_link(core, job);
    job_depends(core, job, batch);
    job_arm(core, job);
    if (job->state == JOB_BLOCKED && !after_blocks(job))
        job_unblock(core, job);
}

static void come_in(struct core *core, struct newcomer *one, enum job_state state, uint64_t batch)
{
    state_tell(core, one->job, one->told, batch);
    become_known(core, one->job, state, batch);
    one->told = NULL;
    if (!one->old)
        return;
    state_tell(core, one->old, one->told_end, batch);
    one->told_end = NULL;
    job_forget_argument(core, one->old);
    job_say_bytes(core, one->old, one->end->job.text);
    job_ends(core, one->old, &one->end->job, batch);
}

int jobs_prepare(struct core *core, struct newcomer *list, size_t n, enum record_kind kind)
{
    int r = job_index_reserve(core, &core->jobs->index, n);

    if (r == 0)
        r = once_reserve(core, n);
    jobs_number(core, list, n);
    if (r == 0)
        r = record_all(core, list, n, kind);
    if (r < 0)
        jobs_unprepare(core, list, n);
    return r;
}

int jobs_come(struct core *core, struct newcomer *list, size_t n)
{
    uint64_t batch = hand_over(core, list, n);

    if (!batch)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        if (list[i].job)
            come_in(core, &list[i], (enum job_state)list[i].record->job.state, batch);
    return 0;
}

int jobs_admit(struct core *core, struct newcomer *list, size_t n)
{
    int r = jobs_prepare(core, list, n, jobs_kind(list, n));

    if (r == 0)
        r = jobs_come(core, list, n);
    if (r < 0)
        jobs_unprepare(core, list, n);
    return r;
}

int job_admit(struct core *core, struct job *job)
{
    return job_admit_of(core, job, NULL);
}

int job_admit_of(struct core *core, struct job *job, struct schedule_row *schedule)
{
    return jobs_admit(core, &(struct newcomer){.job = job, .schedule = schedule}, 1);
}

int job_admit_from(struct core *core, struct job *job, struct feed_step *step, uint64_t batch)
{
    struct newcomer one = {.job = job, .step = step};
    int r = jobs_prepare(core, &one, 1, RECORD_JOB_NEW);

    if (r == 0 && batch && !batch_is_open(core, batch))
        r = -EAGAIN; /* the store was told what has to be there before the job, as a topic for its states */
    if (r == 0)
        r = jobs_come(core, &one, 1);
    if (r < 0)
        jobs_unprepare(core, &one, 1);
    return r;
}
