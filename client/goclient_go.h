/*
 * goclient_go.h — goclient.h for programs that also use goroutine.h: calls park goroutines instead of threads.
 * Link with libgoclient_go, libgoclient and libgoroutine.
 *
 *     gc_client *g;
 *     gc_go_connect(NULL, &g, why);
 *     gc_recv(g, results, &v, 0, gc_with(ctx));    // parks this goroutine, the processor goes on
 *
 * Calls may be made from goroutines and from plain threads, which block as ever.
 */
#pragma once

#include "goclient.h"
#include "goclient_host.h"
#include "goroutine.h"

#ifdef __cplusplus
extern "C" {
#endif

/* As gc_connect, for goroutines. The runtime must run while the client is used. */
GC_API int gc_go_connect(const struct gc_options *options, gc_client **g, char *why);

/* How goroutines wait; for gc_connect_host, which copies it and puts in a `scope` of its own. */
extern GC_API const struct gc_waiting gc_waiting_goroutines;

/* A context of the client that ends when `ctx` does. NULL: no memory. Free it with gc_go_ctx_free only, after
 * every call that names it has returned. */
typedef struct gc_go_ctx gc_go_ctx;
GC_API gc_go_ctx *gc_go_ctx_new(gc_client *g, go_ctx *ctx);
GC_API gc_go_ctx *gc_go_ctx_free(gc_go_ctx *ctx);
GC_API gc_until gc_go_with(gc_go_ctx *ctx);

/*
 * A select over cases of the daemon (named channels, jobs) and of this process (channels, contexts, timers), at least
 * one of each; from a goroutine or a thread. Exactly one case takes effect, nothing else is touched: the local cases are
 * watched without taking, and taken only when the daemon has said that no remote case took effect (IP5.3). That answer
 * costs a round trip; what stirred and is gone then, is waited for anew.
 *
 * Returns the index of a remote case, or n + that of a local one, whose status or result says what the single
 * call would have. `flags`: GC_HOLD for a remote value. GO_NOW: -EAGAIN when neither side is ready. Errors as gc_select and
 * go_select; -ECANCELED with gc_in_doubt(): a remote send was seen by a receiver that died, then called off.
 */
GC_API int gc_go_select(gc_client *g, struct gc_case *remote, size_t n, struct go_case *local, int local_n,
                        unsigned flags, go_until until);

#ifdef __cplusplus
}
#endif
