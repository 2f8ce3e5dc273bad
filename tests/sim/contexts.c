/*
 * What clients do with contexts: they make some below others, with deadlines, names, values and without an owner, end
 * them for reasons of their own, watch them, ask about them, and name them in operations that may wait. Some are named by
 * their names, which somebody else may have given. What is judged is in judge_contexts.c.
 */
#include <stdio.h>
#include <string.h>

#include "sim.h"

enum { RECENT = 12, NAMES = 3, NAME_BYTES = 16 };

static const char *const names[NAMES] = {"sim.ctx.a", "sim.ctx.b", "sim.ctx.c"};

/* What every context of the simulator that binds something binds: a number of its own. */
static const struct bytes key = {"number", 6};

static struct sim_context *draw(struct sim *sim)
{
    size_t recent = sim->contexts_n < RECENT ? sim->contexts_n : RECENT;

    return recent ? &sim->contexts[sim->contexts_n - 1 - below(sim, recent)] : NULL;
}

uint64_t some_context(struct sim *sim)
{
    const struct sim_context *context = draw(sim);

    return context ? context->id : 0;
}

static struct bytes some_name(struct sim *sim)
{
    const char *name = names[below(sim, NAMES)];

    return (struct bytes){name, strlen(name)};
}

void context_draw(struct task *task)
{
    const struct sim_context *context = draw(task->client->sim);

    if (!context || !chance(task->client->sim, 1, 4))
        return;
    context_note(task, context);
    task->op.request.context = context->id;
    task->clean = false;
}

/* ---- making ---- */

/* A mistake that must be refused: the daemon then knows nothing of it. */
static void make_wrongly(struct sim *sim, struct request_ctx_new *what)
{
    static const struct ctx_value many[CTX_VALUES_MAX + 1];
    static const char big[UINT16_MAX + 1];

    switch (below(sim, 5)) {
    case 0:
        what->flags = UINT32_MAX;
        break;
    case 1:
        what->name = (struct bytes){"white space", 11};
        break;
    case 2:
        what->deadline = UNTIL_NOW;
        break;
    case 3:
        what->values = many; /* without names */
        what->values_n = 1 + below(sim, 2);
        break;
    default:
        what->cause = (struct bytes){big, 8 * below(sim, 3)};
        what->parent = UINT64_MAX >> below(sim, 60);
        break;
    }
}

static void bind_value(struct task *task, struct request_ctx_new *what)
{
    struct sim *sim = task->client->sim;
    struct ctx_value *value = sim_alloc(sizeof(*value));

    task->text = sim_alloc(NAME_BYTES);
    task->number = ++sim->numbers;
    int n = snprintf(task->text, NAME_BYTES, "%llu", (unsigned long long)task->number);
    *value = (struct ctx_value){key, {task->text, (size_t)n}};
    task->memory = value;
    what->values = value;
    what->values_n = 1;
}

static void make(struct client *client, const struct sim_context *parent)
{
    struct sim *sim = client->sim;
    struct task *task = task_new(client, VERB_CTX_NEW);
    struct request_ctx_new *what = &task->op.request.ctx_new;

    if (parent && chance(sim, 2, 3)) {
        what->parent = parent->id;
        context_note(task, parent);
    }
    if (chance(sim, 1, 5))
        what->flags = chance(sim, 1, 2) ? CTX_DETACHED : CTX_WITHOUT_CANCEL;
    if (what->flags || chance(sim, 1, 2)) {
        what->deadline = UNTIL_IN;
        what->deadline_ns = between(sim, -1 * MS, 40 * MS);
        if (chance(sim, 1, 3))
            what->code = -(int32_t)(2000 + below(sim, 100));
        if (chance(sim, 1, 3))
            what->cause = (struct bytes){"too late", 8};
    }
    if (chance(sim, 1, 4))
        what->name = some_name(sim);
    if (chance(sim, 1, 3))
        bind_value(task, what);
    if (chance(sim, 1, 12))
        make_wrongly(sim, what);
    task_start(task);
}

/* ---- everything else ---- */

static void list(struct client *client)
{
    struct task *task = task_new(client, VERB_CTX_LIST);
    struct request_ctx_list *what = &task->op.request.ctx_list;

    what->limit = (uint32_t)below(client->sim, NAMES);
    if (chance(client->sim, 1, 2))
        what->prefix = chance(client->sim, 1, 2) ? some_name(client->sim) : (struct bytes){"sim.", 4};
    if (chance(client->sim, 1, 3))
        what->after = some_name(client->sim);
    task_start(task);
}

static void fill(struct task *task)
{
    struct sim *sim = task->client->sim;
    struct request *r = &task->op.request;

    if (r->verb == VERB_CTX_WATCH)
        work_until(task);
    if (r->verb == VERB_CTX_INFO && chance(sim, 2, 3))
        r->ctx_info.key = key;
    if (r->verb != VERB_CTX_CANCEL)
        return;
    if (chance(sim, 2, 3))
        r->ctx_cancel.code = -(int32_t)(1000 + below(sim, 1000));
    if (chance(sim, 1, 2))
        r->ctx_cancel.cause = (struct bytes){"no longer wanted", 16};
}

void work_context(struct client *client)
{
    static const enum verb verbs[] = {VERB_CTX_CANCEL, VERB_CTX_CANCEL, VERB_CTX_DROP,  VERB_CTX_INFO,
                                      VERB_CTX_INFO,   VERB_CTX_INFO,   VERB_CTX_WATCH, VERB_CTX_WATCH};
    struct sim *sim = client->sim;
    const struct sim_context *context = draw(sim);

    if (!context || chance(sim, 1, 2)) {
        make(client, context);
        return;
    }
    if (chance(sim, 1, 12)) {
        list(client);
        return;
    }
    struct task *task = task_new(client, verbs[below(sim, sizeof(verbs) / sizeof(*verbs))]);
    if (chance(sim, 1, 6)) {
        task->op.request.ctx_watch.name = some_name(sim); /* after the id, in each of these */
    } else {
        task->op.request.ctx_watch.context = context->id;
        context_note(task, context);
    }
    fill(task);
    task_start(task);
}
