/*
 * Named wait groups (A): a count of units, and rounds that end when it is 0. A unit belongs to the scope that added it or
 * took it; detached ones to nobody, until a scope takes them with the work. Done settles own units, then detached ones.
 *
 * Units whose scope has ended, and detached ones that nobody touched for too long, are settled as dead: who waits for that
 * round is told how many, until the next round begins.
 *
 * Invariants: `units` is the sum of all holds and `detached`; nobody waits while it is 0; the timer runs while units are
 * detached.
 */
#include <assert.h>
#include <errno.h>

#include "sync.h"

struct waitgroup {
    struct sync base;
    struct timer life; /* of detached units */
    uint64_t units, detached;
    uint64_t dead;  /* of this round */
    uint64_t round; /* never used again; 0: none has begun */
};

static int waitgroup_init(struct core *core, struct sync *sync)
{
    return timers_reserve(core);
}

static void waitgroup_fini(struct core *core, struct sync *sync)
{
    timer_disarm(core, &((struct waitgroup *)sync)->life);
    timers_unreserve(core);
}

/* ---- detached units ---- */

static void detached_died(struct core *core, struct timer *timer)
{
    struct waitgroup *wg = container_of(timer, struct waitgroup, life);

    wg->base.busy = true;
    wg->dead += wg->detached;
    wg->units -= wg->detached;
    wg->detached = 0;
    sync_done(core, &wg->base);
}

/* They live anew with each change. */
static void set_detached(struct core *core, struct waitgroup *wg, uint64_t detached)
{
    wg->detached = detached;
    if (detached)
        timer_arm(core, &wg->life,
                  time_after(core->now.mono_ns, (int64_t)core->limits.group_detached_s * 1000000000),
                  detached_died);
    else
        timer_disarm(core, &wg->life);
}

/* ---- verbs ---- */

static int room_for(struct core *core, const struct waitgroup *wg, struct op *op,
                    const struct request_sync_add *what)
{
    uint64_t most = core->limits.group_units_max;

    if (what->delta <= 0)
        return sync_refuse(core, op, &wg->base, -EINVAL, "add %lld: units to add are 1 or more",
                           (long long)what->delta);
    if ((uint64_t)what->delta <= most && wg->units <= most - (uint64_t)what->delta)
        return 0;
    return sync_refuse(core, op, &wg->base, -ENOBUFS, "add %lld with counter %llu: group_units_max is %llu",
                       (long long)what->delta, (unsigned long long)wg->units, (unsigned long long)most);
}

static int waitgroup_add(struct core *core, struct sync *sync, struct op *op,
                         const struct request_sync_add *what)
{
    struct waitgroup *wg = (struct waitgroup *)sync;
    bool detached = what->flags & ADD_DETACHED;
    struct hold *hold = NULL;
    int r = room_for(core, wg, op, what);

    if (r < 0 || (!detached && (r = hold_get(core, op->scope, sync, &hold)) < 0))
        return r;
    if (!wg->units) {
        wg->round = sync_token(core);
        wg->dead = 0;
    }
    wg->units += (uint64_t)what->delta;
    if (hold)
        hold->units += (uint64_t)what->delta;
    else
        set_detached(core, wg, wg->detached + (uint64_t)what->delta);
    op->handle = wg->round;
    return 0;
}

/* The scope answers for units that were detached so far. */
static int waitgroup_take(struct core *core, struct sync *sync, struct op *op,
                          const struct request_sync_take *what)
{
    struct waitgroup *wg = (struct waitgroup *)sync;
    struct hold *hold;
    int r;

    if (!what->units)
        return sync_refuse(core, op, sync, -EINVAL, "claim 0: units to claim are 1 or more");
    if (what->units > wg->detached)
        return sync_refuse(core, op, sync, -EAGAIN, "claim %llu with %llu detached",
                           (unsigned long long)what->units, (unsigned long long)wg->detached);
    r = hold_get(core, op->scope, sync, &hold);
    if (r < 0)
        return r;
    set_detached(core, wg, wg->detached - what->units);
    sync_grant(core, hold, op, what->units, 0);
    return 0;
}

static int waitgroup_give(struct core *core, struct sync *sync, struct op *op,
                          const struct request_sync_give *what)
{
    struct waitgroup *wg = (struct waitgroup *)sync;
    struct hold *hold = hold_find(core, op->scope, sync);
    uint64_t has = hold ? hold->units : 0, own = what->units < has ? what->units : has;
    bool unseen = what->flags & GIVE_UNSEEN;

    if (!what->units || what->units > wg->units) /* A2 */
        return sync_refuse(core, op, sync, -EINVAL, "done %llu with counter %llu",
                           (unsigned long long)what->units, (unsigned long long)wg->units);
    if (what->units - own > (unseen ? 0 : wg->detached))
        return sync_refuse(
            core, op, sync, -EPERM,
            "done %llu with %llu of this session and %llu detached: the others are of other sessions",
            (unsigned long long)what->units, (unsigned long long)has, (unsigned long long)wg->detached);
    if (hold) {
        hold->units -= own;
        hold_settle(core, hold);
    }
    if (unseen)
        set_detached(core, wg, wg->detached + own);
    else
        set_detached(core, wg, wg->detached - (what->units - own));
    wg->units -= unseen ? 0 : what->units;
    return 0;
}

/* IP1.3: what was claimed is nobody's again. */
static void waitgroup_undo(struct core *core, struct sync *sync, struct op *op, uint64_t units)
{
    struct waitgroup *wg = (struct waitgroup *)sync;
    struct hold *hold = hold_find(core, op->scope, sync);

    if (!hold || hold->units < units)
        return;
    hold->units -= units;
    hold_settle(core, hold);
    set_detached(core, wg, wg->detached + units);
}

static int32_t outcome(const struct waitgroup *wg, struct op *op)
{
    op->handle = wg->dead;
    return wg->dead ? -EOWNERDEAD : 0;
}

/* A3: a round that is over, or was never, is waited for no more. */
static int waitgroup_wait(struct core *core, struct sync *sync, struct op *op,
                          const struct request_sync_wait *what)
{
    struct waitgroup *wg = (struct waitgroup *)sync;
    struct hold *hold;
    int r;

    if (what->round && what->round != wg->round)
        return 0;
    if (!wg->units)
        return outcome(wg, op);
    r = hold_get(core, op->scope, sync, &hold);
    return r < 0 ? r : sync_park(core, op, hold, 0);
}

/* Forgets who died. */
static int waitgroup_reset(struct core *core, struct sync *sync, struct op *op)
{
    struct waitgroup *wg = (struct waitgroup *)sync;

    if (wg->units)
        return sync_refuse(core, op, sync, -EBUSY, "its counter is %llu: the round is not over",
                           (unsigned long long)wg->units);
    wg->dead = 0;
    return 0;
}

/* ---- changes ---- */

static void waitgroup_look(struct core *core, struct sync *sync)
{
    struct waitgroup *wg = (struct waitgroup *)sync;
    struct waiter *w;

    while (!wg->units && (w = sync_next(core, sync)))
        op_finish(core, w->op, outcome(wg, w->op));
}

/* A4. */
static void waitgroup_dead(struct core *core, struct sync *sync, struct hold *hold)
{
    struct waitgroup *wg = (struct waitgroup *)sync;

    wg->units -= hold->units;
    wg->dead += hold->units;
}

static bool waitgroup_news(const struct sync *sync)
{
    const struct waitgroup *wg = (const struct waitgroup *)sync;

    return wg->units || wg->dead;
}

static void waitgroup_check(const struct core *core, const struct sync *sync)
{
    const struct waitgroup *wg = (const struct waitgroup *)sync;
    const struct hold *hold;
    uint64_t units = wg->detached;

    list_each (hold, &sync->holds, of_sync)
        units += hold->units;
    assert(units == wg->units && "A: every unit is somebody's, or detached");
    assert((wg->units || !sync_waiting(core, sync)) && "A1: nobody waits for nothing");
    assert(timer_armed(&wg->life) == (wg->detached > 0) && "A4: detached units do not live for ever");
}

const struct sync_rules sync_waitgroup = {
    .kind = SYNC_WAITGROUP,
    .word = "wait group",
    .bytes = sizeof(struct waitgroup),
    .counted = true,
    .init = waitgroup_init,
    .fini = waitgroup_fini,
    .take = waitgroup_take,
    .give = waitgroup_give,
    .undo = waitgroup_undo,
    .add = waitgroup_add,
    .wait = waitgroup_wait,
    .reset = waitgroup_reset,
    .news = waitgroup_news,
    .look = waitgroup_look,
    .dead = waitgroup_dead,
    .check = waitgroup_check,
};
