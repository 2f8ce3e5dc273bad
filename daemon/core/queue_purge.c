/*
 * A purge cancels the jobs that wait in a queue when it begins, a part in each turn; who asked for it waits for the end.
 * Whoever asks meanwhile joins, and then it is also for the jobs that have come since.
 */
#include <errno.h>

#include "jobs_internal.h"

enum { PURGED_PER_TURN = 1024 };

/* The turn that follows does the work. */
static void wake(struct core *core, struct timer *timer)
{
}

static struct job *next_job(const struct queue *queue)
{
    struct job *job = list_first(&queue->waiting, struct job, waits);

    return job && job->id <= queue->purge.last ? job : NULL;
}

static int purge_one(struct core *core, struct queue *queue, struct job *job)
{
    int r;

    job_say(core, job, "its queue was purged");
    r = job_end(core, job, JOB_CANCELLED, CAUSE_CANCELED, -ECANCELED, (struct bytes){0});
    if (r < 0)
        return r;
    queue->purge.batch = job_work(job)->batch;
    queue->purge.count++;
    return 0;
}

static void finish(struct core *core, struct queue *queue)
{
    struct waiter *w, *after;

    queue->purge.runs = false;
    core->jobs->purging--;
    list_each_safe (w, after, &queue->purge.ops, link) {
        list_remove(&w->link);
        if (op_gone(core, w->op))
            continue;
        w->op->handle = queue->purge.count;
        op_depends(w->op, queue->purge.batch);
        op_finish(core, w->op, 0);
    }
}

/* What is left of `most`; *r: memory is out. */
static int purge_part(struct core *core, struct queue *queue, int most, int *r)
{
    struct job *job = NULL;

    while (*r == 0 && (job = next_job(queue)) && most > 0) {
        *r = purge_one(core, queue, job);
        most--;
    }
    if (*r == 0 && !job)
        finish(core, queue);
    return most;
}

void purge_turn(struct core *core)
{
    int left = PURGED_PER_TURN, r = 0;
    struct queue *queue;
    bool more = false;

    if (!core->jobs->purging)
        return;
    list_each (queue, &core->jobs->queues, link) {
        if (queue->purge.runs)
            left = purge_part(core, queue, left, &r);
        more |= queue->purge.runs;
    }
    if (more)
        timer_arm(core, &core->jobs->purge, core->now.mono_ns + (r < 0 ? RETRY_NS : 1), wake);
}

int purge_begin(struct core *core, struct queue *queue, struct op *op)
{
    int r = op_park(core, op, WAIT_PURGE);

    if (r < 0)
        return r;
    if (!queue->purge.runs) {
        queue->purge.count = queue->purge.batch = 0;
        core->jobs->purging++;
    }
    queue->purge.runs = true;
    queue->purge.last = core->jobs->id_last;
    list_append(&queue->purge.ops, &op->waiters[0].link);
    return 0;
}
