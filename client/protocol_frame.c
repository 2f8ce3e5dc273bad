/*
 * Frames: what the next one carries, and what one that came means.
 *
 * Invariants. A frame carries its acknowledgements before its operations, so that credit they give back is
 * there for the operations. A CANCEL leaves in a later frame than its operation. What a result proves: every
 * frame before the one its operation left in, and every operation before it, has been taken.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "protocol_op.h"
#include "request.h"

/* ---- output ---- */

static const struct client_frame *frame_begin(struct protocol *p)
{
    struct protocol_op *first = list_first(&p->open, struct protocol_op, open);
    p->out = (struct client_frame){
        .version = PROTOCOL_VERSION,
        .number = ++p->frame_out,
        .ack_mark = first ? first->request.id - 1 : p->last_id,
        .acks = p->acks,
        .returns = p->returns,
        .cancels = p->cancel_ids,
        .requests = p->requests,
    };
    return &p->out;
}

static bool open_ids_reserve(struct protocol *p, size_t n)
{
    if (n <= p->open_ids_max)
        return true;
    uint64_t *ids = realloc(p->open_ids, 2 * n * sizeof *ids);
    if (!ids)
        return false;
    p->open_ids = ids;
    p->open_ids_max = 2 * n;
    return true;
}

/* Every operation the daemon may know and we have not done with. Negative: no memory, RESUME must wait. */
static int64_t list_open_ids(struct protocol *p)
{
    int64_t n = 0;
    struct protocol_op *op;
    list_each (op, &p->open, open) {
        if (op->phase == OP_QUEUED)
            continue;
        if (!open_ids_reserve(p, (size_t)n + 1))
            return -ENOMEM;
        p->open_ids[n++] = op->request.id;
    }
    return n;
}

static const struct client_frame *head_frame(struct protocol *p, int64_t now_ns)
{
    int64_t open_n = list_open_ids(p);
    if (open_n < 0)
        return NULL; /* asked again with the next tick */
    p->attempts++;
    p->out_hello = (struct hello){p->secret, p->identity.program, p->identity.boot_id,
                                  p->identity.time_namespace, p->attempts};
    p->out_resume = (struct resume){p->secret, p->open_ids, (size_t)open_n, p->attempts};
    frame_begin(p);
    p->out.hello = p->state == PROTOCOL_HELLO ? &p->out_hello : NULL;
    p->out.resume = p->state == PROTOCOL_RESUME ? &p->out_resume : NULL;
    p->head_sent = p->asked = true;
    p->asked_ns = now_ns;
    p->heads++;
    return &p->out;
}

static void add_ack(struct protocol *p, struct protocol_op *op)
{
    bool covered = op->phase == OP_SETTLED && op->request.id <= p->out.ack_mark;
    if (op->returning)
        p->returns[p->out.returns_n++] = (struct ack){op->request.id, op->settled_n};
    else if (!covered)
        p->acks[p->out.acks_n++] = (struct ack){op->request.id, op->phase == OP_SETTLED ? 0 : op->settled_n};
    op->ack_frame = p->out.number;
    list_remove(&op->ack);
    list_append(&p->ack_sent, &op->ack);
}

static void add_acks(struct protocol *p)
{
    struct protocol_op *op;
    while (p->out.acks_n < PROTOCOL_FRAME_ACKS && p->out.returns_n < PROTOCOL_FRAME_ACKS &&
           (op = list_first(&p->ack_new, struct protocol_op, ack)))
        add_ack(p, op);
    p->ack_urgent &= !list_empty(&p->ack_new);
}

static void add_cancels(struct protocol *p)
{
    struct protocol_op *op;
    while (p->out.cancels_n < PROTOCOL_FRAME_ACKS &&
           (op = list_first(&p->cancels, struct protocol_op, cancel))) {
        list_remove(&op->cancel);
        p->cancel_ids[p->out.cancels_n++] = op->request.id;
    }
}

static bool window_admits(const struct protocol *p, const struct protocol_op *op)
{
    if (p->charged_ops >= p->facts.window_ops)
        return false;
    return !p->charged_ops || p->charged_bytes + op->charge <= p->facts.window_bytes;
}

/* Deadlines are absolute where both ends read one clock, else what remains of them (IP1.5). */
static struct until until_of(const struct protocol *p, const struct protocol_op *op, int64_t now_ns)
{
    if (op->deadline_ns == PROTOCOL_DEADLINE_NONE)
        return (struct until){UNTIL_FOREVER, 0};
    if (op->deadline_ns == PROTOCOL_DEADLINE_NOW)
        return (struct until){UNTIL_NOW, 0};
    if (p->facts.absolute_deadlines)
        return (struct until){UNTIL_AT, op->deadline_ns};
    return (struct until){UNTIL_IN, op->deadline_ns > now_ns ? op->deadline_ns - now_ns : 0};
}

static size_t add_request(struct protocol *p, struct protocol_op *op, int64_t now_ns)
{
    struct request *request = &p->requests[p->out.requests_n++];
    *request = op->request;
    request->until = until_of(p, op, now_ns);
    op->frame = p->out.number;
    op->attempt = p->attempts;
    op_move(p, op, OP_FLIGHT);
    return op->charge + sizeof *request;
}

static void add_requests(struct protocol *p, struct list *queue, size_t *bytes, int64_t now_ns)
{
    struct protocol_op *op;
    while (p->out.requests_n < PROTOCOL_FRAME_OPS && *bytes < PROTOCOL_FRAME_BYTES &&
           (op = list_first(queue, struct protocol_op, place)) &&
           (queue == &p->queue_free || window_admits(p, op)))
        *bytes += add_request(p, op, now_ns);
}

static bool queue_blocked(const struct protocol *p)
{
    struct protocol_op *op = list_first(&p->queue, struct protocol_op, place);
    return op && !window_admits(p, op);
}

static bool must_send(const struct protocol *p)
{
    bool requests = !list_empty(&p->queue_free) || (!list_empty(&p->queue) && !queue_blocked(p));
    return requests || p->ack_urgent || !list_empty(&p->cancels) || (p->bye && !p->bye_sent);
}

const struct client_frame *protocol_output(struct protocol *p, int64_t now_ns)
{
    size_t bytes = 0;
    if ((p->state == PROTOCOL_HELLO || p->state == PROTOCOL_RESUME) && !p->head_sent)
        return head_frame(p, now_ns);
    if (p->state != PROTOCOL_LIVE)
        return NULL;
    if (queue_blocked(p) && !list_empty(&p->flight))
        protocol_ping(p, now_ns); /* its answer tells which of these are parked, and need no credit */
    if (!must_send(p))
        return NULL;
    frame_begin(p);
    if (!p->known_n)
        p->heard_ns = now_ns; /* nobody has waited for an answer so far */
    add_acks(p);
    add_cancels(p);
    add_requests(p, &p->queue_free, &bytes, now_ns);
    add_requests(p, &p->queue, &bytes, now_ns);
    p->out.bye = p->bye_sent =
        p->bye && !p->bye_sent && list_empty(&p->ack_new) && list_empty(&p->queue_free);
    return &p->out;
}

void protocol_unsent(struct protocol *p)
{
    struct protocol_op *op, *before;
    for (op = container_of(p->flight.prev, struct protocol_op, place);
         list_link(op, place) != &p->flight && op->frame == p->frame_out; op = before) {
        before = container_of(op->place.prev, struct protocol_op, place);
        op_move(p, op, OP_QUEUED);
    }
    protocol_disconnected(p);
}

/* ---- input ---- */

/* The daemon has taken all that left before `op`. */
static void taken_before(struct protocol *p, struct protocol_op *op)
{
    struct protocol_op *first;
    if (op->phase != OP_FLIGHT)
        return;
    while ((first = list_first(&p->flight, struct protocol_op, place)) && first != op)
        op_move(p, first, OP_TAKEN);
    acks_taken(p, op->frame);
}

/* One of the stream of a standing operation. */
static void take_stream(struct protocol *p, struct protocol_op *op, const struct result *result,
                        int64_t now_ns)
{
    if (result->number <= op->stream)
        return;
    if (op->phase == OP_FLIGHT)
        op_move(p, op, OP_TAKEN);
    op->stream = op->settled_n = result->number;
    op_ack(p, op, now_ns);
    if (!op->abandoned)
        p->user.finish(op, result, p->user.context);
}

static bool is_awaited(const struct protocol_op *op)
{
    return op->phase == OP_FLIGHT || op->phase == OP_TAKEN || op->phase == OP_UNDOING;
}

/* The answer to its cancel says that it was undone (IP1.3), and is on its way or will be asked for again. */
static void take_void_grant(struct protocol *p, struct protocol_op *op)
{
    if (op->phase != OP_UNDOING)
        op_move(p, op, OP_UNDOING);
}

static void take_result(struct protocol *p, const struct result *result, int64_t now_ns)
{
    struct protocol_op *op = op_find(p, result->op);
    if (!op || !is_awaited(op))
        return; /* a repeat of what we have */
    taken_before(p, op);
    if (!op_is_ping(p, op))
        p->ping_ns = PROTOCOL_PING_NS;
    bool standing = verb_flags(op->request.verb) & VERB_STANDING;
    if (standing && result->status >= 0 && !(result->flags & RESULT_LAST))
        take_stream(p, op, result, now_ns);
    else if (op->cancelled && request_undoable(&op->request, result->status))
        take_void_grant(p, op);
    else
        op_finish(p, op, result, now_ns);
}

/* What became of an operation sent on an earlier connection (IP7). */
static void take_fate(struct protocol *p, struct protocol_op *op, uint32_t fate)
{
    if (!is_awaited(op))
        return;
    /* RESUME may have been said several times: what left on one answer is behind the questions of the next ones. */
    bool left_since = op->attempt >= p->facts.attempt;
    if (fate == FATE_UNKNOWN && !left_since) {
        op_move(p, op, OP_QUEUED);
        if (op->cancelled)
            op_fail(p, op, -ECANCELED, 0);
        return;
    }
    if (fate == FATE_PARKED && op->phase == OP_FLIGHT)
        op_move(p, op, OP_TAKEN);
    if (op->cancelled && !list_linked(&op->cancel)) /* also a finished one: its result may be a grant */
        list_append(&p->cancels, &op->cancel);
}

/* False: not an answer to us. One that nobody asked for shows that a frame was doubled on the way: perhaps our
 * RESUME, and then the daemon counts from 1 again. Only a new binding tells. */
static bool take_welcome(struct protocol *p, const struct server_frame *frame, int64_t now_ns)
{
    bool bound = p->state == PROTOCOL_HELLO || p->state == PROTOCOL_RESUME || p->state == PROTOCOL_LIVE;
    if (!p->heads && p->state == PROTOCOL_LIVE)
        protocol_rebind(p, now_ns);
    if (!p->heads || !bound)
        return false;
    p->heads--;
    p->facts = *frame->welcome;
    p->secret = frame->welcome->session;
    p->frame_in = frame->number;
    p->welcomed = true;
    p->asked = false;
    p->answered_ns = p->asked_ns;
    p->ping_ns = PROTOCOL_PING_NS;
    if (p->state != PROTOCOL_LIVE)
        protocol_move(p, PROTOCOL_LIVE);
    for (size_t i = 0; i < frame->states_n; i++) {
        struct protocol_op *op = op_find(p, frame->states[i].op);
        if (op)
            take_fate(p, op, frame->states[i].fate);
    }
    return true;
}

/* The daemon will not bind this session, or could not read a frame of it: either way it is over. */
static void take_refusal(struct protocol *p, const struct server_frame *frame)
{
    if (p->state == PROTOCOL_VOID || p->state == PROTOCOL_CUT || p->state == PROTOCOL_OVER)
        return;
    snprintf(p->refusal, sizeof p->refusal, "%.*s", (int)frame->text.size, (const char *)frame->text.data);
    protocol_session_end(p, frame->refused);
}

/* Whether it is the next frame of this connection; asks for a new binding when one was lost. */
static bool in_turn(struct protocol *p, const struct server_frame *frame, int64_t now_ns)
{
    if (p->state != PROTOCOL_LIVE || frame->number <= p->frame_in)
        return false;
    if (frame->number != p->frame_in + 1) {
        protocol_rebind(p, now_ns);
        return false;
    }
    p->frame_in = frame->number;
    return true;
}

void protocol_input(struct protocol *p, const struct server_frame *frame, int64_t now_ns)
{
    p->heard_ns = now_ns;
    if (frame->refused) {
        take_refusal(p, frame);
        return;
    }
    if (frame->need_resume) {
        if (p->state == PROTOCOL_LIVE) /* else already binding: it answers a frame that left before */
            protocol_rebind(p, now_ns);
        return;
    }
    if (frame->welcome ? !take_welcome(p, frame, now_ns) : !in_turn(p, frame, now_ns))
        return;
    for (size_t i = 0; i < frame->results_n; i++)
        take_result(p, &frame->results[i], now_ns);
}
