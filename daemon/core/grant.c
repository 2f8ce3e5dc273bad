/*
 * Grants until they are acknowledged: what an operation got of a sync object (sync.h), and how that is undone when nobody
 * has had it (IP1.3).
 *
 * A CANCEL undoes a grant, and that is the operation's one result then. A firm one it leaves alone: a claim, which never
 * waited (IP1.4), and the lock with which a wait of a condition ends (K1). A RETURN undoes both.
 *
 * Invariants: a granted operation has succeeded, and its scope lives or is yet to be swept; its first waiter is in the list
 * of the object for as long as that is there, with what it got.
 */
#include "sync.h"

void grant_note(struct sync *sync, struct op *op, uint64_t what)
{
    struct waiter *w = &op->waiters[0];

    w->sync = sync;
    w->ticket = what;
    list_append(&sync->granted, &w->link);
    op->granted = true;
}

void grant_forget(struct op *op)
{
    if (!op->granted)
        return;
    list_remove(&op->waiters[0].link);
    op->waiters[0].sync = NULL;
    op->granted = op->firm = false;
}

void grants_of_gone(struct sync *sync)
{
    struct waiter *w, *after;

    list_each_safe (w, after, &sync->granted, link) {
        list_remove(&w->link);
        w->sync = NULL;
    }
}

void grant_undo(struct core *core, struct op *op)
{
    struct sync *sync = op->granted ? op->waiters[0].sync : NULL;

    if (sync && !op->scope->ended && !PLANTED(KEPT_GRANT)) {
        sync->busy = true;
        sync->rules->undo(core, sync, op, op->waiters[0].ticket);
        sync_done(core, sync);
    }
    grant_forget(op);
}

bool grant_cancel(struct core *core, struct op *op)
{
    if (!op->granted || op->firm)
        return false;
    grant_undo(core, op);
    return true;
}
