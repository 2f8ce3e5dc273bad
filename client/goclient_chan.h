/*
 * goclient_chan.h — goclient.h, more of channels: channels inside values, windows, operations that call back.
 *
 *     struct gc_passed reply = {answers, GC_MAY_SEND};
 *     gc_send(g, requests, gc_carrying(gc_string("work"), &reply, 1), GC_FOREVER);   // requests <- request{"work", answers}
 *
 *     gc_recv(g, requests, &v, 0, GC_FOREVER);                                       // r := <-requests
 *     gc_send(g, v.chans[0].chan, gc_string("done"), GC_FOREVER);                    // r.answers <- "done"
 *     gc_drop(g, v.chans[0].chan);
 *
 * Results, threads and memory: as goclient.h says.
 */
#pragma once

#include "goclient.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A channel that a value carries (U6), anonymous ones too. It is a handle of its own from the send on: the sender may drop
 * its own as soon as the send has returned. Who receives the value gets it with the rights it was sent with, at most
 * those of the sender, and gives it back with gc_drop; gc_value_clear frees only the list. The handles of a value that
 * nobody receives, or that a channel drops, are given back by the daemon. When a value goes back to its channel
 * (gc_return, or the death of its receiver before gc_ack) they go with it, also one that was dropped meanwhile.
 */
struct gc_passed {
    gc_chan chan;    /* GC_NIL is received as GC_NIL */
    unsigned rights; /* enum gc_rights; to send, 0: all that the sender has */
};

/* A value to be sent with n channels; borrows what both point to. Beyond the errors of gc_send, sending it gives -EPERM: a
 * right the sender has not; -ENOENT: not a handle of this client; -E2BIG: more than the daemon's value_handles_max (16). */
static inline struct gc_value gc_carrying(struct gc_value v, const struct gc_passed *chans, size_t n)
{
    v.chans = chans;
    v.chans_n = n;
    return v;
}

/* ---- a receive window ---- */

/*
 * Values fetched ahead of a loop, up to n of them, so that a message costs no round trip:
 *
 *     struct gc_value v = {0};
 *     gc_window_open(g, c, 256, &w, GC_FOREVER);
 *     while ((r = gc_window_range(w, &v, 0, GC_FOREVER)) > 0)
 *         ...
 *     gc_window_close(w);
 *
 * It is buffering that others see: what is fetched no other receiver gets, until the window closes (or its handle is
 * dropped, or this process ends): then whatever was not handed out goes back to the head of the channel, in order and
 * flagged GC_RETURNED. So there is none on a channel of capacity 0, and none in a select. One thread at a time.
 */
typedef struct gc_window gc_window;

/* A window of 1 to GC_VALUES_MAX values; nothing is fetched yet. Closed before its client is disconnected. -EINVAL: capacity
 * 0, or n 0; -E2BIG; -ENOENT: not a handle of this client; -ENOMEM. */
GC_API int gc_window_open(gc_client *g, gc_chan c, unsigned n, gc_window **out, gc_until until);

/* The next value, as gc_range gives it: each is acknowledged when it is handed out or, with GC_HOLD, by the next call or
 * gc_ack. 1, or 0: closed and drained. Errors as gc_recv; -ENOENT also: the handle was dropped. */
GC_API int gc_window_range(gc_window *w, struct gc_value *v, unsigned flags, gc_until until);

/* Gives back what was not handed out; what was counts as received (gc_return it first where it was not). Never
 * waits. Accepts NULL, returns NULL. */
GC_API gc_window *gc_window_close(gc_window *w);

/* ---- operations that call back ---- */

/*
 * For programs with an event loop of their own: gc_start returns at once, and `ended` is called when the operation has
 * ended: from gc_dispatch under GC_NO_THREAD, else on the client's service thread, one at a time, without a lock, exactly
 * once for each that was started, at the latest in gc_disconnect. It may start others, and call what never waits (gc_ack,
 * gc_return, gc_drop, gc_start_cancel); what waits for the daemon it may not. In it gc_why() and gc_in_doubt() tell of
 * a failure.
 *
 *     static void came(gc_client *g, struct gc_end *end, void *arg)
 *     {
 *         if (end->index == 0 && end->status == 1)
 *             printf("%.*s\n", (int)end->value.size, (const char *)end->value.data);
 *         gc_value_clear(&end->value);
 *     }
 *     gc_start_recv(g, c, 0, came, NULL, NULL, GC_FOREVER);
 */
struct gc_end {
    int index;               /* as gc_select: of the case that took effect, or a negative errno value */
    int status;              /* of that case: what gc_send, gc_recv or gc_wait returns; else as index */
    size_t doubt;            /* not 0: gc_case.doubt of case doubt - 1 */
    struct gc_value value;   /* received; the function's to keep or clear, acknowledged unless GC_HOLD */
    struct gc_result result; /* of a job; the function's to keep or clear */
};

/* What is called. */
typedef void (*gc_ended)(gc_client *g, struct gc_end *end, void *arg);

/* A started operation. */
typedef struct {
    uint64_t id;
} gc_started;

/* Starts what gc_select waits for, of 1 to GC_CASES_MAX cases (`recv` and `result` of a case are not used). What is to be
 * sent is copied. A context of `until` lives until `ended` was called. `out` (or NULL) names it for
 * gc_start_cancel. Never waits. Errors, without a call of `ended`: -E2BIG, -ENOENT: not a handle of this client; -ECANCELED: the
 * context is over; how the session ended. All others come to `ended`. */
GC_API int gc_start(gc_client *g, const struct gc_case *cases, size_t n, unsigned flags, gc_ended ended,
                    void *arg, gc_started *out, gc_until until);

/* Asks for its end; `ended` is told what became of it: its effect, or -ECANCELED. Never waits. -ENOENT: there is no such
 * operation, or it was told. Looks through all that are started. */
GC_API int gc_start_cancel(gc_client *g, gc_started started);

/* One receive, one send, the end of one job: index is 0. */
static inline int gc_start_recv(gc_client *g, gc_chan c, unsigned flags, gc_ended ended, void *arg,
                                gc_started *out, gc_until until)
{
    struct gc_case k = gc_case_recv(c, NULL);
    return gc_start(g, &k, 1, flags, ended, arg, out, until);
}

static inline int gc_start_send(gc_client *g, gc_chan c, struct gc_value v, gc_ended ended, void *arg,
                                gc_started *out, gc_until until)
{
    struct gc_case k = gc_case_send(c, v);
    return gc_start(g, &k, 1, 0, ended, arg, out, until);
}

static inline int gc_start_wait(gc_client *g, gc_job job, gc_ended ended, void *arg, gc_started *out,
                                gc_until until)
{
    struct gc_case k = gc_case_job(job, NULL);
    return gc_start(g, &k, 1, 0, ended, arg, out, until);
}

#ifdef __cplusplus
}
#endif
