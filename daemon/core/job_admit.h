/* Jobs become known, one or many in one batch: see job_admit.c. */
#pragma once

#include "jobs_internal.h"

/* On the wall clock; 0: none. */
static inline int64_t job_wall_us(const struct core *core, int64_t mono_ns)
{
    if (mono_ns == INT64_MAX)
        return 0;
    return (core->now.wall_ns + (mono_ns - core->now.mono_ns)) / 1000;
}

/* The store has not said yet whether it exists. Its state does not change by itself meanwhile, but to its end: that is told, and
 * may turn out to be that of a job that never was. Nor does one that waited for nothing wait: it is ready in the write it is
 * born in. */
static inline bool job_is_unborn(const struct job *job)
{
    return job->work && list_linked(&job->work->unborn);
}

/* It exists: what it has waited for may have come meanwhile. */
void job_is_born(struct core *core, struct job *job);

/* One of those that are admitted together. All but `job` and `old` begins with zeros. */
struct newcomer {
    struct job *job; /* in state NONE, with its argument; NULL: nobody, it is passed over */
    struct job *old; /* one that waits and is cancelled: the newcomer takes its place; NULL: none */
    struct record *record, *end;    /* what the store is told of both */
    struct notice *told, *told_end; /* and who else (job_states.h) */
    struct schedule_row
        *schedule; /* that submits it, and moves in the same record; its last_job is set; NULL: none */
    struct feed_step *step; /* the same of a feed */
};

/* Gives each its id, in their order. */
void jobs_number(struct core *core, struct newcomer *list, size_t n);
/* Makes all of them known: scheduled, blocked or ready. Those without an id get one. The keys they have are judged. 0;
 * -ENOMEM: nothing happened. */
int jobs_admit(struct core *core, struct newcomer *list, size_t n);
/* RECORD_JOB_NEW; RECORD_JOB_REPLACE: one of them comes in the place of another. */
enum record_kind jobs_kind(const struct newcomer *list, size_t n);
/* The same in two halves, for what must happen together with something else. The first may fail, the second only when
 * the step has no batch yet that such records go into: -ENOMEM, and nothing happened. `kind`: that of jobs_kind, or
 * RECORD_JOB_REPLACE, with which they are no admission. Between the two: jobs_unprepare. */
int jobs_prepare(struct core *core, struct newcomer *list, size_t n, enum record_kind kind);
int jobs_come(struct core *core, struct newcomer *list, size_t n);
void jobs_unprepare(struct core *core, struct newcomer *list, size_t n);
/* The same for one. */
int job_admit(struct core *core, struct job *job);
/* The same of a job that a schedule submits. */
int job_admit_of(struct core *core, struct job *job, struct schedule_row *schedule);
/* The same of a job that a feed submits. `batch`: the one of its jobs before, when the store has not reported on that; 0: none
 * is there. -EAGAIN: that one takes no more, and nothing happened. */
int job_admit_from(struct core *core, struct job *job, struct feed_step *step, uint64_t batch);
