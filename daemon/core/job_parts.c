/*
 * What few jobs have: a part of its own in memory, so that a waiting job stays small.
 *
 * Delays between attempts. A submit says how they grow: they double from backoff_ns to backoff_max_ns, or they are
 * those of a list, whose last one repeats. Jitter makes each longer by up to so many percent, drawn evenly from the
 * random numbers of the core, so that jobs that failed together do not come back together; none is ever shorter than what
 * was asked for.
 */
#include <errno.h>
#include <string.h>

#include "job_after.h"
#include "job_once.h"

struct job_parts *job_parts(struct core *core, struct job *job)
{
    if (job->parts)
        return job->parts;
    job->parts = core_alloc(core, sizeof(*job->parts));
    if (!job->parts)
        return NULL;
    job->parts->job = job;
    list_init(&job->parts->link);
    list_init(&job->parts->children);
    job->parts->deadline_ns = INT64_MAX;
    return job->parts;
}

void job_parts_free(struct core *core, struct job *job)
{
    if (!job->parts)
        return;
    job_unbind(core, job);
    once_delete(core, job->parts->once);
    after_drop(core, job);
    while (!list_empty(&job->parts->children)) /* who comes after it goes with it, or is settled */
        list_remove(job->parts->children.next);
    list_remove(&job->parts->link);
    core_free(core, job->parts->delays_ns);
    core_free(core, job->parts);
    job->parts = NULL;
}

void job_unbind(struct core *core, struct job *job)
{
    if (job->parts)
        job->parts->bond = bond_drop(core, job->parts->bond);
}

int job_set_deadline(struct core *core, struct job *job, int64_t deadline_ns, int64_t deadline_us)
{
    if (deadline_ns == INT64_MAX && !deadline_us)
        return 0;
    if (!job_parts(core, job))
        return -ENOMEM;
    job->parts->deadline_ns = deadline_ns;
    job->parts->deadline_us = deadline_us;
    return 0;
}

int job_set_delays(struct core *core, struct job *job, uint32_t jitter, struct bytes delays)
{
    if (!jitter && !delays.size)
        return 0;
    struct job_parts *parts = job_parts(core, job);
    if (!parts)
        return -ENOMEM;
    parts->jitter = jitter;
    if (!delays.size)
        return 0;
    parts->delays_ns = core_alloc(core, delays.size);
    if (!parts->delays_ns)
        return -ENOMEM;
    memcpy(parts->delays_ns, delays.data, delays.size);
    parts->delays_n = (uint32_t)(delays.size / sizeof(*parts->delays_ns));
    return 0;
}

static int64_t doubled_ns(const struct job *job, uint32_t attempt)
{
    int64_t delay = job->terms->backoff_ns;

    for (uint32_t i = 1; i < attempt && delay < job->terms->backoff_max_ns; i++)
        delay = time_after(delay, delay);
    return delay < job->terms->backoff_max_ns ? delay : job->terms->backoff_max_ns;
}

static int64_t plain_ns(const struct job *job, uint32_t attempt)
{
    const struct job_parts *parts = job->parts;

    if (!parts || !parts->delays_n)
        return doubled_ns(job, attempt);
    return (int64_t)parts->delays_ns[attempt < parts->delays_n ? attempt - 1 : parts->delays_n - 1];
}

int64_t job_delay_ns(struct core *core, const struct job *job, uint32_t attempt)
{
    int64_t delay = plain_ns(job, attempt);
    uint64_t jitter = job->parts ? job->parts->jitter : 0;
    uint64_t most = (uint64_t)delay / 100 * jitter + (uint64_t)delay % 100 * jitter / 100;

    return most ? time_after(delay, (int64_t)core_draw(core, most + 1)) : delay;
}
