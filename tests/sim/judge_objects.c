/*
 * Named sync objects, judged from both ends: `asked` follows what the core takes and what it says, a stake is what clients
 * were told they have and have not begun to give back. Of those whose scope lives:
 *
 *     a writer has its lock alone (W1); tokens of writers and runners rise
 *     no more units of a semaphore, or members of an error group, than there are (SE, E3)
 *     a once has one runner (O1), and after its end was told it is done once and for all, until a reset
 *     nobody is told the end of a wait group or error group of which somebody had a part when he began to wait (A1, E1)
 *
 * And of what the core says:
 *
 *     a round of a barrier has as many parties as it wants, one of them the last, and none before all have come
 *     what waited for a flight gets a value that its runner gave, after it began to wait (SF)
 *     a counter is the sum of what was added; a wait for it ends when it is as large
 *     a limiter gives no more than its burst and what its rate gives since the daemon began
 *     the error of a group is that of the first member that failed, or that one died (E1)
 *     a breaker does as its model (judge_breaker.c)
 *     each waiter that a signal woke comes back, unless its session ended (K1)
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inspect.h"
#include "objects.h"

/* ---- the ledger ---- */

static void signals_check(struct sim *sim);

void judge_objects_start(struct sim *sim)
{
    if (!sim->objects)
        sim->objects = sim_alloc(sizeof(*sim->objects));
    signals_check(sim);
    memset(sim->objects->of, 0, sizeof(sim->objects->of));
    sim->objects->asked_n = 0;
    sim->objects->since_ns = sim->now_ns;
    judge_breaker_start(sim);
}

void judge_objects_free(struct sim *sim)
{
    judge_breaker_free(sim);
    free(sim->objects->asked);
    free(sim->objects->stakes);
    free(sim->objects);
}

static bool verb_of_objects(enum verb verb)
{
    return verb >= VERB_SYNC_TAKE && verb <= VERB_COND_SIGNAL;
}

struct asked *asked_of(struct sim *sim, uint64_t session, uint64_t op)
{
    struct object_ledger *ledger = sim->objects;

    for (size_t i = ledger->asked_n; i-- > 0;)
        if (ledger->asked[i].op == op && ledger->asked[i].session == session)
            return &ledger->asked[i];
    return NULL;
}

static bool lives(struct sim *sim, uint64_t session, uint64_t run)
{
    return !sim->sessions[session].ended && sim->daemon.core &&
           core_scope_lives(sim->daemon.core, &sim->sessions[session].secret, run);
}

/* ---- what clients have ---- */

static void stakes_forget_void(struct sim *sim)
{
    struct object_ledger *ledger = sim->objects;

    for (size_t i = ledger->stakes_n; i-- > 0;)
        if (!lives(sim, ledger->stakes[i].session, ledger->stakes[i].run))
            ledger->stakes[i] = ledger->stakes[--ledger->stakes_n];
}

struct stake *stake_find(struct sim *sim, uint64_t session, uint64_t run)
{
    struct object_ledger *ledger = sim->objects;

    stakes_forget_void(sim);
    for (size_t i = 0; i < ledger->stakes_n; i++)
        if (ledger->stakes[i].session == session && ledger->stakes[i].run == run && ledger->stakes[i].usable)
            return &ledger->stakes[i];
    return NULL;
}

struct stake *stake_of_op(struct sim *sim, uint64_t session, uint64_t op)
{
    struct object_ledger *ledger = sim->objects;

    for (size_t i = 0; i < ledger->stakes_n; i++)
        if (ledger->stakes[i].session == session && ledger->stakes[i].op == op)
            return &ledger->stakes[i];
    return NULL;
}

void stake_remove(struct sim *sim, struct stake *stake)
{
    *stake = sim->objects->stakes[--sim->objects->stakes_n];
}

bool stakes_held(struct sim *sim, const struct client *client)
{
    stakes_forget_void(sim);
    for (size_t i = 0; i < sim->objects->stakes_n; i++)
        if (sim->objects->stakes[i].session == client->session)
            return true;
    return false;
}

/* ---- exclusion and bounds ---- */

/* Whether both may have a part of it at the same time. */
static bool go_together(const struct stake *a, const struct stake *b)
{
    if (a->kind == SYNC_RWMUTEX)
        return a->read && b->read;
    return a->kind != SYNC_ONCE && a->kind != SYNC_FLIGHT;
}

static bool rises(const struct stake *stake)
{
    return stake->kind == SYNC_ONCE || (stake->kind == SYNC_RWMUTEX && !stake->read);
}

static uint64_t most_units(uint32_t kind)
{
    return kind == SYNC_SEMAPHORE ? UNITS : kind == SYNC_ERRGROUP ? MEMBERS : UINT64_MAX;
}

static void judge_stake(struct sim *sim, const struct stake *new, const struct asked *asked)
{
    const struct object_ledger *ledger = sim->objects;
    struct object *object = &sim->objects->of[new->object];
    uint64_t units = new->units;

    for (size_t i = 0; i < ledger->stakes_n; i++) {
        const struct stake *stake = &ledger->stakes[i];
        if (stake->object != new->object)
            continue;
        units += stake->units;
        /* A reset lets the next one run beside the first (SF2). */
        if (!go_together(stake, new) && asked->order > object->reset_order &&
            (new->kind != SYNC_FLIGHT || !object->resets))
            sim_fail(sim, "object %u: sessions %llu and %llu both have it, tokens %llx and %llx", new->object,
                     (unsigned long long)stake->session, (unsigned long long)new->session,
                     (unsigned long long)stake->token, (unsigned long long)new->token);
    }
    if (units > most_units(new->kind))
        sim_fail(sim, "object %u: %llu units are out", new->object, (unsigned long long)units);
    if (rises(new) && new->token <= object->token)
        sim_fail(sim, "object %u: token %llx comes after %llx", new->object, (unsigned long long)new->token,
                 (unsigned long long)object->token);
    if (new->token > object->token)
        object->token = new->token;
}

void stake_add(struct task *task, struct stake stake)
{
    struct sim *sim = task->client->sim;
    struct object_ledger *ledger = sim->objects;
    const struct asked *asked = asked_of(sim, stake.session, stake.op);

    stakes_forget_void(sim);
    if (!lives(sim, stake.session, stake.run))
        return;
    stake.order = ++ledger->order;
    if (stake.object < SYNC_KINDS && asked)
        judge_stake(sim, &stake, asked);
    ledger->stakes = realloc(ledger->stakes, sizeof(*ledger->stakes) * (ledger->stakes_n + 1));
    if (!ledger->stakes)
        abort();
    ledger->stakes[ledger->stakes_n++] = stake;
}

/* ---- what the core takes ---- */

static struct asked asked_from(struct sim *sim, uint64_t session, const struct request *r)
{
    struct asked asked = {.session = session,
                          .op = r->id,
                          .order = ++sim->objects->order,
                          .taken_ns = sim->now_ns,
                          .verb = r->verb,
                          .kind = r->sync_take.kind,
                          .object = object_of_name(r->sync_take.name)};

    if (r->verb == VERB_SYNC_GIVE) {
        asked.units = r->sync_give.units;
        asked.token = r->sync_give.token;
        asked.flags = r->sync_give.flags;
        asked.error = r->sync_give.error;
    } else if (r->verb == VERB_SYNC_WAIT) {
        asked.round = r->sync_wait.round;
        asked.value = r->sync_wait.value;
    } else if (r->verb == VERB_SYNC_TAKE) {
        asked.units = r->sync_take.units;
    } else if (r->verb == VERB_COND_WAIT || r->verb == VERB_COND_SIGNAL) {
        asked.kind = SYNC_COND;
        asked.object = object_of_name(r->verb == VERB_COND_WAIT ? r->cond_wait.name : r->cond_signal.name);
    }
    return asked;
}

/* The session has ended with the frame, by its BYE: nothing is left to tell whether this was taken or refused, as for want
 * of a right. */
static bool is_last_of_session(const struct sim *sim, const struct asked *asked)
{
    return core_look(sim->daemon.core, &sim->sessions[asked->session].secret, asked->op) == CORE_NO_SESSION;
}

/* What takes effect at once, in the order in which the core takes them. */
static void took(struct sim *sim, struct asked *asked, const struct request *r)
{
    struct object *object = &sim->objects->of[asked->object];

    object->unsure |= sim->memory.short_of || sim->crowded || is_last_of_session(sim, asked);
    switch (asked->verb) {
    case VERB_SYNC_ADD:
        if (asked->kind == SYNC_COUNTER)
            asked->value = object->sum += r->sync_add.delta;
        break;
    case VERB_SYNC_RESET:
        object->reset_order = asked->order;
        object->reset_ns = sim->now_ns;
        object->resets++;
        object->sum = 0;
        object->done_order = 0;
        break;
    case VERB_SYNC_WAIT:
        object->waits++;
        break;
    case VERB_SYNC_GIVE:
        if (asked->kind == SYNC_LIMITER)
            object->returned += asked->units;
        break;
    default:
        break;
    }
}

void judge_object_came(struct sim *sim, uint64_t session, const struct request *request)
{
    struct object_ledger *ledger = sim->objects;

    if (!verb_of_objects(request->verb))
        return;
    struct asked asked = asked_from(sim, session, request);
    if (asked.object >= SYNC_KINDS)
        return;
    took(sim, &asked, request);
    ledger->asked = realloc(ledger->asked, sizeof(*ledger->asked) * (ledger->asked_n + 1));
    if (!ledger->asked)
        abort();
    ledger->asked[ledger->asked_n++] = asked;
    if (asked.object == SYNC_BREAKER && asked.kind == SYNC_BREAKER)
        judge_breaker_came(sim, &asked, request);
}

/* ---- what the core says ---- */

static void tell(struct sim *sim, const struct asked *asked, const char *what)
{
    sim_fail(sim, "object %u, operation %llu of session %llu: %s", asked->object,
             (unsigned long long)asked->op, (unsigned long long)asked->session, what);
}

/* A1, E1: of those who had a part before this one began to wait. */
static void judge_end_of_group(struct sim *sim, const struct asked *wait)
{
    const struct object_ledger *ledger = sim->objects;

    stakes_forget_void(sim);
    for (size_t i = 0; i < ledger->stakes_n; i++) {
        const struct stake *stake = &ledger->stakes[i];
        bool same = !wait->round || !stake->round || wait->round == stake->round;
        if (stake->object == wait->object && stake->order < wait->order && same &&
            (!wait->round || stake->round))
            tell(sim, wait, "a group has ended of which somebody has a part");
    }
}

static void judge_barrier(struct sim *sim, const struct asked *wait, const struct result *result)
{
    struct object *object = &sim->objects->of[wait->object];

    if (result->handle !=
        object->round) { /* rounds leave the core one after the other, but for results kept */
        if (result->handle < object->round)
            return;
        object->round = result->handle;
        object->round_told = 0;
        object->rounds++;
    }
    if (++object->round_told > PARTIES)
        tell(sim, wait, "a round of a barrier has too many parties");
    if (object->waits - object->failed_waits < PARTIES * object->rounds)
        tell(sim, wait, "a barrier has opened too early");
}

/* Of an error group that was clean after `clean`, the first member that failed; 0: it is not known for sure, since somebody
 * may have been told of an error meanwhile, or nobody knows how a GIVE ended. */
static int32_t first_error(const struct object_ledger *ledger, const struct asked *wait, uint64_t clean)
{
    int32_t error = 0;

    for (size_t i = 0; i < ledger->asked_n; i++) {
        const struct asked *asked = &ledger->asked[i];
        if (asked->object != wait->object || asked->order < clean || asked == wait)
            continue;
        if (asked->verb == VERB_SYNC_RESET)
            return 0;
        if (asked->verb == VERB_SYNC_WAIT && asked->order < wait->order && (!asked->told || asked->good))
            return 0;
        if (asked->verb != VERB_SYNC_GIVE || !asked->error || asked->flags & GIVE_UNSEEN || error)
            continue;
        if (!asked->told || !asked->good)
            return 0;
        error = asked->error;
    }
    return error;
}

static bool was_given(const struct object_ledger *ledger, const struct asked *wait, int32_t error)
{
    for (size_t i = 0; i < ledger->asked_n; i++) {
        const struct asked *give = &ledger->asked[i];
        if (give->verb == VERB_SYNC_GIVE && give->object == wait->object && give->error == error &&
            !(give->flags & GIVE_UNSEEN))
            return true;
    }
    return false;
}

/* E1. The death of a member is an error, too, of which only the core knows when it came. */
static void judge_error(struct sim *sim, const struct asked *wait, const struct result *result)
{
    struct object *object = &sim->objects->of[wait->object];
    int32_t error = -(int32_t)result->handle, first = first_error(sim->objects, wait, object->clean_order);

    if (!error != !result->status)
        tell(sim, wait, "an error group that failed does not say so");
    if (!error && wait->order > object->clean_order)
        object->clean_order = wait->order;
    if (!error || error == -EOWNERDEAD)
        return;
    if (!was_given(sim->objects, wait, error))
        tell(sim, wait, "nobody gave this error");
    if (first && first != error)
        tell(sim, wait, "another error came first");
}

static void judge_wait(struct sim *sim, const struct asked *wait, const struct result *result)
{
    struct object *object = &sim->objects->of[wait->object];

    object->failed_waits += result->status < 0;
    if ((wait->kind == SYNC_WAITGROUP && (result->status == 0 || result->status == -EOWNERDEAD)) ||
        (wait->kind == SYNC_ERRGROUP && result->status >= 0))
        judge_end_of_group(sim, wait);
    if (result->status < 0)
        return;
    if (wait->kind == SYNC_BARRIER)
        judge_barrier(sim, wait, result);
    if (wait->kind == SYNC_ERRGROUP)
        judge_error(sim, wait, result);
    if (wait->kind == SYNC_COUNTER && (int64_t)result->handle < wait->value)
        tell(sim, wait, "a counter is smaller than what was waited for");
}

static void judge_once(struct sim *sim, const struct asked *take, const struct result *result)
{
    const struct object *object = &sim->objects->of[take->object];

    if (object->done_order && take->order > object->done_order && result->status == GRANT_RUN)
        tell(sim, take, "a once is run again");
    if (object->done_order && take->order > object->done_order && result->status == 0 && object->done_failed)
        tell(sim, take, "a once that failed is done");
}

/* SF: the value begins with the token of its runner. */
static void judge_flight(struct sim *sim, const struct asked *take, const struct result *result)
{
    uint64_t token = 0;

    if (result->status != 0)
        return;
    if (result->output.size == sizeof(token))
        memcpy(&token, result->output.data, sizeof(token));
    for (size_t i = 0; i < sim->objects->asked_n; i++) {
        const struct asked *give = &sim->objects->asked[i];
        if (give->verb != VERB_SYNC_GIVE || give->object != take->object || give->token != token)
            continue;
        if (!(give->flags & (GIVE_FAILED | GIVE_UNSEEN)) && give->order > take->order)
            return;
    }
    tell(sim, take, "a flight has a value that its runner did not give while this one waited");
}

static void judge_limiter(struct sim *sim, const struct asked *take)
{
    struct object *object = &sim->objects->of[take->object];
    uint64_t filled = (uint64_t)((sim->now_ns - sim->objects->since_ns) / LIMITER_PERIOD);

    object->taken += take->units;
    if (object->taken > object->returned + filled + BURST * (1 + object->resets))
        tell(sim, take, "a limiter gives more than its rate");
}

static void judge_take(struct sim *sim, const struct asked *take, const struct result *result)
{
    if (take->kind == SYNC_ONCE)
        judge_once(sim, take, result);
    if (take->kind == SYNC_FLIGHT)
        judge_flight(sim, take, result);
    if (take->kind == SYNC_LIMITER && result->status == 0)
        judge_limiter(sim, take);
}

static void judge_give(struct sim *sim, const struct asked *give, const struct result *result)
{
    struct object *object = &sim->objects->of[give->object];

    if (give->kind != SYNC_ONCE || result->status != 0 || give->flags & GIVE_UNSEEN ||
        give->order < object->reset_order)
        return;
    object->done_order = give->order;
    object->done_failed = give->flags & GIVE_FAILED;
}

/* ---- conditions ---- */

/* Nobody who was woken is lost: he comes back with the lock, or hears that it is broken, or his session or run has ended. */
static void signals_check(struct sim *sim)
{
    const struct object *object = &sim->objects->of[SYNC_COND];
    uint64_t untold = 0;

    for (size_t i = 0; i < sim->objects->asked_n; i++)
        untold += sim->objects->asked[i].verb == VERB_COND_WAIT && !sim->objects->asked[i].told;
    if (object->woken > object->came_back + untold)
        sim_fail(sim, "%llu waits were woken, %llu came back, of %llu nothing is known",
                 (unsigned long long)object->woken, (unsigned long long)object->came_back,
                 (unsigned long long)untold);
}

void judge_object_undone(struct sim *sim, uint64_t session, uint64_t op)
{
    const struct asked *asked = asked_of(sim, session, op);

    if (!asked || asked->kind != asked->object)
        return;
    if (asked->kind == SYNC_BREAKER)
        judge_breaker_undone(sim, session, op);
    if (asked->kind == SYNC_LIMITER && asked->told && asked->good)
        sim->objects->of[asked->object].returned += asked->units;
}

void judge_object_reply(struct sim *sim, uint64_t session, const struct result *result)
{
    struct asked *asked = asked_of(sim, session, result->op);

    if (!asked || asked->told || asked->kind != asked->object)
        return;
    struct object *object = &sim->objects->of[asked->object];
    asked->told = true;
    asked->good = result->status >= 0;
    switch (asked->verb) {
    case VERB_SYNC_TAKE:
        judge_take(sim, asked, result);
        break;
    case VERB_SYNC_WAIT:
        judge_wait(sim, asked, result);
        break;
    case VERB_SYNC_GIVE:
        judge_give(sim, asked, result);
        break;
    case VERB_SYNC_ADD:
        if (asked->kind == SYNC_COUNTER && !object->unsure &&
            (result->status != 0 || (int64_t)result->handle != asked->value))
            tell(sim, asked, "a counter is not the sum of what was added");
        break;
    case VERB_COND_SIGNAL:
        object->woken += result->handle;
        break;
    case VERB_COND_WAIT:
        object->came_back +=
            result->status >= 0 || result->status == -ENOTRECOVERABLE || result->status == -ESTALE;
        break;
    default:
        break;
    }
}

void judge_objects_end(struct sim *sim)
{
    signals_check(sim);
}
