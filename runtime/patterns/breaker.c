/*
 * Circuit breaker.
 *
 * Invariants, inside the monitor: each change of state begins a new round, and what a call of an earlier round comes to
 * changes nothing. In a half-open round exactly one call was let through, the probe; however it ends, return, panic or
 * exit, it ends the round.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "monitor.h"

struct go_breaker {
    struct monitor m;
    _Atomic int holders;
    int failures_max;
    int64_t open_ns;
    /* inside the monitor */
    enum go_breaker_state state;
    uint64_t round;
    int failures; /* in a row */
    int64_t opened_ns;
};

go_breaker *go_breaker_new(int failures_max, int64_t open_ns)
{
    go_breaker *b;

    if (failures_max < 1 || open_ns < 0)
        go_panic("go_breaker_new: %d failures, %lld ns", failures_max, (long long)open_ns);
    b = calloc(1, sizeof *b);
    if (!b)
        return NULL;
    monitor_init(&b->m, "circuit breaker");
    atomic_store(&b->holders, 1);
    b->failures_max = failures_max;
    b->open_ns = open_ns;
    return b;
}

go_breaker *go_breaker_ref(go_breaker *b)
{
    atomic_fetch_add(&b->holders, 1);
    return b;
}

go_breaker *go_breaker_unref(go_breaker *b)
{
    if (b && atomic_fetch_sub(&b->holders, 1) == 1)
        free(b);
    return NULL;
}

/* Inside. */
static void state_set(go_breaker *b, enum go_breaker_state state)
{
    b->state = state;
    b->round++;
    b->failures = 0;
    if (state == GO_BREAKER_OPEN)
        b->opened_ns = go_now_ns();
}

/* Inside. */
static bool is_over(const go_breaker *b)
{
    return b->state == GO_BREAKER_OPEN && go_now_ns() - b->opened_ns >= b->open_ns;
}

/* Whether the caller may go on; then `round` is that of its call. */
static bool admit(go_breaker *b, uint64_t *round)
{
    bool probes, admitted;

    monitor_enter(&b->m);
    probes = is_over(b);
    admitted = probes || b->state == GO_BREAKER_CLOSED;
    if (probes)
        state_set(b, GO_BREAKER_HALF_OPEN);
    *round = b->round;
    monitor_leave(&b->m);
    return admitted;
}

static void report(go_breaker *b, uint64_t round, bool failed)
{
    monitor_enter(&b->m);
    if (round == b->round) {
        b->failures = failed ? b->failures + 1 : 0;
        if (failed && (b->state == GO_BREAKER_HALF_OPEN || b->failures == b->failures_max))
            state_set(b, GO_BREAKER_OPEN);
        else if (b->state == GO_BREAKER_HALF_OPEN)
            state_set(b, GO_BREAKER_CLOSED);
    }
    monitor_leave(&b->m);
}

struct call {
    go_breaker *breaker;
    uint64_t round;
    bool failed; /* until the function has returned otherwise */
};

static void call_end(struct call *c)
{
    report(c->breaker, c->round, c->failed);
}

int go_breaker_call(go_breaker *b, int (*fn)(void *arg), void *arg)
{
    uint64_t round;
    int r;

    if (!admit(b, &round))
        return -EHOSTDOWN;
    {
        _cleanup_(call_end) struct call c = {.breaker = b, .round = round, .failed = true};

        r = fn(arg);
        c.failed = r < 0;
    }
    return r;
}

enum go_breaker_state go_breaker_state(go_breaker *b)
{
    enum go_breaker_state state;

    monitor_enter(&b->m);
    state = is_over(b) ? GO_BREAKER_HALF_OPEN : b->state;
    monitor_leave(&b->m);
    return state;
}
