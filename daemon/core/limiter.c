/*
 * Named token buckets: one token each so many nanoseconds, at most `burst` kept, taken in order of arrival. What was taken
 * is used up. Time is that of the step.
 *
 * The bucket is one number: when it was, or will be, empty. Tokens are the time since then; a full one is forgotten.
 *
 * Invariants: the timer runs while the bucket is not full, at the latest until whoever waits in front can go on.
 */
#include <assert.h>
#include <errno.h>

#include "sync.h"

struct limiter {
    struct sync base;
    struct timer timer;
    uint64_t burst;
    int64_t period_ns; /* of one token */
    int64_t empty_ns;  /* monotonic */
};

static int limiter_init(struct core *core, struct sync *sync)
{
    return timers_reserve(core);
}

static void limiter_fini(struct core *core, struct sync *sync)
{
    timer_disarm(core, &((struct limiter *)sync)->timer);
    timers_unreserve(core);
}

static int64_t full_ns(const struct limiter *l)
{
    return time_after(l->empty_ns, (int64_t)l->burst * l->period_ns);
}

static int64_t ready_ns(const struct limiter *l, uint64_t units)
{
    return time_after(l->empty_ns, (int64_t)units * l->period_ns);
}

static void fired(struct core *core, struct timer *timer)
{
    struct limiter *l = container_of(timer, struct limiter, timer);

    l->base.busy = true;
    sync_done(core, &l->base);
}

/* What would run over is as if it had never been there. */
static void pour(struct core *core, struct limiter *l)
{
    int64_t floor = core->now.mono_ns - (int64_t)l->burst * l->period_ns;

    if (l->empty_ns < floor)
        l->empty_ns = floor;
}

static bool is_full(const struct core *core, const struct limiter *l)
{
    return full_ns(l) <= core->now.mono_ns;
}

static bool is_new(const struct limiter *l)
{
    return !l->burst;
}

/* 0, or why it cannot be had. The product stays far from overflow. */
static int limiter_check_request(struct core *core, struct limiter *l, struct op *op,
                                 const struct request_sync_take *what)
{
    int64_t span;

    if (!what->units || !what->size || what->period_ns <= 0)
        return -EINVAL;
    if (what->size > INT64_MAX / 4 || __builtin_mul_overflow((int64_t)what->size, what->period_ns, &span) ||
        span > INT64_MAX / 4)
        return -E2BIG;
    if (what->units > what->size)
        return -E2BIG;
    if (is_new(l) || (l->burst == what->size && l->period_ns == what->period_ns))
        return 0;
    op_fail(core, op, -EEXIST, "limiter %.*s gives one each %lld ns, at most %llu at once", l->base.name_size,
            l->base.name, (long long)l->period_ns, (unsigned long long)l->burst);
    return -EEXIST;
}

static void set_up(struct core *core, struct limiter *l, const struct request_sync_take *what)
{
    if (!is_new(l))
        return;
    l->burst = what->size;
    l->period_ns = what->period_ns;
    l->empty_ns = core->now.mono_ns - (int64_t)l->burst * l->period_ns;
}

static bool enough(const struct core *core, const struct limiter *l, uint64_t units)
{
    return ready_ns(l, units) <= core->now.mono_ns;
}

static void spend(struct limiter *l, struct op *op, uint64_t units)
{
    l->empty_ns = ready_ns(l, units);
    op->handle = 0;
}

static int limiter_take(struct core *core, struct sync *sync, struct op *op,
                        const struct request_sync_take *what)
{
    struct limiter *l = (struct limiter *)sync;
    struct hold *hold;
    int r = limiter_check_request(core, l, op, what);

    if (r < 0)
        return r;
    set_up(core, l, what);
    pour(core, l);
    if (!sync_next(core, sync) && enough(core, l, what->units)) {
        spend(l, op, what->units);
        return 0;
    }
    r = hold_get(core, op->scope, sync, &hold);
    return r < 0 ? r : sync_park(core, op, hold, what->units);
}

/* What nobody used (SE1) goes back; nothing else does. */
static int limiter_give(struct core *core, struct sync *sync, struct op *op,
                        const struct request_sync_give *what)
{
    struct limiter *l = (struct limiter *)sync;

    if (!(what->flags & GIVE_UNSEEN) || !what->units || what->units > l->burst)
        return -EPERM;
    l->empty_ns -= (int64_t)what->units * l->period_ns;
    pour(core, l);
    return 0;
}

/* It is full again, for whoever comes next. */
static int limiter_reset(struct core *core, struct sync *sync)
{
    struct limiter *l = (struct limiter *)sync;

    l->empty_ns = core->now.mono_ns - (int64_t)l->burst * l->period_ns;
    return 0;
}

static void limiter_look(struct core *core, struct sync *sync)
{
    struct limiter *l = (struct limiter *)sync;
    struct waiter *w;

    pour(core, l);
    while ((w = sync_next(core, sync)) && enough(core, l, w->ticket)) {
        spend(l, w->op, w->ticket);
        op_finish(core, w->op, 0);
    }
    if (w)
        timer_arm(core, &l->timer, ready_ns(l, w->ticket), fired);
    else if (!is_new(l) && !is_full(core, l))
        timer_arm(core, &l->timer, full_ns(l), fired);
    else
        timer_disarm(core, &l->timer);
}

/* Not full: an armed timer says so without a clock. */
static bool limiter_news(const struct sync *sync)
{
    return timer_armed(&((const struct limiter *)sync)->timer);
}

static void limiter_check(const struct core *core, const struct sync *sync)
{
    const struct limiter *l = (const struct limiter *)sync;
    const struct waiter *w = sync_waiting(core, sync);

    assert(timer_armed(&l->timer) && "a bucket that is full is forgotten");
    assert((!w || l->timer.at_ns <= ready_ns(l, w->ticket)) && "whoever waits in front goes on in time");
}

const struct sync_rules sync_limiter = {
    .kind = SYNC_LIMITER,
    .word = "limiter",
    .bytes = sizeof(struct limiter),
    .init = limiter_init,
    .fini = limiter_fini,
    .take = limiter_take,
    .give = limiter_give,
    .reset = limiter_reset,
    .news = limiter_news,
    .look = limiter_look,
    .check = limiter_check,
};
