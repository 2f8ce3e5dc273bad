/*
 * Calls of goroutines: they park, and the service thread makes them ready.
 */
#include <pthread.h>
#include <stdlib.h>

#include "goclient_go.h"
#include "goroutine_host.h"

/* ---- waiting ---- */

static struct gc_wait goroutine_begin(void)
{
    go_wait wait = go_wait_begin();
    return (struct gc_wait){wait.who, wait.ticket};
}

static go_wait wait_of(struct gc_wait wait)
{
    return (go_wait){wait.who, wait.ticket};
}

static int goroutine_park(struct gc_wait wait, const char *reason, bool masked)
{
    return go_park(wait_of(wait), reason, masked ? GO_PARK_MASKED : 0, GO_FOREVER);
}

static void goroutine_ready(struct gc_wait wait)
{
    go_ready(wait_of(wait), 0);
}

static uint64_t no_scope(void)
{
    return 0;
}

GC_API const struct gc_waiting gc_waiting_goroutines = {
    .begin = goroutine_begin,
    .park = goroutine_park,
    .ready = goroutine_ready,
    .scope = no_scope,
    .leads = false,
};

GC_API int gc_go_connect(const struct gc_options *options, gc_client **g, char *why)
{
    return gc_connect_waiting(options, &gc_waiting_goroutines, g, why);
}

/* ---- contexts ---- */

/* Held by its owner and by the function that waits for the end of the goroutine context. */
struct gc_go_ctx {
    pthread_mutex_t lock;
    int holders;
    gc_ctx *ctx; /* NULL: its owner is gone */
    go_ctx_func *func;
};

static void let_go(struct gc_go_ctx *c)
{
    pthread_mutex_lock(&c->lock);
    int left = --c->holders;
    pthread_mutex_unlock(&c->lock);
    if (left)
        return;
    pthread_mutex_destroy(&c->lock);
    free(c);
}

static void context_ended(void *arg)
{
    struct gc_go_ctx *c = arg;
    pthread_mutex_lock(&c->lock);
    if (c->ctx)
        gc_ctx_cancel(c->ctx);
    pthread_mutex_unlock(&c->lock);
    let_go(c);
}

GC_API gc_go_ctx *gc_go_ctx_new(gc_client *g, go_ctx *ctx)
{
    struct gc_go_ctx *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    pthread_mutex_init(&c->lock, NULL);
    c->holders = 2;
    c->ctx = gc_ctx_new(g);
    c->func = c->ctx ? go_ctx_after_func(ctx, context_ended, c) : NULL;
    if (c->func)
        return c;
    gc_ctx_free(c->ctx);
    pthread_mutex_destroy(&c->lock);
    free(c);
    return NULL;
}

GC_API gc_go_ctx *gc_go_ctx_free(gc_go_ctx *c)
{
    if (!c)
        return NULL;
    pthread_mutex_lock(&c->lock);
    c->ctx = gc_ctx_free(c->ctx);
    pthread_mutex_unlock(&c->lock);
    if (go_ctx_func_stop(c->func) == 1)
        let_go(c); /* for the function that will not run */
    let_go(c);
    return NULL;
}

GC_API gc_until gc_go_with(gc_go_ctx *c)
{
    return gc_with(c->ctx);
}
