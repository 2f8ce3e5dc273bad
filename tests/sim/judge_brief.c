/*
 * The queue `brief`, whose jobs are kept less safely than others, and of which few that have ended are kept. Judged:
 *
 *     with durability `none` its jobs go with the daemon, as a whole; with `process` none that was acknowledged does
 *     jobs of all other queues outlive the daemon as with `process`
 *     of those that have ended so many are kept as the queue says, of dead ones so many; not more, and while nothing else takes
 *     them away not fewer
 */
#include "drain.h"
#include "schedules.h"
#include "states.h"

/* The machine goes on, so that with `process` is as safe as on the disk. */
static bool is_brief(const struct sim *sim, const struct life *life)
{
    return life->queue == BRIEF && brief_durability(sim->seed) == DURABLE_NONE;
}

struct policy_part daemon_brief(uint64_t seed)
{
    struct policy_part brief = {.set = 0};
    struct {
        enum policy_field field;
        uint64_t value;
    } rows[] = {{POLICY_durability, brief_durability(seed)},
                {POLICY_retained_jobs, 1 + seed / 3 % 4},
                {POLICY_dead_jobs, 1 + seed / 5 % 2}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        *policy_value(&brief.policy, rows[i].field) = rows[i].value;
        brief.set |= UINT64_C(1) << rows[i].field;
    }
    states_add(seed, &brief);
    return brief;
}

bool life_may_lack(const struct sim *sim, const struct life *life)
{
    if (life->queue != BRIEF)
        return false;
    return life_ended(life) || (is_brief(sim, life) && life->incarnation != sim->daemon.incarnation);
}

/* After a restart; the state is that from before it. */
void judge_brief_found(struct sim *sim, const struct life *life)
{
    struct job_row row;
    bool stored = storage_job(sim, life->id, &row);

    if (is_brief(sim, life) && life->incarnation != sim->daemon.incarnation && (life->here || stored))
        sim_fail(sim, "job %llx is of a queue without durability, and there after a restart",
                 (unsigned long long)life->id);
    if (!is_brief(sim, life) && !life_ended(life) && !life->here && !stored &&
        job_entry(sim, life->id)->known)
        sim_fail(sim, "job %llx was acknowledged and is lost in a restart", (unsigned long long)life->id);
}

/* How many ended jobs of this kind are kept, and how many there are that may be. */
static uint64_t kept(struct sim *sim, bool dead, uint64_t *there)
{
    uint64_t n = 0;

    *there = 0;
    for (size_t i = 0; i < sim->lives->n; i++) {
        const struct life *life = &sim->lives->all[i];
        if (life->queue != BRIEF || !life_ended(life) || (life->state == JOB_DEAD) != dead)
            continue;
        n += core_keeps(sim->daemon.core, life->id);
        *there += job_entry(sim, life->id)->known &&
                  (!is_brief(sim, life) || life->incarnation == sim->daemon.incarnation);
    }
    return n;
}

/* Without memory for its place in line an ended job is left to the next start. */
static bool may_be_fewer(const struct sim *sim)
{
    return sim->forgets || sim_purges(sim) || sim_is_long(sim) || sim->memory.refused;
}

static void judge_kept(struct sim *sim, bool dead)
{
    uint64_t most = queue_setting(sim, BRIEF, dead ? POLICY_dead_jobs : POLICY_retained_jobs), there,
             n = kept(sim, dead, &there);

    if (n > most)
        sim_fail(sim, "%llu ended jobs of a queue are kept%s, and it keeps %llu", (unsigned long long)n,
                 dead ? ", dead" : "", (unsigned long long)most);
    if (may_be_fewer(sim))
        return;
    if (n < (there < most ? there : most))
        sim_fail(sim, "%llu ended jobs of a queue are kept%s; there were %llu, and it keeps %llu",
                 (unsigned long long)n, dead ? ", dead" : "", (unsigned long long)there,
                 (unsigned long long)most);
}

void brief_end(struct sim *sim)
{
    wait_for(sim, 500 * MS); /* deletes have their turns, and their commits */
    if (!sim->failed)
        judge_kept(sim, false);
    if (!sim->failed)
        judge_kept(sim, true);
}
