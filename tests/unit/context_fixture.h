/* Contexts as clients ask for them, for the tests of contexts. */
#pragma once

#include "sync_fixture.h"

static inline struct bytes text(const char *words)
{
    return (struct bytes){words, words ? strlen(words) : 0};
}

static inline uint64_t make(struct client *c, struct request_ctx_new what)
{
    return client_do(c, (struct request){.verb = VERB_CTX_NEW, .ctx_new = what});
}

/* A context that lives; its id. */
static inline uint64_t ctx(struct client *c, struct request_ctx_new what)
{
    uint64_t op = make(c, what);

    assert_status(c, op, 0);
    return got(c, op)->handle;
}

static inline uint64_t below(struct client *c, uint64_t parent)
{
    return ctx(c, (struct request_ctx_new){.parent = parent});
}

static inline uint64_t cancel_with(struct client *c, uint64_t context, int32_t code, const char *cause)
{
    return client_do(
        c, (struct request){.verb = VERB_CTX_CANCEL, .ctx_cancel = {context, {0}, code, text(cause)}});
}

static inline uint64_t cancel_ctx(struct client *c, uint64_t context)
{
    return cancel_with(c, context, 0, NULL);
}

static inline uint64_t drop(struct client *c, uint64_t context)
{
    return client_do(c, (struct request){.verb = VERB_CTX_DROP, .ctx_drop.context = context});
}

static inline uint64_t watch(struct client *c, uint64_t context)
{
    return client_do(c, (struct request){.verb = VERB_CTX_WATCH, .ctx_watch.context = context});
}

static inline struct got *look_for(struct client *c, uint64_t context, const char *name, const char *key)
{
    uint64_t op =
        client_do(c, (struct request){.verb = VERB_CTX_INFO, .ctx_info = {context, text(name), text(key)}});

    assert_non_null(got(c, op));
    return got(c, op);
}

static inline struct got *look(struct client *c, uint64_t context)
{
    struct got *g = look_for(c, context, NULL, NULL);

    assert_int_equal(g->ctxs_n, 1);
    return g;
}

static inline int32_t end_of(struct client *c, uint64_t context)
{
    return look(c, context)->ctx.status;
}

static inline uint64_t lock(struct client *c, const char *name)
{
    return client_do(c, (struct request){.verb = VERB_LOCK, .lock = {text(name), 0}});
}

/* How many results came after that of `op`. */
static inline size_t later_than(struct client *c, uint64_t op)
{
    size_t n = 0;

    for (struct got *g = c->rig->got; g && !(g->conn == c->conn && g->op == op); g = g->next)
        n++;
    return n;
}
