/*
 * A call: one operation and whoever waits for it, or what shall be done with its result when nobody does.
 *
 * Ownership: made by call_new, given to the protocol by call_start, freed when the protocol has released it and
 * its caller has left it, whichever is later.
 */
#pragma once

#include <string.h>

#include "connection.h"
#include "result.h"

enum call_flags {
    CALL_HOLD = 1 << 0,   /* GC_HOLD */
    CALL_MASKED = 1 << 1, /* the end of the caller's scope does not end it */
};

struct call {
    struct protocol_op op; /* first */
    gc_client *g;
    gc_ctx *ctx;
    bool done;           /* `result` is there */
    bool no_memory;      /* its values could not be kept */
    bool leading;        /* in epoll_wait */
    bool parked;         /* in park, and not made ready yet */
    bool left;           /* its caller is gone, or there never was one */
    bool released;       /* the protocol has forgotten it */
    bool masked;         /* the end of the caller's scope does not end it (any more) */
    struct start *start; /* calls back (start.c); or NULL */
    struct gc_wait wait;
    struct list waiter, wake, bound; /* wake: in g->wakes, or g->ends */
    struct result result;            /* what it points at is in `block` */
    struct result_block *block;      /* or NULL: it points at nothing */
    struct result_block *room;       /* for ids of what cannot be undone; or NULL: it has none */

    gc_ctx *watched; /* of a CTX_WATCH without a caller: hears of its result */

    /* Instead of a caller: runs on the service thread, without the lock, for each result. */
    void (*deliver)(const struct result *result, void *arg);
    void *arg;
};

/* A result on its way to `deliver`. */
struct delivery {
    struct list link;
    void (*deliver)(const struct result *result, void *arg);
    void *arg;
    struct result_block *block;
};

/* What a call brought. */
struct answer {
    struct result result;
    struct result_block *block; /* what it points at is in there */
};

/* Runs one operation to its end: copies the request, resolves its handles, waits, acknowledges. The status of
 * the result; *answer is to be ended by answer_end, whatever came. Notes failures for gc_why. */
int call_run(gc_client *g, const struct request *request, gc_until until, unsigned flags,
             struct answer *answer);
void answer_end(struct answer *answer);

/* The same for a request whose answer is its status. */
int call_plain(gc_client *g, const struct request *request, gc_until until);

/* The same for a request that opens a channel: *out is its handle, or nil. 0. */
int call_open(gc_client *g, const struct request *request, gc_chan *out, gc_until until);

/* The steps of call_run, for calls that are not waited for. call_new: NULL without memory. The others with the lock;
 * call_begin: 0, or why it cannot begin. call_take: the status, when it is done. call_end: it is not used any more. */
struct call *call_new(gc_client *g, const struct request *request, gc_until until);
int call_begin(struct call *call);
int call_take(struct call *call, unsigned flags, struct answer *answer);
/* Waits until it is done. Unwound, it ends the call and leaves the client. */
void call_await(struct call *call);
void call_end(struct call *call);

/* With the lock: words for a failure. */
void call_note(const gc_client *g, int status, const struct result *result);

/* Makes value i of an answer the caller's; `hold`: it is acknowledged by gc_ack. */
void value_give(struct gc_value *to, const struct answer *answer, size_t i, bool hold);

/* A value to be sent: its bytes and channels are borrowed. */
struct value value_wire(const struct gc_value *v);

/* Makes the one job of an answer the caller's result; without one, zero but for the text. */
void result_give(struct gc_result *to, const struct answer *answer);

static inline struct bytes text_bytes(const char *text)
{
    return text ? (struct bytes){text, strlen(text)} : (struct bytes){NULL, 0};
}

/* Starts one operation nobody waits for. `deliver` may be NULL. 0, -ENOMEM, how the session ended. */
int call_post(gc_client *g, const struct request *request,
              void (*deliver)(const struct result *result, void *arg), void *arg);

/* Starts the CTX_WATCH of a context, which it makes its `watch`. With the lock. 0, -ENOMEM. */
int call_watch(gc_client *g, const struct request *request, gc_ctx *ctx);

/* Starts what tells something: nobody waits for it, nor hears that it failed. The call, which nobody has started, is not the
 * caller's any more. With the lock. */
void call_tell(struct call *call, uint64_t run);

/* The same for what gives something back. Without memory the session ends, and gives all back. With the lock. */
void call_give_back(gc_client *g, const struct request *request, uint64_t run);

/* The protocol's callbacks. */
extern const struct protocol_user call_user;

/* Cancels every call whose context has ended. With the lock. */
void calls_cancel_done(gc_client *g);

/* Runs what waits to be delivered. Without the lock, on the service thread or in gc_dispatch. */
void calls_deliver(gc_client *g);
