/*
 * Named counters: a number that anybody adds to, and waits for to be large enough. It belongs to nobody: the end of a scope
 * does not change it.
 *
 * Invariant: whoever waits wants more than there is.
 */
#include <assert.h>
#include <errno.h>

#include "sync.h"

struct tally {
    struct sync base;
    int64_t value;
};

static int tally_add(struct core *core, struct sync *sync, struct op *op, const struct request_sync_add *what)
{
    struct tally *t = (struct tally *)sync;
    int64_t sum;

    if (__builtin_add_overflow(t->value, what->delta, &sum))
        return sync_refuse(core, op, sync, -E2BIG, "add %lld to %lld: the sum is no 64-bit number",
                           (long long)what->delta, (long long)t->value);
    t->value = sum;
    op->handle = (uint64_t)sum;
    return 0;
}

static int tally_wait(struct core *core, struct sync *sync, struct op *op,
                      const struct request_sync_wait *what)
{
    struct tally *t = (struct tally *)sync;
    struct hold *hold;
    int r;

    op->handle = (uint64_t)t->value;
    if (t->value >= what->value)
        return 0;
    r = hold_get(core, op->scope, sync, &hold);
    return r < 0 ? r : sync_park(core, op, hold, (uint64_t)what->value);
}

static int tally_reset(struct core *core, struct sync *sync, struct op *op)
{
    ((struct tally *)sync)->value = 0;
    return 0;
}

static void tally_look(struct core *core, struct sync *sync)
{
    struct tally *t = (struct tally *)sync;
    struct waiter *w, *after;

    list_each_safe (w, after, &sync->waiters, link) {
        if (t->value < (int64_t)w->ticket || !sync_waits(core, w))
            continue;
        w->op->handle = (uint64_t)t->value;
        op_finish(core, w->op, 0);
    }
}

static bool tally_news(const struct sync *sync)
{
    return ((const struct tally *)sync)->value != 0;
}

static void tally_check(const struct core *core, const struct sync *sync)
{
    const struct waiter *w;

    list_each (w, &sync->waiters, link)
        assert((op_gone(core, w->op) || op_late(core, w->op) ||
                (int64_t)w->ticket > ((const struct tally *)sync)->value) &&
               "whoever waits wants more than there is");
}

const struct sync_rules sync_counter = {
    .kind = SYNC_COUNTER,
    .word = "counter",
    .bytes = sizeof(struct tally),
    .add = tally_add,
    .wait = tally_wait,
    .reset = tally_reset,
    .news = tally_news,
    .look = tally_look,
    .check = tally_check,
};
