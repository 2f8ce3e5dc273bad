/* What is asked of contexts of the daemon: to end, whether they have, and what they hold. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "context.h"
#include "last.h"

static int not_of_the_daemon(void)
{
    return last_failed(-EINVAL, "the context is of this client alone: see goclient_context.h", false);
}

GC_API uint64_t gc_context_id(const gc_ctx *ctx)
{
    return ctx->id;
}

GC_API int gc_context_cancel(gc_ctx *ctx, int code, const char *cause, gc_until until)
{
    if (!ctx->id)
        return not_of_the_daemon();
    return call_plain(
        ctx->g,
        &(struct request){.verb = VERB_CTX_CANCEL,
                          .ctx_cancel = {.context = ctx->id, .code = code, .cause = text_bytes(cause)}},
        until);
}

GC_API int gc_context_drop(gc_ctx *ctx, gc_until until)
{
    if (!ctx->id)
        return not_of_the_daemon();
    int r = call_plain(ctx->g, &(struct request){.verb = VERB_CTX_DROP, .ctx_drop.context = ctx->id}, until);
    client_enter(ctx->g);
    ctx->owned &= r < 0;
    client_leave(ctx->g);
    return r;
}

/* Its watch was asked for before, and is answered before (IP8): the mark is set when this returns. */
GC_API int gc_context_wait(gc_ctx *ctx, gc_until until)
{
    if (!ctx->id)
        return not_of_the_daemon();
    return call_plain(ctx->g, &(struct request){.verb = VERB_CTX_WATCH, .ctx_watch.context = ctx->id}, until);
}

static const char *usual_words(int status)
{
    return status == -ETIMEDOUT   ? "context deadline exceeded"
           : status == -ECANCELED ? "context canceled"
                                  : gc_strerror(status);
}

GC_API int gc_context_cause(gc_ctx *ctx, struct gc_context_cause *out)
{
    memset(out, 0, sizeof *out);
    if (!gc_ctx_done(ctx))
        return 0;
    client_enter(ctx->g);
    out->status = context_error(ctx);
    out->code = ctx->over ? ctx->code : out->status;
    out->text = ctx->text ? ctx->text : usual_words(out->status);
    out->origin = ctx->over ? ctx->origin : ctx->id;
    client_leave(ctx->g);
    return 1;
}

GC_API int gc_context_value(gc_ctx *ctx, const char *name, struct gc_value *out, gc_until until)
{
    struct answer answer;
    struct request request = {.verb = VERB_CTX_INFO,
                              .ctx_info = {.context = ctx->id, .key = text_bytes(name)}};
    memset(out, 0, sizeof *out);
    if (!ctx->id)
        return not_of_the_daemon();
    int r = call_run(ctx->g, &request, until, 0, &answer);
    if (r > 0) {
        struct bytes bytes = answer.result.output;
        *out = (struct gc_value){.data = bytes.data, .size = bytes.size, .memory_ = answer.block};
        answer.block = NULL;
    }
    answer_end(&answer);
    return r;
}

static void give_text(char *to, size_t size, struct bytes from)
{
    size_t n = from.size < size ? from.size : size - 1;
    if (n)
        memcpy(to, from.data, n);
    to[n] = '\0';
}

static void give_info(struct gc_context_info *to, const struct ctx_info *from)
{
    *to = (struct gc_context_info){.id = from->id,
                                   .parent = from->parent,
                                   .flags = from->flags,
                                   .status = from->status,
                                   .code = from->code,
                                   .origin = from->origin,
                                   .left_ns = from->left_ns,
                                   .children = from->children,
                                   .ops = from->ops,
                                   .jobs = from->jobs};
    give_text(to->name, sizeof to->name, from->name);
    give_text(to->text, sizeof to->text, from->text);
}

GC_API int gc_context_info(gc_ctx *ctx, struct gc_context_info *out, gc_until until)
{
    struct answer answer;
    memset(out, 0, sizeof *out);
    if (!ctx->id)
        return not_of_the_daemon();
    int r = call_run(ctx->g, &(struct request){.verb = VERB_CTX_INFO, .ctx_info.context = ctx->id}, until, 0,
                     &answer);
    if (r >= 0 && answer.result.ctxs_n)
        give_info(out, answer.result.ctxs);
    answer_end(&answer);
    return r;
}

GC_API int gc_contexts(gc_client *g, const char *prefix, const char *after, uint32_t limit,
                       struct gc_context_page *out, gc_until until)
{
    struct request request = {
        .verb = VERB_CTX_LIST,
        .ctx_list = {.prefix = text_bytes(prefix), .after = text_bytes(after), .limit = limit}};
    struct answer answer;
    memset(out, 0, sizeof *out);
    int r = call_run(g, &request, until, 0, &answer);
    size_t n = r < 0 ? 0 : answer.result.ctxs_n;
    if (n && !(out->items = calloc(n, sizeof *out->items)))
        r = last_failed(-ENOMEM, NULL, false);
    for (; out->items && out->n < n; out->n++)
        give_info(&out->items[out->n], &answer.result.ctxs[out->n]);
    out->more = r >= 0 && answer.result.flags & RESULT_MORE;
    answer_end(&answer);
    return r < 0 ? r : (int)out->n;
}

GC_API void gc_context_page_clear(struct gc_context_page *page)
{
    free(page->items);
    memset(page, 0, sizeof *page);
}
