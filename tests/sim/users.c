/*
 * Who the processes are, and what they may do. In most seeds all are one user. In a few (`ruled`) each client is another one, the
 * last a key of tcp, and there is a table of rights, which now and then gives way to another one: who may not, cannot.
 *
 * Judged is what the core has taken, by a reading of the table of its own; and what is sent and received, since a handle has
 * only the rights of who opened it, as the table was then.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inspect.h"
#include "rights.h"
#include "workers.h"

enum { FIRST = 1000, FOREIGN = 2000, TABLES = 2, WANTS_MAX = 40, NAME_BYTES = 320 };

static const char key[] = "mailer";

struct credentials user_of(const struct sim *sim, uint32_t who)
{
    struct credentials user = {.uid = FIRST, .gid = FIRST, .pid = 1, .known = true};

    if (!sim->ruled || (who >= CLIENTS && who != STRANGER))
        return user;
    user.uid = user.gid = who == STRANGER ? FOREIGN : who ? FIRST + who : 0; /* root sees the jobs of all */
    if (who != CLIENTS - 1)
        return user;
    if (!key_name_good(key) || key_name_good("") || key_name_good("a key"))
        abort();
    user.uid = key_account(key);
    user.gid = 0;
    memcpy(user.key, key, sizeof(key));
    return user;
}

uint32_t user_uid(const struct sim *sim, uint32_t who)
{
    return user_of(sim, who).uid;
}

/* ---- the tables ---- */

#define ROW(who, what, with)                                                                                 \
    {                                                                                                        \
        .account = (who), .groups = (what), .prefix = { with, sizeof(with) - 1 }                             \
    }
#define ALL_MAY(what, with)                                                                                  \
    {                                                                                                        \
        .anybody = true, .groups = (what), .prefix = { with, sizeof(with) - 1 }                              \
    }

enum { CHANNELS = GROUP_SEND | GROUP_RECV | GROUP_CLOSE | GROUP_MAKE, KEY = 0 /* in its place */ };

static struct right_row wide[] = {
    ROW(FIRST + 1, CHANNELS, "sim."),
    ROW(FIRST + 1, GROUP_LOCK | GROUP_CONTEXT | GROUP_SUBMIT | GROUP_INSPECT, ""),
    ROW(FIRST + 1, GROUP_WORK, "slow"),
    ROW(FIRST + 1, GROUP_ADMIN, "slow"),
    ROW(FIRST + 1, GROUP_SUBSCRIBE, "log"),
    ROW(FIRST + 2, GROUP_SUBSCRIBE, "log.b"),
    ROW(FIRST + 2, GROUP_SEND | GROUP_MAKE, "sim.1"),
    ROW(FIRST + 2, GROUP_SUBMIT, "default"),
    ROW(FIRST + 2, GROUP_SUBMIT, "/p/0.so:run"),
    ROW(FIRST + 2, GROUP_SUBMIT, ":ru"),
    ROW(FIRST + 2, GROUP_WORK, "default"),
    ROW(FIRST + 2, GROUP_LOCK, "sim.lock.0"),
    ROW(FIRST + 2, GROUP_LOCK, "sim.object.1"),
    ROW(KEY, GROUP_CONTEXT, "sim.ctx.a"),
    ROW(KEY, GROUP_MAKE | GROUP_RECV, "sim.0"),
    ROW(KEY, GROUPS_ALL, "sim.3"),
    ROW(KEY, GROUP_WORK, ""),
    ALL_MAY(GROUP_RECV, "sim."),
    ALL_MAY(GROUP_INSPECT, "sim."),
};

static struct right_row narrow[] = {
    ROW(FIRST + 1, GROUP_RECV, "sim.1"),
    ROW(FIRST + 1, GROUP_SUBMIT, "/p/1.so"),
    ROW(FIRST + 2, CHANNELS | GROUP_SUBMIT | GROUP_CONTEXT, ""),
    ROW(KEY, GROUP_LOCK, "sim.object"),
    ALL_MAY(GROUP_SUBMIT, "slow"),
};

static struct rights tables[TABLES] = {{wide, sizeof(wide) / sizeof(*wide)},
                                       {narrow, sizeof(narrow) / sizeof(*narrow)}};

static void name_key(struct rights *table)
{
    for (size_t i = 0; i < table->n; i++)
        if (!table->rows[i].anybody && table->rows[i].account == KEY)
            table->rows[i].account = key_account(key);
}

void users_start(struct sim *sim, struct core *core)
{
    if (rights_group("send", 4) != GROUP_SEND || rights_group("all", 3) != GROUPS_ALL ||
        rights_group("any", 3))
        abort();
    for (int i = 0; i < TABLES; i++)
        name_key(&tables[i]);
    if (sim->ruled)
        core_set_rights(core, &tables[sim->rules % TABLES]);
}

void users_change(struct sim *sim)
{
    if (!sim->ruled || !sim->daemon.up)
        return;
    sim->rules++;
    core_set_rights(sim->daemon.core, &tables[sim->rules % TABLES]);
}

/* ---- another reading of them ---- */

struct want {
    uint32_t groups; /* one of them */
    struct bytes name, rest;
    bool anywhere;
};

struct wants {
    struct want all[WANTS_MAX];
    size_t n;
};

static bool is_for(const struct right_row *row, const struct want *want)
{
    char name[NAME_BYTES];
    int n = snprintf(name, sizeof(name), "%.*s%s%.*s", (int)want->name.size, (const char *)want->name.data,
                     want->rest.size ? ":" : "", (int)want->rest.size, (const char *)want->rest.data);

    return want->anywhere ||
           (row->prefix.size <= (size_t)n && memcmp(name, row->prefix.data, row->prefix.size) == 0);
}

static bool may(const struct sim *sim, uint32_t who, const struct want *want)
{
    const struct rights *table = &tables[sim->rules % TABLES];
    uint32_t uid = user_of(sim, who).uid;

    if (uid == 0)
        return true;
    for (size_t i = 0; i < table->n; i++) {
        const struct right_row *row = &table->rows[i];
        if ((row->anybody || row->account == uid) && row->groups & want->groups && is_for(row, want))
            return true;
    }
    return false;
}

/* ---- what is needed ---- */

static void need(struct wants *wants, uint32_t groups, struct bytes name, struct bytes rest)
{
    if (wants->n < WANTS_MAX && name.size < NAME_BYTES / 2 && rest.size < NAME_BYTES / 2)
        wants->all[wants->n++] = (struct want){.groups = groups, .name = name, .rest = rest};
}

static void need_named(struct wants *wants, uint32_t groups, struct bytes name)
{
    if (name.size)
        need(wants, groups, name, (struct bytes){0});
}

static void need_anywhere(struct wants *wants, uint32_t groups)
{
    wants->all[wants->n++] = (struct want){.groups = groups, .anywhere = true};
}

static struct bytes queue_of(struct bytes name)
{
    return name.size ? name : (struct bytes){"default", 7};
}

static void need_submit(struct wants *wants, const struct request_submit *submit)
{
    need(wants, GROUP_SUBMIT, queue_of(submit->queue), (struct bytes){0});
    need(wants, GROUP_SUBMIT, submit->plugin, submit->function);
}

static void need_open(struct wants *wants, const struct request_chan_open *open)
{
    static const uint32_t groups[] = {GROUP_SEND, GROUP_RECV, GROUP_CLOSE},
                          bits[] = {RIGHT_SEND, RIGHT_RECV, RIGHT_CLOSE};

    for (int i = 0; i < 3; i++)
        if (open->rights & bits[i])
            need_named(wants, groups[i], open->name);
    need_named(wants, GROUP_SEND | GROUP_RECV | GROUP_CLOSE, open->name);
}

static void need_work(struct wants *wants, struct bytes queues)
{
    struct bytes name;
    size_t n = wants->n;

    while (names_next(&queues, &name))
        need_named(wants, GROUP_WORK, name);
    if (wants->n == n)
        need_named(wants, GROUP_WORK, (struct bytes){"default", 7});
}

/* Of objects, contexts and channels. */
static void wants_of_names(struct wants *wants, const struct request *r)
{
    switch (r->verb) {
    case VERB_CHAN_OPEN:
        return need_open(wants, &r->chan_open);
    case VERB_CHAN_UNLINK:
        return need_named(wants, GROUP_MAKE, r->chan_unlink.name);
    case VERB_LOCK:
        return need_named(wants, GROUP_LOCK, r->lock.name);
    case VERB_SYNC_TAKE:
    case VERB_SYNC_ADD:
    case VERB_SYNC_WAIT:
    case VERB_SYNC_RESET:
        return need_named(wants, GROUP_LOCK, r->sync_take.name); /* the second member of each of these */
    case VERB_COND_SIGNAL:
        return need_named(wants, GROUP_LOCK, r->cond_signal.name);
    case VERB_COND_WAIT:
        need_named(wants, GROUP_LOCK, r->cond_wait.lock);
        return need_named(wants, GROUP_LOCK, r->cond_wait.name);
    case VERB_CTX_NEW:
        need_named(wants, GROUP_CONTEXT, r->ctx_new.parent_name);
        need_named(wants, GROUP_LOCK, r->ctx_new.group);
        return need_named(wants, GROUP_CONTEXT, r->ctx_new.name);
    case VERB_CTX_CANCEL:
    case VERB_CTX_DROP:
    case VERB_CTX_INFO:
    case VERB_CTX_WATCH:
        return need_named(wants, GROUP_CONTEXT, r->ctx_watch.name); /* after the id, in each of these */
    default:
        return;
    }
}

/* What it leaves as it is may be set by who may do nothing of it. */
static void need_feed(struct wants *wants, const struct request_feed_set *set)
{
    size_t n = 0;

    while (n < set->pattern.size && !strchr("*>", ((const char *)set->pattern.data)[n]))
        n++;
    if (set->pattern.size)
        need(wants, GROUP_SUBSCRIBE, (struct bytes){set->pattern.data, n}, (struct bytes){0});
    if (set->queue.size)
        need_named(wants, GROUP_SUBMIT, set->queue);
    if (set->function.size)
        need(wants, GROUP_SUBMIT, set->plugin, set->function);
}

static void wants_of(struct wants *wants, const struct request *r)
{
    switch (r->verb) {
    case VERB_SUBMIT:
        return need_submit(wants, &r->submit);
    case VERB_JOB_WAIT:
    case VERB_JOB_INFO:
    case VERB_JOB_LIST:
    case VERB_JOB_CANCEL:
    case VERB_JOB_OUTPUT:
    case VERB_JOB_RETRY:
    case VERB_JOB_PURGE:
        return need_anywhere(wants, GROUP_SUBMIT);
    case VERB_WORK_RESERVE:
        return need_work(wants, r->work_reserve.queues);
    case VERB_STATS:
    case VERB_DUMP:
    case VERB_DEADLOCKS:
    case VERB_LEAKS:
    case VERB_INSPECT:
        return need_anywhere(wants, GROUP_INSPECT);
    case VERB_FEED_REMOVE:
    case VERB_FEED_LIST:
        return need_anywhere(wants, GROUP_SUBMIT);
    case VERB_FEED_SET:
        return need_feed(wants, &r->feed_set);
    case VERB_DRAIN:
    case VERB_GOROUTINES:
    case VERB_CLOCK_ADVANCE:
        return need_anywhere(wants, GROUP_ADMIN);
    case VERB_QUEUE_SET:
    case VERB_QUEUE_PAUSE:
    case VERB_QUEUE_PURGE:
        return need_named(wants, GROUP_ADMIN, r->queue_set.name); /* the first member of each of these */
    case VERB_QUEUE_INFO:
        return need_named(wants, GROUP_INSPECT, r->queue_info.name);
    default:
        return wants_of_names(wants, r);
    }
}

/* ---- judging ---- */

static bool is_somebody(const struct sim *sim, uint32_t who)
{
    return sim->ruled && (who < CLIENTS || who == STRANGER);
}

static void judge(struct sim *sim, uint32_t who, enum verb verb, const struct wants *wants)
{
    for (size_t i = 0; i < wants->n; i++) {
        const struct want *want = &wants->all[i];
        if (!may(sim, who, want))
            sim_fail(sim, "client %u has no right (%x) for '%.*s', and verb %d is taken", who, want->groups,
                     (int)want->name.size, (const char *)want->name.data, verb);
    }
}

void judge_user_came(struct sim *sim, uint64_t conn, const struct request *request)
{
    struct wants wants = {.n = 0};
    const struct secret *session = &sim->sessions[sim->conns[conn].session].secret;

    /* A refused one counts as taken where its session has ended with the frame. */
    if (!is_somebody(sim, sim->conns[conn].who) ||
        core_look(sim->daemon.core, session, request->id) != CORE_OPERATION)
        return;
    wants_of(&wants, request);
    judge(sim, sim->conns[conn].who, request->verb, &wants);
}

/* What goes by a handle of a slot's channel. */
static void wants_of_handles(const struct task *task, struct wants *wants, char name[NAME_BYTES])
{
    const struct request *r = &task->op.request;
    uint32_t group = r->verb == VERB_SEND || (r->verb == VERB_TRANSACT && r->transact.sends_n) ? GROUP_SEND
                     : r->verb == VERB_RECV                                                    ? GROUP_RECV
                     : r->verb == VERB_CLOSE                                                   ? GROUP_CLOSE
                                                                                               : 0;

    if (!group || task->slot >= SLOTS || task->ignored)
        return;
    int n = snprintf(name, NAME_BYTES, "sim.%u.%llu", task->slot, (unsigned long long)task->name);
    need_named(wants, group, (struct bytes){name, (size_t)n});
}

void judge_user_reply(struct sim *sim, const struct task *task, const struct result *result)
{
    struct wants wants = {.n = 0};
    char name[NAME_BYTES];

    if (!task || task->answered || !is_somebody(sim, task->client->who))
        return;
    sim->faults[FAULT_NO_RIGHT] += result->status == -EPERM;
    if (result->status < 0 || sim->rules) /* else it may have been taken as another table was */
        return;
    wants_of_handles(task, &wants, name);
    for (size_t i = 0; task->op.request.verb == VERB_TRANSACT && i < task->op.request.transact.jobs_n; i++)
        need_submit(&wants, &task->op.request.transact.jobs[i]);
    for (size_t i = 0; task->op.request.verb == VERB_SUBMIT_MANY && i < task->op.request.submit_many.jobs_n;
         i++)
        need_submit(&wants, &task->op.request.submit_many.jobs[i]);
    judge(sim, task->client->who, task->op.request.verb, &wants);
}
