/*
 * Which fault comes next, and at whom. Kills look for a client in the wanted state, so that each state of an
 * operation (PARKED, HANDED, COMMITTED, held, just acknowledged; a lock waited for, granted, held) loses its owner
 * often.
 */
#include "schedules.h"
#include "workers.h"

#include <signal.h>

static bool is_parked(const struct task *task)
{
    return task->op.phase == OP_TAKEN && !task->finished;
}

static bool is_handed(const struct task *task)
{
    return task->finished && !task->surfaced && task->got_n && (task->flags & RESULT_HANDED);
}

static bool is_committed(const struct task *task)
{
    return task->finished && !task->surfaced && task->got_n && !(task->flags & RESULT_HANDED);
}

static bool is_held(const struct task *task)
{
    return task->op.phase == OP_HELD;
}

static bool is_acked(const struct task *task)
{
    return task->op.phase == OP_SETTLED && task->got_n;
}

static bool is_granted(const struct task *task)
{
    return task_is_grant(task) && (task->op.phase == OP_FINISHED || task->op.phase == OP_SETTLED);
}

static void kill_one(struct sim *sim, enum sim_fault fault, task_test *is)
{
    uint32_t first = (uint32_t)below(sim, CLIENTS);

    for (uint32_t i = 0; i < CLIENTS; i++) {
        struct client *client = &sim->clients[(first + i) % CLIENTS];
        if (!client_has(client, is))
            continue;
        sim->faults[fault]++;
        client_kill(client);
        return;
    }
}

static void kill_lock_holder(struct sim *sim)
{
    struct client *client = &sim->clients[below(sim, CLIENTS)];

    if (!client->alive || !locks_held(sim, client))
        return;
    sim->faults[FAULT_KILL_LOCK_HELD]++;
    client_kill(client);
}

static void kill_host(struct sim *sim)
{
    struct client *host = &sim->clients[CLIENTS + below(sim, HOST_SLOTS)];

    if (!host->alive)
        return;
    sim->faults[FAULT_KILL_HOST]++;
    host_died(sim, host, SIGKILL, 0);
}

static void cut(struct sim *sim)
{
    struct client *client = &sim->clients[below(sim, ACTORS)];

    if (client->alive)
        client_cut(client, chance(sim, 1, 3));
}

static void leave(struct sim *sim)
{
    struct client *client = &sim->clients[below(sim, CLIENTS)];

    if (client->alive && client->conn && !client->leaving)
        client_leave(client);
}

static void restart(struct sim *sim)
{
    if (!sim->daemon.up)
        return;
    sim->faults[FAULT_RESTART]++;
    daemon_crash(sim);
}

/* Until the next fault. */
static void memory_short(struct sim *sim)
{
    sim->memory.short_of = true;
    sim->memory.one_in = 1 + below(sim, chance(sim, 1, 2) ? 4 : 60);
    sim->memory.dice = roll(sim);
}

static bool has_run(const struct client *client)
{
    return client->alive && !list_empty(&client->runs);
}

/* Whoever has a run ends, and for a while there is no memory to record what that means. */
static void end_without_memory(struct sim *sim)
{
    uint32_t first = (uint32_t)below(sim, ACTORS);

    for (uint32_t i = 0; i < ACTORS; i++) {
        struct client *client = &sim->clients[(first + i) % ACTORS];
        if (!has_run(client))
            continue;
        memory_short(sim);
        sim->memory.one_in = 1;
        sim->faults[client->host ? FAULT_KILL_HOST : FAULT_KILL_WORKER]++;
        if (client->host)
            host_died(sim, client, SIGSEGV, list_first(&client->runs, struct run, link)->run);
        else
            client_kill(client);
        return;
    }
}

/* Few: most of what can be harmed sleeps. */
static void fault_at_night(struct sim *sim)
{
    switch (below(sim, 8)) {
    case 0:
        restart(sim);
        break;
    case 1:
        kill_host(sim);
        break;
    default:
        break;
    }
}

void event_fault(struct sim *sim, struct event *event)
{
    sim->memory.short_of = false;
    if (!sim->faults_on)
        return;
    if (span_begins(sim) || asleep(sim)) {
        fault_at_night(sim);
        schedule(sim, until_fault(sim), *event);
        return;
    }
    switch (below(sim, 27)) {
    case 0:
    case 1:
        kill_one(sim, FAULT_KILL_PARKED, is_parked);
        break;
    case 2:
    case 3:
    case 4:
        kill_one(sim, FAULT_KILL_HANDED, is_handed);
        break;
    case 5:
        kill_one(sim, FAULT_KILL_COMMITTED, is_committed);
        break;
    case 6:
        kill_one(sim, FAULT_KILL_HELD, is_held);
        break;
    case 7:
        kill_one(sim, FAULT_KILL_ACKED, is_acked);
        break;
    case 8:
    case 9:
        kill_host(sim);
        break;
    case 10:
        leave(sim);
        break;
    case 11:
        kill_one(sim, FAULT_KILL_LOCK_WAITS, task_waits_for_lock);
        break;
    case 12:
        kill_one(sim, FAULT_KILL_LOCK_GRANTED, is_granted);
        break;
    case 13:
        kill_lock_holder(sim);
        break;
    case 14:
        if (chance(sim, 1, 2))
            restart(sim);
        break;
    case 15:
        memory_short(sim);
        break;
    case 18:
        if (chance(sim, 1, 2))
            end_without_memory(sim);
        break;
    case 17:
        users_change(sim);
        break;
    case 16:
        sim->faults[FAULT_STRANGER]++;
        stranger_comes(sim);
        break;
    default:
        cut(sim);
        break;
    }
    schedule(sim, between(sim, 500 * US, 12 * MS), *event);
}
