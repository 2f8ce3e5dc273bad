/*
 * Plumbing: goroutines that stand between channels.
 *
 * Invariants
 *   It is the consumer of its inputs. When one of its goroutines ends, by return, panic or exit alike, the inputs are
 * closed: an early end travels to who sends. When the last one has ended, the outputs are closed.
 *   Making it takes the inputs over, also when it fails: then they are closed and released.
 */
#pragma once

#include <stdatomic.h>

#include "goroutine_patterns.h"

struct plumbing {
    void (*run)(struct plumbing *p); /* of each goroutine */
    void (*end)(struct plumbing *p); /* after the last one; may be NULL */
    _Atomic int users;               /* the goroutines, and who starts them */
    go_ctx *ctx;                     /* held; NULL: none */
    int ins;
    go_chan **in;         /* `ins` of them, held */
    go_chan *out[2];      /* held; the second NULL when there is one */
    unsigned char *value; /* room for a value that passes through */
};

/*
 * `bytes` zeroes that begin with a struct plumbing whose inputs, context and `value_bytes` of value are set. NULL: no
 * memory, or one of the inputs is NULL.
 */
void *plumbing_new(size_t bytes, const go_receiver *in, int ins, size_t value_bytes, go_ctx *ctx);

/* Gives it `outs` outputs and starts n goroutines. 0, and out[] are the caller's; or negative, and it is gone. */
int plumbing_start(struct plumbing *p, int n, go_receiver *out, int outs, size_t value_bytes,
                   size_t capacity);

/* The same for one goroutine and one output. NULL: it is gone. */
go_receiver plumbing_start_one(struct plumbing *p, size_t value_bytes, size_t capacity);

/* Gives up what was made and not started. */
void plumbing_drop(struct plumbing *p);

/* Bytes of a value of the channel. */
size_t plumbing_value_bytes(go_receiver in);
