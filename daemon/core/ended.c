/*
 * Sessions that have ended, remembered for a minute: OP_STATUS tells what became of an operation whose client never
 * saw the result (IP7). A submit is settled by the store, for as long as its job is kept (IP4).
 */
#include <errno.h>
#include <string.h>

#include "engine.h"

enum { FATES_MAX = 8192 }; /* operations of one session that are remembered one by one */

struct ended {
    struct map_node node; /* of core->ended, by secret */
    struct list link;     /* of core->ended_list, oldest first */
    struct secret secret;
    struct timer timer;
    struct idset seen;
    uint64_t ack_mark;
    size_t fates_n;
    struct fate {
        uint64_t op, handle;
        int32_t done; /* 1: it took effect; 0: it did not */
        uint32_t flags;
    } fate[];
};

static void ended_delete(struct core *core, struct ended *ended)
{
    timer_disarm(core, &ended->timer);
    timers_unreserve(core);
    map_remove(&core->ended, &ended->node);
    list_remove(&ended->link);
    core_free(core, ended->seen.gap);
    core_free(core, ended);
}

static void ended_expire(struct core *core, struct timer *timer)
{
    ended_delete(core, container_of(timer, struct ended, timer));
}

static struct ended *ended_find(const struct core *core, const struct secret *secret)
{
    struct map_node *n = map_first(&core->ended, core_hash(core, secret, sizeof(*secret)));

    for (; n; n = map_next(n))
        if (memcmp(&map_entry(n, struct ended, node)->secret, secret, sizeof(*secret)) == 0)
            return map_entry(n, struct ended, node);
    return NULL;
}

bool ended_has(const struct core *core, const struct secret *secret)
{
    return ended_find(core, secret);
}

/* What was received and not acknowledged has gone back: as if it had never happened. */
static struct fate fate_of(const struct op *op)
{
    bool done = op->state == OP_COMMITTED && list_empty(&op->items);

    return (struct fate){op->id, op->handle, done, op->flags & RESULT_DOUBT};
}

/* Finished ones first. */
static void fates_copy(struct ended *ended, const struct session *session, size_t room)
{
    const struct entry *entry;
    const struct op *op;

    list_each (entry, &session->log, log) {
        if (ended->fates_n == room)
            return;
        if (!entry->stream)
            ended->fate[ended->fates_n++] = fate_of(container_of(entry, struct op, entry));
    }
    list_each (op, &session->scope.ops, link) {
        if (ended->fates_n == room)
            return;
        ended->fate[ended->fates_n++] = fate_of(op);
    }
}

void ended_remember(struct core *core, struct session *session)
{
    size_t room = session->ops.count < FATES_MAX ? session->ops.count : FATES_MAX;

    if (core->ended.count >= core->limits.sessions_max)
        ended_delete(core, list_first(&core->ended_list, struct ended, link));
    if (map_reserve(core, &core->ended, 1) < 0 || timers_reserve(core) < 0)
        return core_log(core, LOG_LEVEL_WARN, "event=session_not_remembered session=%lu", session->number);
    struct ended *ended = core_alloc(core, sizeof(*ended) + room * sizeof(struct fate));
    if (!ended) {
        timers_unreserve(core);
        return core_log(core, LOG_LEVEL_WARN, "event=session_not_remembered session=%lu", session->number);
    }
    ended->secret = session->secret;
    ended->ack_mark = session->ack_mark;
    ended->seen = session->seen;
    session->seen = (struct idset){.highest = ended->seen.highest};
    fates_copy(ended, session, room);
    map_add(&core->ended, &ended->node, core_hash(core, &ended->secret, sizeof(ended->secret)));
    list_append(&core->ended_list, &ended->link);
    timer_arm(core, &ended->timer,
              time_after(core->now.mono_ns, (int64_t)core->limits.op_status_s * 1000000000), ended_expire);
}

void ended_free(struct core *core)
{
    while (!list_empty(&core->ended_list))
        ended_delete(core, list_first(&core->ended_list, struct ended, link));
}

/* ---- OP_STATUS ---- */

static const struct fate *fate_find(const struct ended *ended, uint64_t op)
{
    for (size_t i = 0; ended && i < ended->fates_n; i++)
        if (ended->fate[i].op == op)
            return &ended->fate[i];
    return NULL;
}

/* The store knows the job of a submit, whatever became of its session. */
static void status_fetched(struct core *core, struct op *op, void *context, const struct input *in)
{
    int error = in->fetched.error;

    if (!op)
        return;
    if (error && error != -ENOENT)
        return op_finish(core, op, error);
    if (error || !in->fetched.rows_n)
        return op_finish(core, op, op->status);
    op->handle = in->fetched.rows[0].id;
    op_finish(core, op, 1);
}

/* Its result would have been this. -ENOENT: acknowledged, so its client knew; or nothing is known any more. */
static int status_without_fate(const struct ended *ended, uint64_t id)
{
    if (!ended || id <= ended->ack_mark || idset_has(&ended->seen, id))
        return -ENOENT;
    return 0;
}

/* 1: it took effect, with the handle of its result; 0: it did not and never will. -EBUSY: its session lives, and
 * RESUME tells. */
int handle_op_status(struct core *core, struct op *op, const struct request *request)
{
    const struct request_op_status *ask = &request->op_status;
    struct ended *ended = ended_find(core, &ask->session);
    const struct fate *fate = fate_find(ended, ask->op);
    struct fetch what = {.kind = FETCH_OP, .session = ask->session, .op = ask->op};
    struct session *session = session_find(core, &ask->session);

    if (session && session != op->scope->session)
        return -EBUSY;
    if (fate) {
        op->handle = fate->handle;
        op->flags |= fate->flags;
        return fate->done;
    }
    op->status = status_without_fate(ended, ask->op);
    return core_fetch(core, &what, status_fetched, op, NULL);
}
