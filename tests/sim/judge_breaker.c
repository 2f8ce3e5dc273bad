/*
 * The circuit breaker that is judged, beside a model of it that knows what was asked, in the order in which the core took it,
 * and how the core decided at once. Each decision must be one that the model could have come to:
 *
 *     closed, everybody passes; FAILURES calls that failed in a row open it, and it then stays open for BREAKER_OPEN
 *     open, everybody is refused, and told for how long still; after that one passes, to try, and nobody beside him
 *     his success closes it, his failure opens it anew, and who gives his call back unseen leaves the trial to the next
 *     a call that began before it opened decides nothing any more; the end of a scope is a failure of each of its calls
 *     what nobody adds to is forgotten after BREAKER_OPEN
 *
 * A timer that is due at this very moment has fired or will; whether the result of a dead trial had left is not always known.
 * So the model goes several ways, of which at least one must lead on.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inspect.h"
#include "objects.h"

enum { WAYS = 32 };

enum condition { CLOSED, OPEN, DUE, TRYING };

/* One way in which it may stand. */
struct way {
    enum condition is;
    uint64_t failures;
    uint64_t opened;  /* order of the last opening */
    int64_t timer_ns; /* INT64_MAX: none */
};

/* One that passed and has not ended. */
struct call {
    uint64_t session, run, op, token;
    uint64_t order; /* in which it passed */
};

struct breaker_model {
    struct way way[WAYS];
    size_t ways_n;
    struct call *calls;
    size_t calls_n;
};

void judge_breaker_start(struct sim *sim)
{
    struct breaker_model **model = &sim->objects->breaker;

    judge_breaker_free(sim);
    *model = sim_alloc(sizeof(**model));
    (*model)->way[0].timer_ns = INT64_MAX;
    (*model)->ways_n = 1;
}

void judge_breaker_free(struct sim *sim)
{
    struct breaker_model *model = sim->objects->breaker;

    if (model)
        free(model->calls);
    free(model);
    sim->objects->breaker = NULL;
}

/* ---- ways ---- */

static bool same_way(const struct way *a, const struct way *b)
{
    return a->is == b->is && a->failures == b->failures && a->opened == b->opened &&
           a->timer_ns == b->timer_ns;
}

static void way_add(struct breaker_model *model, struct way way)
{
    for (size_t i = 0; i < model->ways_n; i++)
        if (same_way(&model->way[i], &way))
            return;
    if (model->ways_n == WAYS)
        abort();
    model->way[model->ways_n++] = way;
}

static void way_remove(struct breaker_model *model, size_t i)
{
    model->way[i] = model->way[--model->ways_n];
}

static void stand(struct way *way, enum condition is, int64_t timer_ns)
{
    way->is = is;
    way->timer_ns = timer_ns;
}

static void fire(struct way *way)
{
    if (way->is == OPEN) {
        stand(way, DUE, way->timer_ns + BREAKER_OPEN);
        return;
    }
    way->failures = 0;
    stand(way, CLOSED, INT64_MAX);
}

static void until_now(struct breaker_model *model, int64_t now_ns)
{
    for (size_t i = 0; i < model->ways_n; i++) {
        while (model->way[i].timer_ns < now_ns)
            fire(&model->way[i]);
        if (model->way[i].timer_ns > now_ns)
            continue;
        struct way fired = model->way[i];
        fire(&fired);
        way_add(model, fired);
    }
}

void judge_breaker_jumped(struct sim *sim, int64_t ns)
{
    struct breaker_model *model = sim->objects->breaker;

    until_now(model, sim->now_ns - ns);
    for (size_t i = 0; i < model->ways_n; i++)
        if (model->way[i].timer_ns < sim->now_ns)
            model->way[i].timer_ns = sim->now_ns;
}

static void succeed(struct way *way)
{
    way->failures = 0;
    stand(way, CLOSED, INT64_MAX);
}

static void fail(struct way *way, uint64_t order, int64_t now_ns)
{
    way->failures++;
    way->timer_ns = now_ns + BREAKER_OPEN;
    if (way->is != TRYING && way->failures < FAILURES)
        return;
    way->is = OPEN;
    way->opened = order;
}

/* The end of a scope ends a call of it. Of a trial, `seen`: its result had left. */
static void die(struct way *way, const struct call *call, bool seen, uint64_t order, int64_t now_ns)
{
    if (call->order < way->opened || way->is == OPEN)
        return;
    if (way->is == TRYING && !seen)
        stand(way, DUE, now_ns + BREAKER_OPEN);
    else
        fail(way, order, now_ns);
}

/* ---- scopes ---- */

static void call_dies(struct sim *sim, const struct call *call)
{
    struct breaker_model *model = sim->objects->breaker;
    const struct asked *asked = asked_of(sim, call->session, call->op);
    uint64_t order = ++sim->objects->order;
    size_t ways_n = model->ways_n;

    for (size_t i = 0; i < ways_n; i++) {
        struct way unseen = model->way[i];
        die(&model->way[i], call, true, order, sim->now_ns);
        die(&unseen, call, false, order, sim->now_ns);
        if (!asked || !asked->told)
            way_add(model, unseen);
    }
}

void judge_breaker_look(struct sim *sim)
{
    struct breaker_model *model = sim->objects->breaker;

    if (!model->calls_n)
        return;
    until_now(model, sim->now_ns);
    for (size_t i = model->calls_n; i-- > 0;) {
        const struct call call = model->calls[i];
        if (core_scope_lives(sim->daemon.core, &sim->sessions[call.session].secret, call.run))
            continue;
        model->calls[i] = model->calls[--model->calls_n];
        call_dies(sim, &call);
    }
}

/* ---- what is asked ---- */

static void passes(struct breaker_model *model)
{
    for (size_t i = model->ways_n; i-- > 0;)
        if (model->way[i].is == OPEN || model->way[i].is == TRYING)
            way_remove(model, i);
        else if (model->way[i].is == DUE)
            stand(&model->way[i], TRYING, INT64_MAX);
}

/* `left_ns`: as it was told; 0: somebody tries. */
static void is_refused(struct breaker_model *model, int64_t left_ns, int64_t now_ns)
{
    for (size_t i = model->ways_n; i-- > 0;) {
        const struct way *way = &model->way[i];
        bool right = way->is == OPEN ? left_ns == way->timer_ns - now_ns : way->is == TRYING && !left_ns;
        if (!right)
            way_remove(model, i);
    }
}

static void call_add(struct breaker_model *model, struct call call)
{
    model->calls = realloc(model->calls, sizeof(*model->calls) * (model->calls_n + 1));
    if (!model->calls)
        abort();
    model->calls[model->calls_n++] = call;
}

static void take(struct sim *sim, const struct asked *asked, const struct request *request,
                 const struct outcome *how)
{
    struct breaker_model *model = sim->objects->breaker;
    struct call call = {asked->session, request->run, asked->op, how->handle, asked->order};

    if (how->status == -EBUSY)
        is_refused(model, (int64_t)how->handle, sim->now_ns);
    if (how->status < 0)
        return;
    passes(model);
    call_add(model, call);
}

/* As if it had not passed: a trial is left to the next. */
static void unpass(struct way *way, const struct call *call, int64_t now_ns)
{
    if (call->order >= way->opened && way->is == TRYING)
        stand(way, DUE, now_ns + BREAKER_OPEN);
}

static void end(struct way *way, const struct call *call, const struct asked *asked, int64_t now_ns)
{
    if (call->order < way->opened)
        return;
    if (!(asked->flags & GIVE_UNSEEN) && asked->flags & GIVE_FAILED)
        fail(way, asked->order, now_ns);
    else if (!(asked->flags & GIVE_UNSEEN))
        succeed(way);
    else
        unpass(way, call, now_ns);
}

/* The call that is given back, which is then none of those under way. */
static bool call_ends(struct breaker_model *model, const struct asked *asked, const struct request *request,
                      struct call *out)
{
    for (size_t i = 0; i < model->calls_n; i++) {
        *out = model->calls[i];
        if (out->session != asked->session || out->run != request->run || out->token != asked->token)
            continue;
        model->calls[i] = model->calls[--model->calls_n];
        return true;
    }
    return false;
}

void judge_breaker_undone(struct sim *sim, uint64_t session, uint64_t op)
{
    struct breaker_model *model = sim->objects->breaker;

    until_now(model, sim->now_ns);
    for (size_t i = model->calls_n; i-- > 0;) {
        const struct call call = model->calls[i];
        if (call.session != session || call.op != op)
            continue;
        model->calls[i] = model->calls[--model->calls_n];
        for (size_t way = 0; way < model->ways_n; way++)
            unpass(&model->way[way], &call, sim->now_ns);
    }
}

static void give(struct sim *sim, const struct asked *asked, const struct request *request)
{
    struct breaker_model *model = sim->objects->breaker;
    struct call call;

    if (!call_ends(model, asked, request, &call))
        sim_fail(sim, "the breaker takes the end of a call that nobody makes, token %llx",
                 (unsigned long long)asked->token);
    else
        for (size_t i = 0; i < model->ways_n; i++)
            end(&model->way[i], &call, asked, sim->now_ns);
}

static void decide(struct sim *sim, const struct asked *asked, const struct request *request,
                   const struct outcome *how)
{
    struct breaker_model *model = sim->objects->breaker;

    if (asked->verb == VERB_SYNC_TAKE)
        take(sim, asked, request, how);
    else if (asked->verb == VERB_SYNC_GIVE && how->status >= 0)
        give(sim, asked, request);
    else if (asked->verb == VERB_SYNC_RESET && how->status >= 0)
        for (size_t i = 0; i < model->ways_n; i++)
            succeed(&model->way[i]);
}

/* Passes, and dies at once. */
static void come_and_go(struct breaker_model *model, struct way way, uint64_t order, int64_t now_ns)
{
    const struct call call = {.order = order};

    if (way.is == OPEN || way.is == TRYING)
        return;
    if (way.is == DUE)
        stand(&way, TRYING, INT64_MAX);
    struct way seen = way;
    die(&way, &call, false, order, now_ns);
    die(&seen, &call, true, order, now_ns);
    way_add(model, way);
    way_add(model, seen);
}

/* Its session has ended in the same step, so nobody is told. It was done before that, or not at all. */
static void perhaps(struct sim *sim, const struct asked *asked, const struct request *request)
{
    struct breaker_model *model = sim->objects->breaker;
    const struct breaker_model before = *model;
    struct call call;
    bool ends = asked->verb == VERB_SYNC_GIVE && call_ends(model, asked, request, &call);

    if (ends)
        call_dies(sim, &call);
    for (size_t i = 0; i < before.ways_n; i++) {
        struct way way = before.way[i];
        if (asked->verb == VERB_SYNC_TAKE)
            come_and_go(model, way, asked->order, sim->now_ns);
        if (ends)
            end(&way, &call, asked, sim->now_ns);
        if (asked->verb == VERB_SYNC_RESET)
            succeed(&way);
        way_add(model, way);
    }
}

void judge_breaker_came(struct sim *sim, const struct asked *asked, const struct request *request)
{
    struct breaker_model *model = sim->objects->breaker;
    struct outcome how;

    until_now(model, sim->now_ns);
    if (!core_outcome(sim->daemon.core, &sim->sessions[asked->session].secret, asked->op, &how)) {
        perhaps(sim, asked, request);
        return;
    }
    decide(sim, asked, request, &how);
    if (!model->ways_n)
        sim_fail(
            sim,
            "operation %llu of session %llu: as the breaker stands, its answer cannot be %d, handle %llu",
            (unsigned long long)asked->op, (unsigned long long)asked->session, how.status,
            (unsigned long long)how.handle);
}
