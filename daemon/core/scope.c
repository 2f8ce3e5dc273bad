/*
 * Scopes: the owners of operations, handles and jobs. Ending one applies IP4 in that step: what was received and
 * not acknowledged goes back, what it owns is closed, and its word `ended` is set. Its parked operations, its other
 * results and its handles, of which there may be very many, are taken away by the sweep; until then whoever meets one
 * passes over it.
 */
#include <assert.h>
#include <errno.h>

#include "engine.h"

void scope_create(struct scope *scope, struct session *session, uint64_t run, struct account *account)
{
    scope->session = session;
    scope->account = account_ref(account);
    scope->run = run;
    list_init(&scope->ops);
    list_init(&scope->finished);
    list_init(&scope->holding);
    list_init(&scope->handles);
    list_init(&scope->channels);
    list_init(&scope->locks);
    list_init(&scope->contexts);
    list_init(&scope->holds);
    list_init(&scope->jobs);
    list_init(&scope->recordings);
    list_init(&scope->dying);
    session->scopes_n++;
}

struct scope *scope_new(struct core *core, struct session *session, uint64_t run, struct account *account)
{
    if (map_reserve(core, &session->scopes, 1) < 0)
        return NULL;
    struct scope *scope = core_alloc(core, sizeof(*scope));
    if (!scope)
        return NULL;
    scope_create(scope, session, run, account);
    map_add(&session->scopes, &scope->node, core_hash_number(core, run));
    return scope;
}

struct scope *scope_find(const struct core *core, const struct session *session, uint64_t run)
{
    struct map_node *n;

    if (!run)
        return session->ended ? NULL : (struct scope *)&session->scope;
    n = map_first(&session->scopes, core_hash_number(core, run));
    while (n && map_entry(n, struct scope, node)->run != run)
        n = map_next(n);
    return n ? map_entry(n, struct scope, node) : NULL;
}

/* IP3 for what one result carries, last value first, so that each goes in front of the one after it. */
static void values_revert(struct core *core, struct op *op)
{
    struct list *at = op->items.prev;

    while (at != &op->items) {
        struct item *item = container_of(at, struct item, link);

        at = at->prev;
        if (!(item->flags & ITEM_ACKED))
            item_return(core, item, VALUE_REDELIVERED);
    }
}

/* What the result gave was taken back with the scope. */
static void op_void(struct core *core, struct op *op)
{
    op->status = -ESTALE;
    op->flags = 0;
    grant_forget(op);
    items_discard(core, &op->items);
    log_recount(core, op);
}

/* Its scope has ended. With the session it is forgotten; else its one result stays in the session's log, for it tells
 * what happened: what was sent stands, what waited never happened, a grant is void (IP4). */
static void op_leave_scope(struct core *core, struct op *op)
{
    if (op->scope->session->ended)
        return op_forget(core, op);
    if (op_waits(op))
        op_stop(core, op, -ESTALE);
    else if (op->granted)
        op_void(core, op);
    op_adopt(core, op);
}

static void op_give_back(struct core *core, struct op *op)
{
    values_revert(core, op);
    if (!op->scope->session->ended)
        op_void(core, op);
    op_leave_scope(core, op);
}

void scope_end(struct core *core, struct scope *scope)
{
    struct channel *c, *after;

    jobs_scope_end(core, scope);
    scope->ended = true;
    contexts_scope_end(core, scope);
    if (scope->run)
        map_remove(&scope->session->scopes, &scope->node);
    locks_scope_end(core, scope);
    syncs_scope_end(core, scope);
    while (!list_empty(&scope->holding))
        op_give_back(core, container_of(scope->holding.prev, struct op, link));
    list_each_safe (c, after, &scope->channels, owner) {
        list_remove(&c->owner);
        if (!c->closed)
            channel_close(core, c);
    }
    list_append(&core->dying, &scope->dying);
}

static void scope_free(struct core *core, struct scope *scope)
{
    struct session *session = scope->session;

    assert(list_empty(&scope->holds) && list_empty(&scope->locks) &&
           "IP4: nothing is held by a scope that goes");
    list_remove(&scope->dying);
    scope->account = account_drop(core, scope->account);
    if (scope->run)
        core_free(core, scope);
    if (!--session->scopes_n)
        session_free(core, session);
}

static size_t scope_sweep(struct core *core, struct scope *scope, size_t most)
{
    for (; most && scope->contexts_n && contexts_orphan(core); most--)
        ;
    for (; most && !list_empty(&scope->ops); most--)
        op_leave_scope(core, list_first(&scope->ops, struct op, link));
    for (; most && !list_empty(&scope->finished); most--)
        op_leave_scope(core, list_first(&scope->finished, struct op, link));
    for (; most && !list_empty(&scope->handles); most--)
        handle_drop(core, list_first(&scope->handles, struct handle, link));
    if (list_empty(&scope->ops) && list_empty(&scope->finished) && list_empty(&scope->handles) &&
        !scope->contexts_n)
        scope_free(core, scope);
    return most;
}

size_t scopes_sweep(struct core *core, size_t most)
{
    while (most && !list_empty(&core->dying))
        most = scope_sweep(core, list_first(&core->dying, struct scope, dying), most);
    return most;
}
