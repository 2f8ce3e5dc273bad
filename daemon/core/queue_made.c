/*
 * Queues that come and go while the daemon runs: QUEUE_SET makes one that is not there, QUEUE_REMOVE takes it away.
 *
 * Only a queue without jobs goes. What may still name it are jobs that have ended and are kept, and workers that wait;
 * then it stays, removed, until nobody does: nobody finds it, and made again it is the same. No more than
 * queues_removed_max come to stay so; those that a start finds are there above it.
 */
#include <errno.h>

#include "feed.h"
#include "schedule.h"
#include "worker.h"

static bool is_idle(const struct queue *queue)
{
    return !queue->keys.count && list_empty(&queue->waiting) && list_empty(&queue->submits) &&
           !queue->purge.runs;
}

static bool is_named(const struct core *core, const struct queue *queue)
{
    return queue->ended.n || queue->dead.n || workers_name(core, queue);
}

/* Those that were removed and that nobody names any more. */
static void sweep(struct core *core)
{
    struct queue *queue, *after;

    list_each_safe (queue, after, &core->jobs->queues, link)
        if (queue->removed && !is_named(core, queue))
            queue_delete(core, queue);
}

/* Those that were removed, or the others. */
static size_t queues_n(const struct core *core, bool removed)
{
    const struct queue *queue;
    size_t n = 0;

    list_each (queue, &core->jobs->queues, link)
        n += queue->removed == removed;
    return n;
}

int queue_make(struct core *core, struct op *op, struct bytes name, struct queue **queue)
{
    int r = name_check(name);

    if (r < 0) {
        op_fail(core, op, r, "a queue's name has 1 to %d bytes of A-Z a-z 0-9 _ . : / -", NAME_BYTES_MAX);
        return r;
    }
    sweep(core);
    size_t n = queues_n(core, false);
    if (n >= core->limits.queues_max) {
        op_fail(core, op, -ENOBUFS,
                "there are %zu queues: queues_max; QUEUE_REMOVE takes one away that has no jobs", n);
        return -ENOBUFS;
    }
    *queue = queue_get(core, name);
    return *queue ? 0 : -ENOMEM;
}

void queue_unmake(struct core *core, struct queue *queue)
{
    queue->removed = true;
    sweep(core);
}

/* ---- removing ---- */

static const struct schedule *schedule_of(const struct core *core, const struct queue *queue)
{
    struct map_node *n = NULL;

    while ((n = map_walk(&core->jobs->schedules->by_name, n))) {
        const struct schedule *s = map_entry(n, struct schedule, node);
        if (s->lane && s->lane->queue == queue)
            return s;
    }
    return NULL;
}

static const struct feed *feed_of(const struct core *core, const struct queue *queue)
{
    const struct feed *feed;

    list_each (feed, &core->kept_topics->feeds->all, link)
        if (feed->lane->queue == queue)
            return feed;
    return NULL;
}

static void say_source(struct core *core, struct op *op, const struct queue *queue, const char *kind,
                       struct bytes name)
{
    op_fail(core, op, -EBUSY, "%s %.*s puts jobs into queue %.*s; remove it, or set it to another queue",
            kind, (int)name.size, (const char *)name.data, (int)queue->name_size, queue->name);
}

/* What keeps it from being idle. */
static void say_busy(struct core *core, struct op *op, const struct queue *queue)
{
    const struct schedule *schedule = schedule_of(core, queue);
    const struct feed *feed = feed_of(core, queue);
    int n = (int)queue->name_size;

    if (queue->waiting_n || queue->running)
        op_fail(core, op, -EBUSY,
                "queue %.*s has %llu jobs that wait and %llu that run; QUEUE_PURGE cancels those that wait",
                n, queue->name, (unsigned long long)queue->waiting_n, (unsigned long long)queue->running);
    else if (schedule)
        say_source(core, op, queue, "schedule", schedule->row.name);
    else if (feed)
        say_source(core, op, queue, "feed", feed->row.name);
    else if (queue->purge.runs)
        op_fail(core, op, -EBUSY, "queue %.*s is being purged; try again", n, queue->name);
    else if (!list_empty(&queue->submits))
        op_fail(core, op, -EBUSY, "submits wait for room in queue %.*s; try again", n, queue->name);
    else
        op_fail(
            core, op, -EBUSY,
            "queue %.*s has a job on its way to the store, or a change that waits for its plugin; try again",
            n, queue->name);
}

/* 0, or -EBUSY in words. */
static int judge(struct core *core, struct op *op, const struct queue *queue)
{
    if (queue->configured)
        op_fail(core, op, -EBUSY,
                "queue %.*s stands in the configuration: take it out there; every daemon has `default`",
                (int)queue->name_size, queue->name);
    else if (!is_idle(queue))
        say_busy(core, op, queue);
    else
        return 0;
    return -EBUSY;
}

/* Removed, it goes at once or is one of so many that may stay. 0, or -ENOBUFS in words. */
static int judge_stay(struct core *core, struct op *op, const struct queue *queue)
{
    int size = (int)queue->name_size;

    if (!is_named(core, queue))
        return 0;
    sweep(core);
    size_t n = queues_n(core, true), ended = queue->ended.n + queue->dead.n;
    if (n < core->limits.queues_removed_max)
        return 0;
    if (ended)
        op_fail(core, op, -ENOBUFS,
                "queue %.*s has %zu ended jobs, and %zu removed queues stay for such or for workers: "
                "queues_removed_max; JOB_PURGE takes away jobs of this one",
                size, queue->name, ended, n);
    else
        op_fail(core, op, -ENOBUFS,
                "workers wait for queue %.*s, and %zu removed queues stay for such or for ended jobs: "
                "queues_removed_max; end their wait",
                size, queue->name, n);
    return -ENOBUFS;
}

int handle_queue_remove(struct core *core, struct op *op, const struct request *request)
{
    struct queue *queue;
    int r = queue_asked(core, op, request->queue_remove.name, &queue);

    if (r == 0)
        r = judge(core, op, queue);
    if (r == 0)
        r = judge_stay(core, op, queue);
    if (r < 0)
        return r;
    uint64_t batch = kept_set(core, queue, &(struct queue_kept){.made = false});
    if (!batch)
        return -ENOMEM;
    op_depends(op, batch);
    queue_unmake(core, queue);
    return 0;
}
