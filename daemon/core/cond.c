/*
 * Named conditions (K): bound to one named lock while somebody waits. A wait gives the lock up and parks in one step; a
 * signal moves who waits longest to the queue of the lock, and the one result comes with the lock.
 *
 * Whoever was signalled only waits for the lock: deadline and cancel end it no more. When it dies before it has
 * acknowledged the lock, the signal goes on to the next (K2).
 *
 * Invariant: a condition is there while somebody waits in its queue, and knows the lock it is bound to, which then stays.
 */
#include <assert.h>
#include <errno.h>

#include "lock.h"

struct cond {
    struct sync base;
    struct sync *lock;   /* NULL: nobody has waited yet */
    struct list of_lock; /* of its conditions */
    uint64_t number;     /* tells it from a later one of this name */
};

static int cond_init(struct core *core, struct sync *sync)
{
    struct cond *cond = (struct cond *)sync;

    list_init(&cond->of_lock);
    cond->number = sync_token(core);
    return 0;
}

static void cond_fini(struct core *core, struct sync *sync)
{
    struct cond *cond = (struct cond *)sync;

    list_remove(&cond->of_lock);
    if (cond->lock)
        sync_settle(core, cond->lock);
}

static int bound_check(struct core *core, const struct cond *cond, struct op *op, const struct sync *lock)
{
    if (!cond->lock || cond->lock == lock)
        return 0;
    op_fail(core, op, -EEXIST, "condition %.*s is bound to lock %.*s", cond->base.name_size, cond->base.name,
            cond->lock->name_size, cond->lock->name);
    return -EEXIST;
}

static void bind(struct cond *cond, struct sync *lock)
{
    if (cond->lock)
        return;
    cond->lock = lock;
    list_append(lock_conds(lock), &cond->of_lock);
}

/* K1. */
static int wait_with(struct core *core, struct cond *cond, struct op *op, struct sync *lock, uint64_t token)
{
    struct hold *hold;
    int r = bound_check(core, cond, op, lock);

    if (r < 0 || (r = hold_get(core, op->scope, &cond->base, &hold)) < 0)
        return r;
    r = sync_park(core, op, hold, 0);
    if (r < 0)
        return r;
    op->handle = token; /* tells with a failure that the lock was given up */
    bind(cond, lock);
    return 0;
}

int handle_cond_wait(struct core *core, struct op *op, const struct request *request)
{
    const struct request_cond_wait *what = &request->cond_wait;
    struct sync *sync, *lock;
    int r = sync_open(core, op, &sync_mutex, what->lock, false, &lock);

    if (r < 0 || (r = lock_check_owner(core, op, lock, what->lock, what->token)) < 0)
        return r;
    r = sync_open(core, op, &sync_cond, what->name, true, &sync);
    if (r < 0)
        return r;
    sync->busy = true;
    r = wait_with(core, (struct cond *)sync, op, lock, what->token);
    if (r == 0)
        lock_release(core, lock, what->flags & UNLOCK_CONSISTENT);
    sync_done(core, sync);
    return r;
}

/* From the queue of the condition to that of the lock. */
static void move(struct core *core, struct cond *cond, struct waiter *w)
{
    struct op *op = w->op;
    struct hold *hold = hold_find(core, op->scope, &cond->base);

    list_remove(&w->link);
    hold->waiters--;
    hold_settle(core, hold);
    op_untime(core, op);
    w->ticket = cond->number;
    lock_enter(core, cond->lock, op);
}

int handle_cond_signal(struct core *core, struct op *op, const struct request *request)
{
    const struct request_cond_signal *what = &request->cond_signal;
    struct sync *sync;
    struct waiter *w;
    int r = sync_open(core, op, &sync_cond, what->name, false, &sync);

    if (r < 0 || !sync)
        return r;
    sync->busy = true;
    while ((!op->handle || what->flags & SIGNAL_ALL) && (w = sync_next(core, sync))) {
        move(core, (struct cond *)sync, w);
        op->handle++;
    }
    sync_done(core, sync);
    return 0;
}

void conds_pass_on(struct core *core, struct sync *lock, uint64_t number)
{
    struct cond *cond;
    struct waiter *w;

    list_each (cond, lock_conds(lock), of_lock) {
        if (cond->number != number || cond->base.busy)
            continue;
        cond->base.busy = true;
        w = sync_next(core, &cond->base);
        if (w)
            move(core, cond, w);
        sync_done(core, &cond->base);
        return;
    }
}

struct account *conds_keeper(const struct list *conds)
{
    const struct cond *cond = list_first(conds, struct cond, of_lock);

    return cond ? cond->base.account : NULL;
}

static void cond_check(const struct core *core, const struct sync *sync)
{
    const struct cond *cond = (const struct cond *)sync;

    assert(cond->lock && cond->lock->rules == &sync_mutex && list_linked(&cond->of_lock) &&
           "K: a condition has a lock");
}

const struct sync_rules sync_cond = {
    .kind = SYNC_COND,
    .word = "condition",
    .bytes = sizeof(struct cond),
    .init = cond_init,
    .fini = cond_fini,
    .check = cond_check,
};
