/*
 * Sessions, connections, time, and what the user of the protocol asks for.
 *
 * Invariants. A session that was welcomed is bound again by RESUME, never by HELLO. Operations leave only in
 * PROTOCOL_LIVE. After the end of a session nothing of it surfaces: results that nobody has taken yet are
 * fenced, late frames find no operation.
 */
#include "protocol.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "protocol_op.h"
#include "request.h"

#define TO(state) (1u << (state))

static const unsigned moves[PROTOCOL_STATES] = {
    [PROTOCOL_VOID] = TO(PROTOCOL_CUT) | TO(PROTOCOL_OVER),
    [PROTOCOL_CUT] = TO(PROTOCOL_HELLO) | TO(PROTOCOL_RESUME) | TO(PROTOCOL_VOID) | TO(PROTOCOL_OVER),
    [PROTOCOL_HELLO] =
        TO(PROTOCOL_HELLO) | TO(PROTOCOL_LIVE) | TO(PROTOCOL_CUT) | TO(PROTOCOL_VOID) | TO(PROTOCOL_OVER),
    [PROTOCOL_RESUME] =
        TO(PROTOCOL_RESUME) | TO(PROTOCOL_LIVE) | TO(PROTOCOL_CUT) | TO(PROTOCOL_VOID) | TO(PROTOCOL_OVER),
    [PROTOCOL_LIVE] = TO(PROTOCOL_RESUME) | TO(PROTOCOL_CUT) | TO(PROTOCOL_VOID) | TO(PROTOCOL_OVER),
    [PROTOCOL_OVER] = TO(PROTOCOL_OVER),
};

void protocol_move(struct protocol *p, enum protocol_state state)
{
    assert(moves[p->state] & TO(state));
    p->state = state;
}

struct protocol *protocol_new(const struct protocol_user *user, const struct protocol_identity *identity)
{
    struct protocol *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->user = *user;
    p->identity = *identity;
    p->deadline_ns = PROTOCOL_NEVER;
    p->session_from = 1;
    struct list *lists[] = {&p->open,   &p->nil,     &p->queue,    &p->queue_free,
                            &p->flight, &p->ack_new, &p->ack_sent, &p->cancels};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        list_init(lists[i]);
    return p;
}

struct protocol *protocol_delete(struct protocol *p)
{
    if (!p)
        return NULL;
    protocol_over(p, -ECONNRESET);
    struct protocol_op *op, *after;
    HASH_ITER (by_id, p->by_id, op, after)
        op_release(p, op);
    free(p->open_ids);
    free(p);
    return NULL;
}

/* ---- session and connection ---- */

void protocol_session(struct protocol *p, struct secret secret)
{
    protocol_move(p, PROTOCOL_CUT);
    p->secret = secret;
    p->welcomed = false;
    p->session_from = p->last_id + 1;
    p->refusal[0] = '\0';
}

/* What was sent before belongs to a connection that is gone: frames number from 1 again. */
static void connection_forget(struct protocol *p)
{
    struct protocol_op *op;
    p->head_sent = p->asked = false;
    p->frame_out = p->frame_in = 0;
    list_splice(&p->ack_sent, &p->ack_new);
    list_splice(&p->ack_new, &p->ack_sent);
    p->ack_urgent = !list_empty(&p->ack_new);
    list_each (op, &p->open, open)
        op->frame = 0;
}

static void session_bind(struct protocol *p, int64_t now_ns)
{
    protocol_move(p, p->welcomed ? PROTOCOL_RESUME : PROTOCOL_HELLO);
    connection_forget(p);
    p->heard_ns = now_ns;
}

void protocol_connected(struct protocol *p, int64_t now_ns)
{
    if (p->state == PROTOCOL_VOID || p->state == PROTOCOL_OVER)
        return;
    protocol_disconnected(p);
    p->heads = 0;
    session_bind(p, now_ns);
}

void protocol_rebind(struct protocol *p, int64_t now_ns)
{
    session_bind(p, now_ns);
}

void protocol_disconnected(struct protocol *p)
{
    if (p->state == PROTOCOL_HELLO || p->state == PROTOCOL_RESUME || p->state == PROTOCOL_LIVE)
        protocol_move(p, PROTOCOL_CUT);
}

/* One operation of a session that is over. True: it waits for the next session. */
static bool outlive_session(struct protocol *p, struct protocol_op *op, int error)
{
    bool was_sent = op->phase != OP_QUEUED;
    if (op->phase == OP_FINISHED) {
        op->fenced = error;
        op->local = true;
        op_move(p, op, OP_FENCED);
    } else if (op->phase == OP_HELD || op->phase == OP_SETTLED || op->abandoned || op_is_ping(p, op)) {
        op_release(p, op);
    } else if (was_sent && op->request.verb == VERB_JOB_WAIT && !op->cancelled) {
        op_move(p, op, OP_QUEUED); /* job ids are not handles (IP4) */
        return true;
    } else if (!was_sent && !request_names_handle(&op->request)) {
        return true;
    } else {
        op_fail(p, op, error, was_sent && request_doubtful(&op->request) ? RESULT_DOUBT : 0);
    }
    return false;
}

void protocol_session_end(struct protocol *p, int error)
{
    struct list old = LIST_INIT(old), kept = LIST_INIT(kept);
    struct protocol_op *op;
    if (p->state == PROTOCOL_VOID || p->state == PROTOCOL_OVER)
        return;
    protocol_move(p, PROTOCOL_VOID);
    p->error = error;
    list_splice(&old, &p->open);
    while ((op = list_first(&old, struct protocol_op, open))) {
        list_remove(&op->open);
        if (outlive_session(p, op, error))
            list_append(&kept, &op->open);
    }
    list_splice(&kept, &p->open);
    list_splice(&p->open, &kept);
    list_splice(&p->ack_new, &p->ack_sent);
    while ((op = list_first(&p->ack_new, struct protocol_op, ack)))
        op_release(p, op);
    connection_forget(p);
}

void protocol_unreachable(struct protocol *p, int error)
{
    op_fail_all(p, &p->queue, error);
    op_fail_all(p, &p->queue_free, error);
}

void protocol_over(struct protocol *p, int error)
{
    protocol_session_end(p, error);
    protocol_move(p, PROTOCOL_OVER);
    p->error = error;
    op_fail_all(p, &p->nil, error);
    protocol_unreachable(p, error);
}

void protocol_bye(struct protocol *p)
{
    p->bye = true;
}

/* ---- operations ---- */

/* Why it cannot even begin; 0: it can. */
static int refuse_start(const struct protocol *p, const struct protocol_op *op, int64_t now_ns)
{
    bool waits_here = p->state == PROTOCOL_VOID || op->request.verb == VERB_NONE;
    if (p->state == PROTOCOL_OVER)
        return p->error;
    if (op->deadline_ns == PROTOCOL_DEADLINE_NOW)
        return waits_here ? -EAGAIN : 0;
    return op->deadline_ns <= now_ns ? -ETIMEDOUT : 0;
}

void protocol_start(struct protocol *p, struct protocol_op *op, int64_t now_ns)
{
    list_init(&op->open);
    list_init(&op->place);
    list_init(&op->ack);
    list_init(&op->cancel);
    int error = refuse_start(p, op, now_ns);
    if (!error && op->request.verb != VERB_NONE) {
        op->request.id = ++p->last_id;
        op->charge = request_charge(&op->request);
        error = op_register(p, op);
    }
    if (error) {
        op_fail(p, op, error, 0);
        return;
    }
    if (op->deadline_ns > PROTOCOL_DEADLINE_NOW && op->deadline_ns < p->deadline_ns)
        p->deadline_ns = op->deadline_ns;
    op_move(p, op, op->request.verb == VERB_NONE ? OP_NIL : OP_QUEUED);
    if (op->phase == OP_QUEUED)
        list_append(&p->open, &op->open);
}

void protocol_cancel(struct protocol *p, struct protocol_op *op)
{
    if (op->phase == OP_NIL || op->phase == OP_QUEUED) {
        op_fail(p, op, -ECANCELED, 0);
    } else if ((op->phase == OP_FLIGHT || op->phase == OP_TAKEN) && !op->cancelled) {
        op->cancelled = true;
        list_append(&p->cancels, &op->cancel);
    }
}

bool protocol_undo(struct protocol *p, struct protocol_op *op)
{
    if (op->phase != OP_FINISHED || op->local || !op->undoable)
        return false;
    op->cancelled = true;
    op_move(p, op, OP_UNDOING);
    list_append(&p->cancels, &op->cancel);
    return true;
}

int protocol_surface(struct protocol *p, struct protocol_op *op, bool hold, int64_t now_ns)
{
    assert(op->phase == OP_FINISHED || op->phase == OP_FENCED);
    if (op->phase == OP_FENCED) {
        int error = op->values_n || op->granted ? op->fenced : 0;
        op_release(p, op);
        return error;
    }
    if (hold && op->values_n) {
        op_move(p, op, OP_HELD);
        return 0;
    }
    op->settled_n = op->values_n;
    return op_settle(p, op, now_ns);
}

void protocol_abandon(struct protocol *p, struct protocol_op *op, int64_t now_ns)
{
    op->abandoned = true;
    if (op->phase == OP_FINISHED) {
        op->returning = op->values_n > 0 || op->granted;
        op_settle(p, op, now_ns);
    } else if (op->phase == OP_FENCED) {
        op_release(p, op);
    } else {
        protocol_cancel(p, op);
    }
}

int protocol_settle(struct protocol *p, uint64_t id, uint64_t n, bool give_back, int64_t now_ns)
{
    struct protocol_op *op = op_find(p, id);
    if (id == 0 || id > p->last_id)
        return -EINVAL;
    if (!op && (id < p->session_from || p->state == PROTOCOL_VOID || p->state == PROTOCOL_OVER))
        return p->error;
    if (!op || op->phase == OP_SETTLED || n < op->settled_n || (n == op->settled_n && !give_back))
        return -ESTALE;
    if (op->phase != OP_HELD || n > op->values_n)
        return -EINVAL;
    op->settled_n = n;
    op->returning = give_back && n < op->values_n;
    return n == op->values_n || give_back ? op_settle(p, op, now_ns) : op_ack(p, op, now_ns);
}

/* ---- time ---- */

/* Moves what is past its deadline to `due`; returns the first deadline of the rest. */
static int64_t expire(struct list *place, int64_t now_ns, struct list *due)
{
    struct protocol_op *op, *after;
    int64_t first = PROTOCOL_NEVER;
    list_each_safe (op, after, place, place) {
        if (op->deadline_ns == PROTOCOL_DEADLINE_NOW)
            continue;
        if (op->deadline_ns <= now_ns) {
            list_remove(&op->place);
            list_append(due, &op->place);
        } else if (op->deadline_ns < first) {
            first = op->deadline_ns;
        }
    }
    return first;
}

static int64_t min(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t tick_deadlines(struct protocol *p, int64_t now_ns)
{
    struct list due = LIST_INIT(due);
    if (now_ns < p->deadline_ns)
        return p->deadline_ns;
    p->deadline_ns = min(expire(&p->nil, now_ns, &due),
                         min(expire(&p->queue, now_ns, &due), expire(&p->queue_free, now_ns, &due)));
    op_fail_all(p, &due, -ETIMEDOUT);
    return p->deadline_ns;
}

static int64_t tick_acks(struct protocol *p, int64_t now_ns)
{
    if (list_empty(&p->ack_new) || p->ack_urgent)
        return PROTOCOL_NEVER;
    p->ack_urgent = now_ns >= p->ack_due_ns;
    return p->ack_urgent ? PROTOCOL_NEVER : p->ack_due_ns;
}

/* One that is free: its acknowledgement, if any, has left. That the daemon has it shows with the next answer only, which
 * nobody asks for when both wait for it; if it is lost, the mark of a later frame stands for it. */
static struct protocol_op *ping_free(struct protocol *p)
{
    struct protocol_op *sent;
    for (int i = 0; i < PROTOCOL_PINGS; i++)
        if (p->pings[i].phase == OP_IDLE)
            return &p->pings[i];
    list_each (sent, &p->ack_sent, ack)
        if (op_is_ping(p, sent) && sent->phase == OP_SETTLED) {
            op_release(p, sent);
            return sent;
        }
    return NULL;
}

/* One is under way, if only again, since there is a new connection. */
static bool ping_awaited(const struct protocol *p)
{
    bool awaited = false;
    for (int i = 0; i < PROTOCOL_PINGS; i++)
        awaited |= p->pings[i].phase >= OP_QUEUED && p->pings[i].phase <= OP_TAKEN;
    return awaited;
}

void protocol_ping(struct protocol *p, int64_t now_ns)
{
    struct protocol_op *op = p->asked ? NULL : ping_free(p);
    if (!op) {
        if (!p->asked && ping_awaited(p)) { /* it stands for the one that is due */
            p->asked = true;
            p->asked_ns = now_ns;
        }
        return;
    }
    *op = (struct protocol_op){
        .request.verb = VERB_PING, .deadline_ns = PROTOCOL_DEADLINE_NONE, .sent_ns = now_ns};
    p->asked = true;
    p->asked_ns = now_ns;
    if (!p->facts.lease_ns)
        p->ping_ns = min(2 * p->ping_ns, PROTOCOL_PING_MAX_NS);
    protocol_start(p, op, now_ns);
}

/* Somebody, here or elsewhere, waits for what passes over the connection. */
static bool is_awaited(const struct protocol *p)
{
    return p->known_n || p->pressing_n;
}

/* When a live connection has to be tried: while somebody waits for it, and to keep a lease. */
static int64_t ping_due(const struct protocol *p)
{
    int64_t due = is_awaited(p) ? p->heard_ns + p->ping_ns : PROTOCOL_NEVER;
    return p->facts.lease_ns ? min(due, p->answered_ns + p->facts.lease_ns / 5) : due;
}

static int64_t tick_live(struct protocol *p, int64_t now_ns)
{
    if (!p->asked && now_ns >= ping_due(p))
        protocol_ping(p, now_ns);
    if (p->asked)
        return p->asked_ns + PROTOCOL_ANSWER_NS;
    int64_t due = ping_due(p); /* past: no ping is free before the acknowledgements have left */
    return due > now_ns ? due : now_ns + PROTOCOL_PING_RETRY_NS;
}

/* tcp: the daemon may think us dead from here on, so we must be (IP0). */
static int64_t lease_end(const struct protocol *p)
{
    bool leased = p->welcomed && p->facts.lease_ns && p->state != PROTOCOL_VOID && p->state != PROTOCOL_OVER;
    return leased ? p->answered_ns + p->facts.lease_ns / 10 * 8 : PROTOCOL_NEVER;
}

static int64_t tick_connection(struct protocol *p, int64_t now_ns)
{
    if (now_ns >= lease_end(p))
        protocol_session_end(p, -ECONNRESET);
    bool binding = p->state == PROTOCOL_HELLO || p->state == PROTOCOL_RESUME;
    if ((p->state == PROTOCOL_LIVE || binding) && p->asked && now_ns >= p->asked_ns + PROTOCOL_ANSWER_NS)
        protocol_rebind(p, now_ns);
    if (p->state == PROTOCOL_LIVE)
        return min(lease_end(p), tick_live(p, now_ns));
    if (p->state == PROTOCOL_CUT && is_awaited(p)) /* perhaps nobody looks whether there is one again */
        return min(lease_end(p), now_ns + PROTOCOL_PING_RETRY_NS);
    return min(lease_end(p), binding && p->asked ? p->asked_ns + PROTOCOL_ANSWER_NS : PROTOCOL_NEVER);
}

int64_t protocol_tick(struct protocol *p, int64_t now_ns)
{
    int64_t connection = tick_connection(p, now_ns);
    return min(connection, min(tick_deadlines(p, now_ns), tick_acks(p, now_ns)));
}

/* ---- invariants ---- */

static void check_op(const struct protocol *p, const struct protocol_op *op)
{
    assert(op->phase != OP_IDLE && op->phase != OP_NIL);
    assert(op->request.id <= p->last_id);
    assert(op_find(p, op->request.id) == op);
    assert(op->charged <= !op->local);
}

static void check_place(const struct list *place, enum op_phase phase)
{
    const struct protocol_op *op;
    uint64_t before = 0;
    list_each (op, place, place) {
        assert(op->phase == phase);
        assert(phase != OP_QUEUED || op->request.id > before);
        before = op->request.id;
    }
}

void protocol_check(const struct protocol *p)
{
    const struct protocol_op *op;
    uint64_t before = 0, known_n = 0, charged_ops = 0;
    list_each (op, &p->open, open) {
        check_op(p, op);
        assert(op->request.id > before);
        before = op->request.id;
        known_n += op->phase == OP_FLIGHT || op->phase == OP_TAKEN || op->phase == OP_UNDOING;
        charged_ops += op->charged;
    }
    assert(known_n == p->known_n && charged_ops == p->charged_ops);
    check_place(&p->nil, OP_NIL);
    check_place(&p->queue, OP_QUEUED);
    check_place(&p->queue_free, OP_QUEUED);
    check_place(&p->flight, OP_FLIGHT);
    assert(p->state == PROTOCOL_LIVE || p->state == PROTOCOL_CUT || !p->head_sent || p->asked);
}
