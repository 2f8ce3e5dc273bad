/*
 * Named barriers: so many parties wait for each other and go on in one step, round after round. A party that gives up or
 * dies while it waits does not count any more.
 *
 * Invariant: fewer wait than there are parties, and all of them want the same number.
 */
#include <assert.h>
#include <errno.h>

#include "sync.h"

static uint64_t count(struct core *core, struct sync *sync)
{
    struct waiter *w, *after;
    uint64_t n = 0;

    list_each_safe (w, after, &sync->waiters, link)
        n += sync_waits(core, w);
    return n;
}

static void release(struct core *core, struct sync *sync, uint64_t round)
{
    struct waiter *w;

    while ((w = sync_next(core, sync))) {
        w->op->handle = round;
        op_finish(core, w->op, 0);
    }
}

/* The last of them has outcome 1. */
static int barrier_wait(struct core *core, struct sync *sync, struct op *op,
                        const struct request_sync_wait *what)
{
    const struct waiter *first = sync_next(core, sync);
    uint64_t parties = (uint64_t)what->value;
    struct hold *hold;
    int r;

    if (what->value <= 0)
        return sync_refuse(core, op, sync, -EINVAL, "%lld parties: 1 or more go on together",
                           (long long)what->value);
    if (first && first->ticket != parties) {
        op_fail(core, op, -EEXIST, "barrier %.*s has %llu parties, not %llu", sync->name_size, sync->name,
                (unsigned long long)first->ticket, (unsigned long long)parties);
        return -EEXIST;
    }
    if (count(core, sync) + 1 == parties) {
        op->handle = sync_token(core);
        release(core, sync, op->handle);
        return WAIT_LAST;
    }
    r = hold_get(core, op->scope, sync, &hold);
    return r < 0 ? r : sync_park(core, op, hold, parties);
}

static void barrier_check(const struct core *core, const struct sync *sync)
{
    const struct waiter *w, *first = sync_waiting(core, sync);
    uint64_t n = 0;

    list_each (w, &sync->waiters, link) {
        bool counts = !op_gone(core, w->op) && !op_late(core, w->op);

        assert((!counts || w->ticket == first->ticket) && "all parties of a barrier want the same number");
        n += counts;
    }
    assert((!first || n < first->ticket) && "a barrier that is complete has opened");
}

const struct sync_rules sync_barrier = {
    .kind = SYNC_BARRIER,
    .word = "barrier",
    .bytes = sizeof(struct sync),
    .wait = barrier_wait,
    .check = barrier_check,
};
