/*
 * An operation arrives: joined to one that is there, refused, or made and handed to the handler of its verb (IP7).
 * A refusal leaves no trace: asked again, it is judged again.
 */
#include <errno.h>

#include "engine.h"

static const struct verb_row {
    int (*handle)(struct core *core, struct op *op, const struct request *request);
    uint32_t flags;
} verbs[VERB_NUMBER_END] = {
#define VERB_ROW(NAME, name, number, flags, help) [number] = {handle_##name, flags},
    VERBS(VERB_ROW)
#undef VERB_ROW
};

bool verb_known(enum verb verb)
{
    return (unsigned)verb < VERB_NUMBER_END && verbs[verb].handle;
}

uint32_t verb_flags(enum verb verb)
{
    return verbs[verb].flags;
}

int64_t request_deadline(const struct core *core, const struct request *request)
{
    return request->until.kind == UNTIL_AT ? request->until.ns
                                           : time_after(core->now.mono_ns, request->until.ns);
}

/* IP6.2: in flight and unacknowledged results, never parked operations; what gives something back is free. */
static bool over_window(const struct core *core, const struct session *session, const struct request *request)
{
    return !(verb_flags(request->verb) & VERB_FREE) &&
           (session->unacked_n >= core->limits.window_ops || session_full(core, session));
}

struct refusal {
    int status;
    struct bytes text;
};

#define REFUSAL(status, words) ((struct refusal){status, {words, sizeof(words) - 1}})

/* The first reason not to take a new operation; status 0: none. */
static struct refusal refusal(const struct core *core, const struct session *session,
                              const struct request *request)
{
    uint32_t flags = verb_known(request->verb) ? verb_flags(request->verb) : 0;

    if (!request->id)
        return REFUSAL(-EINVAL, "operation ids begin at 1");
    if (request->id <= session->ack_mark || idset_has(&session->seen, request->id))
        return REFUSAL(-ESTALE, "this operation id was used and acknowledged");
    if (request->fault)
        return (struct refusal){request->fault, request->fault_text};
    if (!verb_known(request->verb))
        return REFUSAL(-EOPNOTSUPP, "unknown operation: this goroutined is older than its client");
    if (!scope_find(core, session, request->run))
        return REFUSAL(-ESTALE, "this run has ended");
    if (flags & VERB_HOST && !session->host)
        return REFUSAL(-EPERM, "only a host of plugins may ask this");
    if (session->host && !request->run && !(flags & VERB_HOST) && request->verb != VERB_PING)
        return REFUSAL(-EPERM, "plugin code must call from a goroutine of its job");
    if (flags & VERB_TEST && !core->clock_moves)
        return REFUSAL(-EOPNOTSUPP, "the clock moves only under --test-clock");
    if (request->until.kind == UNTIL_AT && !session->same_clock)
        return REFUSAL(-EINVAL, "clocks are not comparable: say how long, not until when");
    if (over_window(core, session, request))
        return REFUSAL(-ENOBUFS,
                       "over the window or the limit of handles: acknowledge results, drop handles");
    return (struct refusal){0};
}

/* IP1.4: what is already over on arrival takes nothing. */
static bool late(const struct core *core, const struct request *request)
{
    if (verb_flags(request->verb) & VERB_FREE)
        return false;
    return (request->until.kind == UNTIL_AT || request->until.kind == UNTIL_IN) &&
           request_deadline(core, request) <= core->now.mono_ns;
}

static void run(struct core *core, struct op *op, const struct request *request)
{
    int r = late(core, request) ? -ETIMEDOUT : op_bind(core, op, request->context);

    if (r == 0)
        r = verbs[request->verb].handle(core, op, request);
    if (op->state != OP_NEW)
        return;
    if (op->scope->ended) /* by its own doing */
        op_adopt(core, op);
    op_finish(core, op, r);
}

/* It is here already: parked, then it joins; finished, then it hears its result again. */
static void again(struct core *core, struct op *op)
{
    if (op_waits(op) || op->held || list_linked(&op->entry.out))
        return;
    list_append(&core->outbox, &op->entry.out);
    core->counters[COUNT_RESENT]++;
}

void op_arrive(struct core *core, struct session *session, uint64_t conn, const struct request *request)
{
    struct op *op = op_find(core, session, request->id);
    struct refusal no;
    int r;

    core->counters[COUNT_OPS]++;
    if (op && PLANTED(NO_DEDUP) && !op_waits(op)) {
        session_ack(core, session, &(struct ack){.op = op->id});
        op = op_find(core, session, request->id);
    }
    if (op)
        return again(core, op);
    no = refusal(core, session, request);
    if (no.status && !(PLANTED(NO_DEDUP) && no.status == -ESTALE && scope_find(core, session, request->run)))
        return refuse(core, conn, request->id, no.status, no.text);
    r = op_new(core, scope_find(core, session, request->run), request, &op);
    if (r < 0)
        return refuse(core, conn, request->id, r, (struct bytes){0});
    run(core, op, request);
}
