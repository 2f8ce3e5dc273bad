/*
 * Rate limiter: a bucket of tokens that is filled by the clock, computed when somebody looks; nobody runs for it.
 *
 * The level is kept in units of which a token has `per_ns` and a nanosecond brings `tokens`: so nothing is ever rounded,
 * whatever the rate, and no drift adds up.
 *
 * Invariants, inside the monitor: 0 <= level < burst * per_ns + tokens, the burst and the rest of one nanosecond. At most
 * one taker is at the head; only it waits for the clock, and while there is one no newcomer takes (first come, first
 * served). Who leaves the head passes it to the first of the queue. A token is taken in the step that lets the taker go,
 * or not at all.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "monitor.h"

struct go_limiter {
    struct monitor m;
    _Atomic int holders;
    int64_t tokens, per_ns, full;
    /* inside the monitor */
    int64_t level, as_of_ns;
    bool closed, headed;
    struct list head, queue; /* who waits for the clock: at most one; who waits to be at the head */
};

go_limiter *go_limiter_new(int64_t tokens, int64_t per_ns, int64_t burst)
{
    int64_t full;
    go_limiter *l;

    if (tokens < 1 || per_ns < 1 || burst < 1 || __builtin_mul_overflow(burst, per_ns, &full) ||
        full > INT64_MAX - tokens)
        go_panic("go_limiter_new: %lld tokens in %lld ns, %lld at once", (long long)tokens, (long long)per_ns,
                 (long long)burst);
    l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    monitor_init(&l->m, "rate limiter");
    atomic_store(&l->holders, 1);
    l->tokens = tokens;
    l->per_ns = per_ns;
    l->full = l->level = full;
    l->as_of_ns = go_now_ns();
    list_init(&l->head);
    list_init(&l->queue);
    return l;
}

go_limiter *go_limiter_ref(go_limiter *l)
{
    atomic_fetch_add(&l->holders, 1);
    return l;
}

go_limiter *go_limiter_unref(go_limiter *l)
{
    if (l && atomic_fetch_sub(&l->holders, 1) == 1)
        free(l);
    return NULL;
}

/* ---- inside the monitor ---- */

/* What the level is by now. */
static int64_t level_now(const go_limiter *l, int64_t now)
{
    int64_t more;

    if (__builtin_mul_overflow(now - l->as_of_ns, l->tokens, &more) || more > l->full - l->level)
        return l->full;
    return l->level + more;
}

/* When the level will have risen by `missing`, at the first nanosecond that is enough: then there is at
 * most the rest of that nanosecond too much. */
static int64_t due_ns(const go_limiter *l, int64_t missing)
{
    int64_t wait = (missing + l->tokens - 1) / l->tokens, due;

    return __builtin_add_overflow(l->as_of_ns, wait, &due) ? GO_NS_FOREVER : due;
}

/* Outside. The head goes to the next in the queue. */
static void head_pass(go_limiter **p)
{
    go_limiter *l = *p;

    monitor_enter(&l->m);
    l->headed = monitor_notify(&l->m, &l->queue);
    monitor_leave(&l->m);
}

/* ---- taking ---- */

/*
 * At the head, inside; answers outside. The bucket is brought to the moment when there is enough, not to now: so what
 * comes while somebody waits is never cut off by the burst, and a taker that runs late does not slow those behind it.
 */
static int head_take(go_limiter *l, int64_t need, go_until until)
{
    _cleanup_(head_pass) go_limiter *at_head = l;
    int r = 0;

    while (!l->closed && l->level < need) {
        int64_t due = due_ns(l, need - l->level);

        if (due > go_now_ns())
            r = monitor_wait_at(&l->m, &l->head, "rate limiter", due, until);
        if (r < 0)
            return r;
        if (l->closed)
            break;
        l->level += (due - l->as_of_ns) * l->tokens;
        l->as_of_ns = due;
    }
    if (l->closed)
        r = -EPIPE;
    else
        l->level -= need;
    monitor_leave(&l->m);
    return r;
}

/* Inside: waits for its turn, if somebody is at the head. Negative: outside. */
static int head_reach(go_limiter *l, go_until until)
{
    int64_t now = go_now_ns();
    int r = 0;

    if (l->closed)
        return 0;
    if (l->headed) {
        r = monitor_wait(&l->m, &l->queue, NULL, "rate limiter: queue", until);
    } else {
        l->level = level_now(l, now);
        l->as_of_ns = now;
    }
    if (r == 0)
        l->headed = true;
    return r;
}

int go_limiter_take(go_limiter *l, int64_t n, go_until until)
{
    int64_t need;
    int r;

    if (n < 0 || __builtin_mul_overflow(n, l->per_ns, &need) || need > l->full)
        return -EINVAL;
    r = monitor_enter_until(&l->m, until);
    if (r == 0)
        r = head_reach(l, until);
    return r == 0 ? head_take(l, need, until) : r;
}

int go_limiter_close(go_limiter *l)
{
    bool closed;

    if (!l)
        return -EINVAL;
    monitor_enter(&l->m);
    closed = l->closed;
    l->closed = true;
    monitor_notify_all(&l->m, &l->head);
    monitor_notify_all(&l->m, &l->queue);
    monitor_leave(&l->m);
    return closed ? -EPIPE : 0;
}

int64_t go_limiter_tokens(go_limiter *l)
{
    int64_t n;

    monitor_enter(&l->m);
    n = level_now(l, go_now_ns()) / l->per_ns;
    monitor_leave(&l->m);
    return n;
}
