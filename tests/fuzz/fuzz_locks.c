/* What the ledger of locks has to know of a core that any bytes may drive. */
#include "fuzz_locks.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine.h"
#include "lock_ledger.h"

enum { UNDOING_MAX = 256 };

struct lock_watch {
    const struct core *core;
    struct lock_ledger *ledger;
    uint64_t session;              /* whose operation this step brings, if it is of locks and new; or 0 */
    uint64_t undoing[UNDOING_MAX]; /* grants of the session that this step's frame asks to undo */
    size_t undoing_n;
    uint64_t undoer; /* that session */
};

static const struct session *session_numbered(const struct core *core, uint64_t number)
{
    const struct session *session;

    list_each (session, &core->session_list, link)
        if (session->number == number)
            return session->ended ? NULL : session;
    return NULL;
}

static bool lives(void *context, uint64_t number, uint64_t run)
{
    const struct lock_watch *watch = context;
    const struct session *session = session_numbered(watch->core, number);

    return session && scope_find(watch->core, session, run);
}

struct lock_watch *lock_watch_new(const struct core *core)
{
    struct lock_watch *watch = calloc(1, sizeof(*watch));

    if (!watch)
        abort();
    watch->core = core;
    watch->ledger = lock_ledger_new(lives, watch);
    return watch;
}

struct lock_watch *lock_watch_delete(struct lock_watch *watch)
{
    lock_ledger_delete(watch->ledger);
    free(watch);
    return NULL;
}

static const struct session *session_on(const struct lock_watch *watch, uint64_t conn)
{
    const struct link *link = link_find(watch->core, conn);

    return link ? link->session : NULL;
}

/* A client may acknowledge what it was never told. */
static void acknowledged(struct lock_watch *watch, uint64_t conn, const struct client_frame *head)
{
    const struct secret *secret = head->hello    ? &head->hello->session
                                  : head->resume ? &head->resume->session
                                                 : NULL;
    const struct session *session = secret ? session_find(watch->core, secret) : session_on(watch, conn);

    if (!session)
        return;
    lock_ledger_acked(watch->ledger, session->number, 0, head->ack_mark);
    for (size_t i = 0; i < head->acks_n; i++)
        lock_ledger_acked(watch->ledger, session->number, head->acks[i].op, head->acks[i].op);
}

/* ---- CANCEL and RETURN (IP1.3) ---- */

static bool acks(const struct client_frame *head, uint64_t op)
{
    for (size_t i = 0; i < head->acks_n; i++)
        if (head->acks[i].op == op)
            return true;
    return op <= head->ack_mark;
}

static bool has_grant(const struct lock_watch *watch, const struct session *session, uint64_t id)
{
    const struct op *op = session ? op_find(watch->core, session, id) : NULL;

    return op && op->granted;
}

static void note_undoing(struct lock_watch *watch, const struct session *session,
                         const struct client_frame *head, uint64_t op)
{
    if (watch->undoing_n < UNDOING_MAX && has_grant(watch, session, op) && !acks(head, op))
        watch->undoing[watch->undoing_n++] = op;
    if (session)
        lock_ledger_undoing(watch->ledger, session->number, op);
}

static void undoing(struct lock_watch *watch, uint64_t conn, const struct client_frame *head)
{
    const struct session *session = session_on(watch, conn);

    watch->undoer = session ? session->number : 0;
    for (size_t i = 0; i < head->returns_n; i++)
        note_undoing(watch, session, head, head->returns[i].op);
    for (size_t i = 0; i < head->cancels_n; i++)
        note_undoing(watch, session, head, head->cancels[i]);
}

/* A session that has ended in this step may have done so before. */
static void undone(struct lock_watch *watch)
{
    const struct session *session = session_numbered(watch->core, watch->undoer);

    for (size_t i = 0; i < watch->undoing_n; i++) {
        if (!session)
            lock_ledger_unsure(watch->ledger, watch->undoer, watch->undoing[i]);
        else if (!has_grant(watch, session, watch->undoing[i]))
            lock_ledger_undone(watch->ledger, watch->undoer, watch->undoing[i]);
    }
}

/* ---- steps ---- */

/* A condition gives locks up and takes them; a name may be that of another object. */
static void others(struct lock_watch *watch, const struct request *request)
{
    switch (request->verb) {
    case VERB_SYNC_TAKE:
        lock_ledger_strange(watch->ledger, request->sync_take.name);
        break;
    case VERB_SYNC_ADD:
        lock_ledger_strange(watch->ledger, request->sync_add.name);
        break;
    case VERB_SYNC_WAIT:
        lock_ledger_strange(watch->ledger, request->sync_wait.name);
        break;
    case VERB_COND_WAIT:
        lock_ledger_strange(watch->ledger, request->cond_wait.name);
        lock_ledger_strange(watch->ledger, request->cond_wait.lock);
        break;
    default:
        break;
    }
}

void lock_watch_before(struct lock_watch *watch, const struct input *in)
{
    watch->session = watch->undoing_n = 0;
    if (in->kind == IN_FRAME) {
        acknowledged(watch, in->conn, in->frame.head);
        undoing(watch, in->conn, in->frame.head);
    }
    if (in->kind == IN_OP)
        others(watch, in->op);
    if (in->kind != IN_OP || (in->op->verb != VERB_LOCK && in->op->verb != VERB_UNLOCK))
        return;
    const struct session *session = session_on(watch, in->conn);
    if (session && !op_find(watch->core, session, in->op->id))
        watch->session = session->number;
}

/* A session that is gone now has ended with its frame: nobody sees any more whether it was refused before. */
void lock_watch_after(struct lock_watch *watch, const struct input *in)
{
    const struct session *session = session_numbered(watch->core, watch->session);

    undone(watch);
    if (!watch->session)
        return;
    if (!session)
        lock_ledger_perhaps(watch->ledger, in->op);
    else if (op_find(watch->core, session, in->op->id))
        lock_ledger_taken(watch->ledger, session->number, in->op);
}

void lock_watch_result(struct lock_watch *watch, uint64_t conn, const struct result *result)
{
    const struct session *session = session_on(watch, conn);
    const char *wrong = session ? lock_ledger_result(watch->ledger, session->number, result) : NULL;

    if (!wrong)
        return;
    fprintf(stderr, "operation %llu of session %llu: %s\n", (unsigned long long)result->op,
            (unsigned long long)session->number, wrong);
    abort();
}
