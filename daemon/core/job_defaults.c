/*
 * What a submit leaves open of how a job is tried: its function says it, then its queue, then a constant. It is settled when
 * the job is admitted, so that what is set of the queue later is for later jobs.
 *
 * Whoever says delays, as a list or as a backoff, says all of them. A list says how often, too, unless somebody else does.
 */
#include "job_defaults.h"

#include <errno.h>

#define MS_NS INT64_C(1000000)

static int64_t first(int64_t a, int64_t b, int64_t c)
{
    return a ? a : b ? b : c;
}

static uint32_t listed(const struct job *job)
{
    return job->parts && job->parts->delays_n ? job->parts->delays_n + 1 : 0;
}

/* Its submit or its function says when it is tried again. */
static bool says_delays(const struct job *job)
{
    return job->terms->backoff_ns || job->terms->backoff_max_ns || listed(job) ||
           job->lane->function->backoff_ns;
}

/* Jitter and list of the queue, where the job has none. */
static int take_delays(struct core *core, struct job *job, const struct queue_policy *policy)
{
    uint64_t ns[POLICY_LIST_MAX] = {0}, n = says_delays(job) ? 0 : policy->delays_ms;
    bool jitters = job->parts && job->parts->jitter;

    for (uint64_t i = 0; i < n; i++)
        ns[i] = (uint64_t)policy->list[i] * MS_NS;
    return job_set_delays(core, job, jitters ? job->parts->jitter : (uint32_t)policy->jitter,
                          (struct bytes){ns, n * sizeof(*ns)});
}

static uint32_t queue_attempts(const struct core *core, const struct queue_policy *policy)
{
    uint64_t most = core->limits.attempts_max;

    return (uint32_t)(policy->attempts < most ? policy->attempts : most);
}

static uint32_t durability_of(const struct queue_policy *policy)
{
    if (PLANTED(SAFE_BRIEF) && policy->durability == DURABLE_NONE)
        return DURABLE_PROCESS;
    if (PLANTED(LOST_BRIEF) && policy->durability == DURABLE_PROCESS)
        return DURABLE_NONE;
    return (uint32_t)policy->durability;
}

int job_set_defaults(struct core *core, struct job *job)
{
    const struct queue_policy *policy = &job->lane->queue->policy;
    const struct function *function = job->lane->function;
    struct terms terms = *job->terms;
    uint32_t own = listed(job);

    if (take_delays(core, job, policy) < 0)
        return -ENOMEM;
    terms.attempts_max = (uint32_t)first(terms.attempts_max, own, function->attempts_max);
    terms.attempts_max = (uint32_t)first(terms.attempts_max, queue_attempts(core, policy), listed(job));
    terms.attempts_max = (uint32_t)first(terms.attempts_max, ATTEMPTS_DEFAULT, 0);
    terms.backoff_ns = first(terms.backoff_ns, function->backoff_ns, (int64_t)policy->backoff_ms * MS_NS);
    terms.backoff_max_ns = first(terms.backoff_max_ns, (int64_t)policy->backoff_max_ms * MS_NS, 0);
    terms.time_limit_ns =
        first(terms.time_limit_ns, function->time_limit_ns, (int64_t)policy->time_limit_ms * MS_NS);
    terms.flags = terms.flags << (32 - DURABILITY_SHIFT) >> (32 - DURABILITY_SHIFT) | durability_of(policy)
                                                                                          << DURABILITY_SHIFT;
    return terms_change(core, job, &terms);
}
