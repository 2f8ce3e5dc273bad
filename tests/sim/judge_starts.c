/*
 * What must hold when jobs start:
 *
 *     none starts before the jobs that it comes after have ended, each in a way that lets it
 *     no queue and no key runs more at once than it may, nor starts more in a time; none of a queue that is paused
 *     within a serial key the job starts that became ready first; else, of one function and key, the more urgent, then the older
 *
 * What is set of the queue is as its model in judge_queues.c has it.
 */
#include <string.h>

#include "lives.h"

/* ---- jobs that come after others ---- */

static void judge_after(struct sim *sim, struct life *life)
{
    const struct asked *asked = life_asked(sim, life);

    for (size_t i = 0; i < asked->after_n && !life->freed; i++)
        if (!life->let[i])
            sim_fail(sim, "job %llx starts, and job %llx, which it comes after, has not ended so that it may",
                     (unsigned long long)life->id, (unsigned long long)asked->after[i]);
    life->freed = true;
}

/* ---- order ---- */

static bool of_one_key(const struct life *a, const struct life *b)
{
    return a->queue == b->queue && a->key[0] && strcmp(a->key, b->key) == 0;
}

static bool of_one_lane(const struct life *a, const struct life *b)
{
    return a->queue == b->queue && a->function == b->function && strcmp(a->key, b->key) == 0;
}

/* It stood in line before this step and does so still, before `life` in the order of the queue. */
static bool is_first(const struct sim *sim, const struct life *other, const struct life *life)
{
    bool serial = queue_setting(sim, life->queue, POLICY_serial),
         ages = queue_setting(sim, life->queue, POLICY_ageing_ms);

    if (!other->here || !other->in_line || other->ready >= sim->lives->look)
        return false;
    /* Of a key two may have run at once before its queue was serial: they are told apart in any order. */
    if (serial && of_one_key(other, life))
        return other->ready < life->ready && !(other->returned && life->returned) && !other->moved &&
               !life->moved;
    if (!of_one_lane(other, life) || other->returned || life->returned)
        return false;
    return other->priority == life->priority ? other->ready < life->ready
                                             : !ages && other->priority > life->priority;
}

static void judge_order(struct sim *sim, const struct life *life)
{
    for (size_t i = 0; i < sim->lives->n && !sim->failed; i++)
        if (is_first(sim, &sim->lives->all[i], life))
            sim_fail(sim, "job %llx starts before job %llx", (unsigned long long)life->id,
                     (unsigned long long)sim->lives->all[i].id);
}

/* ---- bounds ---- */

static uint64_t running(const struct sim *sim, const struct life *like, bool key)
{
    uint64_t n = 0;

    for (size_t i = 0; i < sim->lives->n; i++) {
        const struct life *life = &sim->lives->all[i];
        n += life->here && life->state == JOB_RUNNING &&
             (key ? of_one_key(life, like) : life->queue == like->queue);
    }
    return n;
}

static void judge_bound(struct sim *sim, const struct life *life, bool key, uint64_t most)
{
    uint64_t n = most ? running(sim, life, key) : 0;

    if (n > most)
        sim_fail(sim, "job %llx starts as number %llu of its %s, which may run %llu at once",
                 (unsigned long long)life->id, (unsigned long long)n, key ? "key" : "queue",
                 (unsigned long long)most);
}

static void judge_rate(struct sim *sim, const struct life *life)
{
    struct queue_book *queue = &sim->lives->queue[life->queue];
    uint64_t rate = queue_setting(sim, life->queue, POLICY_rate),
             burst = queue_setting(sim, life->queue, POLICY_burst), n = 0;
    int64_t since = sim->now_ns - (int64_t)queue_setting(sim, life->queue, POLICY_rate_ms) * MS;

    queue->starts_ns[queue->starts_n++ % STARTS] = sim->now_ns;
    for (size_t i = 0; i < STARTS && i < queue->starts_n; i++)
        n += queue->starts_ns[i] > since;
    if (rate && n > rate + (burst ? burst : rate))
        sim_fail(sim, "job %llx starts as number %llu in a time for %llu", (unsigned long long)life->id,
                 (unsigned long long)n, (unsigned long long)rate);
}

void judge_start(struct sim *sim, struct life *life)
{
    bool serial = queue_setting(sim, life->queue, POLICY_serial);

    life->first_run = life->first_run ? life->first_run : life->run;
    judge_after(sim, life);
    if (sim->lives->queue[life->queue].doubt)
        return;
    if (queue_paused(sim, life->queue))
        sim_fail(sim, "job %llx starts in a queue that is paused", (unsigned long long)life->id);
    judge_rate(sim, life);
    life->started = sim->lives->look;
    life->bound = serial ? 1 : queue_setting(sim, life->queue, POLICY_key_concurrency);
}

/* Together: in one step some end before others start. */
void judge_starts(struct sim *sim)
{
    for (size_t i = 0; i < sim->lives->n && !sim->failed; i++) {
        const struct life *life = &sim->lives->all[i];
        if (life->started != sim->lives->look || life->state != JOB_RUNNING)
            continue;
        judge_bound(sim, life, false, queue_setting(sim, life->queue, POLICY_concurrency));
        judge_bound(sim, life, true, life->key[0] ? life->bound : 0);
        judge_order(sim, life);
    }
}
