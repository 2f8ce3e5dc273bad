/*
 * The result log of a session (IP0, IP7): each result is kept until the client acknowledges it, and may be sent
 * again. Also the window of IP6.2, which bounds it.
 *
 * Invariants: unacked_n and unacked_bytes are the sums over the finished operations of the session; an entry waits
 * in at most one of outbox, core->held and passed_over, all by entry.out.
 */
#include <errno.h>

#include "engine.h"

static uint64_t result_bytes(const struct op *op)
{
    const struct item *item;
    uint64_t bytes = op->answer ? op->answer->bytes : 0;

    list_each (item, &op->items, link)
        bytes += item->size;
    return bytes;
}

void log_hold(struct core *core, struct op *op)
{
    struct list *at = core->held.prev;

    while (at != &core->held && container_of(at, struct op, entry.out)->batch > op->batch)
        at = at->prev;
    list_insert_before(at->next, &op->entry.out);
    op->held = true;
}

void log_result(struct core *core, struct op *op)
{
    struct session *session = op->scope->session;

    list_append(&session->log, &op->entry.log);
    op->bytes = result_bytes(op);
    session->unacked_n++;
    session->unacked_bytes += op->bytes;
    core->results_n++;
    if (core->batch && op->status >= 0 &&
        verb_flags(op->verb) & VERB_STORED) /* a refusal depends on nothing */
        op_depends(op, core->batch->number);
    if (!core_stored(core, op->batch) && !PLANTED(EARLY_REPLY))
        log_hold(core, op);
    else
        list_append(&core->outbox, &op->entry.out);
}

void log_recount(struct core *core, struct op *op)
{
    struct session *session = op->scope->session;

    session->unacked_bytes -= op->bytes;
    op->bytes = result_bytes(op);
    session->unacked_bytes += op->bytes;
    session_relieve(core, session);
}

void log_remove(struct core *core, struct op *op)
{
    struct session *session = op->scope->session;

    list_remove(&op->entry.out);
    if (!list_linked(&op->entry.log))
        return;
    list_remove(&op->entry.log);
    session->unacked_n--;
    session->unacked_bytes -= op->bytes;
    core->results_n--;
    session_relieve(core, session);
}

/* ---- standing operations ---- */

int op_stream(struct core *core, struct op *op)
{
    op->stream = core_alloc(core, sizeof(*op->stream));
    if (!op->stream)
        return -ENOMEM;
    list_init(&op->stream->results);
    return 0;
}

int session_stream_push(struct core *core, struct op *op, const struct result *result)
{
    struct stream_result *part = core_alloc(core, sizeof(*part));
    struct session *session = op->scope->session;

    if (part)
        part->answer = answer_new(core, result);
    if (!part || !part->answer) {
        core_free(core, part);
        return -ENOMEM;
    }
    part->op = op;
    part->number = ++op->stream->next;
    part->entry.stream = true;
    list_append(&op->stream->results, &part->link);
    list_append(&session->log, &part->entry.log);
    session->unacked_bytes += part->answer->bytes;
    list_init(&part->entry.out);
    list_append(&core->outbox, &part->entry.out);
    return 0;
}

void stream_result_delete(struct core *core, struct stream_result *part)
{
    part->op->scope->session->unacked_bytes -= part->answer->bytes;
    list_remove(&part->link);
    list_remove(&part->entry.log);
    list_remove(&part->entry.out);
    answer_drop(core, part->answer);
    core_free(core, part);
}

static void stream_ack(struct core *core, struct op *op, uint64_t number)
{
    struct stream_result *part, *after;

    list_each_safe (part, after, &op->stream->results, link)
        if (!number || part->number <= number)
            stream_result_delete(core, part);
    session_relieve(core, op->scope->session);
}

static void emit_again(struct core *core, struct entry *entry)
{
    list_remove(&entry->out);
    list_append(&core->outbox, &entry->out);
    core->counters[COUNT_RESENT]++;
}

/* ---- acknowledgement ---- */

static bool op_answered(const struct op *op)
{
    return !op_waits(op) && op->state != OP_NEW && !op->held;
}

bool op_holds(const struct op *op, uint64_t count)
{
    const struct item *item;
    uint64_t n = 0;

    if (!op_answered(op) || op->stream)
        return false;
    list_each (item, &op->items, link)
        if (++n == count)
            return !(item->flags & ITEM_ACKED);
    return false;
}

/* The first `count` values are acknowledged. How many there are. */
static uint64_t items_ack(struct core *core, struct op *op, uint64_t count)
{
    struct item *item;
    uint64_t n = 0;

    list_each (item, &op->items, link)
        if (n++ < count)
            item_ack(core, item);
    return n;
}

static void op_ack(struct core *core, struct op *op, uint64_t count)
{
    if (items_ack(core, op, count) <= count)
        op_forget(core, op);
}

/* An id the client acknowledges without our having it: a refusal. It may not be executed any more. */
static void ack_unknown(struct core *core, struct session *session, uint64_t id)
{
    int r = id > session->ack_mark ? idset_reserve(core, &session->seen) : -ESTALE;

    if (r == 0)
        idset_add(&session->seen, id);
    else if (r == -ENOBUFS)
        session_end(core, session, r);
}

void session_ack(struct core *core, struct session *session, const struct ack *ack)
{
    struct op *op = op_find(core, session, ack->op);

    if (!op)
        return ack_unknown(core, session, ack->op);
    if (op->stream)
        stream_ack(core, op, ack->count);
    if (op_answered(op) && (!op->stream || !ack->count))
        op_ack(core, op, ack->count ? ack->count : UINT64_MAX);
}

/* Values are acknowledged from the first on. */
static struct item *item_last_unacked(const struct op *op)
{
    struct item *item = container_of(op->items.prev, struct item, link);

    return list_empty(&op->items) || item->flags & ITEM_ACKED ? NULL : item;
}

void session_return(struct core *core, struct session *session, const struct ack *ack)
{
    struct op *op = op_find(core, session, ack->op);
    struct item *item;

    if (!op || op->state == OP_NEW || op->stream)
        return;
    op_interrupt(core, op, -ECANCELED);
    grant_undo(core, op);
    items_ack(core, op, ack->count);
    while ((item = item_last_unacked(op)))
        item_return(core, item, VALUE_RETURNED);
    op_forget(core, op);
}

/* Who has cancelled one of these takes no grant that comes before the answer (IP1.3). */
static bool wants_answer(const struct op *op)
{
    return !op_waits(op) && !op->held && (op->verb == VERB_LOCK || op->verb == VERB_SYNC_TAKE);
}

void session_cancel(struct core *core, struct session *session, uint64_t id)
{
    struct op *op = op_find(core, session, id);
    bool again = op && wants_answer(op);

    if (op)
        op_cancel(core, op);
    if (again)
        emit_again(core, &op->entry);
}

static void mark_one(struct core *core, struct op *op, uint64_t mark)
{
    if (op && op->id <= mark && op_answered(op) && !op->stream)
        op_ack(core, op, UINT64_MAX);
}

/* Most are acknowledged in the order in which they ended. */
static struct op *find_logged(const struct core *core, const struct session *session, uint64_t id)
{
    const struct entry *first = list_first(&session->log, struct entry, log);
    struct op *op = first && !first->stream ? container_of(first, struct op, entry) : NULL;

    return op && op->id == id ? op : op_find(core, session, id);
}

void session_mark(struct core *core, struct session *session, uint64_t mark)
{
    struct entry *entry, *after;
    uint64_t old = session->ack_mark;

    if (mark <= old)
        return;
    session->ack_mark = mark;
    idset_trim(&session->seen, mark);
    if (mark - old <= session->unacked_n) {
        for (uint64_t id = old + 1; id <= mark; id++)
            mark_one(core, find_logged(core, session, id), mark);
        return;
    }
    list_each_safe (entry, after, &session->log, log)
        if (!entry->stream)
            mark_one(core, container_of(entry, struct op, entry), mark);
}

/* ---- the window ---- */

bool session_full(const struct core *core, const struct session *session)
{
    return session->unacked_bytes > core->limits.window_bytes ||
           session->handles_n > core->limits.handles_per_session;
}

void session_relieve(struct core *core, struct session *session)
{
    while (!session->ended && !session_full(core, session) && !list_empty(&session->passed_over)) {
        struct op *op = container_of(session->passed_over.next, struct op, entry.out);

        list_remove(&op->entry.out);
        if (!op_gone(core, op))
            op_retry(core, op);
    }
}

/* ---- resume ---- */

void log_resend(struct core *core, struct session *session)
{
    struct entry *entry;

    list_each (entry, &session->log, log) {
        struct op *op = entry->stream ? NULL : container_of(entry, struct op, entry);

        if (!op || (op->listed && !op->held))
            emit_again(core, entry);
    }
}
