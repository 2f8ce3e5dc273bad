/*
 * What must hold between jobs:
 *
 *     a key is held by one job at a time: while one holds it, none is admitted with it, but in the place of one that waits
 *     who joins is given a job of its key
 *     a job lives again only after it has failed or died, as often as that was asked for, and it is stored before it is said
 *     a job that comes after others is admitted with them known (judge_starts.c: it never starts before them)
 *     a queue that is paused for submits admits none that came meanwhile; one with a bound has no more jobs waiting, and drops
 *     one only for one that comes in its place
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bulk.h"
#include "feeds.h"
#include "schedules.h"
#include "workers.h"

/* Longer than the clocks of the core and of the ledger may be apart. */
#define SLACK (1 * MS)

static int64_t wall_us(const struct sim *sim)
{
    return sim_wall_ns(sim) / 1000;
}

/* ---- what was asked ---- */

/* Two submits with the same of these have one key. */
static void write_once(char to[ONCE_BYTES], uint32_t uid, const struct request_submit *submit)
{
    struct bytes queue = submit->queue.size ? submit->queue : (struct bytes){"default", 7}, none = {"", 0};
    bool of_function = submit->once_scope == ONCE_FUNCTION;
    struct bytes within = of_function ? submit->plugin : submit->once_scope == ONCE_QUEUE ? queue : none;
    struct bytes function = of_function ? submit->function : none;

    if (submit->once_key.size)
        snprintf(to, ONCE_BYTES, "%x %u %.*s:%.*s %.*s", uid, submit->once_scope, (int)within.size,
                 (const char *)within.data, (int)function.size, (const char *)function.data,
                 (int)submit->once_key.size, (const char *)submit->once_key.data);
}

struct asked *asked_new(struct sim *sim, uint64_t session, uint64_t op, const struct request_submit *submit)
{
    struct lives *lives = sim->lives;
    uint32_t queue = queue_number(submit->queue);

    lives->asked = realloc(lives->asked, sizeof(*lives->asked) * (lives->asked_n + 2));
    if (!lives->asked)
        abort();
    struct asked *asked = &lives->asked[++lives->asked_n];
    *asked = (struct asked){.session = session,
                            .op = op,
                            .taken_ns = sim->now_ns,
                            .once_policy = submit->once_policy,
                            .once_ns = submit->once_ns,
                            .after_n = submit->after_n < AFTER_MAX ? submit->after_n : AFTER_MAX,
                            .any = submit->flags & SUBMIT_AFTER_ANY};
    asked->closed =
        !lives->queue[queue].doubt && queue_paused(sim, queue) && queue_settings(sim, queue)->closed;
    for (size_t i = 0; i < asked->after_n; i++)
        asked->after[i] = submit->after[i];
    write_once(asked->once, user_of(sim, sim->sessions[session].who).uid, submit);
    return asked;
}

/* Of all its jobs, which are of one kind. */
static void transact_came(struct sim *sim, uint64_t session, const struct request *request)
{
    const struct request_submit *first = request->transact.jobs;

    if (request->transact.jobs_n)
        snprintf(asked_new(sim, session, request->id, first)->mark, KEY_BYTES, "%.*s", (int)first->key.size,
                 (const char *)first->key.data);
}

void judge_life_came(struct sim *sim, uint64_t session, const struct request *request)
{
    if (!session)
        return;
    if (request->verb == VERB_SUBMIT)
        asked_new(sim, session, request->id, &request->submit);
    if (request->verb == VERB_SUBMIT_MANY)
        judge_bulk_came(sim, session, request);
    if (request->verb == VERB_TRANSACT)
        transact_came(sim, session, request);
    judge_queue_came(sim, session, request);
}

/* ---- keys ---- */

static bool has_key(const struct asked *asked)
{
    return asked->once[0] != '\0';
}

/* Its time may have passed. */
static bool may_be_free(const struct sim *sim, const struct asked *asked)
{
    return asked->once_ns > 0 && sim->now_ns + SLACK >= asked->taken_ns + asked->once_ns;
}

static bool must_be_free(const struct sim *sim, const struct asked *asked)
{
    return asked->once_ns > 0 && sim->now_ns >= asked->taken_ns + asked->once_ns + SLACK;
}

/* Its submit: jobs are looked at in the order of their ids. */
static bool was_refused(const struct life *other, const struct life *life)
{
    return !life_ended(other) && !other->here && other->id < life->id;
}

/* Another one that holds its key, or NULL. */
static struct life *holder(struct sim *sim, const struct life *life)
{
    const struct asked *mine = life_asked(sim, life);

    for (size_t i = 0; has_key(mine) && i < sim->lives->n; i++) {
        struct life *other = &sim->lives->all[i];
        const struct asked *its = life_asked(sim, other);
        if (other == life || !other->holds || was_refused(other, life) ||
            strcmp(its->once, mine->once) != 0 || must_be_free(sim, its))
            continue;
        if (!life_ended(other) || (its->once_ns && core_keeps(sim->daemon.core, other->id)))
            return other;
    }
    return NULL;
}

/* The core forgets a key that an ended job has kept when memory is out. */
static bool may_be_forgotten(const struct sim *sim, const struct life *life)
{
    return life_ended(life) && sim->memory.refused;
}

static void take_key(struct sim *sim, struct life *life)
{
    struct asked *asked = &sim->lives->asked[life->asked];
    struct life *other;

    while ((other = holder(sim, life))) {
        bool free = may_be_free(sim, life_asked(sim, other)) || may_be_forgotten(sim, other) ||
                    (life_ended(other) && asked->once_policy == ONCE_REPLACE);
        other->holds = false;
        if (!free)
            sim_fail(sim, "job %llx is admitted with the key %s, which job %llx holds in state %u",
                     (unsigned long long)life->id, asked->once, (unsigned long long)other->id, other->state);
    }
    for (size_t i = 0; has_key(asked) && i < sim->lives->n; i++)
        if (strcmp(life_asked(sim, &sim->lives->all[i])->once, asked->once) == 0)
            sim->lives->all[i].holds = false;
    life->holds = has_key(asked);
}

/* `task` was told of a job that has its key. */
void judge_joined(struct sim *sim, const struct task *task)
{
    const struct life *life = life_find(sim, task->handle);
    char once[ONCE_BYTES] = "";

    write_once(once, user_of(sim, task->client->who).uid, &task->op.request.submit);
    if (!once[0] || (life && strcmp(life_asked(sim, life)->once, once) != 0))
        sim_fail(sim, "a submit with key %s joins job %llx, which has another one", once,
                 (unsigned long long)task->handle);
}

/* ---- jobs that come after others ---- */

static void let(struct sim *sim, struct life *life, const struct life *parent)
{
    const struct asked *asked = life_asked(sim, life);

    for (size_t i = 0; i < asked->after_n; i++)
        if (asked->after[i] == parent->id)
            life->let[i] |= asked->any || parent->state == JOB_DONE;
}

/* Somebody may have seen it before the store refused it, and named it. */
void judge_never_was(struct sim *sim, const struct life *life)
{
    for (size_t n = 0; n < sim->lives->n; n++) {
        struct life *child = &sim->lives->all[n];
        const struct asked *asked = life_asked(sim, child);

        for (size_t i = 0; i < asked->after_n; i++)
            child->bare[i] |= asked->after[i] == life->id;
        let(sim, child, life);
    }
}

static void look_at_parents(struct sim *sim, struct life *life)
{
    const struct asked *asked = life_asked(sim, life);

    for (size_t i = 0; i < asked->after_n; i++) {
        const struct life *parent = life_find(sim, asked->after[i]);
        life->let[i] |= life->bare[i] && asked->any;
        if (life->bare[i])
            continue;
        if (!parent)
            sim_fail(sim, "job %llx is admitted after job %llx, which is not known",
                     (unsigned long long)life->id, (unsigned long long)asked->after[i]);
        else if (life_ended(parent))
            let(sim, life, parent);
    }
}

/* ---- turns of a life ---- */

static void judge_room(struct sim *sim, const struct life *life)
{
    uint64_t most = queue_setting(sim, life->queue, POLICY_waiting_max), n = 0;

    /* Who takes the place of another needs no room. */
    if (!most || sim->lives->queue[life->queue].doubt ||
        (life->holds && life_asked(sim, life)->once_policy == ONCE_REPLACE))
        return;
    /* What came back in this step may have done so after it, and needs no room. */
    for (size_t i = 0; i < sim->lives->n; i++)
        n += sim->lives->all[i].queue == life->queue && life_waits(&sim->lives->all[i]) &&
             sim->lives->all[i].back != sim->lives->look;
    if (n > most)
        sim_fail(sim, "job %llx is admitted as number %llu of those that wait in a queue for %llu",
                 (unsigned long long)life->id, (unsigned long long)n, (unsigned long long)most);
}

void judge_birth(struct sim *sim, struct life *life)
{
    judge_bulk_birth(sim, life);
    judge_feed_birth(sim, life);
    if (life_asked(sim, life)->closed)
        sim_fail(sim, "job %llx is admitted to a queue that took none", (unsigned long long)life->id);
    take_key(sim, life);
    look_at_parents(sim, life);
    sim->lives->crowd[life->queue] = life->id;
}

/* A job makes room only for one that comes in the same step. */
static void judge_drop(struct sim *sim, uint64_t dropped, uint64_t came)
{
    if (dropped && !came && !sim->memory.short_of)
        sim_fail(sim, "job %llx was cancelled to make room, and none came for it",
                 (unsigned long long)dropped);
}

/* Those of this step together: what ended in it has made room. */
void judge_rooms(struct sim *sim)
{
    for (uint32_t queue = 0; queue < QUEUES; queue++) {
        const struct life *life = life_find(sim, sim->lives->crowd[queue]);
        judge_drop(sim, sim->lives->dropped[queue], sim->lives->crowd[queue]);
        sim->lives->crowd[queue] = sim->lives->dropped[queue] = 0;
        if (life)
            judge_room(sim, life);
    }
}

void judge_again(struct sim *sim, struct life *life)
{
    struct entry_job *entry = job_entry(sim, life->id);

    if (!sim->lives->retried)
        sim_fail(sim, "job %llx lives again, and nobody asked for it", (unsigned long long)life->id);
    if (!life->failed)
        sim_fail(sim, "job %llx lives again, and had not failed", (unsigned long long)life->id);
    life->failed = false;
    life->again++;
    entry->again = true;
    entry->state = 0;
    entry->context = 0; /* that of its submit ends it no more */
    life->holds = life->holds && !holder(sim, life);
    life->freed = true; /* it comes after nobody any more */
}

void judge_end(struct sim *sim, struct life *life, struct bytes text)
{
    static const char made_room[] = "its queue was full";

    if (text.size >= sizeof(made_room) - 1 && memcmp(text.data, made_room, sizeof(made_room) - 1) == 0)
        sim->lives->dropped[life->queue] = life->id;
    life->failed = life->state == JOB_FAILED || life->state == JOB_DEAD;
    if (!life_asked(sim, life)->once_ns)
        life->holds = false;
    for (size_t i = 0; i < sim->lives->n; i++)
        let(sim, &sim->lives->all[i], life);
}

/* What had happened and was not stored has not. */
void judge_found(struct sim *sim, struct life *life)
{
    const struct asked *asked = life_asked(sim, life);

    life->failed = life->state == JOB_FAILED || life->state == JOB_DEAD;
    if (life_ended(life))
        life->holds = storage_has_key(sim, life->id);
    else if (has_key(asked) && !life->holds)
        life->holds = storage_has_key(sim, life->id);
    if (life->state != JOB_BLOCKED && life->freed)
        return;
    life->freed = asked->after_n == 0 || (life->state != JOB_BLOCKED && life->freed);
    memset(life->let, 0, sizeof(life->let));
    look_at_parents(sim, life);
}

/* ---- JOB_RETRY of one job ---- */

static bool is_of_one(const struct request *request)
{
    return request->verb == VERB_JOB_RETRY && request->job_retry.job;
}

void judge_retry_came(struct sim *sim, struct task *task, const struct request *request)
{
    if (request->verb == VERB_JOB_RETRY)
        sim->lives->retried = true;
    if (task && is_of_one(request))
        task->came_us = wall_us(sim);
}

/* It must not be as it was: the end of a new life is a later one. */
void judge_retry_reply(struct sim *sim, const struct task *task)
{
    const struct request *request = &task->op.request;
    struct life *life = is_of_one(request) ? life_find(sim, request->job_retry.job) : NULL;
    struct job_row row;

    if (!life)
        return;
    if (storage_job(sim, life->id, &row) && row.state >= JOB_DONE && row.ended_us < task->came_us)
        sim_fail(sim, "job %llx is said to live again before that is stored", (unsigned long long)life->id);
    if (++life->retries > life->again)
        sim_fail(sim, "job %llx was told to live again %llu times, and did %llu times",
                 (unsigned long long)life->id, (unsigned long long)life->retries,
                 (unsigned long long)life->again);
}
