/*
 * Jobs that come after others. Such a job is blocked until every job it names has ended, and then it is ready; or, unless it
 * said that any end will do, it is cancelled as soon as one of them has ended in another way than done. It can name only jobs that
 * exist, and a job is named by none before it exists: there are no cycles.
 *
 * An edge hangs on the parent while that is in memory. A parent with children stays there when its end is stored, until its edges
 * are settled, so many a turn (jobs->parting). Settling takes no memory; the end of a child that has to be cancelled does, and
 * so it waits its turn in jobs->doomed.
 *
 * Nothing about it is recorded: after a restart the rows of the parents tell. A parent that is gone by then had ended in a way that
 * let the child go on, or the child would be cancelled in the store.
 */
#include "job_after.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "job_admit.h"

struct job_after {
    uint32_t n, left; /* edges; of them not settled */
    uint32_t done;    /* of those that are, to jobs that were done */
    uint64_t *ids;    /* of the jobs it comes after */
    struct after_edge {
        struct list link;  /* parts->children of the parent */
        struct job *child; /* whose edge it is */
    } edge[];
};

static struct job_after *after_of(const struct job *job)
{
    return job->parts ? job->parts->after : NULL;
}

int after_set(struct core *core, struct job *job, struct bytes ids)
{
    size_t n = ids.size / sizeof(uint64_t);
    struct job_after *after;

    if (!n)
        return 0;
    if (!job_parts(core, job))
        return -ENOMEM;
    after = core_alloc(core, sizeof(*after) + n * (sizeof(struct after_edge) + sizeof(uint64_t)));
    if (!after)
        return -ENOMEM;
    after->n = after->left = (uint32_t)n;
    after->ids = (uint64_t *)&after->edge[n];
    memcpy(after->ids, ids.data, n * sizeof(*after->ids));
    for (size_t i = 0; i < n; i++) {
        list_init(&after->edge[i].link);
        after->edge[i].child = job;
    }
    job->parts->after = after;
    return 0;
}

struct bytes after_row(const struct job *job)
{
    const struct job_after *after = after_of(job);

    return after ? (struct bytes){after->ids, after->n * sizeof(*after->ids)} : (struct bytes){0};
}

int after_count(struct core *core, struct job *job, struct bytes ids)
{
    const char *bytes = ids.data; /* of a row: at any address */
    size_t n = ids.size / sizeof(uint64_t);
    uint64_t id;

    if (!n)
        return 0;
    if (!job_parts(core, job))
        return -ENOMEM;
    job->parts->after_n = (uint32_t)n;
    for (size_t i = 0; i < n; i++) {
        memcpy(&id, bytes + i * sizeof(id), sizeof(id));
        job->parts->after_done += retention_let(core, id);
    }
    return 0;
}

void after_drop(struct core *core, struct job *job)
{
    struct job_after *after = after_of(job);

    if (!after)
        return;
    for (uint32_t i = 0; i < after->n; i++)
        list_remove(&after->edge[i].link);
    job->parts->after_n = after->n;
    job->parts->after_done = after->done;
    list_remove(&job->parts->link);
    core_free(core, after);
    job->parts->after = NULL;
}

/* ---- a submit ---- */

static int unknown(struct core *core, struct op *op, uint64_t id, int error)
{
    op_fail(core, op, error,
            error == -ENOENT ? "there is no job %llu to come after" : "job %llu is somebody else's",
            (unsigned long long)id);
    return error;
}

int after_keeps(struct core *core, struct op *op, const struct job *child, uint64_t parent, uint32_t flags)
{
    if (flags_durability(flags) <= flags_durability(child->terms->flags))
        return 0;
    if (parent)
        op_fail(core, op, -EINVAL,
                "job %llu is kept less safely than the job after it: see durability of its queue",
                (unsigned long long)parent);
    else
        op_fail(core, op, -EINVAL,
                "a job of the batch is kept less safely than its callback: see durability of its queue");
    return -EINVAL;
}

int after_judge(struct core *core, struct op *op, const struct job *job)
{
    const struct job_after *after = after_of(job);

    for (uint32_t i = 0; after && i < after->n; i++) {
        struct job *parent = job_find(core, after->ids[i]);
        uint32_t uid = parent ? parent->terms->account->uid : 0;
        if (!parent && !retention_has(core, after->ids[i], &uid))
            return unknown(core, op, after->ids[i], -ENOENT);
        if (!job_allowed(op, uid))
            return unknown(core, op, after->ids[i], -EPERM);
        uint32_t flags = parent ? parent->terms->flags : retention_flags(core, after->ids[i]);
        if (after_keeps(core, op, job, after->ids[i], flags) < 0)
            return -EINVAL;
        if (parent && !job_parts(core, parent))
            return -ENOMEM;
    }
    return 0;
}

/* ---- edges ---- */

/* How the parent ended settles one edge of a child that is still blocked. */
static void settle(struct core *core, struct job *child, uint64_t parent, bool done)
{
    struct job_after *after = after_of(child);

    after->left--;
    after->done += done;
    if (done || PLANTED(CHILD_OF_FAILED) || child->terms->flags & SUBMIT_AFTER_ANY ||
        list_linked(&child->parts->link))
        return;
    job_say(core, child, "job %llu, which it comes after, was not done", (unsigned long long)parent);
    list_append(&core->jobs->doomed, &child->parts->link);
}

void after_link(struct core *core, struct job *job)
{
    struct job_after *after = after_of(job);

    for (uint32_t i = 0; after && i < after->n; i++) {
        struct job *parent = job_find(core, after->ids[i]);
        if (parent && !(PLANTED(EARLY_CHILD) && job_run(parent)))
            list_append(&parent->parts->children, &after->edge[i].link);
        else
            settle(core, job, after->ids[i], retention_let(core, after->ids[i]));
    }
}

int after_reserve(struct core *core, const struct job *job)
{
    const struct job_after *after = after_of(job);

    for (uint32_t i = 0; after && i < after->n; i++) {
        struct job *parent = job_find(core, after->ids[i]);
        if (parent && !job_parts(core, parent))
            return -ENOMEM;
    }
    return 0;
}

bool after_blocks(const struct job *job)
{
    const struct job_after *after = after_of(job);

    return after && (after->left > 0 || list_linked(&job->parts->link));
}

size_t after_words(const struct job *job, char *to, size_t size)
{
    const struct job_after *after = after_of(job);

    return after ? text_write(to, size, "it waits for the end of %u of %u jobs", after->left, after->n) : 0;
}

/* ---- turns ---- */

static void settle_first(struct core *core, struct job *parent)
{
    struct after_edge *edge = list_first(&parent->parts->children, struct after_edge, link);
    struct job *child = edge->child;

    list_remove(&edge->link);
    settle(core, child, parent->id, parent->state == JOB_DONE);
    if (!after_blocks(child) && !job_is_unborn(child))
        job_unblock(core, child);
}

static bool has_children(const struct job *job)
{
    return job->parts && !list_empty(&job->parts->children);
}

bool after_parts(struct core *core, struct job *parent)
{
    if (!has_children(parent))
        return false;
    list_append(&core->jobs->parting, &parent->parts->link);
    return true;
}

void after_never_was(struct core *core, struct job *parent)
{
    while (has_children(parent))
        settle_first(core, parent);
}

static void wake(struct core *core, struct timer *timer)
{
}

/* -ENOMEM: later. */
static int cancel_first(struct core *core)
{
    struct job_parts *parts = list_first(&core->jobs->doomed, struct job_parts, link);
    struct job *job = parts->job;

    return job_end(core, job, JOB_CANCELLED, CAUSE_CANCELED, -ECANCELED, (struct bytes){0});
}

void after_turn(struct core *core)
{
    struct jobs *jobs = core->jobs;
    uint64_t left = core->limits.sweep_per_turn;
    struct job_parts *parts;
    int r = 0;

    while (left && (parts = list_first(&jobs->parting, struct job_parts, link))) {
        struct job *parent = parts->job;
        for (; left && has_children(parent); left--)
            settle_first(core, parent);
        if (has_children(parent))
            break;
        list_remove(&parts->link);
        job_forget(core, parent);
    }
    for (; r == 0 && left && !list_empty(&jobs->doomed); left--)
        r = cancel_first(core);
    if (!list_empty(&jobs->parting) || !list_empty(&jobs->doomed))
        timer_arm(core, &jobs->after_timer, time_after(core->now.mono_ns, r < 0 ? RETRY_NS : 1), wake);
}

/* ---- the invariants ---- */

void after_check(const struct job *job)
{
    const struct job_after *after = after_of(job);
    uint32_t linked = 0;

    assert((after != NULL) == (job->state == JOB_BLOCKED) &&
           "a job comes after others as long as it is blocked");
    for (uint32_t i = 0; after && i < after->n; i++)
        linked += list_linked(&after->edge[i].link);
    assert((!after || linked == after->left) && "a job waits for exactly those on which it hangs");
}
