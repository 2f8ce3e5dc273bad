/*
 * What clients do with contexts, and what is judged: they make some below others, with deadlines and without an owner, end
 * them, watch them, ask about them, and name them in operations on channels.
 *
 *     once anybody was told that a context is over, nothing that is begun later with it takes effect (X3, IP1.4)
 *     and no answer to a later question says that it is not over (X2)
 */
#include <stdlib.h>

#include "sim.h"

static struct sim_context *draw(struct sim *sim)
{
    size_t recent = sim->contexts_n < 12 ? sim->contexts_n : 12;

    return recent ? &sim->contexts[sim->contexts_n - 1 - below(sim, recent)] : NULL;
}

uint64_t some_context(struct sim *sim)
{
    const struct sim_context *context = draw(sim);

    return context ? context->id : 0;
}

static void note(struct task *task, const struct sim_context *context)
{
    task->context = context->id;
    task->context_over = context->over;
}

void context_draw(struct task *task)
{
    const struct sim_context *context = draw(task->client->sim);

    if (!context || !chance(task->client->sim, 1, 4))
        return;
    note(task, context);
    task->op.request.context = context->id;
    task->clean = false;
}

/* ---- deeds ---- */

static void make(struct client *client, const struct sim_context *parent)
{
    struct sim *sim = client->sim;
    struct task *task = task_new(client, VERB_CTX_NEW);
    struct request_ctx_new *what = &task->op.request.ctx_new;

    if (parent && chance(sim, 2, 3))
        what->parent = parent->id;
    if (chance(sim, 1, 5))
        what->flags = chance(sim, 1, 2) ? CTX_DETACHED : CTX_WITHOUT_CANCEL;
    if (what->flags || chance(sim, 1, 2)) {
        what->deadline = UNTIL_IN;
        what->deadline_ns = between(sim, -1 * MS, 40 * MS);
    }
    task_start(task);
}

void work_context(struct client *client)
{
    static const enum verb verbs[] = {VERB_CTX_CANCEL, VERB_CTX_CANCEL, VERB_CTX_DROP, VERB_CTX_INFO,
                                      VERB_CTX_INFO,   VERB_CTX_WATCH,  VERB_CTX_WATCH};
    struct sim *sim = client->sim;
    const struct sim_context *context = draw(sim);

    if (!context || chance(sim, 1, 2)) {
        make(client, context);
        return;
    }
    struct task *task = task_new(client, verbs[below(sim, sizeof(verbs) / sizeof(*verbs))]);
    task->op.request.ctx_watch.context = context->id; /* the first member of each of these */
    note(task, context);
    if (task->op.request.verb == VERB_CTX_WATCH)
        work_until(task);
    task_start(task);
}

/* ---- the ledger ---- */

static void add(struct sim *sim, uint64_t id, bool over)
{
    sim->contexts = realloc(sim->contexts, sizeof(*sim->contexts) * (sim->contexts_n + 1));
    if (!sim->contexts)
        abort();
    sim->contexts[sim->contexts_n++] = (struct sim_context){id, over};
}

static void over(struct sim *sim, uint64_t id)
{
    for (size_t i = sim->contexts_n; i-- > 0;)
        sim->contexts[i].over |= sim->contexts[i].id == id;
}

static void judge_named(const struct task *task, const struct result *result)
{
    if (task->context_over && task->op.request.context && result->status >= 0)
        sim_fail(task->client->sim,
                 "operation %llu of client %u, verb %d: takes effect under context %llx, which was over",
                 (unsigned long long)task->op.request.id, task->client->who, task->op.request.verb,
                 (unsigned long long)task->context);
}

static void judge_row(struct task *task, const struct result *result)
{
    if (!result->ctxs_n)
        return;
    if (task->context_over && !result->ctxs->status)
        sim_fail(task->client->sim, "context %llx is not over any more", (unsigned long long)task->context);
    if (result->ctxs->status)
        over(task->client->sim, result->ctxs->id);
}

void judge_context(struct task *task, const struct result *result)
{
    struct sim *sim = task->client->sim;

    judge_named(task, result);
    judge_row(task, result);
    if (result->status < 0)
        return;
    if (task->op.request.verb == VERB_CTX_NEW)
        add(sim, result->handle, result->status == CTX_OVER);
    if (task->op.request.verb == VERB_CTX_CANCEL || task->op.request.verb == VERB_CTX_DROP)
        over(sim, task->context);
}

void judge_contexts_free(struct sim *sim)
{
    free(sim->contexts);
}
