/*
 * Runs that end in a transaction (IP13): one opens a durable channel in its scope, perhaps receives there, and then asks for its own
 * end together with further jobs, values sent to that channel, and the acknowledgement of what it received. What becomes of it
 * is judged in judge_deals.c.
 *
 * Until the answer the run holds what it has received; then that is acknowledged here, too, or goes back.
 */
#include <errno.h>
#include <string.h>

#include "workers.h"

enum { SLOT = 10 /* durable */, VALUES = 3, JOBS = 3, RECEIVES = 2, VALUE_BYTES = 16 };

/* What a request points to. */
struct room {
    struct request_send sends[2];
    struct value values[VALUES];
    struct request_submit jobs[JOBS];
    struct ack acks[RECEIVES];
    char mark[DEAL_MARK_BYTES];
    uint8_t bodies[VALUES][VALUE_BYTES];
    char big[RESULT_BYTES + 1];
};

static struct task *of_run(struct task *task, const struct run *run)
{
    task->run = run->run;
    task->of_deal = true;
    return task;
}

void deal_step(struct client *client, struct run *run)
{
    struct sim *sim = client->sim;

    if (run->stage == 0) {
        task_start(of_run(work_open(client, SLOT, OPEN_CREATE), run));
        return;
    }
    if (!run->handle || run->stage > RECEIVES || !chance(sim, 2, 3))
        return;
    struct task *task = of_run(task_new(client, VERB_RECV), run);
    task->slot = SLOT;
    task->name = sim->slots[SLOT].name;
    task->op.deadline_ns = chance(sim, 1, 2) ? PROTOCOL_DEADLINE_NOW : sim->now_ns + 3 * MS;
    task->op.request.recv = (struct request_recv){run->handle, 1 + (uint32_t)below(sim, 2)};
    task_start(task);
}

/* ---- what it has received ---- */

static bool holds(const struct task *task, const struct run *run)
{
    return task->of_deal && task->run == run->run && task->op.request.verb == VERB_RECV && task->surfaced &&
           task->op.phase == OP_HELD && task->held_n < task->got_n;
}

static size_t held_by(struct client *client, const struct run *run, struct task *held[RECEIVES])
{
    struct task *task;
    size_t n = 0;

    list_each (task, &client->tasks, link)
        if (n < RECEIVES && holds(task, run))
            held[n++] = task;
    return n;
}

/* What the transaction has acknowledged is so here, too; the rest goes back. */
static void settle(struct client *client, const struct run *run, bool happened)
{
    struct task *held[RECEIVES];
    size_t n = held_by(client, run, held);

    for (size_t i = 0; i < n; i++) {
        bool mine = happened && held[i]->deal;
        task_settle(held[i], mine ? held[i]->got_n : 0, !mine);
    }
}

bool deal_drops(struct client *client, const struct task *task)
{
    const struct run *run;

    if (!task->of_deal || task->op.request.verb != VERB_RECV)
        return false;
    list_each (run, &client->runs, link)
        if (run->run == task->run)
            return run->dealt;
    return true;
}

void deal_give_up(struct client *client, const struct run *run)
{
    settle(client, run, false);
}

/* ---- the transaction ---- */

static void fill_jobs(struct sim *sim, struct room *room, struct request_transact *what, struct bytes mark)
{
    bool slow = chance(sim, 1, 3);

    what->jobs = room->jobs;
    what->jobs_n = below(sim, JOBS + 1);
    for (size_t i = 0; i < what->jobs_n; i++) {
        bool of_worker = chance(sim, 1, 3);
        room->jobs[i] = (struct request_submit){.plugin = {"/p/1.so", of_worker ? 0 : 7},
                                                .function = {"run", 3},
                                                .argument = {"o", 1},
                                                .flags = SUBMIT_DETACHED,
                                                .queue = {"slow", slow ? 4 : 0},
                                                .key = mark,
                                                .attempts_max = 2,
                                                .backoff_ns = 1 * MS,
                                                .grace_ns = 10 * MS,
                                                .priority = 5};
    }
}

static void fill_sends(struct client *client, struct room *room, struct task *task, uint64_t handle)
{
    struct sim *sim = client->sim;
    size_t n = handle && chance(sim, 5, 6) ? 1 + below(sim, VALUES) : 0;

    task->sent = sim_alloc(sizeof(*task->sent) * (n + 1));
    task->sent_n = n;
    for (size_t i = 0; i < n; i++) {
        task->sent[i] = value_new(client, SLOT);
        sim->values[task->sent[i]].unordered = true;
        memcpy(room->bodies[i], &task->sent[i], sizeof(task->sent[i]));
        room->values[i] = (struct value){.body = {room->bodies[i], VALUE_BYTES}};
    }
    size_t first = n > 1 ? n - 1 : n; /* in one send or two */
    room->sends[0] = (struct request_send){handle, room->values, first};
    room->sends[1] = (struct request_send){handle, room->values + first, n - first};
    task->op.request.transact.sends = room->sends;
    task->op.request.transact.sends_n = (n > 0) + (n > 1);
}

static void fill_acks(struct room *room, struct request_transact *what, struct task *const *held, size_t n)
{
    what->acks = room->acks;
    what->acks_n = n;
    for (size_t i = 0; i < n; i++)
        room->acks[i] = (struct ack){.op = held[i]->op.request.id, .count = held[i]->got_n};
}

/* One thing that makes all of it come to nothing. */
static void go_wrong(struct sim *sim, struct room *room, struct request_transact *what)
{
    static const struct ack many[VALUES_MAX + 1];
    static const struct passed passed = {12345, 0};
    static const char big[BULK_BYTES + 1];

    switch (below(sim, 9)) {
    case 6:
        what->acks = many;
        what->acks_n = VALUES_MAX + 1;
        break;
    case 7:
        room->values[0].body = (struct bytes){big, sizeof(big)};
        break;
    case 8:
        room->values[0].handles = &passed;
        room->values[0].handles_n = 1;
        break;
    case 0:
        what->result = (struct bytes){room->big, sizeof(room->big)};
        break;
    case 1:
        room->acks[what->acks_n < RECEIVES ? what->acks_n++ : 0] = (struct ack){.op = 12345, .count = 1};
        break;
    case 2:
        room->sends[0].values_n = 0;
        what->sends_n = 1;
        break;
    case 3:
        room->jobs[0].queue = (struct bytes){"nobody", 6};
        break;
    case 4:
        room->jobs[0].plugin = (struct bytes){"/p/bad.so", 9};
        break;
    default:
        room->sends[0].handle = 12345;
        break;
    }
}

void deal_ask(struct client *client, struct run *run)
{
    struct sim *sim = client->sim;
    struct task *task = of_run(task_new(client, VERB_TRANSACT), run), *held[RECEIVES];
    struct request_transact *what = &task->op.request.transact;
    size_t n = held_by(client, run, held);
    struct room *room = sim_alloc(sizeof(*room));

    run->ending = run->dealt = true;
    task->memory = room;
    task->slot = SLOT;
    task->name = sim->slots[SLOT].name;
    what->job = run->job;
    what->run = run->run;
    fill_sends(client, room, task, run->handle);
    fill_acks(room, what, held, n);
    task->deal = judge_deal_new(task, held, n);
    struct bytes mark = {room->mark, deal_mark(task->deal, room->mark)};
    what->result = mark;
    fill_jobs(sim, room, what, mark);
    if (chance(sim, 1, 12))
        go_wrong(sim, room, what);
    judge_deal_begins(task);
    if (chance(sim, 2, 3))
        task->op.deadline_ns = sim->now_ns + between(sim, 5 * MS, 30 * MS);
    task_start(task);
}

/* ---- what comes back ---- */

static void over(struct client *client, struct run *run, bool happened)
{
    settle(client, run, happened);
    if (happened && chance(client->sim, 1, 6)) /* as one that has not heard it */
        task_start(run_says(client, VERB_DONE, run));
    run_end(run);
}

static void answered(struct client *client, struct run *run, int status)
{
    bool gone = status == -ESTALE || status == -ECONNRESET || status == -ENETRESET || !client->session;

    if (status >= 0 || gone) {
        over(client, run, status >= 0);
        return;
    }
    settle(client, run, false);
    run_done(client, run);
}

void deal_surfaced(struct task *task, struct run *run)
{
    if (!run)
        return;
    switch (task->op.request.verb) {
    case VERB_CHAN_OPEN:
        if (task->status >= 0)
            run->handle = task->handle;
        break;
    case VERB_TRANSACT:
        answered(task->client, run, task->status);
        break;
    default:
        break;
    }
}
