/*
 * An operation arrives: joined to one that is there, refused, or made and handed to the handler of its verb (IP7).
 * A refusal leaves no trace: asked again, it is judged again. But a send stays refused: where its refusal was lost and it
 * is asked again, a later send may have taken effect (F4). Of that one number is kept, not each of them: the sends of a
 * session come in the order of their ids (IP8), so one at or below the last that was refused has had its turn.
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

static bool sends(const struct request *request)
{
    if (request->verb != VERB_SELECT)
        return request->verb == VERB_SEND || request->verb == VERB_PUBLISH;
    for (size_t i = 0; i < request->select.cases_n; i++)
        if (request->select.cases[i].kind == CASE_SEND)
            return true;
    return false;
}

struct refusal {
    int status;
    struct bytes text;
    uint32_t at; /* entry of an array in the request, from 1; 0: none */
};

#define REFUSAL(status, words) ((struct refusal){status, {words, sizeof(words) - 1}})

static const char *const verb_words[] = {
#define VERB_WORD(NAME, name, number, flags, help) [number] = #name,
    VERBS(VERB_WORD)
#undef VERB_WORD
};

struct bytes right_refusal(const struct account *account, const struct request *request,
                           const struct right_want *want, char words[RIGHT_REFUSAL_BYTES])
{
    char who[64], group[64];
    int name = (int)(want->name.size < NAME_BYTES_MAX ? want->name.size : NAME_BYTES_MAX);
    int rest = (int)(want->rest.size < NAME_BYTES_MAX / 2 ? want->rest.size : NAME_BYTES_MAX / 2);

    who[account_words(account, who, sizeof(who) - 1)] = '\0';
    group[rights_words(want->groups, group, sizeof(group) - 1)] = '\0';
    size_t n =
        text_write(words, RIGHT_REFUSAL_BYTES, "%s may not %s %.*s%s%.*s: rights_file gives it no %s%s", who,
                   verb_words[request->verb], name, (const char *)want->name.data, rest ? ":" : "", rest,
                   (const char *)want->rest.data, group, want->anywhere ? "" : " for that name");
    return (struct bytes){words, n};
}

static bool is_there(const struct core *core, const struct scope *scope, const struct request *request)
{
    if (request->verb == VERB_CHAN_OPEN)
        return channel_find(core, request->chan_open.name);
    if (request->verb == VERB_FEED_SET)
        return feeds_have(core, request->feed_set.name);
    return request->verb == VERB_SYNC_GIVE && sync_is_held(core, scope, &request->sync_give);
}

/* The first thing that it needs and its user has no right to. */
static struct refusal rights_refusal(const struct core *core, const struct scope *scope,
                                     const struct request *request, char words[RIGHT_REFUSAL_BYTES])
{
    struct right_want wants[RIGHT_WANTS_MAX];
    size_t n = rights_wanted(request, is_there(core, scope, request), wants);

    for (size_t i = 0; i < n; i++)
        if (!account_may(core, scope->account, &wants[i]))
            return (struct refusal){-EPERM, right_refusal(scope->account, request, &wants[i], words)};
    return (struct refusal){0};
}

/* The first reason not to take a new operation; status 0: none. `scope`: NULL when its run has ended. `words`: where it may
 * write its text. */
static struct refusal refusal(const struct core *core, const struct session *session,
                              const struct scope *scope, const struct request *request,
                              char words[RIGHT_REFUSAL_BYTES])
{
    uint32_t flags = verb_known(request->verb) ? verb_flags(request->verb) : 0;

    if (!request->id)
        return REFUSAL(-EINVAL, "operation ids begin at 1");
    if (request->id <= session->ack_mark || idset_has(&session->seen, request->id))
        return REFUSAL(-ESTALE, "this operation id was used and acknowledged");
    if (request->fault)
        return (struct refusal){request->fault, request->fault_text, request->fault_at};
    if (!verb_known(request->verb))
        return REFUSAL(-EOPNOTSUPP, "unknown operation: this goroutined is older than its client");
    if (!scope)
        return REFUSAL(-ESTALE, "this run has ended");
    if (flags & VERB_HOST && !(flags & VERB_WORKER) && !session->host)
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
    if (request->id <= session->send_refused && sends(request))
        return REFUSAL(-ENOBUFS, "refused when its turn was: a later send may have taken effect");
    if (core->rights)
        return rights_refusal(core, scope, request, words);
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

/* No log keeps it. When even that cannot be said, the connection has to be bound anew, and all that is open comes again,
 * in order: nothing behind it has been taken. */
static void turn_away(struct core *core, struct session *session, uint64_t conn,
                      const struct request *request, struct refusal no)
{
    struct link *link = link_find(core, conn);

    if (refuse(core, conn, request->id, no.status, no.at, no.text) < 0 && link)
        link_remove(core, link);
    else if (request->id > session->send_refused && sends(request))
        session->send_refused = request->id;
}

void op_arrive(struct core *core, struct session *session, uint64_t conn, const struct request *request)
{
    bool fresh = request->id > session->seen.highest; /* nothing has that id */
    struct op *op = fresh ? NULL : op_find(core, session, request->id);
    char words[RIGHT_REFUSAL_BYTES];
    struct refusal no;
    int r;

    core->counters[COUNT_OPS]++;
    if (op && PLANTED(NO_DEDUP) && !op_waits(op)) {
        session_ack(core, session, &(struct ack){.op = op->id});
        op = op_find(core, session, request->id);
    }
    if (op)
        return again(core, op);
    struct scope *scope = scope_find(core, session, request->run);
    no = refusal(core, session, scope, request, words);
    if (no.status && !(PLANTED(NO_DEDUP) && no.status == -ESTALE && scope))
        return turn_away(core, session, conn, request, no);
    r = op_new(core, scope, request, &op);
    if (r < 0)
        return turn_away(core, session, conn, request, (struct refusal){.status = r});
    run(core, op, request);
}
