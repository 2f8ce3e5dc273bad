/*
 * Named locks (M, IP4): mutual exclusion between processes, in order of arrival, with fencing tokens.
 *
 * A lock is a sync object (sync.h) that knows its one holder itself.
 * Invariants: waiters only while held; a held lock is in its holder's scope->locks; `token` rises with every grant
 * and is never used twice, also over restarts. A waiter whose scope has ended is passed over and swept later (F2); one
 * whose deadline has passed is never granted it.
 *
 * The death of the holder passes the lock on with GRANT_OWNER_DIED; whoever gets it so must say that what it guards
 * is consistent again before unlocking, else the lock is broken: nobody can take it any more without LOCK_RECOVER. Those
 * that wait hear so one after the other, up to the first that recovers it; behind that one they wait as before. A grant
 * counts as seen once its result was given to a connection: acknowledgements come later than its owner goes to work. One
 * whose result never left, or that was given back UNSEEN, goes back as if it had not been given.
 */
#include <assert.h>
#include <errno.h>

#include "lock.h"

struct lock {
    struct sync base;
    struct list held;     /* of holder->locks */
    struct list conds;    /* struct cond that are bound to it */
    struct scope *holder; /* NULL: free */
    uint64_t grant;       /* the operation that got it */
    uint64_t token;       /* of the holder, or the last one */
    bool owner_died;      /* the next grant, or this one, must be told */
    bool broken;          /* unlocked without having been made consistent */
    bool recovers;        /* held, and it was broken before this grant */
};

static void grant(struct core *core, struct lock *lock, struct op *op)
{
    lock->holder = op->scope;
    lock->grant = op->id;
    lock->token = sync_token(core);
    lock->recovers = lock->broken;
    lock->owner_died |= lock->broken;
    lock->broken = false;
    list_append(&op->scope->locks, &lock->held);
    op->handle = lock->token;
    op->waiters[0].sync = NULL;
    op_finish(core, op, lock->owner_died ? GRANT_OWNER_DIED : 0);
}

static struct waiter *first_waiter(struct core *core, struct lock *lock)
{
    struct waiter *w;

    list_each (w, &lock->base.waiters, link)
        if (!op_gone(core, w->op))
            return w;
    return NULL;
}

/* Whoever waits longest. Those before that are late hear of it, and of a broken lock those who do not recover it: while
 * it has its old holder, so that nobody takes it for one that is free. */
static struct waiter *next_holder(struct core *core, struct lock *lock)
{
    struct waiter *w;

    while ((w = first_waiter(core, lock))) {
        if (op_late(core, w->op))
            op_interrupt(core, w->op, -ETIMEDOUT);
        else if (lock->broken && !w->recovers)
            op_finish(core, w->op, -ENOTRECOVERABLE);
        else
            break;
    }
    return w;
}

/* The holder is gone. */
static void pass_on(struct core *core, struct lock *lock)
{
    struct waiter *next = next_holder(core, lock);

    list_remove(&lock->held);
    lock->holder = NULL;
    if (next)
        grant(core, lock, next->op);
    else
        sync_settle(core, &lock->base);
}

static bool seen(const struct core *core, const struct lock *lock)
{
    const struct op *op = op_find(core, lock->holder->session, lock->grant);

    return !op || op->left;
}

/* Nobody has touched what it guards: it is as it was before the grant. */
static void take_back(struct lock *lock)
{
    lock->broken = lock->recovers;
    lock->owner_died &= !lock->recovers;
}

/* The grant was the end of a wait, and its owner has not acknowledged it (K2). */
static void signal_goes_on(struct core *core, struct lock *lock)
{
    const struct op *op = op_find(core, lock->holder->session, lock->grant);

    if (op && op->verb == VERB_COND_WAIT)
        conds_pass_on(core, &lock->base, op->waiters[0].ticket);
}

void locks_scope_end(struct core *core, struct scope *scope)
{
    struct lock *lock;

    while ((lock = list_first(&scope->locks, struct lock, held))) {
        signal_goes_on(core, lock);
        if (seen(core, lock) && !PLANTED(FORGOTTEN_DEATH))
            lock->owner_died = true;
        else
            take_back(lock);
        pass_on(core, lock);
    }
}

static int lock_init(struct core *core, struct sync *sync)
{
    list_init(&((struct lock *)sync)->held);
    list_init(&((struct lock *)sync)->conds);
    return 0;
}

struct session *lock_holder(const struct sync *sync)
{
    const struct lock *lock = container_of(sync, struct lock, base);

    return lock->holder ? lock->holder->session : NULL;
}

void locks_held_each(const struct scope *scope, void (*fn)(struct waiter *w, void *arg), void *arg)
{
    struct lock *lock;
    struct waiter *w;

    list_each (lock, &scope->locks, held)
        list_each (w, &lock->base.waiters, link)
            fn(w, arg);
}

/* Somebody holds it, may have to come back to it, or has something to learn from it. */
static bool lock_news(const struct sync *sync)
{
    const struct lock *lock = (const struct lock *)sync;

    return lock->holder || lock->owner_died || lock->broken || !list_empty(&lock->conds);
}

/* A waiter gave up. What a condition told it is for somebody else, unless nobody can have the lock. */
static void lock_left(struct core *core, struct sync *sync, const struct waiter *w)
{
    if (w->op->verb == VERB_COND_WAIT && !((struct lock *)sync)->broken)
        conds_pass_on(core, sync, w->ticket);
}

static void lock_check(const struct core *core, const struct sync *sync)
{
    const struct lock *lock = (const struct lock *)sync;
    const struct waiter *w;

    assert(!lock->holder == !list_linked(&lock->held) && (!lock->holder || !lock->holder->ended) &&
           "who holds a lock knows it, and lives");
    assert(!(lock->holder && lock->broken) && "a broken lock is not held");
    list_each (w, &sync->waiters, link)
        assert(w->op->reason == WAIT_LOCK && (lock->holder || op_gone(core, w->op)) &&
               "one waits for a lock while another holds it");
}

const struct sync_rules sync_mutex = {
    .kind = SYNC_MUTEX,
    .word = "lock",
    .bytes = sizeof(struct lock),
    .init = lock_init,
    .news = lock_news,
    .left = lock_left,
    .check = lock_check,
};

/* Waits in the order of arrival. */
static int wait_for(struct core *core, struct lock *lock, struct op *op, uint32_t flags)
{
    int r = op_park(core, op, WAIT_LOCK);

    if (r < 0)
        return r;
    op->waiters[0].sync = &lock->base;
    op->waiters[0].recovers = flags & LOCK_RECOVER;
    list_append(&lock->base.waiters, &op->waiters[0].link);
    return 0;
}

int handle_lock(struct core *core, struct op *op, const struct request *request)
{
    const struct request_lock *what = &request->lock;
    struct sync *sync;
    int r = sync_open(core, op, &sync_mutex, what->name, true, &sync);
    struct lock *lock = (struct lock *)sync;

    if (r < 0)
        return r;
    if (lock->broken && !(what->flags & LOCK_RECOVER))
        return -ENOTRECOVERABLE;
    if (lock->holder && PLANTED(TWO_OWNERS))
        list_remove(&lock->held);
    else if (lock->holder)
        return wait_for(core, lock, op, what->flags);
    grant(core, lock, op);
    return 0;
}

/* ---- for conditions ---- */

struct list *lock_conds(struct sync *lock)
{
    return &((struct lock *)lock)->conds;
}

int lock_check_owner(const struct sync *sync, const struct scope *scope, uint64_t token)
{
    const struct lock *lock = (const struct lock *)sync;

    if (!lock || !lock->holder)
        return -EPERM;
    if (lock->token != token)
        return -ESTALE;
    return lock->holder == scope ? 0 : -EPERM;
}

void lock_release(struct core *core, struct sync *sync, uint32_t flags)
{
    struct lock *lock = (struct lock *)sync;

    if (flags & UNLOCK_UNSEEN) {
        signal_goes_on(core, lock);
        take_back(lock);
    } else {
        lock->broken = lock->owner_died && !(flags & UNLOCK_CONSISTENT);
        lock->owner_died = false;
    }
    pass_on(core, lock);
}

void lock_enter(struct core *core, struct sync *sync, struct op *op)
{
    struct lock *lock = (struct lock *)sync;

    op->reason = WAIT_LOCK;
    op->waiters[0].sync = sync;
    if (lock->holder)
        list_append(&sync->waiters, &op->waiters[0].link);
    else if (lock->broken)
        op_finish(core, op, -ENOTRECOVERABLE);
    else
        grant(core, lock, op);
}

/* M3, M4: the token proves the holder; any goroutine of its scope may unlock. */
int handle_unlock(struct core *core, struct op *op, const struct request *request)
{
    const struct request_unlock *what = &request->unlock;
    struct sync *sync;
    int r = sync_open(core, op, &sync_mutex, what->name, false, &sync);

    if (r < 0)
        return r;
    r = lock_check_owner(sync, op->scope, what->token);
    if (r == 0)
        lock_release(core, sync, what->flags);
    return r;
}
