#include "health.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

go_health *go_health_new(void)
{
    go_health *h = calloc(1, sizeof *h);

    if (!h)
        return NULL;
    h->ctx = go_ctx_new(go_ctx_background());
    if (!h->ctx) {
        free(h);
        return NULL;
    }
    monitor_init(&h->m, "health checks");
    atomic_store(&h->holders, 1);
    atomic_store(&h->refs, 1);
    list_init(&h->answers);
    return h;
}

go_health *go_health_ref(go_health *h)
{
    atomic_fetch_add(&h->holders, 1);
    return h;
}

static void check_free(struct check *c)
{
    if (c)
        free(c->name);
    free(c);
}

void health_drop(go_health *h)
{
    if (atomic_fetch_sub(&h->refs, 1) > 1)
        return;
    for (int i = 0; i < h->n; i++)
        check_free(h->checks[i]);
    go_ctx_unref(h->ctx);
    free(h);
}

go_health *go_health_unref(go_health *h)
{
    if (!h || atomic_fetch_sub(&h->holders, 1) > 1)
        return NULL;
    go_health_close(h); /* -EPIPE: it was closed before */
    health_drop(h);
    return NULL;
}

int go_health_close(go_health *h)
{
    bool closed;

    if (!h)
        return -EINVAL;
    monitor_enter(&h->m);
    closed = h->closed;
    h->closed = true;
    monitor_notify_all(&h->m, &h->answers);
    monitor_leave(&h->m);
    go_ctx_cancel(h->ctx, 0, NULL);
    return closed ? -EPIPE : 0;
}

int go_health_add(go_health *h, const char *name, go_health_fn fn, void *arg, int64_t timeout_ns)
{
    struct check *c = calloc(1, sizeof *c);
    int r = 0;

    if (c)
        c->name = strdup(name);
    if (!c || !c->name) {
        check_free(c);
        return -ENOMEM;
    }
    c->fn = fn;
    c->arg = arg;
    c->timeout_ns = timeout_ns;
    c->code = -ENODATA;
    monitor_enter(&h->m);
    if (h->n < GO_HEALTH_CHECKS_MAX)
        h->checks[h->n++] = c;
    else
        r = -E2BIG;
    monitor_leave(&h->m);
    if (r < 0)
        check_free(c);
    return r;
}

/* ---- goroutines ---- */

void health_leave(go_health *h)
{
    monitor_enter(&h->m);
    h->goroutines--;
    monitor_notify_all(&h->m, &h->answers);
    monitor_leave(&h->m);
    health_drop(h);
}

int health_spawn(go_health *h, void (*fn)(void *), const void *arg, size_t arg_bytes, const char *name)
{
    struct go_spawn_options options = {.name = name};
    int r;

    atomic_fetch_add(&h->refs, 1);
    monitor_enter(&h->m);
    h->goroutines++;
    monitor_leave(&h->m);
    r = go_spawn_with(fn, arg, arg_bytes, &options);
    if (r < 0)
        health_leave(h);
    return r;
}

/* ---- a run of all ---- */

bool health_settle(go_health *h, int64_t *next_ns)
{
    int64_t now = go_now_ns();
    bool runs = false;

    *next_ns = GO_NS_FOREVER;
    for (int i = 0; i < h->n; i++) {
        struct check *c = h->checks[i];

        if (c->state == CHECK_RUNS && c->due_ns <= now) {
            c->state = CHECK_HANGS;
            c->code = -ETIMEDOUT;
            strcpy(c->text, "timeout");
        } else if (c->state == CHECK_RUNS) {
            runs = true;
            *next_ns = c->due_ns < *next_ns ? c->due_ns : *next_ns;
        }
    }
    return runs;
}

/* Inside: those that are idle run from now on (bit i: check i), as soon as somebody starts them. */
static uint64_t claim_idle(go_health *h)
{
    int64_t now = go_now_ns();
    uint64_t set = 0;

    for (int i = 0; i < h->n; i++) {
        struct check *c = h->checks[i];

        if (c->state != CHECK_IDLE)
            continue;
        c->state = CHECK_RUNS;
        if (__builtin_add_overflow(now, c->timeout_ns, &c->due_ns))
            c->due_ns = GO_NS_FOREVER;
        set |= UINT64_C(1) << i;
    }
    return set;
}

static void start_claimed(go_health *h, uint64_t set)
{
    for (int i = 0; i < GO_HEALTH_CHECKS_MAX; i++) {
        int r = set >> i & 1 ? probe_start(h, h->checks[i]) : 0;

        if (r == 0)
            continue;
        monitor_enter(&h->m);
        h->checks[i]->state = CHECK_IDLE;
        h->checks[i]->code = r;
        strcpy(h->checks[i]->text, "not started");
        monitor_notify_all(&h->m, &h->answers);
        monitor_leave(&h->m);
    }
}

/* Inside. */
static int failing(const go_health *h)
{
    int n = 0;

    for (int i = 0; i < h->n; i++)
        n += h->checks[i]->code < 0;
    return n;
}

int go_health_run(go_health *h, go_until until)
{
    int64_t next_ns;
    uint64_t set;
    int r = monitor_enter_until(&h->m, until);

    if (r < 0)
        return r;
    if (h->closed)
        r = -EPIPE;
    set = r == 0 ? claim_idle(h) : 0;
    monitor_leave(&h->m);
    start_claimed(h, set);
    if (r < 0)
        return r;
    monitor_enter(&h->m);
    while (r == 0 && health_settle(h, &next_ns))
        r = monitor_wait_at(&h->m, &h->answers, "health checks", next_ns, until);
    if (r < 0)
        return r;
    r = failing(h);
    monitor_leave(&h->m);
    return r;
}

int go_health_read(go_health *h, int i, struct go_health_result *out)
{
    int64_t next_ns;
    int r;

    monitor_enter(&h->m);
    health_settle(h, &next_ns);
    r = i >= 0 && i < h->n;
    if (r) {
        out->name = h->checks[i]->name;
        out->code = h->checks[i]->code;
        memcpy(out->text, h->checks[i]->text, sizeof out->text);
    }
    monitor_leave(&h->m);
    return r;
}

/* ---- again and again ---- */

struct rounds {
    go_health *h;
    go_timer *ticker;
};

static void rounds_end(void *arg)
{
    struct rounds *rounds = arg;

    go_timer_unref(rounds->ticker);
    health_leave(rounds->h);
}

static void rounds_run(void *arg)
{
    struct rounds *rounds = arg;
    go_until until = go_with(rounds->h->ctx);

    go_defer(rounds_end, rounds);
    do
        go_health_run(rounds->h, until); /* what fails is kept for who reads */
    while (go_timer_wait(rounds->ticker, NULL, until) == 1);
}

int go_health_every(go_health *h, int64_t period_ns)
{
    struct rounds rounds = {.h = h};
    int r = go_ctx_err(h->ctx) ? -EPIPE : 0;

    if (r < 0)
        return r;
    rounds.ticker = go_ticker_new(period_ns);
    if (!rounds.ticker)
        return -ENOMEM;
    r = health_spawn(h, rounds_run, &rounds, sizeof rounds, "go_health_every");
    if (r < 0)
        go_timer_unref(rounds.ticker);
    return r;
}

int go_health_wait(go_health *h, go_until until)
{
    int r = monitor_enter_until(&h->m, until);

    while (r == 0 && (!h->closed || h->goroutines > 0))
        r = monitor_wait(&h->m, &h->answers, NULL, "health checks: end", until);
    if (r == 0)
        monitor_leave(&h->m);
    return r;
}
