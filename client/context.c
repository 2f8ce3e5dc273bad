/*
 * Contexts: those of this client alone, and those of the daemon, which are mirrored by one parked CTX_WATCH each.
 *
 * Invariants. The result of a watch is noted when it comes, under the lock, so that no later result surfaces before the
 * mark is set (X1). `over` is set once. A context of the daemon is in client->contexts from its birth to gc_ctx_free; the
 * client's `watches` counts those with a watch, and is why the service thread leads.
 */
#include "context.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "call.h"
#include "last.h"
#include "options.h"

struct gc_context_func {
    struct list link; /* of ctx->funcs, or of client->funcs_due */
    gc_client *g;
    void (*fn)(void *arg);
    void *arg;
    bool began, ended;
    bool released; /* its owner has let go while it ran */
};

/* ---- both kinds ---- */

GC_API gc_ctx *gc_ctx_new(gc_client *g)
{
    gc_ctx *ctx = calloc(1, sizeof *ctx);
    if (!ctx)
        return NULL;
    ctx->g = g;
    list_init(&ctx->link);
    list_init(&ctx->funcs);
    return ctx;
}

GC_API void gc_ctx_cancel(gc_ctx *ctx)
{
    int error = errno;
    if (!atomic_exchange(&ctx->done, true)) {
        atomic_fetch_add(&ctx->g->cancels, 1);
        eventfd_write(ctx->g->event_fd, 1);
    }
    errno = error;
}

GC_API bool gc_ctx_done(const gc_ctx *ctx)
{
    return atomic_load(&ctx->done);
}

int context_error(const gc_ctx *ctx)
{
    return ctx->over ? ctx->status : -ECANCELED;
}

static bool is_of_a_lost_session(int status)
{
    return status == -ECONNRESET || status == -ENETRESET;
}

/* By the call that is there, where no cancel has used it. */
static void context_drop(gc_ctx *ctx)
{
    const struct request drop = {.verb = VERB_CTX_DROP, .ctx_drop.context = ctx->id};
    if (!ctx->cancel)
        return call_give_back(ctx->g, &drop, ctx->run);
    ctx->cancel->op.request = drop;
    call_tell(ctx->cancel, ctx->run);
    ctx->cancel = NULL;
}

/* With the lock: nothing names it any more. */
static void context_leave(gc_ctx *ctx)
{
    struct gc_context_func *func, *after;
    gc_client *g = ctx->g;
    if (ctx->watch) {
        ctx->watch->watched = NULL;
        protocol_cancel(g->protocol, &ctx->watch->op);
        ctx->watch = NULL;
        g->watches--;
    }
    list_each_safe (func, after, &ctx->funcs, link)
        list_remove(&func->link);
    list_remove(&ctx->link);
    if (ctx->owned && !(ctx->over && is_of_a_lost_session(ctx->status)))
        context_drop(ctx);
    if (ctx->cancel)
        call_end(ctx->cancel);
}

GC_API gc_ctx *gc_ctx_free(gc_ctx *ctx)
{
    if (!ctx)
        return NULL;
    if (ctx->id && !client_forked(ctx->g)) {
        client_enter(ctx->g);
        context_leave(ctx);
        client_pump(ctx->g);
        client_pass_on(ctx->g);
        client_leave(ctx->g);
    }
    free(ctx->text);
    free(ctx);
    return NULL;
}

/* ---- the end ---- */

static char *copy_text(struct bytes text)
{
    char *copy = text.size ? malloc(text.size + 1) : NULL;
    if (!copy)
        return NULL;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return copy;
}

static void service_wake(gc_client *g)
{
    g->kick = true;
    pthread_cond_signal(&g->service);
}

/* Without a row: how the watch failed, with its session or because the daemon has forgotten the context. */
static void note_end(gc_ctx *ctx, const struct result *result)
{
    const struct ctx_info *info = result->ctxs_n ? result->ctxs : NULL;
    bool lost = is_of_a_lost_session(result->status);
    ctx->status = info ? info->status : lost ? result->status : -ECANCELED;
    ctx->code = info ? info->code : ctx->status;
    ctx->origin = info ? info->origin : ctx->id;
    ctx->text = copy_text(info ? info->text : lost ? text_bytes(ctx->g->why) : (struct bytes){NULL, 0});
    ctx->over = true;
}

void context_over(gc_ctx *ctx, const struct result *result)
{
    gc_client *g = ctx->g;
    ctx->watch = NULL;
    g->watches--;
    note_end(ctx, result);
    atomic_store(&ctx->done, true);
    if (!list_empty(&ctx->funcs)) {
        list_splice(&g->funcs_due, &ctx->funcs);
        service_wake(g);
    }
    atomic_fetch_add(&g->cancels, 1);
    calls_cancel_done(g);
}

void contexts_tell(gc_client *g)
{
    gc_ctx *ctx;
    list_each (ctx, &g->contexts, link) {
        if (!atomic_load(&ctx->done) || ctx->over || !ctx->cancel)
            continue;
        struct call *cancel = ctx->cancel;
        ctx->cancel = NULL;
        call_tell(cancel, ctx->run);
    }
}

/* ---- functions that follow ---- */

GC_API gc_context_func *gc_context_after_func(gc_ctx *ctx, void (*fn)(void *arg), void *arg)
{
    gc_client *g = ctx->g;
    struct gc_context_func *func = calloc(1, sizeof *func);
    if (!func)
        return NULL;
    *func = (struct gc_context_func){.g = g, .fn = fn, .arg = arg};
    client_enter(g);
    list_append(ctx->over ? &g->funcs_due : &ctx->funcs, &func->link);
    if (ctx->over)
        service_wake(g);
    client_leave(g);
    return func;
}

GC_API bool gc_context_func_stop(gc_context_func *func)
{
    if (!func)
        return false;
    gc_client *g = func->g;
    client_enter(g);
    bool prevented = !func->began;
    func->released = true;
    list_remove(&func->link);
    if (prevented || func->ended)
        free(func);
    client_leave(g);
    return prevented;
}

void contexts_deliver(gc_client *g)
{
    struct gc_context_func *func;
    client_lock(g);
    while ((func = list_first(&g->funcs_due, struct gc_context_func, link))) {
        list_remove(&func->link);
        func->began = true;
        client_unlock(g);
        func->fn(func->arg);
        client_lock(g);
        func->ended = true;
        if (func->released)
            free(func);
    }
    client_unlock(g);
}

/* ---- birth ---- */

/* Only where its watch has not begun. Accepts NULL. */
static void remote_free(gc_ctx *ctx)
{
    if (ctx && ctx->cancel)
        call_end(ctx->cancel);
    free(ctx);
}

/* One of the daemon. NULL: no memory. */
static gc_ctx *remote_new(gc_client *g, uint64_t id, bool owned)
{
    gc_ctx *ctx = gc_ctx_new(g);
    if (!ctx)
        return NULL;
    ctx->id = id;
    ctx->owned = owned;
    ctx->cancel =
        call_new(g, &(struct request){.verb = VERB_CTX_CANCEL, .ctx_cancel.context = id}, GC_FOREVER);
    if (ctx->cancel)
        return ctx;
    free(ctx);
    return NULL;
}

/* Begins to mirror a context whose daemon knows it by `id`. On failure it is given back. */
static int mirror(gc_client *g, uint64_t id, bool owned, gc_ctx **out)
{
    struct request request = {.verb = VERB_CTX_WATCH, .ctx_watch.context = id};
    gc_ctx *ctx = remote_new(g, id, owned);
    client_enter(g);
    uint64_t run = g->waiting->scope();
    int r = ctx ? call_watch(g, &request, ctx) : -ENOMEM;
    if (r == 0) {
        ctx->run = run;
        list_append(&g->contexts, &ctx->link);
        client_pump(g);
    } else if (owned) {
        call_give_back(g, &(struct request){.verb = VERB_CTX_DROP, .ctx_drop.context = id}, run);
    }
    client_pass_on(g);
    client_leave(g);
    if (r < 0) {
        remote_free(ctx);
        return last_failed(r, NULL, false);
    }
    *out = ctx;
    return 0;
}

/* Waits until the mirror shows the end of a context that is over already. */
static int settle(gc_ctx **ctx, gc_until until)
{
    int r = gc_context_wait(*ctx, until);
    if (r < 0)
        *ctx = gc_ctx_free(*ctx);
    return r;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Absolute where the daemon reads the same clock, else what remains (IP1.5). */
static void set_deadline(gc_client *g, const struct gc_context_options *use, struct request_ctx_new *what)
{
    int64_t left_ns = use->deadline_ns ? use->deadline_ns - now_ns() : INT64_MAX;
    client_enter(g);
    bool absolute = g->protocol->welcomed && g->protocol->facts.absolute_deadlines;
    client_leave(g);
    if (!use->deadline_ns && !use->timeout_ns)
        return;
    bool at = absolute && use->deadline_ns && (!use->timeout_ns || left_ns < use->timeout_ns);
    what->deadline = at ? UNTIL_AT : UNTIL_IN;
    what->deadline_ns = at ? use->deadline_ns : use->timeout_ns ? earlier(left_ns, use->timeout_ns) : left_ns;
}

static int derive(gc_client *g, const struct request *request, bool owned, gc_ctx **out, gc_until until)
{
    struct answer answer;
    int r = call_run(g, request, until, 0, &answer);
    bool over = r > 0;
    uint64_t id = answer.result.handle;
    answer_end(&answer);
    if (r >= 0)
        r = mirror(g, id, owned, out);
    return r == 0 && over ? settle(out, until) : r;
}

GC_API int gc_context_derive(gc_client *g, gc_ctx *parent, const struct gc_context_options *options,
                             gc_ctx **out, gc_until until)
{
    struct gc_context_options use;
    struct ctx_value values[CTX_VALUES_MAX];
    *out = NULL;
    if (options_take(&use, sizeof use, options) < 0)
        return last_failed(-EINVAL, "gc_context_options: size is not set, or of a newer library", false);
    if (parent && (!parent->id || parent->g != g))
        return last_failed(-EINVAL, "the parent is not a context of this client in the daemon", false);
    if (use.values_n > CTX_VALUES_MAX)
        return last_failed(-E2BIG, "at most 64 values in one context", false);
    for (size_t i = 0; i < use.values_n; i++)
        values[i] =
            (struct ctx_value){text_bytes(use.values[i].name), {use.values[i].data, use.values[i].size}};
    struct request request = {.verb = VERB_CTX_NEW,
                              .ctx_new = {.name = text_bytes(use.name),
                                          .parent = parent ? parent->id : 0,
                                          .parent_name = text_bytes(parent ? NULL : use.parent_name),
                                          .flags = use.flags,
                                          .code = use.code,
                                          .cause = text_bytes(use.cause),
                                          .values = values,
                                          .values_n = use.values_n,
                                          .group = text_bytes(use.group)}};
    if (client_forked(g))
        return last_failed(-ECONNRESET, "this process is a fork of the client's: connect anew", false);
    set_deadline(g, &use, &request.ctx_new);
    return derive(g, &request, !use.flags, out, until);
}

GC_API int gc_context_new(gc_client *g, gc_ctx **out, gc_until until)
{
    return gc_context_derive(g, NULL, NULL, out, until);
}

GC_API int gc_context_with_deadline(gc_client *g, gc_ctx *parent, int64_t deadline_ns, gc_ctx **out,
                                    gc_until until)
{
    struct gc_context_options options = {.size = sizeof options,
                                         .deadline_ns = deadline_ns ? deadline_ns : -1};
    return gc_context_derive(g, parent, &options, out, until);
}

GC_API int gc_context_with_timeout(gc_client *g, gc_ctx *parent, int64_t ms, gc_ctx **out, gc_until until)
{
    struct gc_context_options options = {.size = sizeof options, .timeout_ns = -1};
    if (ms > 0 && __builtin_mul_overflow(ms, 1000000, &options.timeout_ns))
        options.timeout_ns = INT64_MAX;
    return gc_context_derive(g, parent, &options, out, until);
}

GC_API int gc_context_with_value(gc_client *g, gc_ctx *parent, const char *name, struct gc_value value,
                                 gc_ctx **out, gc_until until)
{
    struct gc_context_value binding = {name, value.data, value.size};
    struct gc_context_options options = {.size = sizeof options, .values = &binding, .values_n = 1};
    return gc_context_derive(g, parent, &options, out, until);
}

GC_API int gc_context_without_cancel(gc_client *g, gc_ctx *parent, gc_ctx **out, gc_until until)
{
    struct gc_context_options options = {.size = sizeof options, .flags = GC_CONTEXT_WITHOUT_CANCEL};
    return gc_context_derive(g, parent, &options, out, until);
}

/* Of somebody else. */
static int find(gc_client *g, const struct request *request, gc_ctx **out, gc_until until)
{
    struct answer answer;
    *out = NULL;
    int r = call_run(g, request, until, 0, &answer);
    bool over = r >= 0 && answer.result.ctxs_n && answer.result.ctxs->status < 0;
    uint64_t id = answer.result.handle;
    answer_end(&answer);
    if (r >= 0)
        r = mirror(g, id, false, out);
    return r == 0 && over ? settle(out, until) : r;
}

GC_API int gc_context_open(gc_client *g, const char *name, gc_ctx **out, gc_until until)
{
    return find(g, &(struct request){.verb = VERB_CTX_INFO, .ctx_info.name = text_bytes(name)}, out, until);
}

GC_API int gc_context_of(gc_client *g, uint64_t id, gc_ctx **out, gc_until until)
{
    return find(g, &(struct request){.verb = VERB_CTX_INFO, .ctx_info.context = id}, out, until);
}
