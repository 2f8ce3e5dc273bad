/*
 * What clients do with a named semaphore: take units of it, with and without a deadline, give them back after a while, in
 * one piece or two, and give back what nobody waits for any more, as the library does (IP1.3). Judged: of all that clients
 * with a living session were told they have, and have not begun to give back, there is never more than the size (SE).
 */
#include <errno.h>

#include "inspect.h"
#include "sim.h"

static const struct bytes units_name = {"sim.units", 9};

static bool session_lives(const struct client *client)
{
    const struct sim *sim = client->sim;
    const struct sim_session *session = sim ? &sim->sessions[client->units.session] : NULL;

    return session && client->alive && client->units.session && !session->ended && sim->daemon.core &&
           core_scope_lives(sim->daemon.core, &session->secret, 0);
}

/* Those of a session before are gone with it. */
static void begin_session(struct client *client)
{
    if (client->units.session == client->session)
        return;
    client->units.session = client->session;
    client->units.told = client->units.usable = 0;
}

void work_units(struct client *client)
{
    struct sim *sim = client->sim;
    struct task *task = task_new(client, VERB_SYNC_TAKE);

    task->op.request.sync_take = (struct request_sync_take){
        .kind = SYNC_SEMAPHORE, .name = units_name, .units = 1 + below(sim, UNITS), .size = UNITS};
    work_until(task);
    task_start(task);
}

static void give(struct client *client, uint64_t units, uint32_t flags)
{
    struct task *task = task_new(client, VERB_SYNC_GIVE);

    task->name = client->session;
    task->op.request.sync_give = (struct request_sync_give){
        .kind = SYNC_SEMAPHORE, .name = units_name, .units = units, .flags = flags};
    task_start(task);
}

bool work_units_back(struct client *client)
{
    begin_session(client);
    if (!client->units.usable)
        return false;
    uint64_t units = 1 + below(client->sim, client->units.usable);
    client->units.told -= units;
    client->units.usable -= units;
    give(client, units, 0);
    return true;
}

bool task_has_units(const struct task *task)
{
    return task->op.request.verb == VERB_SYNC_TAKE && task->finished && task->status >= 0;
}

static void judge_units(struct sim *sim)
{
    uint64_t told = 0;

    for (uint32_t who = 0; who < ACTORS; who++)
        told += session_lives(&sim->clients[who]) ? sim->clients[who].units.told : 0;
    if (told > UNITS)
        sim_fail(sim, "%llu units of a semaphore of %d are out", (unsigned long long)told, UNITS);
}

void units_told(struct task *task)
{
    struct client *client = task->client;

    if (!task_has_units(task))
        return;
    begin_session(client);
    client->units.told += task->op.request.sync_take.units;
    judge_units(client->sim);
}

void units_give_back(struct task *task, bool told)
{
    uint64_t units = task->op.request.sync_take.units;

    begin_session(task->client);
    if (told && task->client->units.told >= units)
        task->client->units.told -= units;
    give(task->client, units, GIVE_UNSEEN);
}

/* One that never left has not given back anything. */
static void given(struct task *task)
{
    struct client *client = task->client;
    const struct request_sync_give *what = &task->op.request.sync_give;

    if (task->name != client->session || !client->session)
        return;
    if (task->status == -ECANCELED)
        give(client, what->units, what->flags);
    else if (task->status == -EPERM)
        sim_fail(client->sim, "client %u cannot give back %llu units that it has", client->who,
                 (unsigned long long)what->units);
}

void units_surfaced(struct task *task)
{
    if (task->op.request.verb == VERB_SYNC_GIVE)
        given(task);
    else if (task_has_units(task) && task->cancelled)
        units_give_back(task, true);
    else if (task_has_units(task))
        task->client->units.usable += task->op.request.sync_take.units;
}
