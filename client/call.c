/*
 * Calls. A caller copies its request without the lock, starts it, sends it itself, and then leads or waits.
 *
 * Invariants. A call with a caller is surfaced or abandoned by that caller, exactly once, on every way out,
 * unwinding included. A call without one surfaces when its result came.
 */
#include "call.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "chans.h"
#include "cleanup.h"
#include "context.h"
#include "handles.h"
#include "last.h"
#include "lead.h"
#include "request.h"
#include "start.h"

/* Values of one request, together: a frame of the transport is bounded, and Q bounds it in the daemon. */
enum { REQUEST_BYTES_MAX = 64 << 20 };

/* How many it tells of what cannot be asked for again. */
static size_t ids_of(const struct request *request)
{
    return request->verb == VERB_SUBMIT_MANY ? request->submit_many.jobs_n
           : request->verb == VERB_TRANSACT  ? request->transact.jobs_n
                                             : 0;
}

struct call *call_new(gc_client *g, const struct request *request, gc_until until)
{
    struct call *call = calloc(1, sizeof *call + request_size(request));
    size_t ids_n = ids_of(request);
    if (!call)
        return NULL;
    if (ids_n && !(call->room = result_room(ids_n))) {
        free(call);
        return NULL;
    }
    request_copy(&call->op.request, request, call + 1);
    call->op.deadline_ns = until.ns;
    call->g = g;
    call->ctx = until.ctx;
    list_init(&call->waiter);
    list_init(&call->wake);
    list_init(&call->bound);
    return call;
}

static void call_free(struct call *call)
{
    if (!call->left || !call->released)
        return;
    result_unref(call->block);
    result_unref(call->room);
    free(call);
}

/* ---- what the protocol tells ---- */

static bool is_flat(const struct result *result)
{
    return !result->values_n && !result->chans_n && !result->jobs_n && !result->stats_n && !result->offer &&
           !result->ctxs_n && !result->waits_n && !result->schedules_n && !result->ids_n &&
           !result->published && !result->topics_n && !result->groups_n && !result->feeds_n &&
           !result->text.size && !result->output.size;
}

/* Without memory, what has taken effect is still told; what was only asked for has failed. */
static void keep_flat(struct call *call, const struct result *result)
{
    bool asked = result->chans_n || result->jobs_n || result->stats_n || result->ctxs_n || result->waits_n ||
                 result->schedules_n || result->topics_n || result->groups_n || result->feeds_n ||
                 result->output.size;
    call->no_memory = result->values_n > 0;
    call->result = (struct result){.op = result->op,
                                   .status = asked ? -ENOMEM : result->status,
                                   .flags = result->flags,
                                   .index = result->index,
                                   .doubt = result->doubt,
                                   .handle = result->handle};
    if (!call->room || !result->ids_n)
        return;
    result_keep_ids(call->room, &call->result, result);
    call->block = call->room;
    call->room = NULL;
}

static void keep_result(struct call *call, const struct result *result)
{
    call->done = true;
    if (!is_flat(result))
        call->block = result_clone(result);
    if (!call->block)
        keep_flat(call, result);
    if (call->block)
        call->result = call->block->result;
}

static void tell_watched(struct call *call, const struct result *result)
{
    gc_ctx *ctx = call->watched;
    call->watched = NULL;
    if (ctx)
        context_over(ctx, result);
}

/* A result nobody waits for: it surfaces here, and is delivered when the lock is given up. Without memory for it, or for its
 * request, the session ends: nothing that was to be told is lost in silence. */
static void deliver_later(struct call *call, const struct result *result)
{
    struct gc_client *g = call->g;
    struct delivery *delivery = call->deliver ? calloc(1, sizeof *delivery) : NULL;
    if (delivery) {
        *delivery =
            (struct delivery){.deliver = call->deliver, .arg = call->arg, .block = result_clone(result)};
        list_append(&g->deliveries, &delivery->link);
    }
    g->kick = true; /* the service thread is to deliver it */
    g->starved |= call->deliver && (!delivery || !delivery->block);
    g->starved |= call->op.local && result->status == -ENOMEM;
    tell_watched(call, result);
    if (call->op.phase == OP_FINISHED)
        protocol_surface(g->protocol, &call->op, false, now_ns());
}

static void finish(struct protocol_op *op, const struct result *result, void *context)
{
    struct call *call = (struct call *)op;
    if (call->left) {
        deliver_later(call, result);
        return;
    }
    keep_result(call, result);
    if (call->start)
        start_ended(call);
    else
        call_wake(call->g, call);
}

static void release(struct protocol_op *op, void *context)
{
    struct call *call = (struct call *)op;
    struct result lost = {.status = -ECONNRESET};
    tell_watched(call, &lost); /* its session went without a word about it */
    call->released = true;
    call_free(call);
}

void call_tell(struct call *call, uint64_t run)
{
    call->left = true;
    call->op.request.run = run;
    protocol_start(call->g->protocol, &call->op, now_ns());
}

void call_give_back(gc_client *g, const struct request *request, uint64_t run)
{
    struct call *call = call_new(g, request, GC_FOREVER);
    if (call)
        call_tell(call, run);
    else
        g->starved = true;
}

/* What the result gave to somebody who is gone: handles and contexts go back, values and locks (IP1.3) do so by
 * themselves. */
static void give_back_handle(struct call *call, const struct result *result)
{
    const struct request *request = &call->op.request;
    if (result->status < 0)
        return;
    if (request->verb == VERB_CHAN_OPEN || request->verb == VERB_SUBSCRIBE)
        call_give_back(call->g, &(struct request){.verb = VERB_CHAN_DROP, .chan_drop = {result->handle}},
                       request->run);
    if (request->verb == VERB_CTX_NEW)
        call_give_back(call->g, &(struct request){.verb = VERB_CTX_DROP, .ctx_drop.context = result->handle},
                       request->run);
}

static void leftover(struct protocol_op *op, const struct result *result, void *context)
{
    give_back_handle((struct call *)op, result);
}

const struct protocol_user call_user = {.finish = finish, .leftover = leftover, .release = release};

void calls_deliver(gc_client *g)
{
    struct delivery *delivery;
    client_lock(g);
    while ((delivery = list_first(&g->deliveries, struct delivery, link))) {
        list_remove(&delivery->link);
        client_unlock(g);
        if (delivery->block)
            delivery->deliver(&delivery->block->result, delivery->arg);
        result_unref(delivery->block);
        free(delivery);
        client_lock(g);
    }
    client_unlock(g);
    contexts_deliver(g);
}

/* Of a context of the daemon: that ends it there, where one word ends all; only what has not left ends here. */
static bool ends_here(const struct call *call)
{
    return !call->ctx->id || call->op.phase == OP_NIL || call->op.phase == OP_QUEUED;
}

void calls_cancel_done(gc_client *g)
{
    unsigned cancels = atomic_load(&g->cancels);
    if (cancels == g->cancels_seen)
        return;
    g->cancels_seen = cancels;
    contexts_tell(g);
    struct call *call, *after;
    list_each_safe (call, after, &g->bound, bound)
        if (atomic_load(&call->ctx->done) && ends_here(call))
            protocol_cancel(g->protocol, &call->op);
}

/* ---- running one ---- */

/* With the lock. 0, or why it cannot begin. */
int call_begin(struct call *call)
{
    struct gc_client *g = call->g;
    struct request *request = &call->op.request;
    int r = handles_resolve(g, request);
    if (r < 0)
        return r;
    if (call->ctx && atomic_load(&call->ctx->done))
        return context_error(call->ctx);
    if (request_charge(request) > REQUEST_BYTES_MAX)
        return -E2BIG;
    request->run = g->waiting->scope();
    request->context = call->ctx ? call->ctx->id : 0;
    if (call->ctx)
        list_append(&g->bound, &call->bound);
    protocol_start(g->protocol, &call->op, now_ns());
    return 0;
}

/* Asks for its end, and waits for the answer (IP1.1), also where a grant has come (IP1.3). */
static void call_stop(struct call *call)
{
    struct protocol *p = call->g->protocol;
    if (!protocol_undo(p, &call->op))
        return protocol_cancel(p, &call->op);
    call->done = false;
    call->block = result_unref(call->block);
}

/* The scope of the caller has ended. */
static void call_scope_ended(struct call *call)
{
    call->parked = false;
    list_remove(&call->wake);
    call->masked = true;
    call_stop(call);
}

static void call_park(struct call *call)
{
    struct gc_client *g = call->g;
    call->wait = g->waiting->begin();
    call->parked = true;
    list_append(&g->waiters, &call->waiter);
    client_unlock(g);
    int r = g->waiting->park(call->wait, "goroutined", call->masked);
    client_lock(g);
    list_remove(&call->waiter);
    if (r == -ECANCELED)
        call_scope_ended(call);
}

static void call_wait(struct call *call)
{
    struct gc_client *g = call->g;
    while (!call->done) {
        int64_t next = client_pump(g);
        if (call->done)
            return;
        if (g->waiting->leads && !g->led) {
            call->leading = true;
            client_lead(g, next);
            call->leading = false;
        } else {
            call_park(call);
        }
    }
}

/* Until it is done, and what it was granted is not what its context has taken back meanwhile (SE1). */
static void call_complete(struct call *call)
{
    call_wait(call);
    if (!call->ctx || !atomic_load(&call->ctx->done))
        return;
    call_stop(call);
    call_wait(call);
}

void call_end(struct call *call)
{
    list_remove(&call->bound);
    call->left = true;
    if (call->op.phase == OP_IDLE)
        call->released = true;
    call_free(call);
}

/* The caller stops using the call, on whatever way. With the lock, which it gives up. */
static void call_leave(struct call *call)
{
    struct gc_client *g = call->g;
    call_end(call);
    client_pass_on(g);
    client_leave(g);
}

/* The caller is unwound out of its wait (IP1.2). */
static void call_unwound(struct call **of)
{
    struct call *call = *of;
    if (!call)
        return;
    struct gc_client *g = call->g;
    client_lock(g);
    if (call->leading)
        g->led = false;
    list_remove(&call->waiter);
    list_remove(&call->wake);
    if (call->done)
        give_back_handle(call, &call->result);
    protocol_abandon(g->protocol, &call->op, now_ns());
    client_flush(g);
    call_leave(call);
}

void call_await(struct call *of)
{
    _cleanup_(call_unwound) struct call *call = of;
    call_wait(call);
    call = NULL;
}

/* Acknowledges the result and moves it to *answer. The status. */
int call_take(struct call *call, unsigned flags, struct answer *answer)
{
    struct gc_client *g = call->g;
    int64_t now = now_ns();
    int r = call->no_memory ? -ENOMEM : chans_take(g, call->block);
    last_operation(g->protocol->secret.byte, call->op.request.id);
    if (r < 0)
        protocol_abandon(g->protocol, &call->op, now);
    else
        r = protocol_surface(g->protocol, &call->op, flags & CALL_HOLD, now);
    if (r != 0)
        client_flush(g);
    if (r < 0) { /* its values are not ours (fencing) */
        chans_forget(g, call->block, 0);
        result_unref(call->block);
        *answer = (struct answer){.result.status = r};
    } else {
        *answer = (struct answer){call->result, call->block};
    }
    call->block = NULL;
    return answer->result.status;
}

static bool is_about_the_link(int error)
{
    return error == -ECONNREFUSED || error == -ENETRESET || error == -ECONNRESET;
}

void call_note(const struct gc_client *g, int status, const struct result *result)
{
    const char *text = result->text.size ? result->text.data : is_about_the_link(status) ? g->why : NULL;
    last_failed(status, text, result->flags & RESULT_DOUBT);
}

/* The same; what ended here by its context has the words of that. */
static void note_failure(const struct call *call, int status, const struct result *result)
{
    const gc_ctx *ctx = call->ctx;
    if (!result->text.size && ctx && ctx->over && status == ctx->status)
        last_failed(status, ctx->text, result->flags & RESULT_DOUBT);
    else
        call_note(call->g, status, result);
}

int call_run(gc_client *g, const struct request *request, gc_until until, unsigned flags,
             struct answer *answer)
{
    *answer = (struct answer){0};
    if (client_forked(g))
        return last_failed(-ECONNRESET, "this process is a fork of the client's: connect anew", false);
    _cleanup_(call_unwound) struct call *call = call_new(g, request, until);
    if (!call)
        return last_failed(-ENOMEM, NULL, false);
    call->masked = flags & CALL_MASKED;
    client_enter(g);
    if (g->promised && g->waiting->leads)
        call->op.request.flags = OP_BLOCKS; /* this thread does nothing else meanwhile */
    int status = call_begin(call);
    if (status == 0) {
        call_complete(call);
        status = call_take(call, flags, answer);
    }
    if (status == -ECANCELED && call->ctx)
        status = context_error(call->ctx); /* it may have ended here, by what the daemon had said before */
    last_doubt(answer->result.flags & RESULT_DOUBT);
    if (status < 0)
        note_failure(call, status, &answer->result);
    struct call *mine = call;
    call = NULL;
    call_leave(mine);
    return status;
}

void answer_end(struct answer *answer)
{
    answer->block = result_unref(answer->block);
}

int call_plain(gc_client *g, const struct request *request, gc_until until)
{
    struct answer answer;
    int r = call_run(g, request, until, 0, &answer);
    answer_end(&answer);
    return r;
}

int call_post(gc_client *g, const struct request *request,
              void (*deliver)(const struct result *result, void *arg), void *arg)
{
    if (client_forked(g))
        return -ECONNRESET;
    struct call *call = call_new(g, request, GC_FOREVER);
    if (!call)
        return -ENOMEM;
    client_enter(g);
    int r = handles_resolve(g, &call->op.request);
    call->left = true;
    call->deliver = deliver;
    call->arg = arg;
    if (r == 0) {
        call->op.request.run = g->waiting->scope();
        protocol_start(g->protocol, &call->op, now_ns());
        client_pump(g);
    } else {
        free(call);
    }
    client_pass_on(g);
    client_leave(g);
    return r;
}

int call_watch(gc_client *g, const struct request *request, gc_ctx *ctx)
{
    struct call *call = call_new(g, request, GC_FOREVER);
    if (!call)
        return -ENOMEM;
    call->left = true;
    call->op.request.run = g->waiting->scope();
    call->watched = ctx;
    ctx->watch = call;
    g->watches++;
    protocol_start(g->protocol, &call->op, now_ns());
    return 0;
}
