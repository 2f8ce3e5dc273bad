/*
 * What keeps a whole queue from starting jobs: its concurrency, its rate and a pause.
 *
 * Invariant: when a queue has open lanes and nothing but time keeps it, its timer is armed.
 */
#include "jobs_internal.h"

static void fired(struct core *core, struct timer *timer)
{
    dispatch_soon(core);
}

void gate_set(struct core *core, struct queue *queue)
{
    const struct queue_policy *policy = &queue->policy;
    bool fresh = !queue->bucket.burst;

    if (!policy->rate) {
        queue->bucket = (struct bucket){0};
        timer_disarm(core, &queue->timer);
        return;
    }
    queue->bucket.burst = policy->burst ? policy->burst : policy->rate;
    queue->bucket.period_ns = (int64_t)(policy->rate_ms * 1000000 / policy->rate);
    if (fresh)
        bucket_fill(&queue->bucket, core->now.mono_ns);
}

static bool full(const struct queue *queue)
{
    return queue->running >= queue->policy.concurrency + PLANTED(ONE_TOO_MANY);
}

/* When the next token is there. */
static int64_t token_ns(const struct queue *queue)
{
    return queue->policy.rate ? bucket_ready_ns(&queue->bucket, 1) : INT64_MIN;
}

bool gate_paused(const struct core *core, const struct queue *queue)
{
    return queue->paused_ns > core->now.mono_ns;
}

bool gate_takes(const struct core *core, const struct queue *queue)
{
    return !queue->pause_submits || !gate_paused(core, queue);
}

bool gate_passes(struct core *core, struct queue *queue)
{
    int64_t token = token_ns(queue),
            at = gate_paused(core, queue) && queue->paused_ns > token ? queue->paused_ns : token;

    if (full(queue))
        return false;
    if (at <= core->now.mono_ns)
        return true;
    if (at < INT64_MAX)
        timer_arm(core, &queue->timer, at, fired);
    return false;
}

void gate_count(struct core *core, struct queue *queue)
{
    if (!queue->policy.rate)
        return;
    bucket_pour(&queue->bucket, core->now.mono_ns);
    bucket_spend(&queue->bucket, 1);
}

size_t gate_reason(const struct core *core, const struct queue *queue, char *to, size_t size)
{
    if (gate_paused(core, queue))
        return text_write(to, size, "its queue is paused");
    if (full(queue))
        return text_write(to, size, "its queue runs %llu jobs, as many as it may",
                          (unsigned long long)queue->running);
    if (token_ns(queue) > core->now.mono_ns)
        return text_write(to, size, "its queue starts the next job in %lld ms: rate is %llu in %llu ms",
                          (long long)(token_ns(queue) - core->now.mono_ns) / 1000000,
                          (unsigned long long)queue->policy.rate, (unsigned long long)queue->policy.rate_ms);
    return 0;
}
