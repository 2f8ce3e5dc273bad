/*
 * Waits that never end: two clients wait for each other's lock, one for a channel that nobody else has, and both on a
 * channel that they have open. After each, DEADLOCKS must tell exactly these waits as proven (Z5), LEAKS too what nobody
 * else knows of; and when they have been cancelled, none any more.
 */
#include "drain.h"
#include "inspect.h"

struct waits {
    struct task *task[2];
    size_t n;
};

static bool are_parked(struct sim *sim, void *context)
{
    const struct waits *waits = context;

    for (size_t i = 0; i < waits->n; i++) {
        const struct task *task = waits->task[i];
        const struct secret *session = &sim->sessions[task->client->session].secret;
        if (core_look(sim->daemon.core, session, task->op.request.id) != CORE_OPERATION)
            return false;
    }
    return true;
}

static void wait_here(struct waits *waits, struct task *task)
{
    task->blocks = true;
    begin(task);
    waits->task[waits->n++] = task;
}

static void expect(struct sim *sim, enum verb verb, size_t proven)
{
    struct reply reply = ask(task_new(&sim->clients[0], verb));

    if (!sim->failed && (reply.status < 0 || reply.proven != proven || (proven && !reply.one_group)))
        sim_fail(sim, "%zu waits are proven by verb %d, status %d, where %zu wait for each other",
                 reply.proven, verb, reply.status, proven);
}

/* All of them are told, in one group; then they give up. */
static void judge_and_end(struct sim *sim, struct waits *waits, size_t leaked)
{
    if (run_until(sim, are_parked, waits, "waits for each other"))
        expect(sim, VERB_DEADLOCKS, waits->n);
    if (!sim->failed)
        expect(sim, VERB_LEAKS, leaked);
    for (size_t i = 0; i < waits->n && !sim->failed; i++) {
        task_cancel(waits->task[i]);
        client_pump(waits->task[i]->client);
        outcome(waits->task[i]);
    }
    if (!sim->failed)
        expect(sim, VERB_DEADLOCKS, 0);
}

static void crossed_locks(struct sim *sim, struct client *a, struct client *b)
{
    struct waits waits = {.n = 0};
    struct reply first = ask(lock_task(a, 0, LOCK_RECOVER)), second = {0};

    if (!sim->failed)
        second = ask(lock_task(b, 1, LOCK_RECOVER));
    if (sim->failed)
        return;
    wait_here(&waits, lock_task(a, 1, 0));
    wait_here(&waits, lock_task(b, 0, 0));
    judge_and_end(sim, &waits, 0);
    judge_unlocking(sim, first.handle);
    judge_unlocking(sim, second.handle);
    if (!sim->failed)
        ask(unlock_task(a, 0, first.handle, UNLOCK_CONSISTENT));
    if (!sim->failed)
        ask(unlock_task(b, 1, second.handle, UNLOCK_CONSISTENT));
}

static uint64_t open_channel(struct client *client, struct bytes name)
{
    struct task *task = task_new(client, VERB_CHAN_OPEN);

    task->ignored = true;
    task->op.request.chan_open = (struct request_chan_open){.name = name, .flags = OPEN_CREATE};
    return ask(task).handle;
}

static struct task *receive(struct client *client, uint64_t handle)
{
    struct task *task = task_new(client, VERB_RECV);

    task->ignored = true;
    task->op.request.recv = (struct request_recv){handle, 1};
    return task;
}

static void drop_channel(struct sim *sim, struct client *client, uint64_t handle)
{
    struct task *task = task_new(client, VERB_CHAN_DROP);

    task->op.request.chan_drop.handle = handle;
    if (!sim->failed)
        ask(task);
}

static void alone(struct sim *sim, struct client *client)
{
    struct waits waits = {.n = 0};
    uint64_t handle = open_channel(client, (struct bytes){0});

    if (sim->failed)
        return;
    wait_here(&waits, receive(client, handle));
    judge_and_end(sim, &waits, 1);
    drop_channel(sim, client, handle);
}

/* Somebody new could open it by its name. */
static void both_receive(struct sim *sim, struct client *a, struct client *b)
{
    static const struct bytes name = {"sim.stuck", 9};
    struct waits waits = {.n = 0};
    uint64_t first = open_channel(a, name), second = sim->failed ? 0 : open_channel(b, name);

    if (sim->failed)
        return;
    wait_here(&waits, receive(a, first));
    wait_here(&waits, receive(b, second));
    judge_and_end(sim, &waits, 0);
    drop_channel(sim, a, first);
    drop_channel(sim, b, second);
    struct task *task = task_new(a, VERB_CHAN_UNLINK);
    task->op.request.chan_unlink.name = name;
    if (!sim->failed)
        ask(task);
}

static void say_callers(struct sim *sim, struct client *client, uint32_t callers)
{
    struct task *task = task_new(client, VERB_CALLERS);

    task->op.request.callers.callers = callers;
    if (!sim->failed)
        ask(task);
}

void stuck(struct sim *sim)
{
    struct client *a = &sim->clients[1], *b = &sim->clients[2];

    say_callers(sim, a, 1);
    say_callers(sim, b, 1);
    if (!sim->failed)
        crossed_locks(sim, a, b);
    if (!sim->failed)
        alone(sim, a);
    if (!sim->failed)
        both_receive(sim, a, b);
    say_callers(sim, a, 0);
}
