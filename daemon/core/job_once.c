/*
 * Keys under which a job is submitted once. A key names at most one job of its user: the one that holds it, until that has
 * ended, is deleted, or a time has passed. A second submit with the key is refused, joins that job, or replaces it while it
 * waits; which is judged in the step that admits it, so that there is no moment between the look and the deed.
 *
 * Who owns a key: the job while it is in memory, then what retention keeps of it. `owner` is the place where that is, so
 * that whoever takes the key over can tell it so. The store has the key in the row of the job, and gives it to the last one
 * that is written with it.
 *
 * Invariant: a key in the map is owned, and `*owner` is it.
 */
#include "job_once.h"

#include <errno.h>
#include <string.h>

enum { SCOPE_BYTES = 1, ZERO_BYTES = 2 };

/* ---- keys ---- */

/* What two submits must have in common for their keys to be one. */
static size_t scope_parts(const struct job *job, uint32_t scope, struct bytes part[2])
{
    const struct function *function = job->lane->function;
    const struct queue *queue = job->lane->queue;

    part[0] = part[1] = (struct bytes){0};
    if (scope == ONCE_FUNCTION) {
        part[0] = (struct bytes){function->plugin->path, function->plugin->path_size};
        part[1] = (struct bytes){function->name, function->name_size};
    }
    if (scope == ONCE_QUEUE)
        part[0] = (struct bytes){queue->name, queue->name_size};
    return sizeof(job->terms->account->uid) + SCOPE_BYTES + part[0].size + part[1].size + ZERO_BYTES;
}

static char *put(char *to, const void *from, size_t size)
{
    if (size)
        memcpy(to, from, size);
    return to + size;
}

static struct job_once *once_new(struct core *core, size_t size)
{
    struct job_once *once = core_alloc(core, sizeof(*once) + size);

    if (once)
        once->size = (uint32_t)size;
    return once;
}

int once_set(struct core *core, struct job *job, const struct request_submit *submit)
{
    struct bytes part[2];
    uint8_t scope = (uint8_t)submit->once_scope;
    struct job_parts *parts;

    if (!submit->once_key.size)
        return 0;
    if (!(parts = job_parts(core, job)))
        return -ENOMEM;
    struct job_once *once = once_new(core, scope_parts(job, scope, part) + submit->once_key.size);
    if (!once)
        return -ENOMEM;
    char *to = put(once->key, &job->terms->account->uid, sizeof(job->terms->account->uid));
    to = put(to, &scope, SCOPE_BYTES);
    to = put(to, part[0].data, part[0].size) + 1;
    to = put(to, part[1].data, part[1].size) + 1;
    put(to, submit->once_key.data, submit->once_key.size);
    once->policy = (uint8_t)submit->once_policy;
    once->until_us = submit->once_ns;
    if (submit->once_ns > 0)
        once->until_us = time_after(core->now.wall_ns, submit->once_ns) / 1000;
    parts->once = once;
    return 0;
}

struct job_once *once_of_row(struct core *core, const struct job_row *row)
{
    struct job_once *once = once_new(core, row->once.size);

    if (!once)
        return NULL;
    put(once->key, row->once.data, row->once.size);
    once->until_us = row->once_until_us;
    once->job = row->id;
    return once;
}

struct job_once *once_delete(struct core *core, struct job_once *once)
{
    if (!once)
        return NULL;
    if (once->owner) {
        *once->owner = NULL;
        map_remove(&core->jobs->once, &once->node);
    }
    core_free(core, once);
    return NULL;
}

static struct job_once *find(struct core *core, const struct job_once *like)
{
    struct map_node *n = map_first(&core->jobs->once, core_hash(core, like->key, like->size));

    for (; n; n = map_next(n)) {
        struct job_once *once = map_entry(n, struct job_once, node);
        if (once->size == like->size && memcmp(once->key, like->key, like->size) == 0)
            return once;
    }
    return NULL;
}

bool once_holds(const struct core *core, const struct job_once *once)
{
    return once->until_us <= 0 || once->until_us > core->now.wall_ns / 1000;
}

struct job_once *once_holder(struct core *core, const struct job_once *like)
{
    struct job_once *once = find(core, like);

    return once && !once_holds(core, once) ? once_delete(core, once) : once;
}

int once_reserve(struct core *core, size_t n)
{
    return map_reserve(core, &core->jobs->once, n);
}

void once_take(struct core *core, struct job_once **owner, uint64_t job)
{
    struct job_once *once = *owner, *other = find(core, once);

    if (other == once) /* it lives again, and has kept its key */
        return;
    once_delete(core, other);
    core->jobs->retained.look = true; /* it may have been what kept an ended job */
    once->owner = owner;
    once->job = job;
    map_add(&core->jobs->once, &once->node, core_hash(core, once->key, once->size));
}

/* ---- a submit ---- */

static int join(struct core *core, struct op *op, uint64_t id)
{
    const struct job *job = job_find(core, id);

    op->job = op->handle = id;
    if (job)
        op_depends(op, job_work(job)->born);
    op_finish(core, op, 1);
    return 1;
}

static int taken(struct core *core, struct op *op, uint64_t id, int error, const char *words)
{
    op->handle = id;
    op_fail(core, op, error, "job %llu has this key%s", (unsigned long long)id, words);
    return error;
}

int once_look(struct core *core, struct op *op, const struct job *job, struct job **old, uint64_t *joined)
{
    const struct job_once *mine = once_of(job);
    const struct job_once *holder = mine ? once_holder(core, mine) : NULL;

    *old = NULL;
    if (!holder || PLANTED(SHARED_KEY))
        return 0;
    if (mine->policy == ONCE_JOIN) {
        *joined = holder->job;
        return 1;
    }
    if (mine->policy == ONCE_REJECT)
        return taken(core, op, holder->job, -EEXIST, "");
    struct job *there = job_find(core, holder->job);
    if (there && job_run(there))
        return taken(core, op, holder->job, -EBUSY, ", and runs: only one that waits is replaced");
    *old = there && !job_ended(there) ? there : NULL;
    return 0;
}

int once_judge(struct core *core, struct op *op, const struct job *job, struct job **old)
{
    uint64_t joined;
    int r = once_look(core, op, job, old, &joined);

    return r > 0 ? join(core, op, joined) : r;
}
