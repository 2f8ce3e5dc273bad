/*
 * Named circuit breakers: so many failures in a row open one, and for so long everybody is refused at once; then one may
 * try. The success of the trial closes it, its failure opens it anew. Calls under way are counted by scope: the end of the
 * scope is a failure of each. Failures are forgotten when none has come for as long as it stays open. Time is that of the
 * step.
 *
 * Invariants: closed, it has fewer failures than open it; the timer runs while it has failures to forget or is open and not
 * due yet.
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
    uint64_t trial;  /* TRYING: its token */
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
    if (b->state == OPEN)
        b->state = DUE;
    else
        b->failures = 0;
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
    if (b->state == TRYING || b->failures >= b->limit)
        b->state = OPEN;
    timer_arm(core, &b->timer, time_after(core->now.mono_ns, b->open_ns), fired);
}

static int check_settings(struct core *core, struct breaker *b, struct op *op,
                          const struct request_sync_take *what)
{
    if (!what->size || what->period_ns <= 0)
        return -EINVAL;
    if (!b->limit || (b->limit == what->size && b->open_ns == what->period_ns))
        return 0;
    op_fail(core, op, -EEXIST, "breaker %.*s opens after %llu failures, for %lld ns", b->base.name_size,
            b->base.name, (unsigned long long)b->limit, (long long)b->open_ns);
    return -EEXIST;
}

static int breaker_take(struct core *core, struct sync *sync, struct op *op,
                        const struct request_sync_take *what)
{
    struct breaker *b = (struct breaker *)sync;
    struct hold *hold;
    int r = check_settings(core, b, op, what);

    if (r < 0)
        return r;
    op->handle = b->state == OPEN ? (uint64_t)(b->timer.at_ns - core->now.mono_ns) : 0;
    if (b->state == OPEN || b->state == TRYING)
        return -EBUSY;
    r = hold_get(core, op->scope, sync, &hold);
    if (r < 0)
        return r;
    b->limit = what->size;
    b->open_ns = what->period_ns;
    sync_grant(core, hold, op, 1, 0);
    if (b->state == DUE) {
        b->state = TRYING;
        b->trial = hold->token;
    }
    return 0;
}

/* Calls from before it opened decide nothing. */
static bool decides(const struct breaker *b, uint64_t token)
{
    return b->state == CLOSED || (b->state == TRYING && b->trial == token);
}

static int breaker_give(struct core *core, struct sync *sync, struct op *op,
                        const struct request_sync_give *what)
{
    struct breaker *b = (struct breaker *)sync;
    struct hold *hold = hold_find(core, op->scope, sync);

    if (!hold || !hold->units)
        return -EPERM;
    if (b->state == TRYING && hold->token == b->trial && hold->units == 1 && what->token != b->trial)
        return -ESTALE; /* its one call is the trial, which must decide */
    hold->units--;
    hold_settle(core, hold);
    if (!decides(b, what->token))
        return 0;
    if (!(what->flags & GIVE_UNSEEN))
        (what->flags & GIVE_FAILED ? count_failure : count_success)(core, b);
    else if (b->state == TRYING)
        b->state = DUE;
    return 0;
}

static int breaker_reset(struct core *core, struct sync *sync)
{
    count_success(core, (struct breaker *)sync);
    return 0;
}

static void breaker_dead(struct core *core, struct sync *sync, struct hold *hold)
{
    struct breaker *b = (struct breaker *)sync;

    if (b->state == TRYING && b->trial == hold->token && !hold_seen(core, hold))
        b->state = DUE;
    for (uint64_t n = hold->units; n && decides(b, hold->token); n--)
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
    assert(timer_armed(&b->timer) == (b->state == OPEN || (b->state == CLOSED && b->failures)) &&
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
    .reset = breaker_reset,
    .news = breaker_news,
    .dead = breaker_dead,
    .check = breaker_check,
};
