/*
 * What must hold for many jobs of one submit:
 *
 *     all of them come in one step, or none; those that do not come have joined a job of their key
 *     all of them are on disk, or none, whenever the daemon dies
 *     a bulk that is refused has left no job; one that is answered has told each of its jobs, and all are on disk
 *     the callback of a batch starts after all others have ended, each so that it may (judge_starts.c)
 */
#include "bulk.h"

#include <stdlib.h>
#include <string.h>

static struct bulk_book *bulk_find(struct sim *sim, uint64_t session, uint64_t op)
{
    for (size_t i = sim->lives->bulks_n; i > 0; i--)
        if (sim->lives->bulks[i].session == session && sim->lives->bulks[i].op == op)
            return &sim->lives->bulks[i];
    return NULL;
}

static uint64_t tag_of(const struct request_submit *submit)
{
    return submit->grace_ns > GRACE ? (uint64_t)(submit->grace_ns - GRACE) : 0;
}

void judge_bulk_came(struct sim *sim, uint64_t session, const struct request *request)
{
    const struct request_submit_many *many = &request->submit_many;
    struct lives *lives = sim->lives;

    lives->bulks = realloc(lives->bulks, sizeof(*lives->bulks) * (lives->bulks_n + 2));
    if (!lives->bulks)
        abort();
    struct bulk_book *bulk = &lives->bulks[++lives->bulks_n];
    *bulk = (struct bulk_book){.session = session,
                               .op = request->id,
                               .asked = lives->asked_n + 1,
                               .n = many->jobs_n,
                               .callback = many->callback};
    for (size_t i = 0; i < many->jobs_n; i++) {
        struct asked *asked = asked_new(sim, session, request->id, &many->jobs[i]);
        asked->tag = tag_of(&many->jobs[i]);
        asked->bulk = lives->bulks_n;
    }
}

/* The job at this place, or NULL. */
static struct life *member(struct sim *sim, const struct bulk_book *bulk, size_t i)
{
    for (size_t n = sim->lives->n; n > 0; n--)
        if (sim->lives->all[n - 1].asked == bulk->asked + i)
            return &sim->lives->all[n - 1];
    return NULL;
}

/* It comes after the others, which have been seen before it: their ids are smaller. */
static void follow(struct sim *sim, const struct bulk_book *bulk, struct asked *callback)
{
    callback->after_n = 0;
    for (size_t i = 0; i + 1 < bulk->n; i++) {
        const struct life *life = member(sim, bulk, i);
        if (life)
            callback->after[callback->after_n++] = life->id;
    }
}

void judge_bulk_birth(struct sim *sim, struct life *life)
{
    struct asked *asked = &sim->lives->asked[life->asked];
    struct bulk_book *bulk = asked->bulk ? &sim->lives->bulks[asked->bulk] : NULL;

    if (!bulk)
        return;
    for (size_t i = 0; i + 1 < sim->lives->n; i++)
        if (sim->lives->all[i].asked == life->asked)
            sim_fail(sim, "jobs %llx and %llx are the same of one bulk",
                     (unsigned long long)sim->lives->all[i].id, (unsigned long long)life->id);
    if (bulk->refused)
        sim_fail(sim, "job %llx comes, and its bulk was refused", (unsigned long long)life->id);
    if (bulk->born && bulk->born != sim->lives->look)
        sim_fail(sim, "job %llx comes later than others of its bulk", (unsigned long long)life->id);
    bulk->born = sim->lives->look;
    if (bulk->callback && life->asked == bulk->asked + bulk->n - 1)
        follow(sim, bulk, asked);
}

/* ---- answers ---- */

static bool stored(struct sim *sim, const struct life *life)
{
    struct job_row row;

    return storage_job(sim, life->id, &row);
}

static void refused(struct sim *sim, struct bulk_book *bulk)
{
    bulk->refused = true;
    for (size_t i = 0; i < bulk->n; i++) {
        const struct life *life = member(sim, bulk, i);
        if (life && (life->here || stored(sim, life)))
            sim_fail(sim, "a bulk is refused, and job %llx of it is there", (unsigned long long)life->id);
    }
}

static bool is_new(const struct bulk_book *bulk, size_t i, const struct life *life)
{
    return life->asked == bulk->asked + i;
}

static void judge_place(struct sim *sim, const struct bulk_book *bulk, size_t i, uint64_t id)
{
    const struct life *life = life_find(sim, id);
    const char *once = sim->lives->asked[bulk->asked + i].once;

    if (!life)
        sim_fail(sim, "a bulk is answered with job %llx, which nobody knows", (unsigned long long)id);
    else if (!stored(sim, life) && !may_be_gone(sim, id))
        sim_fail(sim, "a bulk is answered before job %llx is stored", (unsigned long long)id);
    else if (!is_new(bulk, i, life) && (!once[0] || strcmp(life_asked(sim, life)->once, once) != 0))
        sim_fail(sim, "a job of a bulk with key %s joins job %llx, which has another one", once,
                 (unsigned long long)id);
}

static void answered(struct sim *sim, const struct bulk_book *bulk, const struct result *result)
{
    int32_t come = 0;

    if (result->ids_n != bulk->n) {
        sim_fail(sim, "a bulk of %zu jobs is answered with %zu", bulk->n, result->ids_n);
        return;
    }
    for (size_t i = 0; i < bulk->n && !sim->failed; i++) {
        judge_place(sim, bulk, i, result->ids[i]);
        come += member(sim, bulk, i) != NULL;
    }
    if (come != result->status)
        sim_fail(sim, "%d jobs of a bulk have come, and %d are told", come, result->status);
}

/* A result may leave once more after others have purged what it tells. */
void judge_bulk_reply(struct sim *sim, uint64_t session, const struct result *result)
{
    struct bulk_book *bulk = bulk_find(sim, session, result->op);

    if (!bulk)
        return;
    if (result->status < 0)
        refused(sim, bulk);
    else
        answered(sim, bulk, result);
}

void judge_bulk_told(struct task *task, const struct result *result)
{
    struct sim *sim = task->client->sim;
    const struct request_submit_many *many = &task->op.request.submit_many;

    if (task->op.request.verb != VERB_SUBMIT_MANY)
        return;
    struct entry_submit *submit = submit_entry(sim, task);
    for (size_t i = 0; i < result->ids_n && result->status >= 0; i++) {
        const struct life *life = life_find(sim, result->ids[i]);
        if (!life || life_asked(sim, life)->tag != tag_of(&many->jobs[i]))
            continue;
        submit_known(task, life->id, many->jobs[i].flags);
        if (i == 0) /* else it is told by whom that one has joined, or by the first that is stored */
            submit->job = life->id;
    }
}

/* ---- restarts ---- */

/* Whoever has ended may have been purged. */
static void judge_whole(struct sim *sim, const struct bulk_book *bulk)
{
    const struct life *missing = NULL, *there = NULL;

    for (size_t i = 0; i < bulk->n; i++) {
        const struct life *life = member(sim, bulk, i);
        if (life && stored(sim, life))
            there = life;
        else if (life && !life_ended(life))
            missing = life;
    }
    if (there && missing)
        sim_fail(sim, "after a restart job %llx is there, and job %llx of the same bulk is not",
                 (unsigned long long)there->id, (unsigned long long)missing->id);
}

void judge_bulks_loaded(struct sim *sim)
{
    for (size_t i = 1; i <= sim->lives->bulks_n && !sim->failed; i++)
        judge_whole(sim, &sim->lives->bulks[i]);
}
