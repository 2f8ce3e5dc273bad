/* The goroutine of one health check: calls it, survives it, and says what it came to. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "health.h"

/* The argument of the goroutine of a check. */
struct probe {
    go_health *h;
    struct check *check;
    go_ctx *ctx;
    int code;
    char text[GO_HEALTH_TEXT_BYTES];
};

static void probe_recover(void *arg)
{
    struct probe *p = arg;
    const char *text = go_recover();

    if (!text)
        return;
    p->code = -ENOTRECOVERABLE;
    snprintf(p->text, sizeof p->text, "panic: %s", text);
}

static void probe_call(void *arg)
{
    struct probe *p = arg;

    go_defer(probe_recover, p);
    p->code = p->check->fn(p->ctx, p->text, sizeof p->text, p->check->arg);
}

/* Deferred: also when the check called go_exit. */
static void probe_end(void *arg)
{
    struct probe *p = arg;
    struct check *c = p->check;
    int64_t next_ns;

    monitor_enter(&p->h->m);
    health_settle(p->h, &next_ns);
    if (c->state == CHECK_RUNS) {
        c->code = p->code < 0 ? p->code : 0;
        memcpy(c->text, p->text, sizeof c->text);
    }
    c->state = CHECK_IDLE;
    monitor_leave(&p->h->m);
    go_ctx_unref(p->ctx);
    health_leave(p->h);
}

static void probe_run(void *arg)
{
    struct probe *p = arg;

    go_defer(probe_end, p);
    go_call(probe_call, p);
}

int probe_start(go_health *h, struct check *c)
{
    struct probe p = {.h = h, .check = c, .code = -ECANCELED};
    int r = -ENOMEM;

    p.ctx = go_ctx_with_deadline(h->ctx, go_until_make(c->due_ns, NULL));
    if (p.ctx)
        r = health_spawn(h, probe_run, &p, sizeof p, c->name);
    if (r < 0)
        go_ctx_unref(p.ctx);
    return r;
}
