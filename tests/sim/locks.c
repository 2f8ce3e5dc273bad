/*
 * What clients and runs of jobs do with named locks: take them, with and without a deadline or LOCK_RECOVER, unlock
 * them after a while, once or twice or with an old token, and give back what nobody waits for any more, as the
 * library does (IP1.3).
 */
#include <errno.h>
#include <string.h>

#include "objects.h"

static const char *const names[LOCKS] = {"sim.lock.0", "sim.lock.1", "sim.lock.2", "sim.lock.3",
                                         "sim.lock.4"};

struct bytes lock_name(uint32_t lock)
{
    return (struct bytes){names[lock], strlen(names[lock])};
}

struct task *lock_task(struct client *client, uint32_t lock, uint32_t flags)
{
    struct task *task = task_new(client, VERB_LOCK);

    task->slot = lock;
    task->op.request.lock = (struct request_lock){lock_name(lock), flags};
    return task;
}

struct task *unlock_task(struct client *client, uint32_t lock, uint64_t token, uint32_t flags)
{
    struct task *task = task_new(client, VERB_UNLOCK);

    task->slot = lock;
    task->op.request.unlock = (struct request_unlock){lock_name(lock), token, flags};
    return task;
}

void work_lock(struct client *client, uint64_t run)
{
    struct sim *sim = client->sim;
    struct task *task = lock_task(client, (uint32_t)below(sim, LOCKS), chance(sim, 1, 4) ? LOCK_RECOVER : 0);

    task->run = run;
    work_until(task);
    task_start(task);
}

static void unlock(struct client *client, uint64_t run, uint32_t lock, uint64_t token, uint32_t flags)
{
    struct task *task = unlock_task(client, lock, token, flags);

    judge_unlocking(client->sim, token);
    client->sim->old_token[lock] = token;
    task->run = run;
    task_start(task);
}

/* With the token of an owner before, or of somebody else. */
static void unlock_wrongly(struct client *client, uint64_t run)
{
    struct sim *sim = client->sim;
    uint32_t lock = (uint32_t)below(sim, LOCKS);
    uint64_t token = sim->old_token[lock];

    if (chance(sim, 1, 2)) {
        const struct held *held = &sim->held[below(sim, sim->held_n)];
        lock = held->lock;
        token = held->session == client->session ? 0 : held->token;
    }
    struct task *task = unlock_task(client, lock, token, 0);
    task->mistaken = true;
    task->run = run;
    task_start(task);
}

/* ---- conditions ---- */

/* The second one is there for mistakes: it may be of another kind, or bound to another lock. */
static struct bytes cond_name(struct sim *sim)
{
    return object_name(SYNC_COND + (chance(sim, 1, 8) ? SYNC_KINDS : 0));
}

static void cond_wait(struct client *client, uint64_t run, const struct held *held)
{
    struct task *task = task_new(client, VERB_COND_WAIT);

    judge_unlocking(client->sim, held->token);
    task->slot = held->lock;
    task->run = run;
    task->op.request.cond_wait = (struct request_cond_wait){cond_name(client->sim), lock_name(held->lock),
                                                            held->token, held->died ? UNLOCK_CONSISTENT : 0};
    if (chance(client->sim, 1, 3))
        work_until(task);
    task_start(task);
}

static void signal(struct client *client)
{
    struct task *task = task_new(client, VERB_COND_SIGNAL);

    task->op.request.cond_signal =
        (struct request_cond_signal){cond_name(client->sim), chance(client->sim, 1, 4) ? SIGNAL_ALL : 0};
    task_start(task);
}

void work_cond(struct client *client, uint64_t run)
{
    struct task *task;

    if (chance(client->sim, 1, 3)) {
        signal(client);
        return;
    }
    task = lock_task(client, COND_LOCK + chance(client->sim, 1, 6), LOCK_RECOVER);
    task->run = run;
    task_start(task);
}

/* It failed: has the lock been given up? If not, whoever waited has it still, and has no use for it. */
static void cond_failed(struct task *task, uint64_t given_up)
{
    if (!given_up)
        unlock(task->client, task->run, task->slot, task->op.request.cond_wait.token, UNLOCK_CONSISTENT);
}

/* ---- unlocking ---- */

/* A second UNLOCK of one grant is refused. */
bool work_unlock(struct client *client, uint64_t run)
{
    struct sim *sim = client->sim;
    const struct held *found = lock_held(sim, client->session, run);

    if (!found)
        return false;
    struct held held = *found;
    if (sim->working && held.lock >= COND_LOCK && chance(sim, 2, 3)) {
        cond_wait(client, run, &held);
        return true;
    }
    if (chance(sim, 1, 10))
        unlock_wrongly(client, run);
    unlock(client, run, held.lock, held.token, held.died && chance(sim, 3, 4) ? UNLOCK_CONSISTENT : 0);
    if (chance(sim, 1, 10))
        unlock(client, run, held.lock, held.token, UNLOCK_CONSISTENT);
    return true;
}

void lock_give_back(struct task *task, uint64_t token)
{
    unlock(task->client, task->run, task->slot, token, UNLOCK_UNSEEN);
}

/* Sometimes nobody has use for a lock. A cancel of an UNLOCK that had not left means that the lock is still held. */
void lock_surfaced(struct task *task)
{
    struct client *client = task->client;

    if (task_is_grant(task) && (task->cancelled || chance(client->sim, 1, 20)))
        lock_give_back(task, task->handle);
    else if (task_is_grant(task))
        judge_lock_surfaced(client->sim, task->handle);
    else if (task->op.request.verb == VERB_COND_WAIT)
        cond_failed(task, task->handle);
    else if (task->op.request.verb == VERB_UNLOCK && !task->mistaken &&
             (task->status == -ECANCELED || task->status == -ENOMEM))
        unlock(client, task->run, task->slot, task->op.request.unlock.token, task->op.request.unlock.flags);
}
