/*
 * Named locks (M, IP4): mutual exclusion between processes, in order of arrival, with fencing tokens.
 *
 * A lock is there while somebody holds it or waits for it, or while the death of an owner is still to be told.
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
#include <string.h>

#include "engine.h"

enum { TOKEN_SEQUENCE_BITS = 40 };

struct lock {
    struct map_node node; /* of core->locks, by name */
    struct list held;     /* of holder->locks */
    struct list waiters;  /* struct waiter, by arrival */
    struct account *account;
    struct scope *holder; /* NULL: free */
    uint64_t grant;       /* the operation that got it */
    uint64_t token;       /* of the holder, or the last one */
    bool owner_died;      /* the next grant, or this one, must be told */
    bool broken;          /* unlocked without having been made consistent */
    bool recovers;        /* held, and it was broken before this grant */
    uint8_t name_size;
    char name[];
};

static struct lock *lock_find(const struct core *core, struct bytes name)
{
    struct map_node *n = map_first(&core->locks, core_hash(core, name.data, name.size));

    for (; n; n = map_next(n)) {
        struct lock *lock = map_entry(n, struct lock, node);

        if (lock->name_size == name.size && memcmp(lock->name, name.data, name.size) == 0)
            return lock;
    }
    return NULL;
}

static int lock_new(struct core *core, struct account *account, struct bytes name, struct lock **out)
{
    struct lock *lock;

    if (map_reserve(core, &core->locks, 1) < 0 || !(lock = core_alloc(core, sizeof(*lock) + name.size)))
        return -ENOMEM;
    if (account_charge(core, account, SLOT_LOCKS, 1) < 0) {
        core_free(core, lock);
        return -ENOBUFS;
    }
    list_init(&lock->held);
    list_init(&lock->waiters);
    lock->account = account_ref(account);
    lock->name_size = (uint8_t)name.size;
    memcpy(lock->name, name.data, name.size);
    map_add(&core->locks, &lock->node, core_hash(core, name.data, name.size));
    *out = lock;
    return 0;
}

static void lock_free(struct core *core, struct lock *lock)
{
    map_remove(&core->locks, &lock->node);
    account_release(lock->account, SLOT_LOCKS, 1);
    account_drop(core, lock->account);
    core_free(core, lock);
}

/* Nobody holds it, waits for it, or has anything to learn from it. */
static void lock_settle(struct core *core, struct lock *lock)
{
    if (!lock->holder && list_empty(&lock->waiters) && !lock->owner_died && !lock->broken)
        lock_free(core, lock);
}

static void grant(struct core *core, struct lock *lock, struct op *op)
{
    lock->holder = op->scope;
    lock->grant = op->id;
    lock->token = core->incarnation << TOKEN_SEQUENCE_BITS | ++core->lock_sequence;
    lock->recovers = lock->broken;
    lock->owner_died |= lock->broken;
    lock->broken = false;
    list_append(&op->scope->locks, &lock->held);
    op->handle = lock->token;
    op_finish(core, op, lock->owner_died ? GRANT_OWNER_DIED : 0);
}

static struct waiter *first_waiter(struct core *core, struct lock *lock)
{
    struct waiter *w;

    list_each (w, &lock->waiters, link)
        if (!op_gone(core, w->op))
            return w;
    return NULL;
}

/* A turn runs so many timers and no more: who is next may be late already. */
static bool is_late(const struct core *core, const struct op *op)
{
    return op->timed && op->timer.at_ns <= core->now.mono_ns;
}

/* Whoever waits longest. Those before that are late hear of it, and of a broken lock those who do not recover it: while
 * it has its old holder, so that nobody takes it for one that is free. */
static struct waiter *next_holder(struct core *core, struct lock *lock)
{
    struct waiter *w;

    while ((w = first_waiter(core, lock))) {
        if (is_late(core, w->op))
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
        lock_settle(core, lock);
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

void locks_scope_end(struct core *core, struct scope *scope)
{
    struct lock *lock;

    while ((lock = list_first(&scope->locks, struct lock, held))) {
        if (seen(core, lock) && !PLANTED(FORGOTTEN_DEATH))
            lock->owner_died = true;
        else
            take_back(lock);
        pass_on(core, lock);
    }
}

void lock_waiter_left(struct core *core, struct waiter *w)
{
    struct lock *lock = w->lock;

    w->lock = NULL;
    if (lock)
        lock_settle(core, lock);
}

void locks_free(struct core *core)
{
    struct map_node *n;

    while ((n = map_walk(&core->locks, NULL)))
        lock_free(core, map_entry(n, struct lock, node));
}

void locks_check(const struct core *core)
{
    struct map_node *n = NULL;

    while ((n = map_walk(&core->locks, n))) {
        const struct lock *lock = map_entry(n, struct lock, node);
        const struct waiter *w;

        assert((lock->holder || lock->owner_died || lock->broken || !list_empty(&lock->waiters)) &&
               "a lock is there for somebody");
        assert(!lock->holder == !list_linked(&lock->held) && (!lock->holder || !lock->holder->ended) &&
               "who holds a lock knows it, and lives");
        assert(!(lock->holder && lock->broken) && "a broken lock is not held");
        list_each (w, &lock->waiters, link)
            assert(w->lock == lock && w->op->verb == VERB_LOCK && (lock->holder || op_gone(core, w->op)) &&
                   "one waits for a lock while another holds it");
    }
}

/* Waits in the order of arrival. */
static int wait_for(struct core *core, struct lock *lock, struct op *op, uint32_t flags)
{
    int r = op_park(core, op, WAIT_LOCK);

    if (r < 0)
        return r;
    op->waiters[0].lock = lock;
    op->waiters[0].recovers = flags & LOCK_RECOVER;
    list_append(&lock->waiters, &op->waiters[0].link);
    return 0;
}

int handle_lock(struct core *core, struct op *op, const struct request *request)
{
    const struct request_lock *what = &request->lock;
    struct lock *lock;
    int r = name_check(what->name);

    if (r < 0)
        return r;
    lock = lock_find(core, what->name);
    if (!lock && (r = lock_new(core, op->scope->account, what->name, &lock)) < 0)
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

/* M3, M4: the token proves the holder; any goroutine of its scope may unlock. */
int handle_unlock(struct core *core, struct op *op, const struct request *request)
{
    const struct request_unlock *what = &request->unlock;
    struct lock *lock = lock_find(core, what->name);

    if (!lock || !lock->holder)
        return -EPERM;
    if (lock->token != what->token)
        return -ESTALE;
    if (lock->holder != op->scope)
        return -EPERM;
    if (what->flags & UNLOCK_UNSEEN) {
        take_back(lock);
    } else {
        lock->broken = lock->owner_died && !(what->flags & UNLOCK_CONSISTENT);
        lock->owner_died = false;
    }
    pass_on(core, lock);
    return 0;
}
