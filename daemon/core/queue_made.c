/*
 * Queues that come and go while the daemon runs: QUEUE_SET makes one that is not there, QUEUE_REMOVE takes it away.
 *
 * Only a queue without jobs goes. What may still name it are jobs that have ended and are kept, and workers that wait;
 * then it stays, removed, until nobody does: nobody finds it, and made again it is the same.
 */
#include <errno.h>

#include "jobs_internal.h"
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

int queue_make(struct core *core, struct op *op, struct bytes name, struct queue **queue)
{
    int r = name_check(name);

    if (r < 0) {
        op_fail(core, op, r, "a queue's name has 1 to %d bytes of A-Z a-z 0-9 _ . : / -", NAME_BYTES_MAX);
        return r;
    }
    sweep(core);
    if (core->jobs->queue_names.count >= core->limits.queues_max) {
        op_fail(core, op, -ENOBUFS,
                "there are %zu queues: queues_max; QUEUE_REMOVE takes one away that has no jobs",
                core->jobs->queue_names.count);
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

/* 0, or -EBUSY in words. */
static int judge(struct core *core, struct op *op, const struct queue *queue)
{
    int n = (int)queue->name_size;

    if (queue->configured)
        op_fail(core, op, -EBUSY, "queue %.*s stands in the configuration, and every daemon has `default`", n,
                queue->name);
    else if (!is_idle(queue))
        op_fail(
            core, op, -EBUSY,
            "queue %.*s has %llu jobs that wait and %llu that run, or a schedule or a feed puts them there",
            n, queue->name, (unsigned long long)queue->waiting_n, (unsigned long long)queue->running);
    else
        return 0;
    return -EBUSY;
}

int handle_queue_remove(struct core *core, struct op *op, const struct request *request)
{
    struct queue *queue;
    int r = queue_asked(core, op, request->queue_remove.name, &queue);

    if (r == 0)
        r = judge(core, op, queue);
    if (r < 0)
        return r;
    uint64_t batch = kept_set(core, queue, &(struct queue_kept){.made = false});
    if (!batch)
        return -ENOMEM;
    op_depends(op, batch);
    queue_unmake(core, queue);
    return 0;
}
