/*
 * What is new in the core after each of its steps: jobs that were not there, that run, have ended, live again. Who judges it is
 * told in the order of the jobs' ids, which is that of their submits.
 */
#include "feeds.h"
#include "pools.h"
#include "schedules.h"

#include <stdlib.h>
#include <string.h>

struct life *life_find(struct sim *sim, uint64_t id)
{
    for (size_t i = 0; i < sim->lives->n; i++)
        if (sim->lives->all[i].id == id)
            return &sim->lives->all[i];
    return NULL;
}

void judge_lives_stored(struct sim *sim, const struct list *batches)
{
    const struct batch *batch;
    const struct record *record;
    struct life *life;

    list_each (batch, batches, link)
        list_each (record, &batch->records, link) {
            bool begins = record->kind == RECORD_JOB_NEW || record->kind == RECORD_JOB_REPLACE;
            if (!begins || !sim->lives || !(life = life_find(sim, record->job.id)))
                continue;
            life->stored = true;
            if (sim->lives->id_most < life->id)
                sim->lives->id_most = life->id;
        }
}

static size_t asked_of(const struct sim *sim, const struct core_job *job)
{
    const struct secret nobody = {{0}};
    uint64_t tag = job->grace_ns > GRACE && job->grace_ns < 2 * GRACE ? (uint64_t)(job->grace_ns - GRACE) : 0;

    if (!tag && !job->op && memcmp(&nobody, job->session, sizeof(nobody)) == 0)
        return sim->feeds ? sim->feeds->asked : 0;
    for (size_t i = sim->lives->asked_n; i > 0; i--) {
        const struct asked *asked = &sim->lives->asked[i];
        bool same = (asked->mark[0] ? bytes_are(job->key, asked->mark, strlen(asked->mark))
                                    : asked->op == job->op && !asked->tag) &&
                    memcmp(&sim->sessions[asked->session].secret, job->session, sizeof(*job->session)) == 0;
        if (tag ? asked->tag == tag : same)
            return i;
    }
    return 0;
}

static struct life *life_new(struct sim *sim, const struct core_job *job)
{
    struct lives *lives = sim->lives;
    struct life *life;

    lives->all = realloc(lives->all, sizeof(*lives->all) * (lives->n + 1));
    if (!lives->all)
        abort();
    life = &lives->all[lives->n++];
    *life = (struct life){.id = job->id, .asked = asked_of(sim, job), .priority = job->priority};
    life->queue = queue_number(job->queue);
    life->incarnation = sim->sessions[lives->asked[life->asked].session].incarnation;
    life->function = job->function;
    life->fuse = fuse_of(sim, life->queue, job->path, job->name);
    if (job->key.size)
        memcpy(life->key, job->key.data, job->key.size < KEY_BYTES ? job->key.size : KEY_BYTES - 1);
    if (feed_has_job(sim, life))
        life->incarnation = sim->daemon.incarnation;
    if (!life->asked)
        sim_fail(sim, "job %llx is there, and nobody asked for it", (unsigned long long)job->id);
    return life;
}

/* As it is now. One that starts in the very step in which it becomes ready is not seen to be so; nor whether one that
 * starts anew where it had run was handed back, with its place in line, or has another attempt. */
static void note(struct sim *sim, struct life *life, const struct core_job *job)
{
    bool ran = life->state == JOB_RUNNING, waited = life->state == JOB_READY && life->was,
         starts = job->state == JOB_RUNNING && life->run != job->run,
         returned = ran && (starts || (job->state == JOB_READY && life->run == job->run)),
         begins = (job->state == JOB_READY || starts) && !waited && !returned;

    life->ready = begins ? sim->lives->look : life->ready;
    life->back = returned ? sim->lives->look : life->back;
    life->returned = !begins && (life->returned || returned);
    life->moved = !begins && (life->moved || (returned && !queue_setting(sim, life->queue, POLICY_serial)));
    life->here = true;
    life->state = job->state;
    life->run = job->run;
    life->host = job->host;
    life->tries = job->tries;
    life->in_line = job->in_line;
    life->function = job->function;
}

static void note_turn(struct sim *sim, const struct life *before, const struct life *life)
{
    if (before->state != life->state || before->run != life->run)
        sim_note(sim, "job %llx was in state %u and is in %u, run %llx, queue %u, key '%s'; once '%s'",
                 (unsigned long long)life->id, before->state, life->state, (unsigned long long)life->run,
                 life->queue, life->key, life_asked(sim, life)->once);
}

static void look_at(struct sim *sim, const struct core_job *job)
{
    struct life *life = life_find(sim, job->id);
    struct job_row row;
    bool born = !life;

    life = life ? life : life_new(sim, job);
    if (born ? job->id <= sim->lives->id_most : !life->was && !storage_job(sim, job->id, &row))
        sim_fail(sim, "job %llx is new, and its id is not above that of every job before",
                 (unsigned long long)job->id);
    if (sim->failed)
        return;
    struct life before = *life;
    note(sim, life, job);
    if (sim->lives->fresh)
        return;
    note_turn(sim, &before, life);
    judge_fuse_turn(sim, &before, life);
    if (born)
        judge_birth(sim, life);
    else if (life_ended(&before) && !life_ended(life))
        judge_again(sim, life);
    if (life_ended(life) && (born || !life_ended(&before)))
        judge_end(sim, life, job->text);
    if (life->state == JOB_RUNNING && life->run != before.run)
        judge_start(sim, life), judge_pool_start(sim, job);
}

/* What the daemon has found in its store. The others are as the store has them, or never were. */
static void after_restart(struct sim *sim)
{
    struct lives *lives = sim->lives;

    for (size_t i = 0; i < lives->n; i++) {
        struct life *life = &lives->all[i];
        struct job_row row;
        judge_brief_found(sim, life);
        if (!life->here && storage_job(sim, life->id, &row))
            life->state = row.state;
        else if (!life->here && !life_ended(life)) {
            life->state = JOB_CANCELLED;
            judge_never_was(sim, life);
        }
    }
    for (size_t i = 0; i < lives->n; i++)
        if (lives->all[i].stored)
            judge_found(sim, &lives->all[i]);
        else
            lives->all[i].id = UINT64_MAX; /* nobody knows its id: it may come again */
    lives->fresh = false;
}

void judge_lives_look(struct sim *sim)
{
    struct lives *lives = sim->lives;
    struct core_job job = {0};

    if (sim->failed)
        return;
    lives->look++;
    for (size_t i = 0; i < lives->n; i++) {
        lives->all[i].was = lives->all[i].here;
        lives->all[i].here = false;
    }
    while (!sim->failed && core_next_job(sim->daemon.core, job.id, &job))
        look_at(sim, &job);
    if (lives->fresh)
        after_restart(sim);
    for (size_t i = 0; i < lives->n; i++) /* a submit that the store refused */
        if (!lives->all[i].here && !life_ended(&lives->all[i])) {
            judge_fuse_gone(sim, &lives->all[i]);
            lives->all[i].state = JOB_CANCELLED;
            judge_never_was(sim, &lives->all[i]);
        }
    judge_fuses(sim);
    judge_starts(sim);
    judge_rooms(sim);
}

void judge_lives_start(struct sim *sim)
{
    if (!sim->lives)
        sim->lives = sim_alloc(sizeof(*sim->lives));
    if (!sim->lives->asked) {
        sim->lives->asked = sim_alloc(sizeof(*sim->lives->asked));
        judge_queues_start(sim);
    }
    judge_schedules_start(sim);
    judge_fuses_start(sim);
    sim->lives->fresh = true;
    for (size_t i = 0; i < sim->lives->n; i++)
        sim->lives->all[i].here = false;
}

void judge_lives_free(struct sim *sim)
{
    struct lives *lives = sim->lives;

    if (!lives)
        return;
    for (size_t i = 0; i < lives->purges_n; i++)
        free(lives->purges[i].jobs);
    free(lives->purges);
    free(lives->bulks);
    free(lives->copies);
    judge_schedules_free(sim);
    judge_fuses_free(sim);
    free(lives->asked);
    free(lives->all);
    free(lives);
}
