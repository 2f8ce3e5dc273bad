/*
 * Weighted semaphores (SE): so many units, strictly in order of arrival. Neither a small request nor a try passes one that
 * waits. Units are counted by scope: any goroutine of it may give them back, and its end does (SE5).
 *
 * Invariants: `used` is the sum of all holds and never more than `size`; the first that waits wants more than is free.
 */
#include <assert.h>
#include <errno.h>

#include "sync.h"

struct semaphore {
    struct sync base;
    uint64_t size, used; /* units; the size is that of who made it */
};

static bool fits(const struct semaphore *s, uint64_t units)
{
    return units <= s->size - s->used;
}

static void grant(struct core *core, struct semaphore *s, struct op *op, struct hold *hold, uint64_t units)
{
    uint64_t counted = PLANTED(LOST_UNIT) && units > 1 ? units - 1 : units;

    s->used += counted;
    sync_grant(core, hold, op, counted, 0);
}

/* A fresh one has no size yet. 0, or why so many of so many cannot be had. */
static int check_size(struct core *core, struct semaphore *s, struct op *op,
                      const struct request_sync_take *what)
{
    if (!what->units || !what->size)
        return sync_refuse(core, op, &s->base, -EINVAL, "acquire %llu of %llu units: both are 1 or more",
                           (unsigned long long)what->units, (unsigned long long)what->size);
    if (what->units > what->size)
        return sync_refuse(core, op, &s->base, -E2BIG, "acquire %llu of %llu units: more than there ever are",
                           (unsigned long long)what->units, (unsigned long long)what->size);
    if (s->size && s->size != what->size) {
        op_fail(core, op, -EEXIST, "semaphore %.*s has %llu units, not %llu", s->base.name_size, s->base.name,
                (unsigned long long)s->size, (unsigned long long)what->size);
        return -EEXIST;
    }
    return 0;
}

static int semaphore_take(struct core *core, struct sync *sync, struct op *op,
                          const struct request_sync_take *what)
{
    struct semaphore *s = (struct semaphore *)sync;
    struct hold *hold;
    int r = check_size(core, s, op, what);

    if (r < 0 || (r = hold_get(core, op->scope, sync, &hold)) < 0)
        return r;
    s->size = what->size;
    if (sync_next(core, sync) || !fits(s, what->units))
        return sync_park(core, op, hold, what->units);
    grant(core, s, op, hold, what->units);
    return 0;
}

static void give_back(struct core *core, struct semaphore *s, struct hold *hold, uint64_t units)
{
    hold->units -= units;
    s->used -= units;
    hold_settle(core, hold);
}

static int semaphore_give(struct core *core, struct sync *sync, struct op *op,
                          const struct request_sync_give *what)
{
    struct semaphore *s = (struct semaphore *)sync;
    struct hold *hold = hold_find(core, op->scope, sync);

    if (!what->units)
        return sync_refuse(core, op, sync, -EINVAL, "release 0: units to give back are 1 or more");
    if (!hold || hold->units < what->units)
        return sync_refuse(core, op, sync, -EPERM, "release %llu with %llu held by this session",
                           (unsigned long long)what->units, (unsigned long long)(hold ? hold->units : 0));
    give_back(core, s, hold, what->units);
    return 0;
}

/* SE1. */
static void semaphore_undo(struct core *core, struct sync *sync, struct op *op, uint64_t units)
{
    struct hold *hold = hold_find(core, op->scope, sync);

    if (hold && hold->units >= units)
        give_back(core, (struct semaphore *)sync, hold, units);
}

/* SE3: whoever left in front may have stopped those behind. */
static void semaphore_look(struct core *core, struct sync *sync)
{
    struct semaphore *s = (struct semaphore *)sync;
    struct waiter *w;

    while ((w = sync_next(core, sync)) && fits(s, w->ticket))
        grant(core, s, w->op, hold_find(core, w->op->scope, sync), w->ticket);
}

static void semaphore_dead(struct core *core, struct sync *sync, struct hold *hold)
{
    ((struct semaphore *)sync)->used -= hold->units;
}

static void semaphore_check(const struct core *core, const struct sync *sync)
{
    const struct semaphore *s = (const struct semaphore *)sync;
    const struct hold *hold;
    const struct waiter *w;
    uint64_t used = 0;

    list_each (hold, &sync->holds, of_sync)
        used += hold->units;
    assert(used == s->used && used <= s->size && "SE: as many units are out as scopes have");
    w = sync_front(core, sync);
    assert((!w || !fits(s, w->ticket)) && "SE3: whoever waits in front wants more than there is");
}

const struct sync_rules sync_semaphore = {
    .kind = SYNC_SEMAPHORE,
    .word = "semaphore",
    .bytes = sizeof(struct semaphore),
    .counted = true,
    .take = semaphore_take,
    .give = semaphore_give,
    .undo = semaphore_undo,
    .look = semaphore_look,
    .dead = semaphore_dead,
    .check = semaphore_check,
};
