/*
 * What clients do, by chance: begin operations, let calls return after a while (so that values lie committed
 * and handed for some time), hold, acknowledge, give back, cancel and abandon.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup.h"
#include "bulk.h"
#include "feeds.h"
#include "groups.h"
#include "keeps.h"
#include "laters.h"
#include "operator.h"
#include "pools.h"
#include "schedules.h"
#include "topics.h"
#include "workers.h"

enum { VALUES_ONCE = 4, CASES_ONCE = 4, BIG_BODY = 9000 };

/* ---- channels ---- */

static struct bytes slot_name(struct task *task, uint32_t slot)
{
    const struct slot *s = &task->client->sim->slots[slot];

    task->text = sim_alloc(64);
    int n = snprintf(task->text, 64, "sim.%u.%llu", slot, (unsigned long long)s->name);
    return (struct bytes){task->text, (size_t)n};
}

struct task *work_open(struct client *client, uint32_t slot, uint32_t flags)
{
    const struct slot *s = &client->sim->slots[slot];
    struct task *task = task_new(client, VERB_CHAN_OPEN);

    task->slot = slot;
    task->name = s->name;
    task->op.request.chan_open = (struct request_chan_open){
        .name = slot_name(task, slot), .capacity = s->capacity, .flags = s->flags | flags, .full = s->full};
    return task;
}

static bool opening(const struct client *client, uint32_t slot)
{
    const struct task *task;

    list_each (task, &client->tasks, link)
        if (task->op.request.verb == VERB_CHAN_OPEN && task->slot == slot && !task->surfaced)
            return true;
    return false;
}

/* What waits through the handle ends as if it were cancelled. */
static void drop_handle(struct client *client, uint32_t slot)
{
    struct task *task;

    list_each (task, &client->tasks, link)
        task->clean = false;
    task = task_new(client, VERB_CHAN_DROP);
    task->op.request.chan_drop.handle = client->handle[slot].handle;
    client->handle[slot].handle = 0;
    task_start(task);
}

/* The slot's handle, or 0: then its opening has begun. */
static uint64_t handle_of(struct client *client, uint32_t slot)
{
    if (client->handle[slot].handle && client->handle[slot].name == client->sim->slots[slot].name)
        return client->handle[slot].handle;
    if (client->handle[slot].handle)
        drop_handle(client, slot);
    if (!opening(client, slot))
        task_start(work_open(client, slot, OPEN_CREATE));
    return 0;
}

void slot_closed(struct sim *sim, uint32_t slot, uint64_t name)
{
    if (sim->slots[slot].closable && sim->slots[slot].name == name)
        sim->slots[slot].name++;
}

/* ---- values ---- */

uint64_t value_new(struct client *client, uint32_t slot)
{
    struct sim *sim = client->sim;

    if ((sim->values_n & (sim->values_n + 1)) == 0) {
        sim->values = realloc(sim->values, sizeof(*sim->values) * 2 * (sim->values_n + 2));
        if (!sim->values)
            abort();
    }
    uint64_t id = ++sim->values_n;
    sim->values[id] = (struct entry_value){.slot = slot,
                                           .name = sim->slots[slot].name,
                                           .session = client->session,
                                           .incarnation = sim->sessions[client->session].incarnation};
    return id;
}

/* The bytes of a value begin with its id. */
static struct value value_body(uint8_t **tail, uint64_t id, size_t size)
{
    struct value value = {.body = {*tail, size}};

    memcpy(*tail, &id, sizeof(id));
    *tail += size;
    return value;
}

static size_t draw_size(struct sim *sim)
{
    return chance(sim, 1, 30) ? BIG_BODY : 8 + below(sim, 24);
}

struct task *work_send(struct client *client, uint32_t slot, uint64_t handle, size_t n)
{
    struct task *task = task_new(client, VERB_SEND);
    size_t size = draw_size(client->sim);
    struct value *values = sim_alloc(n * (sizeof(*values) + size) + sizeof(struct passed));
    struct passed *passed = (struct passed *)(values + n);
    uint8_t *tail = (uint8_t *)(passed + 1);

    task->slot = slot;
    task->name = client->sim->slots[slot].name;
    task->memory = values;
    task->sent = sim_alloc(sizeof(*task->sent) * n);
    task->sent_n = n;
    for (size_t i = 0; i < n; i++) {
        task->sent[i] = value_new(client, slot);
        values[i] = value_body(&tail, task->sent[i], size);
    }
    loose_load(client, slot, &values[0], passed);
    task->op.request.send = (struct request_send){handle, values, n};
    return task;
}

/* ---- one operation of each verb ---- */

void work_until(struct task *task)
{
    struct sim *sim = task->client->sim;
    enum verb verb = task->op.request.verb;

    if (verb != VERB_CTX_WATCH && verb != VERB_JOB_WAIT)
        context_draw(task);
    switch (below(sim, 6)) {
    case 0:
        task->op.deadline_ns = PROTOCOL_DEADLINE_NOW;
        break;
    case 1:
    case 2:
        task->op.deadline_ns = sim->now_ns + between(sim, -1 * MS, 15 * MS);
        break;
    default:
        break;
    }
}

static void do_send(struct client *client)
{
    uint32_t slot = (uint32_t)below(client->sim, SLOTS);
    uint64_t handle = handle_of(client, slot);

    if (!handle)
        return;
    struct task *task = work_send(client, slot, handle, 1 + below(client->sim, VALUES_ONCE));
    work_until(task);
    task_start(task);
}

static void do_recv(struct client *client)
{
    uint32_t slot = (uint32_t)below(client->sim, SLOTS);
    uint64_t handle = handle_of(client, slot);

    if (!handle)
        return;
    struct task *task = task_new(client, VERB_RECV);
    task->slot = slot;
    task->name = client->sim->slots[slot].name;
    task->op.request.recv = (struct request_recv){handle, 1 + (uint32_t)below(client->sim, VALUES_ONCE)};
    work_until(task);
    task_start(task);
}

static struct select_case draw_case(struct task *task, size_t i, uint8_t **tail)
{
    struct sim *sim = task->client->sim;
    uint32_t slot = (uint32_t)below(sim, SLOTS);
    struct select_case what = {.kind = CASE_RECV};

    task->slots[i] = slot;
    task->names[i] = sim->slots[slot].name;
    if (some_job(sim) && chance(sim, 1, 12)) {
        what.kind = CASE_JOB;
        what.handle = some_job(sim);
        return what;
    }
    if (some_context(sim) && chance(sim, 1, 12)) {
        what.kind = CASE_CTX;
        what.handle = some_context(sim);
        return what;
    }
    what.handle = handle_of(task->client, slot);
    if (what.handle && chance(sim, 1, 2)) {
        what.kind = CASE_SEND;
        task->sent[i] = value_new(task->client, slot);
        sim->values[task->sent[i]].unordered = true;
        what.value = value_body(tail, task->sent[i], 8);
    }
    return what;
}

static void do_select(struct client *client)
{
    struct sim *sim = client->sim;
    size_t n = 1 + below(sim, CASES_ONCE);
    struct task *task = task_new(client, VERB_SELECT);
    struct select_case *cases = sim_alloc(n * (sizeof(*cases) + 8));
    uint8_t *tail = (uint8_t *)(cases + n);
    size_t ready = 0;

    task->memory = cases;
    task->sent_n = n;
    task->sent = sim_alloc(sizeof(*task->sent) * n);
    task->slots = sim_alloc(sizeof(*task->slots) * n);
    task->names = sim_alloc(sizeof(*task->names) * n);
    for (size_t i = 0; i < n; i++) {
        struct select_case what = draw_case(task, ready, &tail);
        if (what.handle)
            cases[ready++] = what;
    }
    task->op.request.select = (struct request_select){cases, ready};
    if (ready == 0)
        task->op.request.verb = VERB_NONE; /* waits for nothing: never sent (S8) */
    work_until(task);
    task_start(task);
}

static void do_close(struct client *client)
{
    uint32_t slot = (uint32_t)below(client->sim, SLOTS);

    if (!client->sim->slots[slot].closable || !handle_of(client, slot))
        return;
    struct task *task = task_new(client, VERB_CLOSE);
    task->slot = slot;
    task->name = client->sim->slots[slot].name;
    task->op.request.close.handle = client->handle[slot].handle;
    task_start(task);
}

static void do_drop(struct client *client)
{
    uint32_t slot = (uint32_t)below(client->sim, SLOTS);

    if (client->handle[slot].handle)
        drop_handle(client, slot);
}

/* What a question asks for more closely. */
static void look_closer(struct task *task, uint32_t slot)
{
    struct sim *sim = task->client->sim;
    struct request *r = &task->op.request;
    bool half = chance(sim, 1, 2);

    switch (r->verb) {
    case VERB_CHAN_INFO:
        r->chan_info.name = slot_name(task, slot);
        break;
    case VERB_CHAN_LIST:
        r->chan_list = (struct request_chan_list){{"sim.1", half ? 5 : 0}, {"sim.2", half ? 0 : 5}, 3};
        break;
    case VERB_STATS:
        r->stats.prefix = (struct bytes){"jobs.", half ? 5 : 0};
        break;
    case VERB_JOB_LIST:
        r->job_list.queue = (struct bytes){"slow", half ? 4 : 0};
        r->job_list.states = half ? 0 : (uint32_t)below(sim, 1 << JOB_STATES);
        r->job_list.limit = (uint32_t)below(sim, 4);
        break;
    case VERB_CALLERS:
        r->callers.callers = (uint32_t)below(sim, 3);
        break;
    case VERB_DUMP:
        r->dump.limit = 1 + (uint32_t)below(sim, 4);
        if (half)
            r->dump.object =
                chance(sim, 1, 2) ? slot_name(task, slot) : lock_name((uint32_t)below(sim, LOCKS));
        break;
    case VERB_CHAN_UNLINK: /* a name nobody has: real ones keep their values */
        r->chan_unlink.name = (struct bytes){"nobody", 6};
        break;
    default:
        break;
    }
}

static void do_look(struct client *client)
{
    static const enum verb verbs[] = {VERB_CHAN_INFO, VERB_CHAN_LIST,   VERB_PING,      VERB_STATS,
                                      VERB_JOB_LIST,  VERB_CHAN_UNLINK, VERB_DUMP,      VERB_DEADLOCKS,
                                      VERB_LEAKS,     VERB_CALLERS,     VERB_GOROUTINES};
    uint32_t slot = (uint32_t)below(client->sim, SLOTS);
    struct task *task = task_new(client, verbs[below(client->sim, sizeof(verbs) / sizeof(*verbs))]);

    look_closer(task, slot);
    task_start(task);
}

static void do_lock(struct client *client)
{
    work_lock(client, 0);
}

static void do_object(struct client *client)
{
    work_object(client, 0);
}

static void begin_something(struct client *client)
{
    static const struct {
        uint32_t weight;
        void (*run)(struct client *client);
    } deeds[] = {{30, do_send},       {32, do_recv},     {16, do_select},    {2, do_close},
                 {1, do_drop},        {6, do_look},      {9, work_submit},   {6, work_job},
                 {2, work_op_status}, {9, do_lock},      {10, work_context}, {8, loose_begin},
                 {30, do_object},     {3, work_mistake}, {4, work_operator}, {5, work_queue},
                 {4, work_dead},      {12, work_worker}, {4, work_bulk},     {1, work_backup},
                 {2, work_schedule}};
    uint64_t at = below(client->sim, 196);

    if (operator_relents(client) || work_pool(client) || work_topic(client) || work_later(client) ||
        work_group(client) || work_feed(client) || work_keep(client))
        return;
    if (sim_is_long(client->sim) && chance(client->sim, 1, 6)) {
        work_schedule(client);
        return;
    }

    for (size_t i = 0; i < sizeof(deeds) / sizeof(*deeds); at -= deeds[i++].weight)
        if (at < deeds[i].weight) {
            deeds[i].run(client);
            return;
        }
}

/* ---- results ---- */

static void closed_seen(struct task *task, uint32_t slot, uint64_t name)
{
    if (task->status == -EPIPE || (task->flags & RESULT_CLOSED))
        slot_closed(task->client->sim, slot, name);
}

void work_surfaced(struct task *task)
{
    struct client *client = task->client;

    if (task->ignored || loose_surfaced(task) || worker_surfaced(task))
        return;
    switch (task->op.request.verb) {
    case VERB_CHAN_OPEN:
        if (task->status >= 0 && task->session == client->session && !task->scripted) {
            client->handle[task->slot].handle = task->handle;
            client->handle[task->slot].name = task->name;
        }
        break;
    case VERB_SELECT:
        if (task->index < task->sent_n)
            closed_seen(task, task->slots[task->index], task->names[task->index]);
        break;
    case VERB_CLOSE:
        slot_closed(client->sim, task->slot, task->name);
        break;
    case VERB_SEND:
    case VERB_RECV:
        closed_seen(task, task->slot, task->name);
        break;
    default:
        break;
    }
}

enum which { WAITING, FINISHED, HELD, WHICH };

static enum which which_of(const struct task *task)
{
    if (task->dropped || task->scripted || task->op.request.verb == VERB_RESERVE)
        return WHICH;
    if (!task->finished)
        return WAITING;
    if (!task->surfaced)
        return FINISHED;
    return task->held_n < task->got_n && task->op.phase == OP_HELD && !task->of_deal ? HELD : WHICH;
}

static size_t count(const struct client *client, enum which which)
{
    const struct task *task;
    size_t n = 0;

    list_each (task, &client->tasks, link)
        n += which_of(task) == which;
    return n;
}

static struct task *pick(struct client *client, enum which which)
{
    uint64_t skip = below(client->sim, count(client, which));
    struct task *task;

    list_each (task, &client->tasks, link)
        if (which_of(task) == which && skip-- == 0)
            return task;
    return NULL;
}

/* Nobody goes away in the middle of these: what he has would be left to the end of the session. */
static bool may_abandon(const struct task *task)
{
    enum verb verb = task->op.request.verb;

    return !task->of_deal && verb != VERB_DONE && verb != VERB_UNLOCK && verb != VERB_SYNC_GIVE &&
           verb != VERB_SYNC_ADD && verb != VERB_COND_WAIT;
}

static void stop_waiting(struct client *client)
{
    struct task *task = pick(client, WAITING);

    if (may_abandon(task) && chance(client->sim, 1, 3)) {
        task_abandon(task);
        return;
    }
    task_cancel(task);
}

static void ignore(struct client *client)
{
    struct task *task = pick(client, FINISHED);

    if (may_abandon(task) && (chance(client->sim, 1, 2) || !task_undo(task)))
        task_abandon(task);
}

static void settle(struct client *client)
{
    struct sim *sim = client->sim;
    struct task *task = pick(client, HELD);
    bool give_back = chance(sim, 1, 3);
    uint64_t rest = task->got_n - task->held_n;

    task_settle(task, task->held_n + (give_back ? below(sim, rest) : 1 + below(sim, rest)), give_back);
}

static void act(struct client *client)
{
    struct sim *sim = client->sim;
    size_t waiting = count(client, WAITING), finished = count(client, FINISHED);

    if (finished && chance(sim, 1, 2))
        task_surface(pick(client, FINISHED), chance(sim, 1, 4));
    else if (count(client, HELD) && chance(sim, 1, 3))
        settle(client);
    else if (waiting && chance(sim, 1 + waiting, 20))
        stop_waiting(client);
    else if (finished && chance(sim, 1, 12))
        ignore(client);
    else if (chance(sim, 1, 4) && work_unlock(client, 0))
        return;
    else if (chance(sim, 1, 4) && work_object_back(client, 0))
        return;
    else if (waiting + finished < OPS_MAX && client->session)
        begin_something(client);
}

/* What it has, or may yet get without waiting for it. */
bool task_gives_back(const struct task *task)
{
    bool open = task->op.phase == OP_FLIGHT || task->op.phase == OP_TAKEN || task->op.phase == OP_UNDOING;

    return (task->op.phase == OP_SETTLED && task->op.returning) || (task->dropped && open);
}

/* A frame that was lost shows when the next one comes: what goes back has to arrive before the channels close. */
static void hurry(struct client *client)
{
    if (client_has(client, task_gives_back) && !count(client, WAITING))
        task_start(task_new(client, VERB_PING));
}

/* After the work: everything that can end, ends. */
static void calm_down(struct client *client)
{
    struct task *task, *after;

    workers_calm(client);
    list_each_safe (task, after, &client->tasks, link)
        if (which_of(task) == WAITING) {
            task_cancel(task);
        }
    while (count(client, FINISHED))
        task_surface(pick(client, FINISHED), false);
    while (count(client, HELD)) {
        task = pick(client, HELD);
        task_settle(task, task->got_n, false);
    }
    while (client->session && work_unlock(client, 0))
        ;
    while (client->session && work_object_back(client, 0))
        ;
    hurry(client);
}

void event_act(struct sim *sim, struct event *event)
{
    struct client *client = &sim->clients[event->who];

    if (!client->alive || client->life != event->a)
        return;
    if (client->host) {
        while (count(client, FINISHED))
            task_surface(pick(client, FINISHED), false);
        host_idle(client);
        return;
    }
    if (client->leaving) { /* it does not wait for the daemon for ever */
        if (chance(sim, 1, 8))
            client_kill(client);
        else
            schedule(sim, 1 * MS, *event);
        return;
    }
    if (sim->working && asleep(sim)) {
        schedule(sim, until_dawn(sim), *event);
        return;
    }
    (sim->working ? act : calm_down)(client);
    client_pump(client);
    schedule(sim, sim->working ? between(sim, 20 * US, 1500 * US) : between(sim, 100 * US, 20 * MS), *event);
}
