/*
 * After the work: no faults any more, every call returns, every job ends, every channel is closed and emptied,
 * everybody leaves. Then nothing may be left in the daemon, and the ledgers must balance.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "drain.h"
#include "feeds.h"
#include "groups.h"
#include "inspect.h"
#include "keeps.h"
#include "laters.h"
#include "objects.h"
#include "operator.h"
#include "pools.h"
#include "topics.h"
#include "workers.h"

enum { PATIENCE_STEPS = 400000 };
#define PATIENCE (600 * S)

/* Who is not calm, and why. */
static void note_tasks(struct sim *sim)
{
    const struct task *task;

    for (uint32_t who = 0; who < ACTORS; who++) {
        const struct client *client = &sim->clients[who];
        if (!client->alive)
            continue;
        sim_note(sim, "client %u: protocol in state %d, conn %llu, session %llu", who,
                 client->protocol->state, (unsigned long long)client->conn,
                 (unsigned long long)client->session);
        list_each (task, &client->tasks, link)
            sim_note(sim, "    %llu: verb %d phase %d%s%s%s", (unsigned long long)task->op.request.id,
                     task->op.request.verb, task->op.phase, task->finished ? " finished" : "",
                     task->surfaced ? " surfaced" : "", task->dropped ? " dropped" : "");
    }
}

bool run_until(struct sim *sim, bool (*done)(struct sim *sim, void *context), void *context, const char *what)
{
    uint64_t steps = sim->steps + PATIENCE_STEPS;
    int64_t until = sim->now_ns + PATIENCE;

    while (!sim->failed && !done(sim, context)) {
        if (sim->steps >= steps || sim->now_ns >= until || !sim_step(sim)) {
            sim_fail(sim, "%s: not within %d events", what, PATIENCE_STEPS);
            note_tasks(sim);
        }
    }
    return !sim->failed;
}

static bool later(struct sim *sim, void *context)
{
    return sim->now_ns >= *(const int64_t *)context;
}

void wait_for(struct sim *sim, int64_t ns)
{
    int64_t end = sim->now_ns + ns;

    schedule(sim, ns, (struct event){.kind = EVENT_NOTHING});
    run_until(sim, later, &end, "some time");
}

/* ---- operations of the drain, one after the other, by client 0 ---- */

static bool finished(struct sim *sim, void *context)
{
    (void)sim;
    return ((const struct task *)context)->finished;
}

void begin(struct task *task)
{
    task->scripted = true;
    task_start(task);
    client_pump(task->client);
}

struct reply outcome(struct task *task)
{
    struct client *client = task->client;
    char what[64];

    snprintf(what, sizeof(what), "the drain's operation, verb %d", task->op.request.verb);
    if (!run_until(client->sim, finished, task, what))
        return (struct reply){.status = -EIO};
    struct reply reply = {.status = task->status,
                          .flags = task->flags,
                          .handle = task->handle,
                          .dropped = task->chan_dropped,
                          .state = task->job_state,
                          .got_n = task->got_n,
                          .proven = task->proven,
                          .one_group = task->one_group};
    task_surface(task, false);
    return reply;
}

struct reply ask(struct task *task)
{
    begin(task);
    return outcome(task);
}

/* ---- calm ---- */

/* A client that has not heard yet that its daemon is gone would be told so by what it asks next. */
static bool is_with_us(const struct client *client)
{
    const struct sim *sim = client->sim;

    return client->alive && client->protocol->state == PROTOCOL_LIVE &&
           sim->sessions[client->session].incarnation == sim->daemon.incarnation;
}

static bool calm(struct sim *sim, void *context)
{
    const struct task *task;

    (void)context;
    if (!sim->daemon.up)
        return false;
    for (uint32_t who = 0; who < CLIENTS; who++) {
        const struct client *client = &sim->clients[who];
        if (!is_with_us(client) || locks_held(sim, client) || stakes_held(sim, client) ||
            !list_empty(&client->runs))
            return false;
        list_each (task, &client->tasks, link)
            if ((!task->surfaced && !task->dropped) || task_gives_back(task))
                return false;
    }
    return true;
}

/* ---- jobs ---- */

static void end_drain(struct sim *sim)
{
    struct reply reply = ask(drain_task(&sim->clients[0], DRAIN_END));

    if (!sim->failed && reply.status != (sim->owned ? 0 : -EPERM))
        sim_fail(sim, "ending the drain gives %d", reply.status);
}

/* By its context, where that has to be enough (IP4); nobody cancels it then. */
static void end_job(struct sim *sim, uint64_t job)
{
    struct client *client = &sim->clients[0];
    const struct entry_job *entry = job_entry(sim, job);
    bool by_context = entry->context && entry->incarnation == sim->daemon.incarnation;
    struct task *cancel = task_new(client, by_context ? VERB_CTX_CANCEL : VERB_JOB_CANCEL), *wait;

    cancel->op.request.job_cancel.job = by_context ? entry->context : job; /* the first member of both */
    sim_note(sim, "the end of job %llx%s", (unsigned long long)job, by_context ? ", by its context" : "");
    ask(cancel);
    if (sim->failed)
        return;
    wait = task_new(client, VERB_JOB_WAIT);
    wait->op.request.job_wait.job = job;
    struct reply reply = ask(wait);
    if (reply.status == -ENOENT && may_be_gone(sim, job))
        return; /* another one has ended since, and few are kept */
    if (!sim->failed && (reply.status < 0 || reply.state < JOB_DONE))
        sim_fail(sim, "waiting for job %llx gives %d, state %u", (unsigned long long)job, reply.status,
                 reply.state);
}

void end_jobs(struct sim *sim)
{
    uint64_t job = 0;

    while (!sim->failed && (job = storage_next(sim, job))) {
        struct job_row row;
        job_entry(sim, job);
        if (storage_job(sim, job, &row) && row.state < JOB_DONE)
            end_job(sim, job);
    }
}

/* ---- channels ---- */

static struct task *about_handle(struct client *client, enum verb verb, uint64_t handle)
{
    struct task *task = task_new(client, verb);

    task->op.request.chan_drop.handle = handle; /* the first member of each of these */
    return task;
}

static void empty_channel(struct sim *sim, uint32_t slot, uint64_t name, uint64_t handle)
{
    struct client *client = &sim->clients[0];
    struct reply reply;

    ask(about_handle(client, VERB_CLOSE, handle));
    do {
        struct task *recv = about_handle(client, VERB_RECV, handle);
        recv->op.request.recv.max = 64;
        recv->slot = slot;
        recv->name = name;
        reply = ask(recv);
    } while (!sim->failed && reply.status > 0);
    if (!sim->failed && !(reply.flags & RESULT_CLOSED))
        sim_fail(sim, "draining channel %u.%llu gives %d", slot, (unsigned long long)name, reply.status);
    if (!sim->failed)
        sim->slots[slot].dropped += ask(about_handle(client, VERB_CHAN_INFO, handle)).dropped;
}

static void drain_channel(struct sim *sim, uint32_t slot, uint64_t name)
{
    struct client *client = &sim->clients[0];
    uint64_t keep = sim->slots[slot].name;

    sim->slots[slot].name = name;
    struct reply opened = ask(work_open(client, slot, 0));
    sim->slots[slot].name = keep;
    if (sim->failed || opened.status == -ENOENT)
        return;
    if (opened.status < 0) {
        sim_fail(sim, "opening channel %u.%llu gives %d", slot, (unsigned long long)name, opened.status);
        return;
    }
    empty_channel(sim, slot, name, opened.handle);
    if (sim->failed)
        return;
    struct task *unlink = task_new(client, VERB_CHAN_UNLINK);
    char text[64];
    int n = snprintf(text, sizeof(text), "sim.%u.%llu", slot, (unsigned long long)name);
    unlink->op.request.chan_unlink.name = (struct bytes){text, (size_t)n};
    ask(unlink);
    if (!sim->failed)
        ask(about_handle(client, VERB_CHAN_DROP, opened.handle));
}

static void drain_channels(struct sim *sim)
{
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        for (uint64_t name = 0; name <= sim->slots[slot].name && !sim->failed; name++)
            drain_channel(sim, slot, name);
}

/* ---- locks ---- */

/* It can be had at once, and after that is not there any more. */
static void drain_lock(struct sim *sim, uint32_t lock)
{
    struct client *client = &sim->clients[0];
    struct task *task = lock_task(client, lock, LOCK_RECOVER);

    task->op.deadline_ns = PROTOCOL_DEADLINE_NOW;
    struct reply reply = ask(task);
    if (!sim->failed && reply.status < 0)
        sim_fail(sim, "taking lock %u gives %d", lock, reply.status);
    if (sim->failed)
        return;
    judge_unlocking(sim, reply.handle);
    reply = ask(unlock_task(client, lock, reply.handle, UNLOCK_CONSISTENT));
    if (!sim->failed && reply.status != 0)
        sim_fail(sim, "unlocking lock %u gives %d", lock, reply.status);
}

static void drain_locks(struct sim *sim)
{
    for (uint32_t lock = 0; lock < LOCKS && !sim->failed; lock++)
        drain_lock(sim, lock);
}

/* ---- other sync objects ---- */

static struct reply ask_object(struct sim *sim, enum verb verb, uint32_t object, uint32_t kind,
                               uint32_t flags)
{
    struct task *task = task_new(&sim->clients[0], verb);

    task->slot = object;
    task->op.request.sync_take.kind = kind;
    task->op.request.sync_take.name = object_name(object);
    if (verb == VERB_SYNC_TAKE)
        task->op.request.sync_take.flags = flags;
    if (verb == VERB_SYNC_GIVE)
        task->op.request.sync_give.units = 1;
    return ask(task);
}

/* Nobody is part of it any more: whatever it remembers it forgets. Negative: it may be of another kind. */
static int forget_object(struct sim *sim, uint32_t object, uint32_t kind)
{
    struct client *client = &sim->clients[0];

    if (kind == SYNC_WAITGROUP)
        while (ask_object(sim, VERB_SYNC_GIVE, object, kind, 0).status == 0)
            ;
    if (kind != SYNC_RWMUTEX)
        return ask_object(sim, VERB_SYNC_RESET, object, kind, 0).status;
    struct reply reply = ask_object(sim, VERB_SYNC_TAKE, object, kind, TAKE_RECOVER);
    if (reply.status < 0)
        return reply.status;
    struct task *give = task_new(client, VERB_SYNC_GIVE);
    give->slot = object;
    give->op.request.sync_give = (struct request_sync_give){
        .kind = kind, .name = object_name(object), .token = reply.handle, .flags = GIVE_CONSISTENT};
    return ask(give).status;
}

static void drain_objects(struct sim *sim)
{
    if (chance(sim, 1, 2))
        wait_for(sim, 3 * S); /* detached units that nobody touches die (A4), else they are settled by hand */
    for (uint32_t object = 1; object < OBJECTS && !sim->failed; object++) {
        int r = forget_object(sim, object, object_kind(object));
        for (uint32_t kind = SYNC_RWMUTEX; r < 0 && object >= SYNC_KINDS && kind < SYNC_KINDS; kind++)
            r = forget_object(sim, object, kind);
    }
}

/* ---- everybody leaves ---- */

static bool nobody(struct sim *sim, void *context)
{
    (void)context;
    for (uint32_t who = 0; who < ACTORS; who++)
        if (sim->clients[who].alive)
            return false;
    return true;
}

static bool drained(struct sim *sim, void *context)
{
    (void)context;
    return sim->daemon.drained;
}

static void submit_late(struct sim *sim)
{
    struct task *task = task_new(&sim->clients[0], VERB_SUBMIT);

    task->op.request.submit =
        (struct request_submit){.plugin = {"/p/0.so", 7}, .function = {"run", 3}, .argument = {"o", 1}};
    struct reply reply = ask(task);
    if (!sim->failed && reply.status != -ESHUTDOWN)
        sim_fail(sim, "a daemon that drains answers a submit with %d", reply.status);
}

static void leave(struct sim *sim)
{
    daemon_input(sim, &(struct input){.kind = IN_DRAIN});
    submit_late(sim);
    if (sim->failed)
        return;
    for (uint32_t who = 0; who < CLIENTS; who++)
        client_leave(&sim->clients[who]);
    if (!run_until(sim, drained, NULL, "the drained daemon"))
        return;
    for (uint32_t who = CLIENTS; who < ACTORS; who++)
        if (sim->clients[who].alive)
            host_died(sim, &sim->clients[who], SIGTERM, 0);
    run_until(sim, nobody, NULL, "the end of all processes");
    if (!sim->failed)
        wait_for(sim, 100 * S); /* ended sessions are remembered for a minute */
}

static void expect_none(struct sim *sim, const char *what, uint64_t n)
{
    if (n && !sim->failed)
        sim_fail(sim, "after the drain %llu %s are left", (unsigned long long)n, what);
}

/* IP11: nothing parked, no result kept, nobody waiting. */
static void expect_empty(struct sim *sim)
{
    struct left left = core_left(sim->daemon.core);

    expect_none(sim, "operations", left.operations);
    expect_none(sim, "parked operations", left.parked);
    expect_none(sim, "resolved waiters", left.resolved);
    expect_none(sim, "results", left.results);
    expect_none(sim, "channels", left.channels);
    expect_none(sim, "sessions", left.sessions);
    expect_none(sim, "handles", left.handles);
    expect_none(sim, "connections", left.connections);
    expect_none(sim, "ended sessions", left.ended);
    expect_none(sim, "locks", left.locks);
    expect_none(sim, "contexts", left.contexts);
}

void sim_drain(struct sim *sim)
{
    for (uint32_t who = 0; who < CLIENTS; who++)
        if (sim->clients[who].leaving)
            client_kill(&sim->clients[who]);
    sim->faults_on = sim->working = sim->memory.short_of = false;
    keeps_restart(sim);
    if (!run_until(sim, calm, NULL, "calm"))
        return;
    judge_topics_end(sim);
    schedules_end(sim);
    if (sim->failed)
        return;
    if (sim->leased) /* who was killed and has no lifeline ends a little later */
        wait_for(sim, 1 * S);
    /* A run that goes on for ever may have one of the locks that they wait for. */
    if (!sim->failed && !sim->blinded && !sim->ruled && chance(sim, 1, 3) && !locks_held(sim, NULL))
        stuck(sim);
    if (!sim->failed)
        feeds_end(sim);
    if (!sim->failed)
        groups_end(sim);
    if (!sim->failed)
        laters_come(sim);
    if (!sim->failed)
        keeps_end(sim);
    if (!sim->failed)
        pools_end(sim);
    if (!sim->failed)
        end_drain(sim);
    if (!sim->failed)
        end_jobs(sim);
    if (!sim->failed)
        brief_end(sim);
    if (!sim->failed && sim->owned && !pools_stay(sim) && chance(sim, 1, 3))
        shares_try(sim);
    if (!sim->failed && chance(sim, 1, 20))
        crowd(sim);
    if (!sim->failed)
        drain_channels(sim);
    if (!sim->failed)
        drain_locks(sim);
    if (!sim->failed)
        drain_objects(sim);
    if (!sim->failed)
        leave(sim);
    if (sim->failed)
        return;
    expect_empty(sim);
    judge_values_end(sim);
    judge_objects_end(sim);
    judge_jobs_end(sim);
    judge_deals_end(sim);
}
