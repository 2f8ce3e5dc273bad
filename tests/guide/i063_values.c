/*
 * G63 between processes: what belongs to a request travels with its context, by declared names.
 *
 * Pattern: request-scoped values.
 */
#include "goclient_context.h"
#include "parts.h"

/* The value as text; "" when there is none. */
static const char *value_of(gc_ctx *ctx, const char *name, char *text)
{
    struct gc_value v = {0};
    int r = gc_context_value(ctx, name, &v, GC_FOREVER);

    must(r == 0 || (r == 1 && v.size < TEXT_BYTES));
    snprintf(text, TEXT_BYTES, "%.*s", (int)v.size, r == 1 ? (const char *)v.data : "");
    gc_value_clear(&v);
    return text;
}

/* The request of another process, whose context has a name. */
static void handler(struct part *me)
{
    char user[TEXT_BYTES], request[TEXT_BYTES], none[TEXT_BYTES];
    gc_ctx *ctx;

    step_wait(me, "asked");
    must(gc_context_open(me->g, "request", &ctx, GC_FOREVER) == 0);
    say(me, "Processing request %s for user %s", value_of(ctx, "request_id", request),
        value_of(ctx, "user_id", user));
    /* "a missing key gives NULL, which the request checks" */
    must(value_of(ctx, "tenant", none)[0] == '\0');
    gc_ctx_free(ctx);
    say(me, "Request completed");
    step_done(me, "completed");
}

static void caller(struct part *me)
{
    const struct gc_context_value outer[] = {{"user_id", "12345", 5}, {"request_id", "req_00000", 9}},
                                  inner[] = {{"request_id", "req_67890", 9}};
    struct gc_context_options options = {.size = sizeof options, .values = outer, .values_n = 2};
    gc_ctx *parent, *child;

    must(gc_context_derive(me->g, NULL, &options, &parent, GC_FOREVER) == 0);
    options = (struct gc_context_options){
        .size = sizeof options, .name = "request", .values = inner, .values_n = 1};
    must(gc_context_derive(me->g, parent, &options, &child, GC_FOREVER) == 0);
    step_done(me, "asked");
    step_wait(me, "completed");
    gc_ctx_free(child);
    gc_ctx_free(parent);
    say(me, "caller goes on");
    step_done(me, "dropped");
}

/* "a value is dropped with the last context that has it" */
static void latecomer(struct part *me)
{
    gc_ctx *ctx;

    step_wait(me, "dropped");
    while (gc_context_open(me->g, "request", &ctx, GC_FOREVER) != -ENOENT)
        gc_ctx_free(ctx); /* its end is under way */
}

static void values(void)
{
    /* ""Processing request req_67890 for user 12345", then completed" */
    /* "the inner binding wins" */
    must(said(LINES("Processing request req_67890 for user 12345", "Request completed", "caller goes on")));
}

GUIDE_PARTS(G63, values, .channels = {{"asked"}, {"completed"}, {"dropped"}},
            .parts = {PART(handler), PART(caller), PART(latecomer)});
