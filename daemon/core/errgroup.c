/*
 * Named error groups (E): members that work on one thing and may fail, at most so many at once. Members are counted by
 * scope: who started one says how it ended, and the end of the scope is an error of all it has running.
 *
 * The first error is told to everybody who waits, and stays until a reset, or until a member starts when nobody runs and
 * somebody was told.
 *
 * Invariants: `members` is the sum of all holds; nobody waits for the end of none; nobody waits for a slot that is free.
 */
#include <assert.h>
#include <errno.h>

#include "sync.h"

enum wants { WANTS_END, WANTS_SLOT };

struct errgroup {
    struct sync base;
    uint64_t size, members; /* size 0: no limit */
    int32_t error;          /* the first; 0: none */
    bool told;              /* somebody has heard of the end of this round */
};

static bool has_slot(const struct errgroup *e)
{
    return !e->size || e->members < e->size;
}

static void start(struct core *core, struct errgroup *e, struct op *op, struct hold *hold)
{
    if (!e->members && e->told)
        e->error = 0;
    e->told = false;
    e->members++;
    sync_grant(core, hold, op, 1, 0);
}

static struct waiter *next_of(struct core *core, struct errgroup *e, enum wants wants)
{
    struct waiter *w, *after;

    list_each_safe (w, after, &e->base.waiters, link)
        if (w->ticket == wants && sync_waits(core, w))
            return w;
    return NULL;
}

/* E3: the limit is not changed while members run. */
static int errgroup_take(struct core *core, struct sync *sync, struct op *op,
                         const struct request_sync_take *what)
{
    struct errgroup *e = (struct errgroup *)sync;
    struct hold *hold;
    int r;

    if (e->members && e->size != what->size) {
        op_fail(core, op, -EEXIST, "error group %.*s has limit %llu, not %llu", sync->name_size, sync->name,
                (unsigned long long)e->size, (unsigned long long)what->size);
        return -EEXIST;
    }
    r = hold_get(core, op->scope, sync, &hold);
    if (r < 0)
        return r;
    e->size = what->size;
    if (!has_slot(e) || next_of(core, e, WANTS_SLOT))
        return sync_park(core, op, hold, WANTS_SLOT);
    start(core, e, op, hold);
    return 0;
}

static void fail(struct errgroup *e, int32_t error)
{
    if (!e->error)
        e->error = error;
}

static int errgroup_give(struct core *core, struct sync *sync, struct op *op,
                         const struct request_sync_give *what)
{
    struct errgroup *e = (struct errgroup *)sync;
    struct hold *hold = hold_find(core, op->scope, sync);

    if (what->error > 0)
        return -EINVAL;
    if (!hold || !hold->units)
        return -EPERM;
    if (!(what->flags & GIVE_UNSEEN))
        fail(e, what->error);
    hold->units--;
    e->members--;
    hold_settle(core, hold);
    return 0;
}

static int32_t outcome(struct errgroup *e, struct op *op)
{
    e->told = true;
    op->handle = -(uint32_t)e->error;
    return e->error ? WAIT_FAILED : 0;
}

static int errgroup_wait(struct core *core, struct sync *sync, struct op *op,
                         const struct request_sync_wait *what)
{
    struct errgroup *e = (struct errgroup *)sync;
    struct hold *hold;
    int r;

    if (!e->members)
        return outcome(e, op);
    r = hold_get(core, op->scope, sync, &hold);
    return r < 0 ? r : sync_park(core, op, hold, WANTS_END);
}

static int errgroup_reset(struct core *core, struct sync *sync)
{
    struct errgroup *e = (struct errgroup *)sync;

    if (e->members)
        return -EBUSY;
    e->error = 0;
    return 0;
}

static void errgroup_look(struct core *core, struct sync *sync)
{
    struct errgroup *e = (struct errgroup *)sync;
    struct waiter *w;

    while (has_slot(e) && (w = next_of(core, e, WANTS_SLOT)))
        start(core, e, w->op, hold_find(core, w->op->scope, sync));
    while (!e->members && (w = next_of(core, e, WANTS_END)))
        op_finish(core, w->op, outcome(e, w->op));
}

/* E1. */
static void errgroup_dead(struct core *core, struct sync *sync, struct hold *hold)
{
    struct errgroup *e = (struct errgroup *)sync;

    fail(e, -EOWNERDEAD);
    e->members -= hold->units;
}

static bool errgroup_news(const struct sync *sync)
{
    return ((const struct errgroup *)sync)->error != 0;
}

static void errgroup_check(const struct core *core, const struct sync *sync)
{
    const struct errgroup *e = (const struct errgroup *)sync;
    const struct hold *hold;
    const struct waiter *w;
    uint64_t members = 0;

    list_each (hold, &sync->holds, of_sync)
        members += hold->units;
    assert(members == e->members && (!e->size || members <= e->size) &&
           "E3: as many members run as scopes say");
    list_each (w, &sync->waiters, link)
        assert((op_gone(core, w->op) || op_late(core, w->op) ||
                (w->ticket == WANTS_END ? members > 0 : !has_slot(e))) &&
               "E1, E3: who waits has something to wait for");
}

const struct sync_rules sync_errgroup = {
    .kind = SYNC_ERRGROUP,
    .word = "error group",
    .bytes = sizeof(struct errgroup),
    .take = errgroup_take,
    .give = errgroup_give,
    .wait = errgroup_wait,
    .reset = errgroup_reset,
    .news = errgroup_news,
    .look = errgroup_look,
    .dead = errgroup_dead,
    .check = errgroup_check,
};
