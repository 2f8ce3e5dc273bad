/*
 * DEADLOCKS and LEAKS: what proof.c has proven, and what only looks so. The two are told apart in every row (Z4, Z5).
 * CALLERS: the word of a session that proofs rest on.
 */
#include <errno.h>

#include "inspect.h"

#define WORDS(text) ((struct bytes){(text), sizeof(text) - 1})

static size_t rows_wanted(const struct core *core, uint32_t limit)
{
    return limit && limit < core->limits.list_page_max ? limit : core->limits.list_page_max;
}

static int too_much(struct core *core, struct op *op, int error)
{
    op_fail(core, op, error,
            "%lu operations, %lu handles and %lu channels are more than inspect_max (%lu), too many for a "
            "proof: raise it, or look at what waits page by page",
            (unsigned long)core->ops_n, (unsigned long)core->handles.count, (unsigned long)core->channels_n,
            (unsigned long)core->limits.inspect_max);
    return 0;
}

static int answer(struct wait_rows *rows, struct op *op)
{
    return rows_answer(rows, op, (struct result){.flags = rows->more ? RESULT_MORE : 0});
}

static void put_proven(struct wait_rows *rows, const struct session *session, const struct op *op)
{
    struct wait_info *row;

    if (!may_see(rows->core, rows->who, op->scope->account) || !(row = rows_put_op(rows, op)))
        return;
    row->group = session->proof.leader->number;
    row->flags = WAIT_PROVEN | (session->proof.leader->proof.named ? WAIT_NAMED : 0) |
                 (proof_alone(op) ? WAIT_ALONE : 0);
}

typedef void op_fn(struct wait_rows *rows, const struct session *session, struct op *op, int64_t age_ns);

static void each_op(struct wait_rows *rows, op_fn *fn, int64_t age_ns)
{
    const struct session *session;
    struct map_node *n = NULL;

    list_each (session, &rows->core->session_list, link)
        while ((n = map_walk(&session->ops, n)))
            fn(rows, session, map_entry(n, struct op, node), age_ns);
}

static void deadlocked(struct wait_rows *rows, const struct session *session, struct op *op, int64_t age_ns)
{
    if (op_waits(op) && proof_asleep(session) && op->stuck)
        put_proven(rows, session, op);
}

int handle_deadlocks(struct core *core, struct op *op, const struct request *request)
{
    struct wait_rows rows;
    int r = proof_make(core);

    if (r < 0)
        return too_much(core, op, r);
    r = rows_make(&rows, core, op, rows_wanted(core, request->deadlocks.limit));
    if (r < 0)
        return r;
    each_op(&rows, deadlocked, 0);
    return answer(&rows, op);
}

/* ---- leaks ---- */

static void leaked_wait(struct wait_rows *rows, const struct session *session, struct op *op, int64_t age_ns)
{
    const struct core *core = rows->core;
    struct wait_info *row;

    if (!op_waits(op) || op_gone(rows->core, op) || !proof_alone(op) || op->timed)
        return;
    if (proof_asleep(session) && op->stuck)
        return put_proven(rows, session, op);
    if (core->now.mono_ns - op->since_ns < age_ns || !may_see(core, rows->who, op->scope->account))
        return;
    row = rows_put_op(rows, op);
    if (row)
        row->flags = WAIT_ALONE;
}

static bool is_drained(const struct channel *c)
{
    return c->closed && !c->length && !c->returned_n && !c->delivered_n;
}

static void closed_of(struct wait_rows *rows, const struct scope *scope)
{
    const struct handle *handle;

    list_each (handle, &scope->handles, link) {
        if (!is_drained(handle->channel) || !may_see(rows->core, rows->who, scope->account))
            continue;
        struct wait_info *row = rows_put_channel(rows, scope->session, handle->channel);
        if (!row)
            return;
        row->run = scope->run;
        row->reason = WORDS("holds what is closed and drained");
        row->flags = WAIT_CLOSED;
    }
}

static void closed_channels(struct wait_rows *rows)
{
    const struct session *session;

    list_each (session, &rows->core->session_list, link) {
        if (session->ended)
            continue;
        closed_of(rows, &session->scope);
        for (struct map_node *n = map_walk(&session->scopes, NULL); n; n = map_walk(&session->scopes, n))
            closed_of(rows, map_entry(n, struct scope, node));
    }
}

static void unused_channels(struct wait_rows *rows)
{
    const struct channel *c;

    list_each (c, &rows->core->channel_list, link) {
        if (!c->linked || c->store_id || c->handles_n || c->delivered_n ||
            !may_see(rows->core, rows->who, c->account))
            continue;
        struct wait_info *row = rows_put_channel(rows, NULL, c);
        if (!row)
            return;
        row->reason = c->length || c->returned_n ? WORDS("keeps values, and nobody has it open")
                                                 : WORDS("nobody has it open");
        row->flags = WAIT_UNUSED;
    }
}

int handle_leaks(struct core *core, struct op *op, const struct request *request)
{
    const struct request_leaks *ask = &request->leaks;
    struct wait_rows rows;
    int r = proof_make(core);

    if (r < 0)
        return too_much(core, op, r);
    r = rows_make(&rows, core, op, rows_wanted(core, ask->limit));
    if (r < 0)
        return r;
    each_op(&rows, leaked_wait, ask->age_ns);
    closed_channels(&rows);
    unused_channels(&rows);
    return answer(&rows, op);
}

int handle_callers(struct core *core, struct op *op, const struct request *request)
{
    if (op->scope->session->host)
        return -EPERM;
    op->scope->session->callers = request->callers.callers;
    return 0;
}
