/*
 * How many jobs may wait in a queue, and what becomes of a submit that finds it full: it waits for room in the order of
 * arrival, is refused, or takes the place of the jobs that have waited longest, which are cancelled.
 *
 * A submit that waits holds its job, which nobody else knows of yet. They go together (jobs_submit_left).
 */
#include <assert.h>
#include <errno.h>

#include "bulk.h"
#include "feeds.h"
#include "submit.h"

/* ---- the jobs that wait ---- */

/* In front of those that are being purged nobody stands but they. */
void room_take(struct job *job, bool first)
{
    struct queue *queue = job->lane->queue;

    if (first && !(queue->purge.runs && job->id > queue->purge.last))
        list_prepend(&queue->waiting, &job->waits);
    else
        list_append(&queue->waiting, &job->waits);
    queue->waiting_n++;
    queue->waiting_bytes += job->argument_bytes;
}

void room_give(struct core *core, struct job *job)
{
    struct queue *queue = job->lane->queue;

    if (!list_linked(&job->waits))
        return;
    list_remove(&job->waits);
    queue->waiting_n--;
    queue->waiting_bytes -= job->argument_bytes;
    core->jobs->room =
        core->jobs->room || core->jobs->bulks || !list_empty(&queue->submits) || !list_empty(&queue->feeds);
}

/* ---- a submit ---- */

/* A transaction is a bulk with more beside it. */
static bool is_bulk(const struct waiter *w)
{
    return w->op->verb == VERB_SUBMIT_MANY || w->op->verb == VERB_TRANSACT;
}

bool room_fits(const struct queue *queue, uint64_t n, uint64_t bytes)
{
    const struct queue_policy *policy = &queue->policy;

    return (!n || !policy->waiting_max || queue->waiting_n + n <= policy->waiting_max) &&
           (!n || !policy->waiting_bytes || queue->waiting_bytes + bytes <= policy->waiting_bytes);
}

static bool fits(const struct queue *queue, const struct job *job)
{
    return room_fits(queue, 1, job->body_size);
}

bool room_inherits(const struct job *job, const struct job *old, bool alone)
{
    const struct queue *queue = job->lane->queue;
    uint64_t most = queue->policy.waiting_bytes;

    if (old->lane->queue != queue)
        return false;
    return !most || job->body_size <= old->argument_bytes ||
           (alone && queue->waiting_bytes - old->argument_bytes + job->body_size <= most);
}

static int refuse_full(struct core *core, struct op *op, const struct queue *queue)
{
    op_fail(core, op, -ENOBUFS,
            "queue %.*s is full: %llu jobs wait in it, with arguments of %llu bytes; waiting_max or "
            "waiting_bytes allow no more",
            (int)queue->name_size, queue->name, (unsigned long long)queue->waiting_n,
            (unsigned long long)queue->waiting_bytes);
    return -ENOBUFS;
}

int room_make(struct core *core, struct queue *queue, uint64_t n, uint64_t bytes)
{
    struct job *oldest;
    int r = 0;

    while (r == 0 && !room_fits(queue, n, bytes) &&
           (oldest = list_first(&queue->waiting, struct job, waits))) {
        job_say(core, oldest, "its queue was full, and it had waited longest");
        r = job_end(core, oldest, JOB_CANCELLED, CAUSE_CANCELED, -ECANCELED, (struct bytes){0});
    }
    return r;
}

static int wait_for_room(struct core *core, struct op *op, struct job *job)
{
    int r = op->state == OP_NEW ? op_park(core, op, WAIT_QUEUE) : 0;

    if (r < 0)
        return r;
    op->reason = WAIT_QUEUE; /* it may have waited for its plugin before */
    op->waiters[0].job = job;
    list_append(&job->lane->queue->submits, &op->waiters[0].link);
    return 1;
}

int room_ask(struct core *core, struct op *op, struct job *job)
{
    struct queue *queue = job->lane->queue;
    const struct queue_policy *policy = &queue->policy;

    if (policy->waiting_bytes && job->body_size > policy->waiting_bytes) {
        op_fail(core, op, -E2BIG, "an argument of %u bytes: waiting_bytes of queue %.*s is %llu",
                job->body_size, (int)queue->name_size, queue->name,
                (unsigned long long)policy->waiting_bytes);
        return -E2BIG;
    }
    if (policy->full == QUEUE_BLOCK && (!fits(queue, job) || !list_empty(&queue->submits)))
        return wait_for_room(core, op, job);
    if (fits(queue, job))
        return 0;
    return policy->full == QUEUE_REJECT ? refuse_full(core, op, queue)
                                        : room_make(core, queue, 1, job->body_size);
}

int room_judge(struct core *core, struct op *op, const struct queue *queue)
{
    const struct queue_policy *policy = &queue->policy;

    if (queue->bulk_n && ((policy->waiting_max && queue->bulk_all_n > policy->waiting_max) ||
                          (policy->waiting_bytes && queue->bulk_all_bytes > policy->waiting_bytes))) {
        op_fail(
            core, op, -E2BIG,
            "%llu jobs with arguments of %llu bytes: more than waiting_max or waiting_bytes of queue %.*s",
            (unsigned long long)queue->bulk_all_n, (unsigned long long)queue->bulk_all_bytes,
            (int)queue->name_size, queue->name);
        return -E2BIG;
    }
    if (policy->full != QUEUE_REJECT || room_fits(queue, queue->bulk_n, queue->bulk_bytes))
        return 0;
    return refuse_full(core, op, queue);
}

/* What it came with is not waiting any more. */
static void *take_from_line(struct core *core, struct waiter *w)
{
    void *came = w->job;

    w->job = NULL;
    core->jobs->bulks -= came && is_bulk(w);
    return came;
}

int room_find(struct core *core, const struct job *job, bool drop)
{
    struct queue *queue = job->lane->queue;
    const struct queue_policy *policy = &queue->policy;

    if (fits(queue, job))
        return list_empty(&queue->submits) ? 0 : -ENOBUFS;
    if (!drop || policy->full == QUEUE_BLOCK || policy->full == QUEUE_REJECT ||
        (policy->waiting_bytes && job->body_size > policy->waiting_bytes))
        return -ENOBUFS;
    return room_make(core, queue, 1, job->body_size);
}

void jobs_submit_left(struct core *core, struct waiter *w)
{
    void *came = take_from_line(core, w);

    core->jobs->room = true; /* feeds may have waited behind it */
    if (is_bulk(w))
        bulk_delete(core, came);
    else
        job_delete(core, came);
}

/* ---- submits that wait ---- */

/* The first one that has not given up. */
static struct waiter *next_submit(struct core *core, struct queue *queue)
{
    struct waiter *w;

    while ((w = list_first(&queue->submits, struct waiter, link)) && op_gone(core, w->op))
        list_remove(&w->link);
    return w;
}

/* What the queue does with submits may be another now. */
static bool may_go_on(struct core *core, struct queue *queue, struct waiter *w)
{
    if (jobs_closed(core))
        return true;
    if (is_bulk(w))
        return bulk_may_go_on(core, w->job, queue);
    return fits(queue, w->job) || queue->policy.full != QUEUE_BLOCK;
}

static int bulk_goes_on(struct core *core, struct queue *queue, struct op *op, struct bulk *bulk)
{
    if (!jobs_closed(core))
        return bulk_go_on(core, op, bulk, queue);
    bulk_delete(core, bulk);
    return submit_refuse_closed(core, op);
}

static int job_goes_on(struct core *core, struct op *op, struct job *job)
{
    if (!jobs_closed(core))
        return fits(job->lane->queue, job) ? submit_admit(core, op, job) : submit_with_room(core, op, job);
    job_delete(core, job);
    return submit_refuse_closed(core, op);
}

static void go_on(struct core *core, struct queue *queue, struct waiter *w)
{
    struct op *op = w->op;
    bool bulk = is_bulk(w);
    void *came = take_from_line(core, w);

    list_remove(&w->link);
    int r = bulk ? bulk_goes_on(core, queue, op, came) : job_goes_on(core, op, came);
    if (r < 0 && op_waits(op))
        op_finish(core, op, r);
}

void rooms_turn(struct core *core)
{
    struct queue *queue;
    struct waiter *w;

    if (!core->jobs->room)
        return;
    core->jobs->room = false;
    list_each (queue, &core->jobs->queues, link) {
        while ((w = next_submit(core, queue)) && may_go_on(core, queue, w))
            go_on(core, queue, w);
        feeds_room(core, queue);
    }
}

void room_check(const struct queue *queue)
{
    const struct job *job;
    uint64_t n = 0, bytes = 0;

    list_each (job, &queue->waiting, waits) {
        bytes += job->argument_bytes;
        n += job->lane->queue == queue;
    }
    assert(n == queue->waiting_n && bytes == queue->waiting_bytes && "a queue knows what waits in it");
}
