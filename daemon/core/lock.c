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
 * whose result never left, or that was undone (IP1.3) or given back UNSEEN, goes back as if it had not been given. One that
 * was claimed from its owner has been used by him: then it passes on as by a death.
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
    bool offered;         /* held, and its holder lets others claim it */
    bool claimed;         /* held, and one before has had this grant */
};

/* It has no holder, or had one until now. */
static void hand_to(struct core *core, struct lock *lock, struct op *op)
{
    lock->holder = op->scope;
    lock->grant = op->id;
    lock->token = op->handle = sync_token(core);
    list_append(&op->scope->locks, &lock->held);
}

static void grant(struct core *core, struct lock *lock, struct op *op)
{
    hand_to(core, lock, op);
    lock->recovers = lock->broken;
    lock->owner_died |= lock->broken;
    lock->broken = false;
    op->waiters[0].sync = NULL;
    op_finish(core, op, lock->owner_died ? GRANT_OWNER_DIED : 0);
    grant_note(&lock->base, op, op->waiters[0].ticket);
    op->firm = op->verb == VERB_COND_WAIT;
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
    lock->offered = lock->claimed = false;
    if (next)
        grant(core, lock, next->op);
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
    if (lock->claimed) {
        lock->owner_died = true;
        return;
    }
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

/* Its conditions keep it too, and are paid for themselves. */
static struct account *lock_keeper(const struct sync *sync)
{
    const struct lock *lock = (const struct lock *)sync;

    return lock->holder ? lock->holder->account : conds_keeper(&lock->conds);
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

/* IP1.3. */
static void lock_undo(struct core *core, struct sync *sync, struct op *op, uint64_t what)
{
    const struct lock *lock = (const struct lock *)sync;

    if (lock->holder == op->scope && lock->grant == op->id)
        lock_release(core, sync, UNLOCK_UNSEEN);
}

static void lock_check(const struct core *core, const struct sync *sync)
{
    const struct lock *lock = (const struct lock *)sync;
    const struct waiter *w;

    assert(!lock->holder == !list_linked(&lock->held) && (!lock->holder || !lock->holder->ended) &&
           "who holds a lock knows it, and lives");
    assert(!(lock->holder && lock->broken) && "a broken lock is not held");
    assert((lock->holder || (!lock->offered && !lock->claimed)) && "M3: only what is held changes hands");
    list_each (w, &sync->waiters, link)
        assert(w->op->reason == WAIT_LOCK && (lock->holder || op_gone(core, w->op)) &&
               "one waits for a lock while another holds it");
}

const struct sync_rules sync_mutex = {
    .kind = SYNC_MUTEX,
    .word = "lock",
    .bytes = sizeof(struct lock),
    .init = lock_init,
    .keeper = lock_keeper,
    .undo = lock_undo,
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

/* M3: from hand to hand. The token of the one before is void. */
static int claim(struct core *core, struct op *op, const struct request_lock *what)
{
    struct sync *sync;
    int r = sync_open(core, op, &sync_mutex, what->name, false, &sync);
    struct lock *lock = (struct lock *)sync;

    if (r < 0)
        return r;
    if (!lock || !lock->holder)
        return -EPERM;
    if (lock->token != what->token)
        return -ESTALE;
    if (!lock->offered)
        return -EPERM;
    list_remove(&lock->held);
    lock->offered = false;
    lock->claimed = true;
    hand_to(core, lock, op);
    sync_settle(core, sync);
    op_finish(core, op, lock->owner_died ? GRANT_OWNER_DIED : 0);
    grant_note(sync, op, 0);
    op->firm = true;
    return 0;
}

int handle_lock(struct core *core, struct op *op, const struct request *request)
{
    const struct request_lock *what = &request->lock;
    struct sync *sync;

    if (what->flags & LOCK_CLAIM)
        return claim(core, op, what);
    int r = sync_open(core, op, &sync_mutex, what->name, true, &sync);
    struct lock *lock = (struct lock *)sync;
    if (r < 0)
        return r;
    if (lock->broken && !(what->flags & LOCK_RECOVER))
        return sync_refuse(core, op, sync, -ENOTRECOVERABLE,
                           "its last owner died, and nobody put right what it guards");
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

int lock_check_owner(struct core *core, struct op *op, const struct sync *sync, struct bytes name,
                     uint64_t token)
{
    const struct lock *lock = (const struct lock *)sync;
    int shown = name.size < NAME_BYTES_MAX ? (int)name.size : NAME_BYTES_MAX;

    if (!lock || !lock->holder) {
        op_fail(core, op, -EPERM, "lock '%.*s': nobody holds it", shown, (const char *)name.data);
        return -EPERM;
    }
    if (lock->holder != op->scope) /* whose token is nobody else's to know (M3) */
        return lock->token == token
                   ? sync_refuse(core, op, sync, -EPERM, "another session holds it, by the same token")
                   : sync_refuse(core, op, sync, -ESTALE, "token %llu is not that of its owner",
                                 (unsigned long long)token);
    return lock->token == token
               ? 0
               : sync_refuse(core, op, sync, -ESTALE, "token %llu: that of its owner is %llu",
                             (unsigned long long)token, (unsigned long long)lock->token);
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
    r = lock_check_owner(core, op, sync, what->name, what->token);
    if (r == 0 && what->flags & UNLOCK_OFFER)
        ((struct lock *)sync)->offered = true;
    else if (r == 0)
        lock_release(core, sync, what->flags);
    return r;
}
