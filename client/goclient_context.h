/*
 * goclient_context.h — contexts that live in the daemon and reach other processes.
 *
 *     gc_ctx *ctx;
 *     gc_context_with_timeout(g, NULL, 2000, &ctx, GC_FOREVER);
 *     gc_submit(g, &what, &job, gc_with(ctx));      // the job is cancelled when ctx ends
 *     gc_recv(g, results, &v, 0, gc_with(ctx));     // so is this wait, in the daemon, in the same step
 *     gc_context_cancel(ctx, 0, "not needed", GC_FOREVER);
 *     gc_ctx_free(ctx);
 *
 * A gc_ctx made here may be used like one of gc_ctx_new: in the `until` of every call, with gc_ctx_done, gc_ctx_cancel and
 * gc_ctx_free, which tell the daemon too. What ends it (a cancel by anybody, its deadline, the end of what is above it or
 * of its owner) is decided there, once, and holds for every process: calls that wait with it end with -ECANCELED or
 * -ETIMEDOUT, and gc_why() has the cause in words; calls that begin with it do nothing but return the same. Jobs that were
 * submitted with it are cancelled, unless GC_DETACHED. When the session is over, so is every context of it, with
 * -ECONNRESET or -ENETRESET.
 *
 * A context belongs to the session (in a job: to the job) that made it and ends with it, unless it is detached. It is known
 * to others by its name, or by its id, which can be sent as a value; an id is of use to the same user only.
 *
 * A context of the daemon costs no thread. While a client has some, its service thread reads for it whenever no call does;
 * with GC_NO_THREAD news come with the next call or gc_dispatch.
 */
#pragma once

#include "goclient.h"

#ifdef __cplusplus
extern "C" {
#endif

enum gc_context_flags {
    GC_CONTEXT_WITHOUT_CANCEL = 1 << 0, /* takes only the values of its parent; detached */
    GC_CONTEXT_DETACHED =
        1 << 1, /* outlives its maker, for a day at most where the daemon says nothing else */
};

/* A declared value: the nearest one up to the root counts. */
struct gc_context_value {
    const char *name;
    const void *data;
    size_t size;
};

struct gc_context_options {
    size_t size;
    const char *name;        /* NULL: anonymous */
    const char *parent_name; /* where `parent` is NULL; NULL: none */
    unsigned flags;          /* enum gc_context_flags */
    int64_t deadline_ns;     /* CLOCK_MONOTONIC; 0: none */
    int64_t
        timeout_ns; /* the same from now, by the clock of the daemon; 0: none. The earlier of both counts */
    int code;       /* of the cause when that ends it; 0: -ETIMEDOUT */
    const char *cause; /* the same in words; NULL: the usual ones */
    const struct gc_context_value *values;
    size_t values_n; /* at most 64, 4096 bytes together */
    const char *
        group; /* an error group (gc_group_start): its first error ends the context, with that as code, else the end of
                        * a gc_group_wait does (E2). One at a time; NULL: none */
};

/* A context below `parent`, a context of this header and client, or alone where that is NULL. `options` may be NULL. The
 * deadline of a parent that is earlier counts. It may be over already: gc_ctx_done says so. Free it with gc_ctx_free,
 * which ends it, unless it is detached. -EEXIST: that name is taken, or the group has a context. -E2BIG: values, or too many contexts above one another.
 * -EINVAL: `parent` is no such context, a forbidden byte in a name. -ENOENT: no such parent (any more). */
GC_API int gc_context_derive(gc_client *g, gc_ctx *parent, const struct gc_context_options *options,
                             gc_ctx **out, gc_until until);

/* The same in short: below nothing; that ends at a time of CLOCK_MONOTONIC; after so many milliseconds; with one more
 * value; that outlives its parent and this process and has only the values of it. Errors as gc_context_derive. */
GC_API int gc_context_new(gc_client *g, gc_ctx **out, gc_until until);
GC_API int gc_context_with_deadline(gc_client *g, gc_ctx *parent, int64_t deadline_ns, gc_ctx **out,
                                    gc_until until);
GC_API int gc_context_with_timeout(gc_client *g, gc_ctx *parent, int64_t ms, gc_ctx **out, gc_until until);
GC_API int gc_context_with_value(gc_client *g, gc_ctx *parent, const char *name, struct gc_value value,
                                 gc_ctx **out, gc_until until);
GC_API int gc_context_without_cancel(gc_client *g, gc_ctx *parent, gc_ctx **out, gc_until until);

/* A context that somebody else made, by name or by the id that its maker was given. gc_ctx_free only forgets it.
 * -ENOENT: no such context (any more). -EPERM: an id of another user. */
GC_API int gc_context_open(gc_client *g, const char *name, gc_ctx **out, gc_until until);
GC_API int gc_context_of(gc_client *g, uint64_t id, gc_ctx **out, gc_until until);

/* To tell others; 0: not a context of the daemon. Does not block. */
GC_API uint64_t gc_context_id(const gc_ctx *ctx);

/* Ends it and all below it, everywhere, before it returns. 1: it did; 0: it was over already, and nothing changes. `code`
 * and `cause` say why: programs compare the code (0: -ECANCELED), people read the cause (NULL: the usual words). Who may name
 * a context may cancel it. -EINVAL: not a context of the daemon. */
GC_API int gc_context_cancel(gc_ctx *ctx, int code, const char *cause, gc_until until);

/* Has the daemon end and forget it now, also a detached one: its name is free, and later questions are answered with
 * -ENOENT. gc_ctx_free does this for what is not detached. -EPERM: it belongs to another session, job or user. */
GC_API int gc_context_drop(gc_ctx *ctx, gc_until until);

/* Waits for its end. 0: it is over, and gc_context_cause tells why. -ETIMEDOUT, -ECANCELED: of `until`. */
GC_API int gc_context_wait(gc_ctx *ctx, gc_until until);

struct gc_context_cause {
    int status;       /* -ECANCELED, -ETIMEDOUT; -ECONNRESET, -ENETRESET: the session is over */
    int code;         /* identity of the cause; -EOWNERDEAD: its owner has ended */
    const char *text; /* in words; lives as long as the gc_ctx */
    uint64_t origin;  /* id of the context in which the end began */
};

/* 1: it is over, and *out tells why; 0: it is not, *out is zero. Does not block; any thread. */
GC_API int gc_context_cause(gc_ctx *ctx, struct gc_context_cause *out);

/* The nearest value of that name: 1, and *out is the caller's (gc_value_clear); 0: none up to the root. Also of one that is
 * over. -ENOENT: the daemon has forgotten the context. */
GC_API int gc_context_value(gc_ctx *ctx, const char *name, struct gc_value *out, gc_until until);

/* ---- what follows on an end ---- */

typedef struct gc_context_func gc_context_func;

/* Runs fn(arg) once when the context is over, at once if it is: on the service thread, or in gc_dispatch with GC_NO_THREAD,
 * one at a time. It must not make calls that wait for the daemon, and must not block for long. A cancel does not wait for it.
 * What this returns goes to gc_context_func_stop exactly once. NULL: no memory. */
GC_API gc_context_func *gc_context_after_func(gc_ctx *ctx, void (*fn)(void *arg), void *arg);

/* True: it has not begun and will not; false: it has begun, and perhaps still runs. Frees `func`. Not after
 * gc_disconnect. Accepts NULL. */
GC_API bool gc_context_func_stop(gc_context_func *func);

/* case <-ctx.Done(): of gc_select and gc_start; its status is 1, and gc_context_cause tells why. Of a context of the daemon
 * alone: one of gc_ctx_new is never ready. A select with a context of a session that is over fails with -ENETRESET. */
static inline struct gc_case gc_case_context(const gc_ctx *ctx)
{
    struct gc_case k = gc_case_of(GC_CASE_CONTEXT, gc_chan_of(0));
    k.job.id = gc_context_id(ctx);
    return k;
}

/* ---- what is known of them ---- */

struct gc_context_info {
    char name[GC_NAME_BYTES]; /* "": anonymous */
    uint64_t id, parent;      /* parent: 0 none */
    unsigned flags;           /* enum gc_context_flags */
    int status, code;         /* as in gc_context_cause; 0: it is not over */
    char text[256];           /* the cause in words, cut to this */
    uint64_t origin;
    int64_t left_ns;    /* to its deadline; 0: none */
    uint64_t children;  /* below it, not over */
    uint64_t ops, jobs; /* that end with it */
};

/* -ENOENT: the daemon has forgotten it. */
GC_API int gc_context_info(gc_ctx *ctx, struct gc_context_info *out, gc_until until);

struct gc_context_page {
    struct gc_context_info *items;
    size_t n;
    bool more; /* ask again with `after` = the last name */
};

/* Named contexts that start with `prefix` (NULL: all), after the name `after` (NULL: from the first), at most `limit` (0: as
 * many as one answer holds). The number in the page. */
GC_API int gc_contexts(gc_client *g, const char *prefix, const char *after, uint32_t limit,
                       struct gc_context_page *out, gc_until until);
GC_API void gc_context_page_clear(struct gc_context_page *page);

#ifdef __cplusplus
}
#endif
