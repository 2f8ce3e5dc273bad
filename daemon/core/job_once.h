/* Keys under which a job is submitted once: see job_once.c. */
#pragma once

#include "jobs_internal.h"

struct job_once {
    struct map_node node;    /* of jobs->once, while `owner` is set */
    struct job_once **owner; /* where the one that holds the key has it; NULL: it does not hold it (yet) */
    uint64_t job;
    int64_t until_us; /* wall clock; 0: until the job has ended; ONCE_KEPT: until it is deleted */
    uint32_t size;
    uint8_t policy; /* enum once_policy */
    char key[];     /* user, scope and what the submit said */
};

/* The key of a submit, to be judged when it is admitted; nothing without one. 0 or -ENOMEM. */
int once_set(struct core *core, struct job *job, const struct request_submit *submit);
/* The one of this job. NULL: none. */
static inline struct job_once *once_of(const struct job *job)
{
    return job->parts ? job->parts->once : NULL;
}
/* The one that the store has of this job. NULL: out of memory. */
struct job_once *once_of_row(struct core *core, const struct job_row *row);
/* Lets go of it. Accepts NULL; returns NULL. */
struct job_once *once_delete(struct core *core, struct job_once *once);
/* Its time has not passed. */
bool once_holds(const struct core *core, const struct job_once *once);
/* Who holds the same key. NULL: nobody. */
struct job_once *once_holder(struct core *core, const struct job_once *like);
/* Room for so many once_take. 0 or -ENOMEM. */
int once_reserve(struct core *core, size_t n);
/* The key at `*owner` is that of this job from now on, and nobody else's. */
void once_take(struct core *core, struct job_once **owner, uint64_t job);

/*
 * Judges the key of a job in state NONE against those that jobs hold. 0: it is to be admitted, in the place of `*old` unless
 * that is NULL. 1: it joins the job `*joined`. Negative: its operation is answered.
 */
int once_look(struct core *core, struct op *op, const struct job *job, struct job **old, uint64_t *joined);
/*
 * The same for the submit of one job. 0: it is admitted now, in the place of `*old` unless that is NULL. 1: it has joined another, and its operation is answered. Negative: it failed, and unless that is -ENOMEM its
 * operation is answered.
 */
int once_judge(struct core *core, struct op *op, const struct job *job, struct job **old);
