/*
 * Contexts, judged by what clients are told, as far as somebody was told of them:
 *
 *     once anybody was told that one is over, so it stays, with the same status, code and origin (X2, X8)
 *     one that ended with another one above it tells the status and code of that one (X4)
 *     once one was told to be over, whoever asks later hears so of all below it (X1, X4), and nothing that is begun later
 *     with one of them takes effect (X3, IP1.4)
 *     a deadline ends it not before its time, and later nobody hears that it goes on (X5)
 *     the value of a name is that of the nearest one above that binds it (X10)
 *
 * A daemon that starts again has none of those before: they are not found any more, so nothing is said of them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

static struct sim_context *find(struct sim *sim, uint64_t id)
{
    for (size_t i = sim->contexts_n; i-- > 0;)
        if (sim->contexts[i].id == id)
            return &sim->contexts[i];
    return NULL;
}

/* The one whose end is its end, too; NULL: there is none, or it is not known. */
static struct sim_context *above(struct sim *sim, const struct sim_context *context)
{
    return context->ends_with ? find(sim, context->parent) : NULL;
}

static bool is_over(struct sim *sim, const struct sim_context *context)
{
    for (; context; context = above(sim, context))
        if (context->over || context->latest_ns < sim->now_ns)
            return true;
    return false;
}

void context_note(struct task *task, const struct sim_context *context)
{
    task->context = context->id;
    task->context_over = is_over(task->client->sim, context);
}

/* ---- what somebody is told of one ---- */

static void tell(struct sim *sim, uint64_t context, const char *what)
{
    sim_fail(sim, "context %llx: %s", (unsigned long long)context, what);
}

static void judge_origin(struct sim *sim, const struct sim_context *context)
{
    const struct sim_context *origin = context;

    while (origin && origin->id != context->origin)
        origin = above(sim, origin);
    if (!origin && find(sim, context->origin))
        tell(sim, context->id, "its end comes from one that is not above it");
    if (origin && origin->over && origin->status &&
        (origin->status != context->status || origin->code != context->code))
        tell(sim, context->id, "it has another cause than the one from which its end came");
    if (origin == context && context->status == -ETIMEDOUT && context->earliest_ns > sim->now_ns)
        tell(sim, context->id, "its deadline came too early");
}

static void ended(struct sim *sim, struct sim_context *context, const struct ctx_info *row)
{
    bool same =
        context->status == row->status && context->code == row->code && context->origin == row->origin;

    if (context->status && !same)
        tell(sim, context->id, "its end is not what it was");
    context->over = true;
    context->status = row->status;
    context->code = row->code;
    context->origin = row->origin;
    judge_origin(sim, context);
}

static void judge_row(struct task *task, const struct ctx_info *row)
{
    struct sim *sim = task->client->sim;
    struct sim_context *context = find(sim, row->id);

    if (task->context == row->id && task->context_over && !row->status)
        tell(sim, row->id, "it is not over any more, or what is above it");
    if (context && row->status)
        ended(sim, context, row);
}

/* X10. */
static void judge_value(struct task *task, const struct result *result)
{
    struct sim *sim = task->client->sim;
    const struct sim_context *context = find(sim, task->context);
    char wanted[24] = "";

    if (!context || !task->op.request.ctx_info.key.size)
        return;
    while (context && !context->number) {
        if (context->parent && !find(sim, context->parent))
            return; /* nobody was told of that one */
        context = context->parent ? find(sim, context->parent) : NULL;
    }
    if (context)
        snprintf(wanted, sizeof(wanted), "%llu", (unsigned long long)context->number);
    if (result->status != (context != NULL) || result->output.size != strlen(wanted) ||
        (result->output.size && memcmp(result->output.data, wanted, result->output.size) != 0))
        tell(sim, task->context, "the value of a name is not that of the nearest above");
}

/* ---- the ledger ---- */

static void add(struct task *task, const struct result *result)
{
    struct sim *sim = task->client->sim;
    const struct request_ctx_new *what = &task->op.request.ctx_new;
    bool deadline = what->deadline == UNTIL_IN;

    sim->contexts = realloc(sim->contexts, sizeof(*sim->contexts) * (sim->contexts_n + 1));
    if (!sim->contexts)
        abort();
    sim->contexts[sim->contexts_n++] =
        (struct sim_context){.id = result->handle,
                             .parent = what->parent,
                             .ends_with = what->parent && !(what->flags & CTX_WITHOUT_CANCEL),
                             .over = result->status == CTX_OVER,
                             .number = task->number,
                             .earliest_ns = deadline ? task->started_ns + what->deadline_ns : 0,
                             .latest_ns = deadline ? sim->now_ns + what->deadline_ns : INT64_MAX};
    if (task->context_over && sim->contexts[sim->contexts_n - 1].ends_with && result->status != CTX_OVER)
        tell(sim, result->handle, "it is born alive below one that is over");
}

static void judge_named(const struct task *task, const struct result *result)
{
    if (task->context_over && task->op.request.context && result->status >= 0)
        sim_fail(task->client->sim,
                 "operation %llu of client %u, verb %d: takes effect under context %llx, which was over",
                 (unsigned long long)task->op.request.id, task->client->who, task->op.request.verb,
                 (unsigned long long)task->context);
}

static void over(struct sim *sim, uint64_t id)
{
    struct sim_context *context = find(sim, id);

    if (context)
        context->over = true;
}

void judge_context(struct task *task, const struct result *result)
{
    struct sim *sim = task->client->sim;
    enum verb verb = task->op.request.verb;

    judge_named(task, result);
    for (size_t i = 0; i < result->ctxs_n; i++)
        judge_row(task, &result->ctxs[i]);
    if (result->status < 0)
        return;
    if (verb == VERB_CTX_NEW)
        add(task, result);
    if (verb == VERB_CTX_INFO && task->context)
        judge_value(task, result);
    if (verb == VERB_CTX_CANCEL || verb == VERB_CTX_DROP)
        over(sim, task->context);
}

void judge_contexts_free(struct sim *sim)
{
    free(sim->contexts);
}
