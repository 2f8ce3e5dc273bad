/*
 * What clients ask of contexts. A context is named by its id or by its name; an id is opaque and can be told to others of
 * the same user, a name is open to all.
 */
#include "context.h"
#include "name_page.h"
#include "sync.h"

#include <errno.h>

/* By id, or by name. Up to date. 0, -ENOENT, -EPERM, -ENETRESET. */
static int pick(struct core *core, const struct op *op, uint64_t id, struct bytes name, struct context **out)
{
    struct context *c = id ? context_find(core, id) : name.size ? context_named(core, name) : NULL;

    if (!c || !context_allowed(core, op, c))
        return context_missing(core, id, c);
    context_update(core, c);
    *out = c;
    return 0;
}

static struct ctx_info info_of(const struct core *core, const struct context *c)
{
    bool timed = !c->status && c->deadline_ns != INT64_MAX;

    return (struct ctx_info){
        .name = {c->text, c->named ? c->name_size : 0},
        .id = c->id,
        .parent = c->parent ? c->parent->id : 0,
        .flags = c->flags,
        .status = c->status,
        .code = c->code,
        .text = c->status ? context_words(c) : (struct bytes){0},
        .origin = c->origin,
        .left_ns = timed ? c->deadline_ns - core->now.mono_ns : 0,
        .children = c->children_n,
        .ops = c->ops_n,
        .jobs = c->jobs_n,
    };
}

/* ---- making ---- */

static int names_check(const struct request_ctx_new *what)
{
    int r = what->name.size ? name_check(what->name) : 0;

    for (size_t i = 0; r == 0 && i < what->values_n; i++)
        r = name_check(what->values[i].name);
    return r;
}

/* Its own deadline, as absolute time. */
static int own_deadline(const struct core *core, const struct op *op, const struct request_ctx_new *what,
                        int64_t *at_ns)
{
    switch (what->deadline) {
    case UNTIL_FOREVER:
        *at_ns = INT64_MAX;
        return 0;
    case UNTIL_IN:
        *at_ns = time_after(core->now.mono_ns, what->deadline_ns);
        return 0;
    case UNTIL_AT:
        *at_ns = what->deadline_ns;
        return op->scope->session->same_clock ? 0 : -EINVAL;
    default:
        return -EINVAL;
    }
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* X5: the least on the way to the root. One that nobody owns does not live for ever. */
static int64_t least_deadline(const struct core *core, const struct context_plan *plan)
{
    int64_t at_ns = plan->deadline_ns, life_ns = (int64_t)core->limits.context_detached_s * 1000000000;

    if (!plan->owner)
        at_ns = earlier(at_ns, time_after(core->now.mono_ns, life_ns));
    if (plan->parent && !(plan->what->flags & CTX_WITHOUT_CANCEL))
        at_ns = earlier(at_ns, plan->parent->deadline_ns);
    return at_ns;
}

static int find_parent(struct core *core, const struct op *op, const struct request_ctx_new *what,
                       struct context **parent)
{
    if (!what->parent && !what->parent_name.size)
        return 0;
    return pick(core, op, what->parent, what->parent_name, parent);
}

/* One of that name which is over and nobody's makes room; another one does not. */
static int find_namesake(struct core *core, const struct request_ctx_new *what, struct context **old)
{
    struct context *c = what->name.size ? context_named(core, what->name) : NULL;

    if (c)
        context_update(core, c);
    if (c && (!c->status || (c->owner && !c->owner->ended)))
        return -EEXIST;
    *old = c;
    return 0;
}

static int make(struct core *core, struct op *op, struct context_plan *plan)
{
    struct context *old = NULL, *c = NULL;
    struct sync *group = NULL;
    int r = find_namesake(core, plan->what, &old);

    if (r == 0 && plan->what->group.size)
        r = errgroup_open(core, op, plan->what->group, &group);
    if (r < 0)
        return r;
    int64_t least_ns = least_deadline(core, plan);
    plan->clamped = least_ns < plan->deadline_ns;
    plan->deadline_ns = least_ns;
    r = context_make(core, plan, &c);
    if (group && r == 0 && !c->status)
        errgroup_join(core, group, c);
    if (group)
        sync_done(core, group);
    if (r < 0)
        return r;
    if (old)
        context_unname(core, old);
    op->handle = c->id;
    return c->status ? CTX_OVER : 0;
}

int handle_ctx_new(struct core *core, struct op *op, const struct request *request)
{
    const struct request_ctx_new *what = &request->ctx_new;
    bool detached = what->flags & (CTX_DETACHED | CTX_WITHOUT_CANCEL);
    struct context_plan plan = {
        .owner = detached ? NULL : op->scope, .account = op->scope->account, .what = what};
    int r = what->flags & ~(uint32_t)CTX_FLAGS_ALL ? -EINVAL : names_check(what);

    if (r == 0)
        r = own_deadline(core, op, what, &plan.deadline_ns);
    if (r == 0)
        r = find_parent(core, op, what, &plan.parent);
    return r < 0 ? r : make(core, op, &plan);
}

/* ---- ending ---- */

int handle_ctx_cancel(struct core *core, struct op *op, const struct request *request)
{
    const struct request_ctx_cancel *what = &request->ctx_cancel;
    struct context *c = NULL;
    int r = pick(core, op, what->context, what->name, &c);

    if (r < 0 || c->status)
        return r;
    struct cause *cause = what->cause.size ? cause_new(core, what->cause) : NULL;
    if (what->cause.size && !cause)
        return -ENOMEM;
    context_end(core, c, -ECANCELED, what->code, cause);
    cause_drop(core, cause);
    contexts_sweep(core); /* X1: before the cancel returns */
    return 1;
}

int handle_ctx_drop(struct core *core, struct op *op, const struct request *request)
{
    struct context *c = NULL;
    int r = pick(core, op, request->ctx_drop.context, request->ctx_drop.name, &c);
    uint32_t uid = op->scope->account->uid;

    if (r < 0)
        return r;
    if (c->owner ? c->owner != op->scope : uid && uid != c->uid)
        return -EPERM;
    if (!c->status)
        context_end(core, c, -ECANCELED, 0, NULL);
    context_drop(core, c);
    contexts_sweep(core);
    return 0;
}

/* ---- asking ---- */

int handle_ctx_info(struct core *core, struct op *op, const struct request *request)
{
    const struct request_ctx_info *ask = &request->ctx_info;
    struct result result = {0};
    struct context *c = NULL;
    int r = pick(core, op, ask->context, ask->name, &c);

    if (r < 0)
        return r;
    struct ctx_info info = info_of(core, c);
    result.handle = c->id;
    result.ctxs = &info;
    result.ctxs_n = 1;
    result.status = ask->key.size && context_value(c, ask->key, &result.output);
    return op_answer(core, op, &result);
}

static int answer_watch(struct core *core, struct op *op, const struct context *c)
{
    struct ctx_info info = info_of(core, c);

    return op_answer(core, op, &(struct result){.handle = c->id, .ctxs = &info, .ctxs_n = 1});
}

int handle_ctx_watch(struct core *core, struct op *op, const struct request *request)
{
    const struct request_ctx_watch *watch = &request->ctx_watch;
    struct context *c = NULL;
    int r = pick(core, op, watch->context, watch->name, &c);

    if (r < 0)
        return r;
    if (c->status)
        return answer_watch(core, op, c);
    r = op_park(core, op, WAIT_CONTEXT);
    if (r < 0)
        return r;
    waiter_create(core, op, 0, CASE_CTX, NULL);
    op->waiters[0].object = c->id;
    list_append(&c->watchers, &op->waiters[0].link);
    return 0;
}

void watcher_done(struct core *core, struct waiter *w, const struct context *c)
{
    struct op *op = w->op;

    if (op->verb == VERB_SELECT)
        return waiter_context_ended(core, w);
    if (answer_watch(core, op, c) == 0)
        return;
    op->handle = c->id; /* memory is out: the end without its row */
    op_finish(core, op, 0);
}

/* ---- a case of a select ---- */

int context_case_ready(struct core *core, const struct op *op, uint64_t id)
{
    struct context *c = NULL;
    int r = pick(core, op, id, (struct bytes){0}, &c);

    return r < 0 ? r : c->status != 0;
}

struct list *context_case_waiters(struct core *core, uint64_t id)
{
    return &context_find(core, id)->watchers;
}

struct answer *context_case_answer(struct core *core, uint64_t id)
{
    const struct context *c = context_find(core, id);

    if (!c)
        return NULL;
    struct ctx_info info = info_of(core, c);
    return answer_new(core, &(struct result){.handle = id, .ctxs = &info, .ctxs_n = 1});
}

/* ---- lists ---- */

int handle_ctx_list(struct core *core, struct op *op, const struct request *request)
{
    const struct request_ctx_list *list = &request->ctx_list;
    struct name_page page;
    struct ctx_info *row;
    struct map_node *n = NULL;
    int r = name_page_new(core, &page, sizeof(*row), list->prefix, list->after, list->limit);

    if (r < 0)
        return r;
    while ((n = map_walk(&core->contexts.by_name, n))) {
        const struct context *c = map_entry(n, struct context, by_name);

        row = name_page_place(&page, (struct bytes){c->text, c->name_size});
        if (row)
            *row = info_of(core, c);
    }
    r = op_answer(core, op,
                  &(struct result){.flags = name_page_flags(&page), .ctxs = page.row, .ctxs_n = page.n});
    core_free(core, page.row);
    return r;
}
