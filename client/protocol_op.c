/*
 * Operations: where each one is, what it is charged, when it is forgotten.
 *
 * Invariants. An operation is in `open` from its start until its result is acknowledged or given back for
 * certain, so that the mark before the first of `open` never acknowledges anything too early. It is in exactly
 * one place list while nil, queued or in flight, in none else. It is charged exactly while the daemon may charge
 * it: in flight, waiting for the store, or with a result that is not acknowledged (IP6.2). One that is cancelled finishes
 * with a grant only where no cancel undoes that.
 */
#include "protocol_op.h"

#include <assert.h>
#include <errno.h>

#include "request.h"

#define TO(phase) (1u << (phase))

static const unsigned moves[OP_PHASES] = {
    [OP_IDLE] = TO(OP_NIL) | TO(OP_QUEUED) | TO(OP_FINISHED),
    [OP_NIL] = TO(OP_FINISHED) | TO(OP_IDLE),
    [OP_QUEUED] = TO(OP_FLIGHT) | TO(OP_FINISHED) | TO(OP_IDLE),
    [OP_FLIGHT] = TO(OP_TAKEN) | TO(OP_UNDOING) | TO(OP_QUEUED) | TO(OP_FINISHED) | TO(OP_IDLE),
    [OP_TAKEN] = TO(OP_UNDOING) | TO(OP_QUEUED) | TO(OP_FINISHED) | TO(OP_IDLE),
    [OP_UNDOING] = TO(OP_QUEUED) | TO(OP_FINISHED) | TO(OP_IDLE),
    [OP_FINISHED] = TO(OP_UNDOING) | TO(OP_HELD) | TO(OP_SETTLED) | TO(OP_FENCED) | TO(OP_IDLE),
    [OP_FENCED] = TO(OP_IDLE),
    [OP_HELD] = TO(OP_SETTLED) | TO(OP_IDLE),
    [OP_SETTLED] = TO(OP_IDLE),
};

bool op_is_ping(const struct protocol *p, const struct protocol_op *op)
{
    return op == &p->pings[0] || op == &p->pings[1];
}

static bool is_known(enum op_phase phase)
{
    return phase == OP_FLIGHT || phase == OP_TAKEN || phase == OP_UNDOING;
}

static bool pays(const struct protocol *p, const struct protocol_op *op, enum op_phase phase)
{
    unsigned flags = verb_flags(op->request.verb);
    if ((flags & VERB_FREE) || op_is_ping(p, op) || op->local)
        return false;
    if (phase == OP_TAKEN)
        return !(flags & (VERB_PARKS | VERB_STANDING));
    return phase == OP_FLIGHT || phase == OP_UNDOING || phase == OP_FINISHED || phase == OP_HELD;
}

static void charge(struct protocol *p, struct protocol_op *op, bool charged)
{
    if (charged == op->charged)
        return;
    op->charged = charged;
    p->charged_ops += charged ? 1 : -1;
    p->charged_bytes += charged ? op->charge : -op->charge;
}

/* What was queued before and is again goes back to its place by id: sends keep their order (IP8). */
static void queue_insert(struct list *queue, struct protocol_op *op)
{
    struct list *place = queue;
    while (place->prev != queue &&
           container_of(place->prev, struct protocol_op, place)->request.id > op->request.id)
        place = place->prev;
    list_insert_before(place, &op->place);
}

/* Somebody else waits until the daemon has its ACK or RETURN. */
static bool is_pressing(const struct protocol_op *op, enum op_phase phase)
{
    return phase == OP_SETTLED && (op->handed || op->returning);
}

void op_move(struct protocol *p, struct protocol_op *op, enum op_phase phase)
{
    assert(moves[op->phase] & TO(phase));
    p->known_n += is_known(phase) - is_known(op->phase);
    p->pressing_n += is_pressing(op, phase) - is_pressing(op, op->phase);
    op->phase = phase;
    charge(p, op, pays(p, op, phase));
    list_remove(&op->place);
    if (phase == OP_NIL)
        list_append(&p->nil, &op->place);
    else if (phase == OP_FLIGHT)
        list_append(&p->flight, &op->place);
    else if (phase == OP_QUEUED)
        queue_insert(
            verb_flags(op->request.verb) & VERB_FREE || op_is_ping(p, op) ? &p->queue_free : &p->queue, op);
}

struct protocol_op *op_find(const struct protocol *p, uint64_t id)
{
    struct protocol_op *op;
    HASH_FIND(by_id, p->by_id, &id, sizeof id, op);
    return op;
}

int op_register(struct protocol *p, struct protocol_op *op)
{
    HASH_ADD(by_id, p->by_id, request.id, sizeof op->request.id, op);
    return op->by_id.tbl ? 0 : -ENOMEM;
}

void op_release(struct protocol *p, struct protocol_op *op)
{
    op_move(p, op, OP_IDLE);
    list_remove(&op->open);
    list_remove(&op->ack);
    list_remove(&op->cancel);
    if (op->by_id.tbl)
        HASH_DELETE(by_id, p->by_id, op);
    op->by_id.tbl = NULL;
    if (!op_is_ping(p, op))
        p->user.release(op, p->user.context);
}

/* ---- results ---- */

static size_t values_bytes(const struct result *result)
{
    size_t size = 0;
    for (size_t i = 0; i < result->values_n; i++)
        size += result->values[i].body.size;
    return size;
}

static void ping_answered(struct protocol *p, struct protocol_op *op, int64_t now_ns)
{
    p->asked = false;
    if (op->sent_ns > p->answered_ns) /* else it had left before the connection was bound anew */
        p->answered_ns = op->sent_ns;
    op_settle(p, op, now_ns);
}

void op_finish(struct protocol *p, struct protocol_op *op, const struct result *result, int64_t now_ns)
{
    charge(p, op, false);
    op->charge = values_bytes(result);
    op->values_n = (uint32_t)result->values_n;
    op->handed = result->flags & RESULT_HANDED;
    op->granted = request_grants(&op->request) && result->status >= 0;
    op->undoable = request_undoable(&op->request, result->status);
    list_remove(&op->cancel);
    op_move(p, op, OP_FINISHED);
    if (op_is_ping(p, op))
        ping_answered(p, op, now_ns);
    else if (op->abandoned) {
        if (p->user.leftover)
            p->user.leftover(op, result, p->user.context);
        protocol_abandon(p, op, now_ns);
    } else
        p->user.finish(op, result, p->user.context);
}

void op_fail(struct protocol *p, struct protocol_op *op, int error, uint32_t flags)
{
    struct result result = {.op = op->request.id, .status = error, .flags = flags | RESULT_LAST};
    op->local = true;
    list_remove(&op->open);
    list_remove(&op->ack);
    list_remove(&op->cancel);
    op_move(p, op, OP_FINISHED);
    if (op->abandoned || op_is_ping(p, op))
        op_release(p, op);
    else
        p->user.finish(op, &result, p->user.context);
}

void op_fail_all(struct protocol *p, struct list *place, int error)
{
    struct list now = LIST_INIT(now);
    list_splice(&now, place);
    struct protocol_op *op;
    while ((op = list_first(&now, struct protocol_op, place)))
        op_fail(p, op, error, 0);
}

/* ---- acknowledging ---- */

int op_ack(struct protocol *p, struct protocol_op *op, int64_t now_ns)
{
    bool urgent = op->handed || op->returning;
    list_remove(&op->ack);
    if (list_empty(&p->ack_new))
        p->ack_due_ns = now_ns + PROTOCOL_ACK_DELAY_NS;
    list_append(&p->ack_new, &op->ack);
    p->ack_urgent |= urgent;
    return urgent;
}

int op_settle(struct protocol *p, struct protocol_op *op, int64_t now_ns)
{
    if (op->local) {
        op_release(p, op);
        return 0;
    }
    if (!op->returning) /* a value that goes back must not be covered by the mark */
        list_remove(&op->open);
    op_move(p, op, OP_SETTLED);
    return op_ack(p, op, now_ns);
}

void acks_taken(struct protocol *p, uint64_t frame)
{
    struct protocol_op *op;
    while ((op = list_first(&p->ack_sent, struct protocol_op, ack)) && op->ack_frame <= frame) {
        list_remove(&op->ack);
        if (op->phase == OP_SETTLED)
            op_release(p, op);
    }
}
