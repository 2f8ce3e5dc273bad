/*
 * A context as the client sees it: a mark that anybody may set, at any time; and, of a context of the daemon, what
 * the daemon has said of its end.
 *
 * Everything but the mark and the id is under the client's lock. `watch` is the operation that brings the end; while it is
 * there, it and the context name each other.
 */
#pragma once

#include <stdatomic.h>

#include "goclient_context.h"
#include "list.h"

struct call;
struct result;

struct gc_ctx {
    gc_client *g;
    atomic_bool done;

    /* Of the daemon only: */
    uint64_t id;  /* 0: not one of the daemon */
    uint64_t run; /* the scope that made it */
    bool owned;   /* ends when it is freed */
    bool over;    /* the daemon has said so, and what follows is set */
    int status, code;
    uint64_t origin;
    char *text; /* NULL: no memory, or no words */
    struct call *watch;
    struct call *
        cancel; /* is to tell of a gc_ctx_cancel, or that it is dropped: there from the beginning, so that it needs
                          * no memory; NULL: told */
    struct list link;  /* of client->contexts */
    struct list funcs; /* struct gc_context_func that have not begun */
};

/* What a call with this context that is done returns. With the lock. */
int context_error(const gc_ctx *ctx);

/* Its watch has brought `result`. With the lock. */
void context_over(gc_ctx *ctx, const struct result *result);

/* Tells the daemon of every gc_ctx_cancel it has not heard of. With the lock. */
void contexts_tell(gc_client *g);

/* Runs what is due. Without the lock, on the service thread or in gc_dispatch. */
void contexts_deliver(gc_client *g);
