/*
 * Named token buckets: one token each so many nanoseconds, at most `burst` kept, taken in order of arrival. What was taken
 * is used up. Time is that of the step. A full bucket (bucket.h) is forgotten.
 *
 * Whoever waits takes tokens as they come, which is earlier than they are seen when the daemon wakes late: so what runs
 * over is poured away only when nobody waits, and none is lost between two that wait.
 *
 * Invariants: the timer runs while the bucket is not full, at the latest until whoever waits in front can go on.
 */
#include <assert.h>
#include <errno.h>

#include "sync.h"

#include "bucket.h"

struct limiter {
    struct sync base;
    struct timer timer;
    struct bucket bucket;
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

static void fired(struct core *core, struct timer *timer)
{
    struct limiter *l = container_of(timer, struct limiter, timer);

    l->base.busy = true;
    sync_done(core, &l->base);
}

static bool is_full(const struct core *core, const struct limiter *l)
{
    return bucket_full_ns(&l->bucket) <= core->now.mono_ns;
}

static bool is_new(const struct limiter *l)
{
    return !l->bucket.burst;
}

/* 0, or why it cannot be had. The product stays far from overflow. */
static int limiter_check_request(struct core *core, struct limiter *l, struct op *op,
                                 const struct request_sync_take *what)
{
    int64_t span;

    if (!what->units || !what->size || what->period_ns <= 0)
        return sync_refuse(core, op, &l->base, -EINVAL,
                           "take %llu, of at most %llu, one each %lld ns: all three are 1 or more",
                           (unsigned long long)what->units, (unsigned long long)what->size,
                           (long long)what->period_ns);
    if (what->size > INT64_MAX / 4 || __builtin_mul_overflow((int64_t)what->size, what->period_ns, &span) ||
        span > INT64_MAX / 4)
        return sync_refuse(core, op, &l->base, -E2BIG,
                           "%llu tokens of %lld ns each fill for longer than 70 years",
                           (unsigned long long)what->size, (long long)what->period_ns);
    if (what->units > what->size)
        return sync_refuse(core, op, &l->base, -E2BIG, "take %llu: the burst is %llu",
                           (unsigned long long)what->units, (unsigned long long)what->size);
    if (is_new(l) || (l->bucket.burst == what->size && l->bucket.period_ns == what->period_ns))
        return 0;
    op_fail(core, op, -EEXIST, "limiter %.*s gives one each %lld ns, at most %llu at once", l->base.name_size,
            l->base.name, (long long)l->bucket.period_ns, (unsigned long long)l->bucket.burst);
    return -EEXIST;
}

static void set_up(struct core *core, struct limiter *l, const struct request_sync_take *what)
{
    if (!is_new(l))
        return;
    l->bucket.burst = what->size;
    l->bucket.period_ns = what->period_ns;
    bucket_fill(&l->bucket, core->now.mono_ns);
}

static bool enough(const struct core *core, const struct limiter *l, uint64_t units)
{
    return bucket_ready_ns(&l->bucket, units) <= core->now.mono_ns;
}

static void spend(struct core *core, struct limiter *l, struct op *op, uint64_t units)
{
    bucket_spend(&l->bucket, units);
    op->handle = 0;
    op_finish(core, op, 0);
    grant_note(&l->base, op, units);
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
    if (!sync_next(core, sync)) {
        bucket_pour(&l->bucket, core->now.mono_ns);
        if (enough(core, l, what->units)) {
            spend(core, l, op, what->units);
            return 0;
        }
    }
    r = hold_get(core, op->scope, sync, &hold);
    return r < 0 ? r : sync_park(core, op, hold, what->units);
}

/* Those who can go on do, in their order. Whoever waits in front then; NULL: nobody. */
static struct waiter *serve(struct core *core, struct limiter *l)
{
    struct waiter *w;

    while ((w = sync_next(core, &l->base)) && enough(core, l, w->ticket))
        spend(core, l, w->op, w->ticket);
    return w;
}

static void limiter_undo(struct core *core, struct sync *sync, struct op *op, uint64_t units)
{
    struct limiter *l = (struct limiter *)sync;

    serve(core, l); /* first what they were owed: the rest is less than the one in front wants */
    l->bucket.empty_ns -= (int64_t)units * l->bucket.period_ns;
    bucket_pour(&l->bucket, core->now.mono_ns);
}

/* What nobody used (SE1) goes back; nothing else does. */
static int limiter_give(struct core *core, struct sync *sync, struct op *op,
                        const struct request_sync_give *what)
{
    struct limiter *l = (struct limiter *)sync;

    if (!(what->flags & GIVE_UNSEEN) || !what->units || what->units > l->bucket.burst)
        return sync_refuse(core, op, sync, -EPERM, "what was taken is used up: none is given back");
    limiter_undo(core, sync, op, what->units);
    return 0;
}

/* It is full again, for whoever comes next. */
static int limiter_reset(struct core *core, struct sync *sync, struct op *op)
{
    struct limiter *l = (struct limiter *)sync;

    bucket_fill(&l->bucket, core->now.mono_ns);
    return 0;
}

static void limiter_look(struct core *core, struct sync *sync)
{
    struct limiter *l = (struct limiter *)sync;
    const struct waiter *w = serve(core, l);

    if (w)
        return timer_arm(core, &l->timer, bucket_ready_ns(&l->bucket, w->ticket), fired);
    bucket_pour(&l->bucket, core->now.mono_ns);
    if (!is_new(l) && !is_full(core, l))
        timer_arm(core, &l->timer, bucket_full_ns(&l->bucket), fired);
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
    const struct waiter *w = sync_front(core, sync);

    assert(timer_armed(&l->timer) && "a bucket that is full is forgotten");
    assert((!w || l->timer.at_ns <= bucket_ready_ns(&l->bucket, w->ticket)) &&
           "whoever waits in front goes on in time");
}

const struct sync_rules sync_limiter = {
    .kind = SYNC_LIMITER,
    .word = "limiter",
    .bytes = sizeof(struct limiter),
    .counted = true,
    .init = limiter_init,
    .fini = limiter_fini,
    .take = limiter_take,
    .give = limiter_give,
    .undo = limiter_undo,
    .reset = limiter_reset,
    .news = limiter_news,
    .look = limiter_look,
    .check = limiter_check,
};
