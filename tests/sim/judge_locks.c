/*
 * Named locks, judged from both ends: the ledger follows what the core takes and what it says (lock_ledger.c), `held`
 * is what clients were told and have not given up. Of those whose scope lives, no two have one lock (M1).
 */
#include <stdlib.h>

#include "inspect.h"
#include "lock_ledger.h"
#include "sim.h"

bool verb_of_locks(enum verb verb)
{
    return verb == VERB_LOCK || verb == VERB_UNLOCK;
}

bool task_is_grant(const struct task *task)
{
    bool asks = task->op.request.verb == VERB_LOCK || task->op.request.verb == VERB_COND_WAIT;

    return asks && task->finished && task->status >= 0;
}

bool task_waits_for_lock(const struct task *task)
{
    return task->op.request.verb == VERB_LOCK && task->op.phase == OP_TAKEN;
}

bool task_of_lock_is_open(const struct task *task)
{
    return verb_of_locks(task->op.request.verb) &&
           (task->op.phase == OP_FLIGHT || task->op.phase == OP_TAKEN || task->op.phase == OP_UNDOING);
}

static bool scope_lives(void *context, uint64_t session, uint64_t run)
{
    const struct sim *sim = context;

    return sim->daemon.core && core_scope_lives(sim->daemon.core, &sim->sessions[session].secret, run);
}

/* ---- what the core takes, and says ---- */

void judge_locks_start(struct sim *sim)
{
    if (sim->locks)
        lock_ledger_restart(sim->locks);
    else
        sim->locks = lock_ledger_new(scope_lives, sim);
    for (uint32_t lock = COND_LOCK; lock < LOCKS; lock++) /* waits for conditions unlock them, too */
        lock_ledger_strange(sim->locks, lock_name(lock));
}

void judge_locks_free(struct sim *sim)
{
    sim->locks = lock_ledger_delete(sim->locks);
    free(sim->held);
}

void judge_lock_reply(struct sim *sim, uint64_t session, const struct result *result)
{
    const char *wrong = lock_ledger_result(sim->locks, session, result);

    if (wrong)
        sim_fail(sim, "lock, operation %llu of session %llu, token %llx: %s", (unsigned long long)result->op,
                 (unsigned long long)session, (unsigned long long)result->handle, wrong);
}

/* ---- what clients have ---- */

static bool is_void(struct sim *sim, const struct held *held)
{
    return sim->sessions[held->session].ended || !scope_lives(sim, held->session, held->run);
}

static void held_remove(struct sim *sim, size_t i)
{
    sim->held[i] = sim->held[--sim->held_n];
}

static void held_forget_void(struct sim *sim)
{
    for (size_t i = sim->held_n; i-- > 0;)
        if (is_void(sim, &sim->held[i]))
            held_remove(sim, i);
}

static void held_add(struct sim *sim, struct held held)
{
    sim->held = realloc(sim->held, sizeof(*sim->held) * (sim->held_n + 1));
    if (!sim->held)
        abort();
    sim->held[sim->held_n++] = held;
}

void judge_locked(struct task *task)
{
    struct sim *sim = task->client->sim;
    struct held held = {.session = task->session,
                        .run = task->run,
                        .lock = task->slot,
                        .token = task->handle,
                        .died = task->status == GRANT_OWNER_DIED};

    held_forget_void(sim);
    if (is_void(sim, &held))
        return;
    for (size_t i = 0; i < sim->held_n; i++)
        if (sim->held[i].lock == held.lock)
            sim_fail(sim, "lock %u: sessions %llu and %llu both have it, tokens %llx and %llx", held.lock,
                     (unsigned long long)sim->held[i].session, (unsigned long long)held.session,
                     (unsigned long long)sim->held[i].token, (unsigned long long)held.token);
    held_add(sim, held);
}

void judge_lock_surfaced(struct sim *sim, uint64_t token)
{
    for (size_t i = 0; i < sim->held_n; i++)
        sim->held[i].surfaced |= sim->held[i].token == token;
}

void judge_unlocking(struct sim *sim, uint64_t token)
{
    for (size_t i = sim->held_n; i-- > 0;)
        if (sim->held[i].token == token)
            held_remove(sim, i);
}

const struct held *lock_held(struct sim *sim, uint64_t session, uint64_t run)
{
    held_forget_void(sim);
    for (size_t i = 0; i < sim->held_n; i++)
        if (sim->held[i].session == session && sim->held[i].run == run && sim->held[i].surfaced)
            return &sim->held[i];
    return NULL;
}

bool locks_held(struct sim *sim, const struct client *client)
{
    held_forget_void(sim);
    for (size_t i = 0; i < sim->held_n; i++)
        if (!client || (client->session && sim->held[i].session == client->session))
            return true;
    return false;
}
