/*
 * Operations of clients: a task is one from protocol_start to `release`, with everything its request points at
 * and what came of it. The ledgers (judge.c) are told at each turn of its life.
 */
#include <stdlib.h>
#include <string.h>

#include "bulk.h"
#include "groups.h"
#include "keeps.h"
#include "laters.h"
#include "operator.h"
#include "topics.h"
#include "workers.h"

struct task *task_new(struct client *client, enum verb verb)
{
    struct task *task = sim_alloc(sizeof(*task));

    task->client = client;
    task->op.request.verb = verb;
    task->op.deadline_ns = PROTOCOL_DEADLINE_NONE;
    task->clean = true;
    list_append(&client->tasks, &task->link);
    client->tasks_n++;
    return task;
}

static void note_start(const struct task *task)
{
    struct sim *sim = task->client->sim;

    sim_note(sim, "client %u starts %llu: verb %d slot %u.%llu", task->client->who,
             (unsigned long long)task->op.request.id, task->op.request.verb, task->slot,
             (unsigned long long)task->name);
    for (size_t i = 0; i < task->sent_n; i++)
        if (task->sent[i])
            sim_note(sim, "    value %llu on slot %u", (unsigned long long)task->sent[i],
                     sim->values[task->sent[i]].slot);
}

static void note_result(const struct task *task)
{
    struct sim *sim = task->client->sim;

    sim_note(sim, "client %u has %llu: status %d flags %x index %u", task->client->who,
             (unsigned long long)task->op.request.id, task->status, task->flags, task->index);
    for (size_t i = 0; i < task->got_n; i++)
        sim_note(sim, "    value %llu flags %x", (unsigned long long)task->got[i], task->got_flags[i]);
}

void task_start(struct task *task)
{
    struct client *client = task->client;

    task->started_ns = client->sim->now_ns;
    task->session = client->session;
    task->incarnation = client->sim->daemon.incarnation;
    task->op.request.run = task->run;
    task->op.request.flags = task->blocks || chance(client->sim, 1, 2) ? OP_BLOCKS : 0;
    if (task->op.deadline_ns != PROTOCOL_DEADLINE_NONE)
        task->clean = false;
    protocol_start(client->protocol, &task->op, client->sim->now_ns);
    note_start(task);
}

struct task *task_of_op(struct sim *sim, uint64_t conn, uint64_t op)
{
    struct client *client = &sim->clients[sim->conns[conn].who];
    struct task *task;

    if (!client->alive || client->life != sim->conns[conn].life)
        return NULL;
    list_each (task, &client->tasks, link)
        if (task->op.request.id == op)
            return task;
    return NULL;
}

bool client_has(const struct client *client, task_test *is)
{
    const struct task *task;

    if (!client->alive)
        return false;
    list_each (task, &client->tasks, link)
        if (is(task))
            return true;
    return false;
}

static struct task *task_of(struct protocol_op *op)
{
    return container_of(op, struct task, op);
}

static void keep_values(struct task *task, const struct result *result)
{
    struct sim *sim = task->client->sim;

    task->got_n = result->values_n;
    task->got = sim_alloc(sizeof(*task->got) * (result->values_n + 1));
    task->got_flags = sim_alloc(sizeof(*task->got_flags) * (result->values_n + 1));
    for (size_t i = 0; i < result->values_n; i++) {
        struct bytes body = result->values[i].body;
        if (!body.size && task->topical && result->values[i].message)
            body = result->values[i].message->key; /* an empty message has its number there */
        if (body.size < sizeof(uint64_t))
            sim_fail(sim, "a value came back with %zu bytes", body.size);
        else
            memcpy(&task->got[i], body.data, sizeof(uint64_t));
        task->got_flags[i] = result->values[i].flags;
        if (result->values[i].handles_n)
            task->carried = result->values[i].handles[0].handle;
    }
}

static void keep_wait(struct task *task, const struct wait_info *wait)
{
    if (!(wait->flags & WAIT_PROVEN))
        return;
    task->proven++;
    task->one_group = task->proven == 1 || (task->one_group && task->group == wait->group);
    task->group = wait->group;
}

static void keep_result(struct task *task, const struct result *result)
{
    task->finished = true;
    if (task->client->session)
        task->session = task->client->session;
    task->status = result->status;
    task->flags = result->flags;
    task->index = result->index;
    task->handle = result->handle;
    for (size_t i = 0; i < result->waits_n; i++)
        keep_wait(task, &result->waits[i]);
    keep_values(task, result);
    if (result->jobs_n)
        task->job_state = result->jobs[0].state;
    if (result->chans_n)
        task->chan_dropped = result->chans[0].dropped;
}

static void finish(struct protocol_op *op, const struct result *result, void *context)
{
    struct task *task = task_of(op);
    struct client *client = context;
    uint64_t what[] = {client->who, op->request.id, (uint64_t)(int64_t)result->status, result->flags};

    if (!client->alive)
        return;
    sim_mix(client->sim, what, sizeof(what));
    if (result->offer) {
        host_offer(client, result->offer);
        return;
    }
    keep_result(task, result);
    note_result(task);
    judge_sent(task, result);
    judge_deal_told(task, result);
    worker_told(task, result);
    topic_told(task, result);
    group_told(task, result);
    later_told(task, result);
    keep_told(task, result);
    judge_arrived(task);
    object_told(task);
    judge_context(task, result);
    judge_told(task, result);
    judge_bulk_told(task, result);
    if (client->host)
        schedule(client->sim, between(client->sim, 0, 1 * MS),
                 (struct event){.kind = EVENT_ACT, .who = client->who, .a = client->life});
}

static void release(struct protocol_op *op, void *context)
{
    struct task *task = task_of(op);
    struct client *client = context;

    if (client->alive) {
        judge_confirmed(task);
        judge_group_confirmed(task);
    }
    list_remove(&task->link);
    client->tasks_n--;
    free(task->got);
    free(task->got_flags);
    free(task->sent);
    free(task->slots);
    free(task->names);
    free(task->text);
    free(task->memory);
    free(task);
}

const struct protocol_user task_user = {.finish = finish, .release = release};

/* What the client's protocol fences. */
static bool task_is_granted(const struct task *task)
{
    enum verb verb = task->op.request.verb;

    return (verb == VERB_LOCK || verb == VERB_SYNC_TAKE || verb == VERB_COND_WAIT) && task->finished &&
           task->status >= 0;
}

/* The call returns: with `hold` the values stay unacknowledged for now. What a session left behind that has
 * ended meanwhile must not surface (fencing). */
void task_surface(struct task *task, bool hold)
{
    struct client *client = task->client;
    struct sim *sim = client->sim;

    if (deal_drops(client, task)) {
        task_abandon(task);
        return;
    }
    sim_note(sim, "client %u surfaces %llu%s", client->who, (unsigned long long)task->op.request.id,
             hold ? ", holds" : "");
    bool given = task->got_n > 0 || task_is_granted(task);
    bool fenced = given && task->op.phase == OP_FENCED;
    if (given && sim->sessions[task->session].ended && !fenced)
        sim_fail(sim, "client %u: a value or grant surfaces after its session has ended", client->who);

    task->surfaced = true;
    hold = (hold || task->of_deal) && task->got_n > 0;
    if (client->host)
        host_task_ended(client, task);
    else
        work_surfaced(task);
    if (!fenced && !task->scripted)
        lock_surfaced(task);
    if (!fenced)
        object_surfaced(task);
    if (!fenced) {
        judge_surfaced(task, hold ? SURFACED_HELD : SURFACED_ACKED);
        judge_group_surfaced(task, hold);
    }
    int r = protocol_surface(client->protocol, &task->op, hold, sim->now_ns);
    if ((r < 0) != fenced)
        sim_fail(sim, "client %u: surfacing gives %d, %s", client->who, r, fenced ? "fenced" : "not fenced");
    client_pump(client);
}

void task_settle(struct task *task, uint64_t n, bool give_back)
{
    struct client *client = task->client;

    sim_note(client->sim, "client %u settles %llu: %llu%s", client->who,
             (unsigned long long)task->op.request.id, (unsigned long long)n,
             give_back ? ", gives the rest back" : "");
    judge_settled(task, n, give_back);
    judge_group_settled(task, n);
    task->held_n = n;
    protocol_settle(client->protocol, task->op.request.id, n, give_back, client->sim->now_ns);
    client_pump(client);
}

void task_cancel(struct task *task)
{
    task->clean = false;
    task->cancelled = true;
    protocol_cancel(task->client->protocol, &task->op);
}

/* What it was granted goes back by itself (IP1.3). */
static void grant_void(struct task *task)
{
    if (task_is_grant(task))
        judge_unlocking(task->client->sim, task->handle);
    if (task_has_stake(task))
        object_void(task);
}

bool task_undo(struct task *task)
{
    struct client *client = task->client;

    if (!protocol_undo(client->protocol, &task->op))
        return false;
    sim_note(client->sim, "client %u undoes %llu", client->who, (unsigned long long)task->op.request.id);
    grant_void(task);
    task->clean = task->finished = false;
    task->cancelled = true;
    free(task->got);
    free(task->got_flags);
    task->got = NULL;
    task->got_flags = NULL;
    client_pump(client);
    return true;
}

void task_abandon(struct task *task)
{
    struct client *client = task->client;

    sim_note(client->sim, "client %u abandons %llu", client->who, (unsigned long long)task->op.request.id);
    task->dropped = true;
    task->clean = false;
    judge_sent(task, NULL);
    judge_deal_unknown(task);
    grant_void(task);
    protocol_abandon(client->protocol, &task->op, client->sim->now_ns);
    client_pump(client);
}
