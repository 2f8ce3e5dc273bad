/*
 * Named circuit breakers: so many failures in a row open one, and for so long everybody is refused at once; then one may
 * try. The success of the trial closes it, its failure opens it anew. Calls under way are counted by scope: the end of the
 * scope is a failure of each. Failures are forgotten when none has come for as long as it stays open, and so is an open one
 * that nobody has tried for as long again. A call from before it opened decides nothing any more: its token is not larger
 * than that of the opening. Time is that of the step.
 *
 * Invariants: closed, it has fewer failures than open it; the timer runs while it has something to forget, or is open and
 * not due yet; while a trial is under way it is the only call since the opening.
 */
#include <assert.h>
#include <errno.h>

#include "sync.h"

enum state { CLOSED, OPEN, DUE, TRYING };

struct breaker {
    struct sync base;
    struct timer timer;
    enum state state;
    uint64_t limit, failures;
    int64_t open_ns; /* how long */
    uint64_t opened; /* token of the last opening; 0: none */
};

static int breaker_init(struct core *core, struct sync *sync)
{
    return timers_reserve(core);
}

static void breaker_fini(struct core *core, struct sync *sync)
{
    timer_disarm(core, &((struct breaker *)sync)->timer);
    timers_unreserve(core);
}

static void move_to(struct core *core, struct breaker *b, enum state state)
{
    b->state = state;
    timer_disarm(core, &b->timer);
}

static void fired(struct core *core, struct timer *timer)
{
    struct breaker *b = container_of(timer, struct breaker, timer);

    b->base.busy = true;
    if (b->state == OPEN) {
        b->state = DUE;
        timer_arm(core, timer, time_after(core->now.mono_ns, b->open_ns), fired);
    } else {
        b->state = CLOSED;
        b->failures = 0;
    }
    sync_done(core, &b->base);
}

static void count_success(struct core *core, struct breaker *b)
{
    b->failures = 0;
    move_to(core, b, CLOSED);
}

static void count_failure(struct core *core, struct breaker *b)
{
    b->failures++;
    if (b->state == TRYING || b->failures >= b->limit) {
        b->state = OPEN;
        b->opened = sync_token(core);
    }
    timer_arm(core, &b->timer, time_after(core->now.mono_ns, b->open_ns), fired);
}

static int check_settings(struct core *core, struct breaker *b, struct op *op,
                          const struct request_sync_take *what)
{
    if (!what->size || what->period_ns <= 0)
        return sync_refuse(core, op, &b->base, -EINVAL,
                           "%llu failures that open it for %lld ns: both are 1 or more",
                           (unsigned long long)what->size, (long long)what->period_ns);
    if (!b->limit || (b->limit == what->size && b->open_ns == what->period_ns))
        return 0;
    op_fail(core, op, -EEXIST, "breaker %.*s opens after %llu failures, for %lld ns", b->base.name_size,
            b->base.name, (unsigned long long)b->limit, (long long)b->open_ns);
    return -EEXIST;
}

static int refuse_call(struct core *core, struct breaker *b, struct op *op)
{
    uint64_t ms = (op->handle + 999999) / 1000000;

    if (b->state == TRYING)
        return sync_refuse(core, op, &b->base, -EBUSY, "circuit breaker is open; one call tries already");
    return sync_refuse(core, op, &b->base, -EBUSY, "circuit breaker is open; one call may try in %llu ms",
                       (unsigned long long)ms);
}

static int breaker_take(struct core *core, struct sync *sync, struct op *op,
                        const struct request_sync_take *what)
{
    struct breaker *b = (struct breaker *)sync;
    struct hold *hold;
    int r = check_settings(core, b, op, what);

    if (r < 0)
        return r;
    int64_t left_ns = b->state == OPEN ? b->timer.at_ns - core->now.mono_ns : 0;
    op->handle = left_ns > 0 ? (uint64_t)left_ns : 0; /* the timer may be late */
    if (b->state == OPEN || b->state == TRYING)
        return refuse_call(core, b, op);
    r = hold_get(core, op->scope, sync, &hold);
    if (r < 0)
        return r;
    b->limit = what->size;
    b->open_ns = what->period_ns;
    if (hold->since != b->opened)
        hold->fresh = 0;
    hold->since = b->opened;
    hold->fresh++;
    sync_grant(core, hold, op, 1, 0);
    if (b->state == DUE && !PLANTED(TWO_TRIALS))
        move_to(core, b, TRYING);
    return 0;
}

/* Its calls that began after the last opening: a trial is one of them. */
static uint64_t fresh_of(const struct breaker *b, const struct hold *hold)
{
    return hold->since == b->opened ? hold->fresh : 0;
}

/* The next who comes tries. */
static void await_trial(struct core *core, struct breaker *b)
{
    b->state = DUE;
    timer_arm(core, &b->timer, time_after(core->now.mono_ns, b->open_ns), fired);
}

/* It began after the last opening. */
static bool decides(const struct breaker *b, uint64_t token)
{
    return token > b->opened || !b->opened;
}

/* Whether a call with this token may be under way. */
static bool has_call(const struct breaker *b, const struct hold *hold, uint64_t token)
{
    if (!hold || !hold->units)
        return false;
    return decides(b, token) ? fresh_of(b, hold) : hold->units > fresh_of(b, hold);
}

static void call_leaves(struct core *core, struct breaker *b, struct hold *hold, uint64_t token)
{
    hold->units--;
    hold->fresh -= decides(b, token);
    hold_settle(core, hold);
}

/* As if it had never been let through (IP1.3). */
static void breaker_undo(struct core *core, struct sync *sync, struct op *op, uint64_t what)
{
    struct breaker *b = (struct breaker *)sync;
    struct hold *hold = hold_find(core, op->scope, sync);

    if (!has_call(b, hold, op->handle))
        return;
    call_leaves(core, b, hold, op->handle);
    if (decides(b, op->handle) && b->state == TRYING)
        await_trial(core, b);
}

static int breaker_give(struct core *core, struct sync *sync, struct op *op,
                        const struct request_sync_give *what)
{
    struct breaker *b = (struct breaker *)sync;
    struct hold *hold = hold_find(core, op->scope, sync);

    if (!hold || !hold->units)
        return sync_refuse(core, op, sync, -EPERM, "no call of this session is under way");
    if (!has_call(b, hold, what->token))
        return sync_refuse(core, op, sync, -ESTALE, "token %llu: no such call of this session is under way",
                           (unsigned long long)what->token);
    call_leaves(core, b, hold, what->token);
    if (!decides(b, what->token))
        return 0;
    if (!(what->flags & GIVE_UNSEEN))
        (what->flags & GIVE_FAILED ? count_failure : count_success)(core, b);
    else if (b->state == TRYING)
        await_trial(core, b);
    return 0;
}

static int breaker_reset(struct core *core, struct sync *sync, struct op *op)
{
    count_success(core, (struct breaker *)sync);
    return 0;
}

static void breaker_dead(struct core *core, struct sync *sync, struct hold *hold)
{
    struct breaker *b = (struct breaker *)sync;

    if (b->state == TRYING && fresh_of(b, hold) && !hold_seen(core, hold))
        return await_trial(core, b);
    for (uint64_t n = fresh_of(b, hold); n && b->state != OPEN; n--)
        count_failure(core, b);
}

static bool breaker_news(const struct sync *sync)
{
    const struct breaker *b = (const struct breaker *)sync;

    return b->failures || b->state != CLOSED;
}

static void breaker_check(const struct core *core, const struct sync *sync)
{
    const struct breaker *b = (const struct breaker *)sync;

    assert((b->state != CLOSED || b->failures < b->limit) && "so many failures open a breaker");
    assert(timer_armed(&b->timer) ==
               (b->state == OPEN || b->state == DUE || (b->state == CLOSED && b->failures)) &&
           "what a breaker remembers it forgets in time");
    assert(list_empty(&sync->waiters) && "nobody waits for a breaker");
}

const struct sync_rules sync_breaker = {
    .kind = SYNC_BREAKER,
    .word = "breaker",
    .bytes = sizeof(struct breaker),
    .init = breaker_init,
    .fini = breaker_fini,
    .take = breaker_take,
    .give = breaker_give,
    .undo = breaker_undo,
    .reset = breaker_reset,
    .news = breaker_news,
    .dead = breaker_dead,
    .check = breaker_check,
};
