/*
 * A bulk: many jobs of one submit, of which all are admitted or none.
 *
 * All are checked and made first; then it waits, if need be, until their plugins are known and there is room for all of them
 * at once; then, in one step, keys and room are judged, jobs are dropped where a queue makes room so, and all are admitted in
 * one batch (job_admit.c). Whoever waits for room stands in the line of one queue, that of the first job for which there was
 * none, and looks at all of its queues when it is the first there.
 *
 * The last job of a batch is its callback: it comes after all others (job_after.c), so that each end costs it as little as that of
 * a job that it names, and a restart finds it as it finds those.
 *
 * Keys count in the order of the jobs. Two jobs of a bulk have the same key only where the later one joins the earlier.
 *
 * op->index says at which job an operation is refused, from 1; 0: as a whole, or it is not. It is set before each look at a
 * job.
 */
#include "bulk.h"

#include <errno.h>
#include <string.h>

#include "job_admit.h"
#include "job_after.h"
#include "job_defaults.h"
#include "job_once.h"
#include "submit.h"
#include "transact.h"

struct bulk {
    struct transaction *with; /* what happens together with them; or NULL */
    size_t n;                 /* jobs asked for */
    size_t made;              /* of them made, from the first on */
    size_t known;             /* of them have a plugin that is known */
    bool callback;            /* the last one comes after all others */
    struct map
        keys; /* struct job_once of those that come, `job` being the place, from 1; empty between two looks */
    struct newcomer *come; /* n; the jobs are in state NONE */
    uint64_t *ids;         /* of the answer; n */
    struct joining {
        uint64_t job;  /* the one that it joins; 0: none */
        size_t twin;   /* the place of the one of the same bulk that it joins, from 1; 0: none */
        bool inherits; /* the room of the one that it replaces */
    } joins[];
};

static struct bulk *bulk_new(struct core *core, size_t n)
{
    size_t one = sizeof(struct joining) + sizeof(struct newcomer) + sizeof(uint64_t);
    struct bulk *bulk = core_alloc(core, sizeof(*bulk) + n * one);

    if (!bulk)
        return NULL;
    bulk->n = n;
    bulk->come = (struct newcomer *)&bulk->joins[n];
    bulk->ids = (uint64_t *)&bulk->come[n];
    return bulk;
}

struct bulk *bulk_delete(struct core *core, struct bulk *bulk)
{
    if (!bulk)
        return NULL;
    for (size_t i = 0; i < bulk->made; i++)
        job_delete(core, bulk->come[i].job);
    transaction_delete(core, bulk->with);
    map_free(core, &bulk->keys);
    core_free(core, bulk);
    return NULL;
}

/* It becomes a job of its own. */
static bool comes(const struct bulk *bulk, size_t i)
{
    return !bulk->joins[i].job && !bulk->joins[i].twin;
}

/* It needs room: who joins a job, or has that of another, does not. */
static bool needs_room(const struct bulk *bulk, size_t i)
{
    return comes(bulk, i) && !bulk->joins[i].inherits;
}

/* ---- keys ---- */

static struct job_once *key_find(struct core *core, const struct bulk *bulk, const struct job_once *like)
{
    struct map_node *n = map_first(&bulk->keys, core_hash(core, like->key, like->size));

    for (; n; n = map_next(n)) {
        struct job_once *once = map_entry(n, struct job_once, node);
        if (once->size == like->size && memcmp(once->key, like->key, like->size) == 0)
            return once;
    }
    return NULL;
}

static int judge_twin(struct core *core, struct op *op, struct joining *joins, const struct job_once *mine,
                      const struct job_once *twin)
{
    joins->twin = (size_t)twin->job;
    if (mine->policy == ONCE_JOIN)
        return 0;
    op_fail(core, op, -EEXIST, "job %llu of the same bulk has this key", (unsigned long long)twin->job);
    return -EEXIST;
}

static int judge_key(struct core *core, struct op *op, struct bulk *bulk, size_t i)
{
    struct newcomer *come = &bulk->come[i];
    struct job_once *mine = once_of(come->job), *twin = mine ? key_find(core, bulk, mine) : NULL;
    int r;

    come->old = NULL;
    bulk->joins[i] = (struct joining){0};
    if (!mine)
        return 0;
    if (twin)
        return judge_twin(core, op, &bulk->joins[i], mine, twin);
    r = once_look(core, op, come->job, &come->old, &bulk->joins[i].job);
    if (r != 0)
        return r < 0 ? r : 0;
    bulk->joins[i].inherits = come->old && room_inherits(come->job, come->old, false);
    if (map_reserve(core, &bulk->keys, 1) < 0)
        return -ENOMEM;
    mine->job = i + 1;
    map_add(&bulk->keys, &mine->node, core_hash(core, mine->key, mine->size));
    return 0;
}

static uint32_t flags_of(const struct core *core, const struct bulk *bulk, size_t i)
{
    const struct job *job = bulk->joins[i].job ? job_find(core, bulk->joins[i].job) : bulk->come[i].job;

    return job ? job->terms->flags : retention_flags(core, bulk->joins[i].job);
}

/* It comes after all others, as if it named them. */
static int judge_callback(struct core *core, struct op *op, const struct bulk *bulk)
{
    int r = 0;

    if (!bulk->callback || !comes(bulk, bulk->n - 1))
        return 0;
    for (size_t i = 0; r == 0 && i < bulk->n - 1; i++)
        r = after_keeps(core, op, bulk->come[bulk->n - 1].job, bulk->joins[i].job, flags_of(core, bulk, i));
    return r;
}

static int judge_jobs(struct core *core, struct op *op, struct bulk *bulk)
{
    struct map_node *n;
    int r = 0;

    for (size_t i = 0; r == 0 && i < bulk->n; i++) {
        op->index = (uint32_t)i + 1;
        r = job_set_defaults(core, bulk->come[i].job);
        if (r == 0)
            r = judge_key(core, op, bulk, i);
        if (r == 0 && comes(bulk, i))
            r = after_judge(core, op, bulk->come[i].job);
    }
    if (r == 0)
        r = judge_callback(core, op, bulk);
    while ((n = map_walk(&bulk->keys, NULL)))
        map_remove(&bulk->keys, n);
    return r;
}

/* ---- room ---- */

static void count_nothing(struct core *core)
{
    struct queue *queue;

    list_each (queue, &core->jobs->queues, link)
        queue->bulk_n = queue->bulk_bytes = queue->bulk_all_n = queue->bulk_all_bytes = 0;
}

static struct queue *count(const struct bulk *bulk, size_t i)
{
    struct queue *queue = bulk->come[i].job->lane->queue;
    uint64_t bytes = bulk->come[i].job->body_size;

    if (comes(bulk, i)) {
        queue->bulk_all_n++;
        queue->bulk_all_bytes += bytes;
    }
    if (needs_room(bulk, i)) {
        queue->bulk_n++;
        queue->bulk_bytes += bytes;
    }
    return queue;
}

/* For what this job joins, or for room in its queue, behind those that wait there already. */
static bool has_to_wait(const struct core *core, const struct bulk *bulk, size_t i, const struct queue *turn)
{
    const struct job *joined = bulk->joins[i].job ? job_find(core, bulk->joins[i].job) : NULL;
    const struct queue *queue = bulk->come[i].job->lane->queue;

    if (joined && !core_stored(core, job_work(joined)->born))
        return true;
    if (queue->policy.full != QUEUE_BLOCK || !needs_room(bulk, i))
        return false;
    return !room_fits(queue, queue->bulk_n, queue->bulk_bytes) || (!turn && !list_empty(&queue->submits));
}

bool bulk_may_go_on(struct core *core, struct bulk *bulk, struct queue *turn)
{
    count_nothing(core);
    for (size_t i = 0; i < bulk->n; i++) {
        count(bulk, i);
        if (has_to_wait(core, bulk, i, turn))
            return false;
    }
    return true;
}

/* *line: where it has to wait; NULL: it has not. */
static int judge_room(struct core *core, struct op *op, struct bulk *bulk, const struct queue *turn,
                      struct queue **line)
{
    int r = 0;

    *line = NULL;
    count_nothing(core);
    for (size_t i = 0; r == 0 && i < bulk->n; i++) {
        struct queue *queue = count(bulk, i);
        op->index = (uint32_t)i + 1;
        r = comes(bulk, i) ? room_judge(core, op, queue) : 0;
        if (r == 0 && !*line && has_to_wait(core, bulk, i, turn))
            *line = queue;
    }
    return r;
}

/* What was to be replaced may have made room. Whoever was to have that room needs room as others do now. True: somebody does. */
static bool lose_rooms(struct bulk *bulk)
{
    bool lost = false;

    for (size_t i = 0; i < bulk->n; i++) {
        if (!bulk->come[i].old || !job_ended(bulk->come[i].old))
            continue;
        bulk->come[i].old = NULL;
        lost = lost || bulk->joins[i].inherits;
        bulk->joins[i].inherits = false;
    }
    return lost;
}

/* All that comes to a queue has room there once nobody else waits (room_judge). */
static int make_room(struct core *core, struct bulk *bulk)
{
    struct queue *queue;
    int r = 0;

    do {
        count_nothing(core);
        for (size_t i = 0; i < bulk->n; i++)
            count(bulk, i);
        list_each (queue, &core->jobs->queues, link)
            if (r == 0 && queue->policy.full == QUEUE_DROP_OLDEST)
                r = room_make(core, queue, queue->bulk_n, queue->bulk_bytes);
    } while (r == 0 && lose_rooms(bulk));
    return r;
}

/* Where it is `turn`'s first already, and what it needs is more than was known, it stays that. */
static int wait_for_room(struct core *core, struct op *op, struct bulk *bulk, struct queue *line,
                         const struct queue *turn)
{
    int r = op->state == OP_NEW ? op_park(core, op, WAIT_QUEUE) : 0;

    if (r < 0)
        return r;
    op->index = 0;
    op->reason = WAIT_QUEUE; /* it may have waited for a plugin before */
    op->waiters[0].job = bulk;
    if (line == turn)
        list_prepend(&line->submits, &op->waiters[0].link);
    else
        list_append(&line->submits, &op->waiters[0].link);
    core->jobs->bulks++;
    return 1;
}

/* ---- all of them ---- */

/* Only what comes is left. The store knows the operation by the first of them: there is one job for an operation. */
static uint32_t leave_those_that_come(struct core *core, const struct op *op, struct bulk *bulk)
{
    uint32_t n = 0;

    for (size_t i = 0; i < bulk->n; i++) {
        struct newcomer *come = &bulk->come[i];
        if (!comes(bulk, i))
            come->job = job_delete(core, come->job);
        else
            come->job->work->op = n++ ? 0 : op->id;
    }
    return n;
}

static struct answer *answer_ids(struct core *core, struct bulk *bulk)
{
    jobs_number(core, bulk->come, bulk->n);
    for (size_t i = 0; i < bulk->n; i++) {
        const struct joining *joins = &bulk->joins[i];
        bulk->ids[i] = joins->job    ? joins->job
                       : joins->twin ? bulk->ids[joins->twin - 1]
                                     : bulk->come[i].job->id;
    }
    return answer_new(core, &(struct result){.ids = bulk->ids, .ids_n = bulk->n});
}

/* The end of a job, or none, with `n` further ones and all else, which is reserved. What may fail comes first, the end of the job
 * last of that: behind it jobs_come does not fail. All records are news, or all admissions, so that they share a batch. */
static int admit_with(struct core *core, struct op *op, struct bulk *bulk, uint32_t n)
{
    bool admits = transaction_admits(bulk->with);
    enum record_kind kind = admits ? jobs_kind(bulk->come, bulk->n) : RECORD_JOB_REPLACE;
    int r = n ? jobs_prepare(core, bulk->come, bulk->n, kind) : 0;

    if (r < 0)
        return r;
    r = transaction_end_job(core, op, bulk->with);
    if (r == 0 && n)
        r = jobs_come(core, bulk->come, bulk->n);
    if (r < 0) {
        jobs_unprepare(core, bulk->come, bulk->n);
        return r;
    }
    transaction_apply(core, op, bulk->with, !record_admits(kind));
    return 0;
}

/* It is blocked by the others, which are known before it. What they have for that is made beforehand. */
static int bind_callback(struct core *core, struct bulk *bulk)
{
    size_t others = bulk->n - 1;

    if (!bulk->callback || !bulk->come[others].job)
        return 0;
    for (size_t i = 0; i < others; i++)
        if (bulk->come[i].job && !job_parts(core, bulk->come[i].job))
            return -ENOMEM;
    others -= PLANTED(EARLY_CALLBACK);
    return after_set(core, bulk->come[bulk->n - 1].job,
                     (struct bytes){bulk->ids, others * sizeof(*bulk->ids)});
}

static int admit(struct core *core, struct op *op, struct bulk *bulk)
{
    uint32_t n = leave_those_that_come(core, op, bulk);
    struct answer *answer = answer_ids(core, bulk);
    int r = answer ? bind_callback(core, bulk) : -ENOMEM;

    if (r == 0 && bulk->with)
        r = admit_with(core, op, bulk, n);
    else if (r == 0 && n)
        r = jobs_admit(core, bulk->come, bulk->n);
    if (r < 0) {
        answer_drop(core, answer);
        return r;
    }
    for (size_t i = 0; i < bulk->n; i++) {
        if (bulk->come[i].job)
            op_depends(op, bulk->come[i].job->work->born);
        bulk->come[i].job = NULL; /* it is known now */
    }
    op->index = 0;
    op->answer = answer;
    op->handle = bulk->n ? bulk->ids[0] : 0;
    op_finish(core, op, (int32_t)n);
    return 0;
}

/* 1: somebody has it, and it waits. */
static int go_on(struct core *core, struct op *op, struct bulk *bulk, struct queue *turn)
{
    struct queue *line;
    int r;

    for (; bulk->known < bulk->n; bulk->known++) {
        struct job *job = bulk->come[bulk->known].job;
        if (!submit_stale(core, job))
            continue;
        op->index = 0;
        r = submit_wait(core, op, job, bulk);
        return r < 0 ? r : 1;
    }
    r = judge_jobs(core, op, bulk);
    if (r == 0)
        r = judge_room(core, op, bulk, turn, &line);
    if (r == 0 && line)
        return wait_for_room(core, op, bulk, line, turn);
    if (r == 0 && bulk->with)
        r = transaction_reserve(core, op, bulk->with); /* what is refused drops nobody's jobs */
    if (r == 0)
        r = make_room(core, bulk);
    return r < 0 ? r : admit(core, op, bulk);
}

int bulk_go_on(struct core *core, struct op *op, struct bulk *bulk, struct queue *turn)
{
    int r = go_on(core, op, bulk, turn);

    if (r <= 0)
        bulk_delete(core, bulk);
    if (r < 0 && (op->state == OP_NEW || op_waits(op)))
        op->index = 0;
    return r < 0 ? r : 0;
}

const struct function *bulk_waits_for(struct op *op, struct bulk *bulk)
{
    op->index = (uint32_t)bulk->known + 1;
    return bulk->come[bulk->known++].job->lane->function;
}

/* ---- the verb ---- */

static int check_right(struct core *core, struct op *op, const struct request_submit *submit)
{
    const struct request one = {.verb = VERB_SUBMIT, .submit = *submit};
    struct right_want wants[RIGHT_WANTS_MAX];
    char words[RIGHT_REFUSAL_BYTES];
    size_t n = rights_wanted(&one, false, wants);

    for (size_t i = 0; i < n; i++) {
        if (account_may(core, op->scope->account, &wants[i]))
            continue;
        struct bytes text = right_refusal(op->scope->account, &one, &wants[i], words);
        op_fail(core, op, -EPERM, "%.*s", (int)text.size, (const char *)text.data);
        return -EPERM;
    }
    return 0;
}

static int make_one(struct core *core, struct op *op, const struct request_submit *submit, uint64_t bytes,
                    struct job **out)
{
    int r = core->rights ? check_right(core, op, submit) : 0;

    if (r < 0)
        return r;
    if (bytes <= core->limits.bulk_bytes_max)
        return submit_make(core, op, submit, out);
    op_fail(core, op, -E2BIG, "arguments of %llu bytes up to this job: bulk_bytes_max is %llu",
            (unsigned long long)bytes, (unsigned long long)core->limits.bulk_bytes_max);
    return -E2BIG;
}

static int make(struct core *core, struct op *op, const struct request_submit *jobs, struct bulk *bulk)
{
    uint64_t bytes = 0;
    int r = 0;

    for (; r == 0 && bulk->made < bulk->n; bulk->made += r == 0) {
        op->index = (uint32_t)bulk->made + 1;
        bytes += jobs[bulk->made].argument.size;
        r = make_one(core, op, &jobs[bulk->made], bytes, &bulk->come[bulk->made].job);
    }
    return r;
}

/* Of which the last one is the callback of a batch, when `callback`. `with`, or NULL, is taken. */
static int begin(struct core *core, struct op *op, const struct request_submit_many *many,
                 struct transaction *with)
{
    struct bulk *bulk = NULL;
    int r = 0;

    if (many->jobs_n > core->limits.bulk_jobs_max) {
        op_fail(core, op, -E2BIG, "%zu jobs: bulk_jobs_max is %llu", many->jobs_n,
                (unsigned long long)core->limits.bulk_jobs_max);
        r = -E2BIG;
    } else if (!(bulk = bulk_new(core, many->jobs_n))) {
        r = -ENOMEM;
    }
    if (r < 0) {
        transaction_delete(core, with);
        return r;
    }
    bulk->with = with;
    bulk->callback = many->callback;
    r = make(core, op, many->jobs, bulk);
    if (r == 0)
        return bulk_go_on(core, op, bulk, NULL);
    bulk_delete(core, bulk);
    if (op->state == OP_NEW)
        op->index = 0;
    return r;
}

int handle_submit_many(struct core *core, struct op *op, const struct request *request)
{
    const struct request_submit_many *many = &request->submit_many;

    if (!many->jobs_n)
        return 0;
    if (many->callback && many->jobs[many->jobs_n - 1].after_n) {
        op->index = (uint32_t)many->jobs_n;
        op_fail(core, op, -EINVAL, "the callback comes after the jobs of its batch, and after no others");
        return -EINVAL;
    }
    return begin(core, op, many, NULL);
}

int handle_transact(struct core *core, struct op *op, const struct request *request)
{
    const struct request_transact *asked = &request->transact;
    const struct request_submit_many many = {.jobs = asked->jobs, .jobs_n = asked->jobs_n};
    struct transaction *with;
    int r = transaction_new(core, op, asked, &with);

    return r < 0 ? r : begin(core, op, &many, with);
}
