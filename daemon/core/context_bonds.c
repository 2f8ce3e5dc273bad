/*
 * What ends with a context, and the sweep that carries an end to it (context.c says in which order).
 *
 * Invariants. An operation has a bond exactly while it is new or waits and names a context; a job while it has not ended.
 * What is in a list of the sweep is reached within the next turns, whatever comes in between.
 */
#include "context.h"

#include <assert.h>
#include <errno.h>

/* ---- bonds ---- */

static struct bond *bond_new(struct core *core, struct context *c, struct op *op, void *job)
{
    struct bond *bond = core_alloc(core, sizeof(*bond));

    if (!bond)
        return NULL;
    *bond = (struct bond){.context = c, .op = op, .job = job};
    list_append(&c->bonds, &bond->link);
    c->ops_n += op != NULL;
    c->jobs_n += op == NULL;
    return bond;
}

struct bond *bond_drop(struct core *core, struct bond *bond)
{
    if (!bond)
        return NULL;
    bond->context->ops_n -= bond->op != NULL;
    bond->context->jobs_n -= bond->op == NULL;
    list_remove(&bond->link);
    core_free(core, bond);
    return NULL;
}

bool bond_over(const struct core *core, const struct bond *bond)
{
    return context_over(core, bond->context);
}

uint64_t bond_context(const struct bond *bond)
{
    return bond->context->id;
}

struct bond *bond_job(struct core *core, const struct op *op, void *job)
{
    return bond_new(core, op->bond->context, NULL, job);
}

/* The words of its end; left out when memory is out. */
static void say_why(struct core *core, struct op *op, const struct context *c)
{
    op->answer = answer_new(core, &(struct result){.text = context_words(c)});
}

static int bind_to(struct core *core, struct op *op, struct context *c)
{
    context_update(core, c);
    if (c->status) {
        say_why(core, op, c);
        return c->status;
    }
    if (!(verb_flags(op->verb) & VERB_PARKS))
        return 0;
    op->bond = bond_new(core, c, op, NULL);
    return op->bond ? 0 : -ENOMEM;
}

/* What was wrong with it, and what to do. */
static void say_missing(struct core *core, struct op *op, uint64_t id, int error)
{
    unsigned long long shown = id;

    if (error == -EPERM)
        op_fail(core, op, error,
                "context %llu belongs to another user than %u: give it a name, which all may use", shown,
                op->scope->account->uid);
    else if (error == -ENETRESET)
        op_fail(core, op, error, "context %llu is of before the restart of the daemon: make a new one",
                shown);
    else
        op_fail(core, op, error, "there is no context %llu (any more): it was dropped, or is long over",
                shown);
}

int op_bind(struct core *core, struct op *op, uint64_t id)
{
    struct context *c = id ? context_find(core, id) : NULL;

    if (!id || verb_flags(op->verb) & VERB_FREE)
        return 0;
    if (c && context_allowed(core, op, c))
        return bind_to(core, op, c);
    int r = context_missing(core, id, c);
    say_missing(core, op, id, r);
    return r;
}

/* IP1.4: nothing happened, or what has happened stands. */
static void end_op(struct core *core, struct op *op, const struct context *c)
{
    bool waits = op_waits(op) && !op->scope->ended && !op_resolved(core, op);

    if (waits && !op->answer)
        say_why(core, op, c);
    op_interrupt(core, op, c->status);
    op->bond = bond_drop(core, op->bond);
}

/* ---- the sweep ---- */

static void tell_watcher(struct core *core, struct waiter *w, const struct context *c)
{
    if (op_gone(core, w->op))
        list_remove(&w->link);
    else
        watcher_done(core, w, c);
}

/* One piece of what is below it or watches it. */
static void tell_one(struct core *core, struct context *c)
{
    struct waiter *w = list_first(&c->watchers, struct waiter, link);
    struct context *child = list_first(&c->children, struct context, sibling);

    if (w) {
        tell_watcher(core, w, c);
    } else if (child) {
        context_part(child);
        context_inherit(core, child, c);
    } else {
        list_remove(&c->ending);
        list_append(&core->contexts.told, &c->ending);
        return;
    }
    core->contexts.left--;
}

static void end_one(struct core *core, struct context *c)
{
    struct bond *bond = list_first(&c->bonds, struct bond, link);

    if (!bond) {
        list_remove(&c->ending);
        return context_settle(core, c);
    }
    core->contexts.left--;
    if (bond->op)
        end_op(core, bond->op, c);
    else if (jobs_context_ended(core, bond->job, c->status, context_words(c)) < 0)
        core->contexts.stalled = true;
}

bool contexts_orphan(struct core *core)
{
    struct context *c = list_first(&core->contexts.orphans, struct context, owned);

    if (!c)
        return false;
    context_update(core, c);
    context_disown(c);
    context_settle(core, c);
    return true;
}

void contexts_sweep(struct core *core)
{
    struct contexts *all = &core->contexts;
    struct context *c;

    while (all->left && contexts_orphan(core))
        all->left--;
    while (all->left && (c = list_first(&all->ended, struct context, ending)))
        tell_one(core, c);
    while (all->left && !all->stalled && (c = list_first(&all->told, struct context, ending)))
        end_one(core, c);
}

void contexts_scope_end(struct core *core, struct scope *scope)
{
    list_splice(&core->contexts.orphans, &scope->contexts);
}

/* ---- the engine's calls ---- */

void contexts_init(struct core *core)
{
    list_init(&core->contexts.ended);
    list_init(&core->contexts.told);
    list_init(&core->contexts.orphans);
}

void contexts_turn(struct core *core)
{
    core->contexts.left = core->limits.sweep_per_turn;
    core->contexts.stalled = false;
}

enum sweep_left contexts_left(const struct core *core)
{
    const struct contexts *all = &core->contexts;

    if (!list_empty(&all->orphans) || !list_empty(&all->ended) || (!list_empty(&all->told) && !all->stalled))
        return SWEEP_NOW;
    return list_empty(&all->told) ? SWEEP_NOTHING : SWEEP_LATER;
}

void contexts_free(struct core *core)
{
    struct map_node *n;

    while ((n = map_walk(&core->contexts.by_id, NULL))) {
        struct context *c = map_entry(n, struct context, by_id);
        struct list *lists[] = {&c->ending, &c->sibling, &c->children, &c->owned, &c->heirs};

        for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
            list_remove(lists[i]);
        context_free(core, c);
    }
}

/* ---- invariants ---- */

static void live_check(const struct core *core, const struct context *c)
{
    const struct context *above = context_above(c);

    assert(!list_linked(&c->ending) && "the sweep has only what has ended");
    if (!above)
        return;
    assert((!above->status || list_linked(&above->ending)) && "X1: no end stops on its way down");
    assert(c->deadline_ns <= above->deadline_ns && "X5: a deadline only shrinks");
}

static void over_check(const struct context *c)
{
    assert(!list_linked(&c->sibling) && "X6: what has ended has left its parent");
    if (list_linked(&c->ending))
        return;
    assert(list_empty(&c->children) && list_empty(&c->watchers) && list_empty(&c->bonds) &&
           "X6: nothing hangs on what has ended");
    assert((c->owner || !list_empty(&c->heirs) || timer_armed(&c->timer)) &&
           "what nobody can ask for is gone");
}

static void bonds_check(const struct context *c)
{
    const struct bond *bond;
    uint64_t ops = 0, jobs = 0;

    list_each (bond, &c->bonds, link) {
        assert(bond->context == c && (!bond->op || (bond->op->bond == bond && op_waits(bond->op))) &&
               "a bond is that of a waiting operation, or of a job");
        ops += bond->op != NULL;
        jobs += bond->op == NULL;
    }
    assert(ops == c->ops_n && jobs == c->jobs_n && "a context counts its bonds");
}

void contexts_check(const struct core *core)
{
    struct map_node *n = NULL;
    uint64_t named = 0;

    while ((n = map_walk(&core->contexts.by_id, n))) {
        const struct context *c = map_entry(n, struct context, by_id);

        if (c->status)
            over_check(c);
        else
            live_check(core, c);
        bonds_check(c);
        assert(!c->owner == !list_linked(&c->owned) && (!c->owner || c->owner->contexts_n) &&
               "who owns a context knows it");
        named += c->named;
        assert(!c->parent == !list_linked(&c->heir) && "a context is known to the one above it");
    }
    assert(named == core->contexts.by_name.count && "contexts add up");
}

void contexts_charged(const struct core *core, const struct account *account, uint64_t *used)
{
    struct map_node *n = NULL;

    while ((n = map_walk(&core->contexts.by_id, n))) {
        const struct context *c = map_entry(n, struct context, by_id);

        used[SLOT_CONTEXTS] += c->account == account;
        used[SLOT_DETACHED] += c->account == account && c->detached;
    }
}
