/*
 * Which waits can never end (Z5): a proof over all sessions, handles, locks and waiters of one moment.
 *
 * A session is asleep when it has said how many callers it has (CALLERS), so many of its operations wait, each with the
 * word of its caller that it does nothing else meanwhile (OP_BLOCKS), and none of these can end. A wait can end
 *     by its deadline, by the end of its context or of a job, by an answer of the store or of a host;
 *     by a receive or send or close: of whoever has a handle for that;
 *     by a value that comes back, while one is out with a receiver (IP2.2, IP3);
 *     by whoever receives a handle that flies in a value (U6);
 *     by an unlock: of whoever holds the lock;
 *     by a publish, of anybody: who receives from a subscription is awake;
 *     and any wait of a session that is awake, since it may cancel it.
 * What is asleep is the largest set in which every end of every wait would have to come from the set itself: begin with
 * all who may sleep, and wake who can be reached by somebody awake until nobody new wakes. What this file does not know
 * of counts as awake: a new kind of wait, a plugin's code, a program that has not said how many callers it has.
 *
 * The end of a process is no end of a wait here: somebody outside may always kill one. Nor is somebody new, who opens a
 * channel by its name: such groups are told apart (`named`). But a session that waits on a channel whose name stands and
 * of which nobody else has a handle waits for just that, as a server does for its first client: it is awake.
 *
 * Each session wakes once, each handle is looked at twice, each waiter once for every way in which it may end.
 */
#include <errno.h>

#include "inspect.h"

enum { END_RECV, END_SEND };

/* Who has one of these rights can end a receive, or a send. */
static const uint32_t ends[] = {[END_RECV] = RIGHT_SEND | RIGHT_CLOSE, [END_SEND] = RIGHT_RECV | RIGHT_CLOSE};

/* What everything here is called with. */
struct proof {
    struct core *core;
    struct list woken; /* struct session by proof.link */
};

typedef void scope_fn(struct proof *proof, struct scope *scope);

static void each_scope(struct proof *proof, struct session *session, scope_fn *fn)
{
    struct map_node *n = NULL;

    fn(proof, &session->scope);
    while ((n = map_walk(&session->scopes, n)))
        fn(proof, map_entry(n, struct scope, node));
}

/* ---- what there is ---- */

static void note_ender(struct channel *c, int end, struct session *session)
{
    if (!c->proof.ender[end])
        c->proof.ender[end] = session;
    c->proof.several[end] |= c->proof.ender[end] != session;
}

static void note_handles(struct proof *proof, struct scope *scope)
{
    const struct handle *handle;

    list_each (handle, &scope->handles, link)
        for (int end = END_RECV; end <= END_SEND; end++)
            if (handle->rights & ends[end])
                note_ender(handle->channel, end, scope->session);
}

static int end_of(const struct waiter *w)
{
    return w->kind == CASE_SEND ? END_SEND : END_RECV;
}

/* Somebody other than the caller that waits has a handle. */
static bool others_hold(const struct waiter *w)
{
    const struct proof_channel *c = &w->channel->proof;
    const struct session *mine = w->op->scope->session, *one = c->ender[end_of(w)];

    return c->several[end_of(w)] || (one && (one != mine || mine->callers > 1));
}

bool proof_alone(const struct op *op)
{
    if (op->reason != WAIT_CHAN_SEND && op->reason != WAIT_CHAN_RECV && op->reason != WAIT_SELECT)
        return false;
    for (uint32_t i = 0; i < op->waiters_n; i++)
        if (!op->waiters[i].channel || others_hold(&op->waiters[i]))
            return false;
    return op->waiters_n;
}

static bool case_may_stay(const struct waiter *w)
{
    const struct channel *c = w->channel;

    return c && !c->subscription && !c->closed && !c->delivered_n && !c->flights_n && !c->storing_n &&
           !c->closing && (!c->linked || others_hold(w));
}

/* Nothing is known yet that ends it. */
static bool may_stay(struct core *core, struct op *op)
{
    if (op->state != OP_PARKED || !op->blocks || op->timed || op->bond || op->scope->run ||
        list_linked(&op->entry.out) || op_gone(core, op))
        return false;
    if (op->reason == WAIT_LOCK)
        return op->waiters[0].sync && lock_holder(op->waiters[0].sync);
    if (op->reason != WAIT_CHAN_SEND && op->reason != WAIT_CHAN_RECV && op->reason != WAIT_SELECT)
        return false;
    for (uint32_t i = 0; i < op->waiters_n; i++)
        if (!case_may_stay(&op->waiters[i]))
            return false;
    return op->waiters_n;
}

static void note_ops(struct core *core, struct session *session)
{
    struct map_node *n = NULL;

    while ((n = map_walk(&session->ops, n))) {
        struct op *op = map_entry(n, struct op, node);

        op->stuck = op_waits(op) && may_stay(core, op);
        session->proof.waits += op_waits(op);
        session->proof.stuck += op->stuck;
    }
}

/* ---- who is awake ---- */

/* More that wait than it has callers: then its word is not kept. */
static bool can_act(const struct session *session)
{
    return session->ended || !session->callers || session->proof.waits != session->callers ||
           session->proof.stuck != session->callers;
}

static void rouse(struct proof *proof, struct session *session)
{
    if (session->proof.awake)
        return;
    session->proof.awake = true;
    list_append(&proof->woken, &session->proof.link);
}

/* Somebody awake could end this wait. */
static void wake(struct waiter *w, void *proof)
{
    struct session *session = w->op->scope->session;

    if (!w->op->stuck)
        return;
    w->op->stuck = false;
    session->proof.stuck--;
    rouse(proof, session);
}

static void reach_channel(struct proof *proof, struct channel *c, uint32_t rights)
{
    struct list *queues[] = {[END_RECV] = &c->receivers.list, [END_SEND] = &c->senders.list};
    struct waiter *w;

    for (int end = END_RECV; end <= END_SEND; end++) {
        if (!(rights & ends[end]) || c->proof.awake[end])
            continue;
        c->proof.awake[end] = true;
        list_each (w, queues[end], link)
            wake(w, proof);
    }
}

/* Whatever somebody of this scope can end. */
static void reach(struct proof *proof, struct scope *scope)
{
    const struct handle *handle;
    struct channel *c;

    list_each (handle, &scope->handles, link)
        reach_channel(proof, handle->channel, handle->rights);
    list_each (c, &scope->channels, owner) /* they close with it */
        reach_channel(proof, c, RIGHT_CLOSE);
    locks_held_each(scope, wake, proof);
}

static void wake_all(struct proof *proof)
{
    struct session *session;

    list_each (session, &proof->core->session_list, link)
        if (!session->ended && can_act(session))
            rouse(proof, session);
    while ((session = list_first(&proof->woken, struct session, proof.link))) {
        list_remove(&session->proof.link);
        each_scope(proof, session, reach);
    }
}

bool proof_asleep(const struct session *session)
{
    return !session->ended && !session->proof.awake;
}

/* ---- groups ---- */

static struct session *leader(struct session *session)
{
    while (session->proof.leader != session)
        session = session->proof.leader = session->proof.leader->proof.leader;
    return session;
}

static void join(struct session *a, struct session *b)
{
    a = leader(a);
    b = leader(b);
    if (a->number < b->number)
        b->proof.leader = a;
    else
        a->proof.leader = b;
}

static void join_op(struct session *session, const struct op *op)
{
    if (op->reason == WAIT_LOCK)
        return join(session, lock_holder(op->waiters[0].sync));
    for (uint32_t i = 0; i < op->waiters_n; i++) {
        const struct waiter *w = &op->waiters[i];
        struct proof_channel *c = &w->channel->proof;

        c->waited[end_of(w)] = true;
        if (c->ender[end_of(w)])
            join(session, c->ender[end_of(w)]);
    }
}

static void join_holders(struct proof *proof, struct scope *scope)
{
    const struct handle *handle;

    list_each (handle, &scope->handles, link)
        for (int end = END_RECV; end <= END_SEND; end++)
            if (handle->rights & ends[end] && handle->channel->proof.waited[end])
                join(scope->session, handle->channel->proof.ender[end]);
}

static bool names_channel(const struct op *op)
{
    for (uint32_t i = 0; op->reason != WAIT_LOCK && i < op->waiters_n; i++)
        if (op->waiters[i].channel->linked)
            return true;
    return false;
}

typedef void op_fn(struct session *session, const struct op *op);

static void note_named(struct session *session, const struct op *op)
{
    if (names_channel(op))
        leader(session)->proof.named = true;
}

static void each_asleep(struct proof *proof, op_fn *fn)
{
    struct session *session;

    list_each (session, &proof->core->session_list, link)
        for (struct map_node *n = map_walk(&session->ops, NULL); n && proof_asleep(session);
             n = map_walk(&session->ops, n))
            if (map_entry(n, struct op, node)->stuck)
                fn(session, map_entry(n, struct op, node));
}

static void make_groups(struct proof *proof)
{
    struct session *session;

    each_asleep(proof, join_op);
    list_each (session, &proof->core->session_list, link)
        if (proof_asleep(session))
            each_scope(proof, session, join_holders);
    each_asleep(proof, note_named);
    list_each (session, &proof->core->session_list, link)
        session->proof.leader = leader(session);
}

int proof_make(struct core *core)
{
    struct proof proof = {.core = core};
    struct session *session;
    struct channel *c;

    if (core->ops_n + core->handles.count + core->channels_n > core->limits.inspect_max)
        return -ENOBUFS;
    list_init(&proof.woken);
    list_each (c, &core->channel_list, link)
        c->proof = (struct proof_channel){0};
    list_each (session, &core->session_list, link) {
        session->proof = (struct proof_session){.leader = session};
        list_init(&session->proof.link);
        if (!session->ended)
            each_scope(&proof, session, note_handles);
    }
    list_each (session, &core->session_list, link)
        if (!session->ended)
            note_ops(core, session);
    wake_all(&proof);
    make_groups(&proof);
    return 0;
}
