/*
 * Operations: one mover, and the few ways in which one ends.
 *
 *     NEW ──► PARKED ──► COMMITTED | ABORTED ──► ACKED
 *        └──► HANDED ──┘      HANDED ──► PARKED is the undo of a hand-over (IP2.2)
 *                             COMMITTED ──► ABORTED that of a grant (IP1.3)
 *
 * Invariants: exactly one result for each operation; a PARKED one has every waiter in its queue, unless its
 * session is over its byte bound (IP6.2), its channel has closed and the sweep has not come yet, or its scope has
 * ended; a HANDED one has no waiter in a queue and at least one item in `handed`: with a receiver that has not acknowledged
 * it, or with the store (durable.c); that one ends by the store's word alone.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "durable.h"
#include "topic.h"

#define TO(state) (1u << OP_##state)
static const uint8_t moves[OP_STATES] = {
    [OP_NEW] = TO(PARKED) | TO(HANDED) | TO(COMMITTED) | TO(ABORTED) | TO(ACKED),
    [OP_PARKED] = TO(HANDED) | TO(COMMITTED) | TO(ABORTED) | TO(ACKED),
    [OP_HANDED] = TO(PARKED) | TO(COMMITTED) | TO(ABORTED) | TO(ACKED),
    [OP_COMMITTED] = TO(ABORTED) | TO(ACKED),
    [OP_ABORTED] = TO(ACKED),
};
#undef TO

static void op_move(struct core *core, struct op *op, enum op_phase to)
{
    assert((moves[op->state] & 1u << to) && "an operation moves as its table allows");
    core->parked_n -= op_waits(op);
    op->state = to;
    core->parked_n += op_waits(op);
}

struct op *op_find(const struct core *core, const struct session *session, uint64_t id)
{
    struct map_node *n = map_first(&session->ops, core_hash_number(core, id));

    while (n && map_entry(n, struct op, node)->id != id)
        n = map_next(n);
    return n ? map_entry(n, struct op, node) : NULL;
}

/* ---- birth ---- */

static size_t waiters_wanted(const struct request *request)
{
    if (request->verb == VERB_SELECT)
        return request->select.cases_n <= CASES_MAX ? request->select.cases_n : 0;
    return verb_flags(request->verb) & VERB_PARKS ? 1 : 0;
}

static size_t op_bytes(size_t waiters)
{
    return sizeof(struct op) + waiters * sizeof(struct waiter);
}

static bool wants_timer(const struct request *request)
{
    return verb_flags(request->verb) & VERB_PARKS &&
           (request->until.kind == UNTIL_AT || request->until.kind == UNTIL_IN);
}

static void op_init(struct core *core, struct op *op, struct scope *scope, const struct request *request)
{
    op->id = request->id;
    op->verb = request->verb;
    op->scope = scope;
    op->try = request->until.kind == UNTIL_NOW;
    op->blocks = request->flags & OP_BLOCKS;
    list_init(&op->entry.log);
    list_init(&op->entry.out);
    list_init(&op->link);
    list_init(&op->items);
    list_init(&op->handed);
    op->waiters_n = waiters_wanted(request);
    for (uint32_t i = 0; i < op->waiters_n; i++) {
        op->waiters[i].op = op;
        list_init(&op->waiters[i].link);
        list_init(&op->waiters[i].unsent);
    }
}

int op_new(struct core *core, struct scope *scope, const struct request *request, struct op **out)
{
    struct session *session = scope->session;
    int r = idset_reserve(core, &session->seen);

    if (r < 0 || (r = map_reserve(core, &session->ops, 1)) < 0)
        return r;
    struct op *op = core_take(core, op_bytes(waiters_wanted(request)));
    if (!op)
        return -ENOMEM;
    if (wants_timer(request) && timers_reserve(core) < 0) {
        core_give(core, op, op_bytes(waiters_wanted(request)));
        return -ENOMEM;
    }
    op_init(core, op, scope, request);
    op->timed = wants_timer(request);
    if (op->timed)
        op->timer.at_ns = request_deadline(core, request);
    idset_add(&session->seen, op->id);
    map_add(&session->ops, &op->node, core_hash_number(core, op->id));
    list_append(&scope->ops, &op->link);
    core->ops_n++;
    *out = op;
    return 0;
}

/* ---- waiting ---- */

static void op_expire(struct core *core, struct timer *timer)
{
    op_interrupt(core, container_of(timer, struct op, timer), -ETIMEDOUT);
}

static void op_arm(struct core *core, struct op *op)
{
    if (op->timed && !timer_armed(&op->timer))
        timer_arm(core, &op->timer, op->timer.at_ns, op_expire);
}

void op_may_wait(struct core *core, struct op *op)
{
    if (op->try)
        return;
    op->charged = account_charge(core, op->scope->account, SLOT_WAITERS, 1) == 0;
    op->try = op->crowded = !op->charged;
}

void op_wait(struct core *core, struct op *op, enum wait_reason reason)
{
    op_arm(core, op);
    op->reason = reason;
    op->since_ns = core->now.mono_ns;
    op_move(core, op, OP_PARKED);
}

int op_park(struct core *core, struct op *op, enum wait_reason reason)
{
    if (op->try)
        return -EAGAIN;
    if (account_charge(core, op->scope->account, SLOT_WAITERS, 1) < 0)
        return -ENOBUFS;
    op->charged = true;
    op_wait(core, op, reason);
    return 0;
}

void op_hand(struct core *core, struct op *op, uint32_t index)
{
    if (op_storing(op))
        op_untime(core, op);
    for (uint32_t i = 0; i < op->waiters_n; i++)
        waiter_leave(core, &op->waiters[i]);
    list_remove(&op->entry.out); /* a receive case of it may have been passed over (IP6.2) */
    op_arm(core, op);
    if (op->reason == WAIT_NONE) { /* matched on arrival: it may have to wait after all (IP2.2) */
        op->reason = op->verb == VERB_SELECT ? WAIT_SELECT : WAIT_CHAN_SEND;
        op->since_ns = core->now.mono_ns;
    }
    op->index = index;
    op_move(core, op, OP_HANDED);
}

void op_unhand(struct core *core, struct op *op)
{
    op_move(core, op, OP_PARKED);
}

bool op_gone(const struct core *core, struct op *op)
{
    return op->scope->ended || (op->bond && bond_over(core, op->bond)) || op_resolved(core, op);
}

/* ---- ending ---- */

/* A value of it was handed over and came back, and now nobody takes it: it may have been seen (IP2.2, IP5.2). */
static void note_doubt(struct op *op)
{
    const struct item *item;

    for (uint32_t i = 0; i < op->waiters_n; i++) {
        list_each (item, &op->waiters[i].unsent, link) {
            if (!(item->flags & VALUE_REDELIVERED))
                continue;
            op->flags |= RESULT_DOUBT;
            op->doubt = i + 1;
        }
    }
}

static void waiter_release(struct core *core, struct waiter *w)
{
    struct item *item, *after;
    struct channel *c = w->channel;

    waiter_leave(core, w);
    list_each_safe (item, after, &w->unsent, link)
        item_drop(core, item);
    w->channel = NULL;
    if (w->op->reason == WAIT_LOCK || w->op->reason == WAIT_SYNC)
        sync_waiter_left(core, w);
    if (w->op->reason == WAIT_QUEUE)
        jobs_submit_left(core, w);
    if (w->op->reason == WAIT_WORK)
        jobs_reserve_left(core, w);
    if (!c)
        return;
    if (!--w->via->waiters_n && w->via->dead)
        core_free(core, w->via);
    c->waiters_n--;
    channel_settle(core, c);
}

void op_untime(struct core *core, struct op *op)
{
    timer_disarm(core, &op->timer);
    if (op->timed)
        timers_unreserve(core);
    op->timed = false;
    op->bond = bond_drop(core, op->bond);
}

/* Out of every queue, with all its charges given back. Values under way stand (IP2.3). */
static void op_leave(struct core *core, struct op *op)
{
    struct item *item, *after;

    list_remove(&op->entry.out);
    list_each_safe (item, after, &op->handed, sender_link) {
        list_remove(&item->sender_link);
        item->sender = NULL;
    }
    for (uint32_t i = 0; i < op->waiters_n; i++)
        waiter_release(core, &op->waiters[i]);
    op_untime(core, op);
    if (op->charged)
        account_release(op->scope->account, SLOT_WAITERS, 1);
    op->charged = false;
    op->note = note_delete(core, op->note);
    if (op->publish)
        publish_left(core, op);
    fetch_forget(core, op);
}

static void note_handed(struct op *op)
{
    const struct item *item;

    list_each (item, &op->items, link)
        if (item->sender)
            op->flags |= RESULT_HANDED;
}

/* The lists of a scope are by state and by what the result carries. */
static void op_enlist(struct op *op)
{
    struct scope *scope = op->scope;

    list_remove(&op->link);
    if (op_waits(op) || op->state == OP_NEW)
        list_append(&scope->ops, &op->link);
    else
        list_append(list_empty(&op->items) ? &scope->finished : &scope->holding, &op->link);
}

void op_finish(struct core *core, struct op *op, int32_t status)
{
    note_doubt(op);
    note_handed(op);
    op_leave(core, op);
    if (op->stream)
        op->flags |= RESULT_LAST;
    op->status = status;
    op->reason = WAIT_NONE;
    op_move(core, op, status < 0 ? OP_ABORTED : OP_COMMITTED);
    op_enlist(op);
    log_result(core, op);
}

int op_answer(struct core *core, struct op *op, const struct result *result)
{
    struct answer *answer = answer_new(core, result);

    if (!answer)
        return -ENOMEM;
    op->answer = answer;
    op->handle = result->handle;
    op->index = result->index;
    op->flags |= result->flags;
    op_finish(core, op, result->status);
    return 0;
}

void op_fail(struct core *core, struct op *op, int32_t status, const char *format, ...)
{
    char text[512];
    va_list arguments;

    va_start(arguments, format);
    size_t n = text_writev(text, sizeof(text), format, arguments);
    va_end(arguments);
    op->answer = answer_new(core, &(struct result){.text = {text, n}});
    op_finish(core, op, status);
}

static uint32_t handed_n(const struct op *op)
{
    const struct item *item;
    uint32_t n = 0;

    list_each (item, &op->handed, sender_link)
        n++;
    return n;
}

/* How many of its values were sent, from the first on. One that came back (IP2.2) may lie before others that
 * were sent: the count ends before it, and those behind are in doubt. */
static uint32_t sent_prefix(struct op *op)
{
    uint32_t sent = op->sent + handed_n(op);
    const struct item *back =
        op->verb == VERB_SEND ? list_first(&op->waiters[0].unsent, struct item, link) : NULL;

    if (!back || back->index >= sent)
        return sent;
    op->flags |= RESULT_DOUBT;
    return back->index;
}

/* What the store has of it cannot be taken back: the rest stays unsent, and the store's word ends it. */
static void await_store(struct core *core, struct op *op)
{
    struct item *item, *after;

    for (uint32_t i = 0; i < op->waiters_n; i++)
        list_each_safe (item, after, &op->waiters[i].unsent, link)
            item_drop(core, item);
    if (op->state != OP_HANDED)
        op_hand(core, op, op->index);
}

void op_stop(struct core *core, struct op *op, int error)
{
    if (op_storing(op))
        return await_store(core, op);
    uint32_t sent = sent_prefix(op);

    if (!sent)
        return op_finish(core, op, error);
    op_finish(core, op, (int32_t)sent);
}

void op_interrupt(struct core *core, struct op *op, int error)
{
    struct waiter *closed;

    if (!op_waits(op) || op->scope->ended)
        return;
    if (op->verb == VERB_COND_WAIT &&
        op->reason == WAIT_LOCK) /* signalled: it only comes back to the lock (K1) */
        return;
    if (op->publish && publish_stops(op, error))
        return;
    closed = op_resolved(core, op);
    if (closed)
        waiter_closed(core, closed);
    else
        op_stop(core, op, error);
}

void op_cancel(struct core *core, struct op *op)
{
    if (op_waits(op))
        return op_interrupt(core, op, -ECANCELED);
    if (!grant_cancel(core, op))
        return;
    op->status = -ECANCELED;
    op->handle = 0;
    op_move(core, op, OP_ABORTED);
}

static void stream_free(struct core *core, struct op *op)
{
    struct stream_result *part, *after;

    if (!op->stream)
        return;
    list_each_safe (part, after, &op->stream->results, link)
        stream_result_delete(core, part);
    core_free(core, op->stream);
    op->stream = NULL;
}

void op_forget(struct core *core, struct op *op)
{
    struct item *item, *after;

    if (op_waits(op))
        op_leave(core, op);
    grant_forget(op);
    op_move(core, op, OP_ACKED);
    list_each_safe (item, after, &op->items, link)
        item_drop(core, item);
    stream_free(core, op);
    map_remove(&op->scope->session->ops, &op->node);
    list_remove(&op->link);
    core->ops_n--;
    log_remove(core, op);
    answer_drop(core, op->answer);
    core_give(core, op, op_bytes(op->waiters_n));
}

void op_adopt(struct core *core, struct op *op)
{
    op->scope = &op->scope->session->scope;
    op_enlist(op);
}
