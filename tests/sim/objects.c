/*
 * What clients and runs of jobs do with named sync objects: take, add, wait and reset, keep what they got for a while, say
 * how it went, and give back what nobody waits for any more, as the library does (IP1.3). With the second object of each
 * kind they make mistakes, too: of kind, size, units, token and name.
 */
#include "objects.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { NAME_BYTES = 16, VALUE_BYTES = 8 };

/* ---- names ---- */

static char names[OBJECTS][NAME_BYTES];

struct bytes object_name(uint32_t object)
{
    if (!names[object][0])
        snprintf(names[object], NAME_BYTES, "sim.object.%02u", object);
    return (struct bytes){names[object], strlen(names[object])};
}

uint32_t object_of_name(struct bytes name)
{
    for (uint32_t object = 0; object < OBJECTS; object++) {
        struct bytes own = object_name(object);
        if (own.size == name.size && memcmp(own.data, name.data, name.size) == 0)
            return object;
    }
    return OBJECTS;
}

uint32_t object_kind(uint32_t object)
{
    return object % SYNC_KINDS;
}

static bool may_go_wrong(uint32_t object)
{
    return object >= SYNC_KINDS;
}

/* ---- requests ---- */

/* All verbs of sync objects begin with kind and name. */
static struct task *object_task(struct client *client, enum verb verb, uint32_t object)
{
    struct task *task = task_new(client, verb);

    task->slot = object;
    task->op.request.sync_take.kind = object_kind(object);
    task->op.request.sync_take.name = object_name(object);
    return task;
}

static struct task *take(struct client *client, uint32_t object)
{
    struct sim *sim = client->sim;
    struct task *task = object_task(client, VERB_SYNC_TAKE, object);
    struct request_sync_take *what = &task->op.request.sync_take;
    static const uint64_t sizes[SYNC_KINDS] = {[SYNC_SEMAPHORE] = UNITS,
                                               [SYNC_ERRGROUP] = MEMBERS,
                                               [SYNC_LIMITER] = BURST,
                                               [SYNC_BREAKER] = FAILURES};

    what->size = sizes[what->kind];
    what->units = 1;
    if (what->kind == SYNC_LIMITER || what->kind == SYNC_SEMAPHORE)
        what->units += below(sim, UNITS);
    if (what->kind == SYNC_LIMITER)
        what->period_ns = LIMITER_PERIOD;
    if (what->kind == SYNC_BREAKER)
        what->period_ns = BREAKER_OPEN;
    if (what->kind == SYNC_RWMUTEX)
        what->flags = chance(sim, 1, 2) ? TAKE_READ : chance(sim, 1, 3) ? TAKE_RECOVER : 0;
    return task;
}

static struct task *add(struct client *client, uint32_t object)
{
    struct sim *sim = client->sim;
    struct task *task = object_task(client, VERB_SYNC_ADD, object);
    struct request_sync_add *what = &task->op.request.sync_add;

    what->delta = what->kind == SYNC_COUNTER ? between(sim, -2, 4) : between(sim, 1, 3);
    what->flags = what->kind == SYNC_WAITGROUP && chance(sim, 1, 3) ? ADD_DETACHED : 0;
    return task;
}

static struct task *wait(struct client *client, uint32_t object)
{
    struct sim *sim = client->sim;
    const struct object *known = &sim->objects->of[object];
    struct task *task = object_task(client, VERB_SYNC_WAIT, object);
    struct request_sync_wait *what = &task->op.request.sync_wait;

    if (what->kind == SYNC_WAITGROUP && chance(sim, 2, 3))
        what->round = known->token;
    if (what->kind == SYNC_COUNTER)
        what->value = known->sum + between(sim, -1, 4);
    if (what->kind == SYNC_BARRIER)
        what->value = PARTIES;
    return task;
}

static struct task *reset(struct client *client, uint32_t object)
{
    return object_task(client, VERB_SYNC_RESET, object);
}

/* One member of the request is not what it should be. What the core makes of it is its own affair. */
static void go_wrong(struct task *task)
{
    struct sim *sim = task->client->sim;
    struct request *r = &task->op.request;
    static const struct bytes wrong_names[] = {{"", 0}, {"white space", 11}};

    switch (below(sim, 6)) {
    case 0:
    case 1:
        r->sync_take.kind = (uint32_t)below(sim, SYNC_KINDS + 1);
        break;
    case 2:
        if (chance(sim, 1, 2))
            r->sync_take.name = wrong_names[below(sim, 2)];
        break;
    case 3:
        if (r->verb == VERB_SYNC_TAKE)
            r->sync_take.units = chance(sim, 1, 2) ? 0 : UINT64_MAX >> below(sim, 40);
        break;
    case 4:
        if (r->verb == VERB_SYNC_TAKE)
            r->sync_take.size = below(sim, 2) ? 0 : UINT64_MAX >> below(sim, 63);
        if (r->verb == VERB_SYNC_ADD)
            r->sync_add.delta = chance(sim, 1, 2) ? 0 : INT64_MAX;
        break;
    default:
        if (r->verb == VERB_SYNC_TAKE) {
            r->sync_take.flags = TAKE_READ | TAKE_RECOVER;
            r->sync_take.period_ns = between(sim, -1, 2) * MS;
        }
        if (r->verb == VERB_SYNC_WAIT)
            r->sync_wait.value = between(sim, -1, 2);
        break;
    }
}

static uint32_t draw_kind(struct sim *sim)
{
    if (sim->calling && chance(sim, 1, 2))
        return SYNC_BREAKER;
    return SYNC_RWMUTEX + (uint32_t)below(sim, SYNC_KINDS - SYNC_RWMUTEX);
}

void work_object(struct client *client, uint64_t run)
{
    static struct task *(*const deeds[SYNC_KINDS][4])(struct client *, uint32_t) = {
        [SYNC_RWMUTEX] = {take, take, take, take}, [SYNC_SEMAPHORE] = {take, take, take, take},
        [SYNC_WAITGROUP] = {add, add, wait, take}, [SYNC_COUNTER] = {add, add, wait, wait},
        [SYNC_BARRIER] = {wait, wait, wait, wait}, [SYNC_ONCE] = {take, take, take, take},
        [SYNC_FLIGHT] = {take, take, take, take},  [SYNC_ERRGROUP] = {take, take, wait, wait},
        [SYNC_LIMITER] = {take, take, take, take}, [SYNC_BREAKER] = {take, take, take, take},
    };
    struct sim *sim = client->sim;
    uint32_t kind = draw_kind(sim);
    uint32_t object = kind + (chance(sim, 1, 4) ? SYNC_KINDS : 0);

    if (kind == SYNC_COND) {
        work_cond(client, run);
        return;
    }
    bool anew = kind != SYNC_SEMAPHORE && kind != SYNC_RWMUTEX && chance(sim, 1, 24);
    struct task *task = (anew ? reset : deeds[kind][below(sim, 4)])(client, object);
    if (may_go_wrong(object) && chance(sim, 1, 3))
        go_wrong(task);
    task->run = run;
    if (task->op.request.verb == VERB_SYNC_TAKE || task->op.request.verb == VERB_SYNC_WAIT)
        work_until(task);
    task_start(task);
}

/* ---- what somebody has ---- */

static void give(struct client *client, const struct stake *stake, uint64_t units, uint32_t flags)
{
    struct sim *sim = client->sim;
    struct task *task = object_task(client, VERB_SYNC_GIVE, stake->object);
    struct request_sync_give *what = &task->op.request.sync_give;

    what->kind = stake->kind;
    what->units = units;
    what->token = stake->token;
    what->flags = flags | (stake->read ? GIVE_READ : 0);
    if ((stake->kind == SYNC_ERRGROUP || stake->kind == SYNC_FLIGHT) && chance(sim, 1, 3))
        what->error = -(int32_t)(1 + below(sim, 4));
    if (stake->kind == SYNC_FLIGHT) {
        task->text = sim_alloc(VALUE_BYTES);
        memcpy(task->text, &stake->token, VALUE_BYTES);
        what->value = (struct bytes){task->text, VALUE_BYTES};
    }
    task->run = stake->run;
    task->name = client->session;
    task_start(task);
}

static uint32_t how_it_went(struct sim *sim, const struct stake *stake)
{
    if (stake->kind == SYNC_RWMUTEX)
        return stake->died && chance(sim, 3, 4) ? GIVE_CONSISTENT : 0;
    if (stake->kind == SYNC_ONCE || stake->kind == SYNC_FLIGHT)
        return chance(sim, 1, 4) ? GIVE_FAILED : 0;
    return stake->kind == SYNC_BREAKER && chance(sim, sim->calling ? 3 : 2, 4) ? GIVE_FAILED : 0;
}

/* What somebody says who does not have it, or has it already given back. */
static void give_wrongly(struct client *client, const struct stake *stake)
{
    struct sim *sim = client->sim;
    struct stake wrong = *stake;

    wrong.object = wrong.kind + SYNC_KINDS;
    if (chance(sim, 1, 2))
        wrong.token += chance(sim, 1, 2) ? 1 : UINT32_MAX;
    if (chance(sim, 1, 4))
        wrong.read = !wrong.read;
    if (chance(sim, 1, 4))
        wrong.kind = (uint32_t)below(sim, SYNC_KINDS + 1);
    bool counts = wrong.kind == SYNC_SEMAPHORE || wrong.kind == SYNC_WAITGROUP;
    give(client, &wrong, counts ? UINT32_MAX : below(sim, 8), 0); /* its own units it needs later */
}

bool work_object_back(struct client *client, uint64_t run)
{
    struct sim *sim = client->sim;
    struct stake *found = stake_find(sim, client->session, run);

    if (!found)
        return false;
    struct stake stake = *found;
    uint64_t units = 1 + below(sim, stake.units);
    if ((stake.kind == SYNC_WAITGROUP || stake.kind == SYNC_SEMAPHORE) && units < stake.units)
        found->units -= units;
    else
        stake_remove(sim, found);
    give(client, &stake, units, how_it_went(sim, &stake));
    if (sim->working && chance(sim, 1, 8))
        give_wrongly(client, &stake);
    return true;
}

/* ---- turns of an operation's life ---- */

bool task_has_stake(const struct task *task)
{
    const struct request *r = &task->op.request;

    if (!task->finished || task->status < 0)
        return false;
    if (r->verb == VERB_SYNC_ADD)
        return r->sync_add.kind == SYNC_WAITGROUP && !(r->sync_add.flags & ADD_DETACHED);
    if (r->verb != VERB_SYNC_TAKE)
        return false;
    if (r->sync_take.kind == SYNC_ONCE || r->sync_take.kind == SYNC_FLIGHT)
        return task->status == GRANT_RUN;
    return true;
}

static struct stake stake_of(const struct task *task)
{
    const struct request *r = &task->op.request;
    bool added = r->verb == VERB_SYNC_ADD;

    return (struct stake){
        .session = task->session,
        .run = task->run,
        .op = r->id,
        .token = task->handle,
        .round = added ? task->handle : 0,
        .units = added ? (uint64_t)r->sync_add.delta : r->sync_take.units,
        .size = added ? 0 : r->sync_take.size,
        .kind = r->sync_take.kind,
        .object = task->slot,
        .read = !added && r->sync_take.kind == SYNC_RWMUTEX && r->sync_take.flags & TAKE_READ,
        .died = !added && r->sync_take.kind == SYNC_RWMUTEX && task->status == GRANT_OWNER_DIED,
    };
}

void object_told(struct task *task)
{
    if (task_has_stake(task) && !task->scripted)
        stake_add(task, stake_of(task));
}

void object_void(struct task *task)
{
    struct sim *sim = task->client->sim;
    struct stake *known = stake_of_op(sim, task->session, task->op.request.id);

    if (known)
        stake_remove(sim, known);
}

void object_give_back(struct task *task)
{
    struct stake stake = stake_of(task);

    object_void(task);
    give(task->client, &stake, stake.units, GIVE_UNSEEN);
}

/* One that never left has not given back anything, nor one for which there was no memory. */
static void given(struct task *task)
{
    const struct request_sync_give *what = &task->op.request.sync_give;
    struct client *client = task->client;
    bool judged = what->kind == task->slot && what->kind != SYNC_LIMITER && !task->run;
    const struct stake stake = {
        .run = task->run, .token = what->token, .kind = what->kind, .object = task->slot};

    if (task->name != client->session || !client->session)
        return;
    if (task->status == -ECANCELED || task->status == -ENOMEM)
        give(client, &stake, what->units, what->flags);
    else if (task->status < 0 && judged)
        sim_fail(client->sim, "client %u: giving back %llu units of object %u, which it has, gives %d",
                 client->who, (unsigned long long)what->units, task->slot, task->status);
}

void object_surfaced(struct task *task)
{
    struct sim *sim = task->client->sim;

    if (task->scripted)
        return;
    if (task->op.request.verb == VERB_SYNC_GIVE)
        given(task);
    if (!task_has_stake(task))
        return;
    struct stake *stake = stake_of_op(sim, task->session, task->op.request.id);
    if (task->op.request.verb == VERB_SYNC_TAKE && chance(sim, 1, 20))
        object_give_back(task);
    else if (stake && stake->kind == SYNC_LIMITER)
        stake_remove(sim, stake); /* it is used up */
    else if (stake)
        stake->usable = true;
}
