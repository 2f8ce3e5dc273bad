/*
 * A receive window: values of one channel, fetched ahead of the loop that takes them.
 *
 * There are two halves of it: `batch`, whose values are handed out one by one, and `ahead`, a receive under way for the
 * next ones. Both are held: a value is acknowledged when it is handed out, or by gc_ack, and what is left when the window
 * closes goes back to its channel in order.
 *
 * Invariant: at most `most` values are fetched and not handed out, or asked for.
 */
#include "window.h"

#include <errno.h>
#include <stdlib.h>

#include "chans.h"
#include "cleanup.h"
#include "goclient_chan.h"
#include "last.h"

struct gc_window {
    gc_client *g;
    gc_chan chan;
    unsigned most;
    bool closed;         /* its handle was dropped */
    struct list link;    /* of g->windows */
    struct answer batch; /* held */
    size_t next;         /* of the batch: the first value not handed out */
    struct call *ahead;  /* or NULL */
};

/* ---- with the lock ---- */

static bool batch_empty(const struct gc_window *w)
{
    return w->next >= w->batch.result.values_n;
}

static void batch_drop(struct gc_window *w)
{
    answer_end(&w->batch);
    w->batch = (struct answer){0};
    w->next = 0;
}

/* Newest first: each goes in front of what lies behind it. */
static void give_back(struct gc_window *w)
{
    struct gc_client *g = w->g;
    if (w->ahead) {
        protocol_abandon(g->protocol, &w->ahead->op, now_ns());
        call_end(w->ahead);
    }
    w->ahead = NULL;
    chans_forget(g, w->batch.block, w->next);
    if (!batch_empty(w))
        protocol_settle(g->protocol, w->batch.result.op, w->next, true, now_ns());
    batch_drop(w);
    client_pump(g);
}

void windows_drop(struct gc_client *g, uint64_t chan)
{
    struct gc_window *w;
    list_each (w, &g->windows, link) {
        if (w->chan.id != chan || w->closed)
            continue;
        give_back(w);
        w->closed = true;
    }
}

static struct call *receive_begin(struct gc_window *w, gc_until until, int *error)
{
    unsigned n = w->most > 1 ? w->most / 2 : 1;
    struct call *call = call_new(w->g, &(struct request){.verb = VERB_RECV, .recv = {w->chan.id, n}}, until);
    *error = call ? call_begin(call) : -ENOMEM;
    if (!call || *error == 0)
        return call;
    call_end(call);
    return NULL;
}

/* Its values become the batch. The status. */
static int batch_take(struct gc_window *w, struct call *call)
{
    batch_drop(w);
    int r = call_take(call, CALL_HOLD, &w->batch);
    if (r < 0)
        call_note(w->g, r, &w->batch.result);
    call_end(call);
    return r;
}

static bool is_forever(gc_until until)
{
    return until.ns == GC_FOREVER.ns && !until.ctx;
}

/* The receive under way knows nothing of this `until`: if it has nothing yet, it is called off for one that does. */
static int fetch_ahead(struct gc_window *w, gc_until until)
{
    struct call *call = w->ahead;
    w->ahead = NULL;
    if (!is_forever(until))
        protocol_cancel(w->g->protocol, &call->op);
    call_await(call);
    return batch_take(w, call);
}

static int fetch(struct gc_window *w, gc_until until)
{
    bool asked = w->ahead;
    int r = asked ? fetch_ahead(w, until) : -ECANCELED;
    if (r != -ECANCELED || (asked && is_forever(until)))
        return r;
    struct call *call = receive_begin(w, until, &r);
    if (!call) {
        call_note(w->g, r, &(struct result){.status = r});
        return r;
    }
    call_await(call);
    return batch_take(w, call);
}

/* Most values only note that they are acknowledged: that leaves with the next frame. */
static void look_ahead(struct gc_window *w)
{
    int error; /* of this one the next fetch tells, if it is still so */
    if (w->most == 1 || w->ahead || w->closed)
        return;
    w->ahead = receive_begin(w, GC_FOREVER, &error);
    client_pump(w->g);
}

/* The first value that was not handed out. 1; how its session ended. */
static int hand_out(struct gc_window *w, struct gc_value *v, bool hold)
{
    struct gc_client *g = w->g;
    size_t i = w->next++;
    int r = hold ? 0 : protocol_settle(g->protocol, w->batch.result.op, i + 1, false, now_ns());
    if (r < 0) {
        call_note(g, r, &(struct result){.status = r});
        batch_drop(w);
        return r;
    }
    value_give(v, &w->batch, i, hold);
    look_ahead(w);
    return 1;
}

static int take_next(struct gc_window *w, struct gc_value *v, bool hold, gc_until until)
{
    if (w->closed)
        return last_failed(-ENOENT, "the handle of the window was dropped", false);
    int r = batch_empty(w) ? fetch(w, until) : 1;
    return r > 0 ? hand_out(w, v, hold) : r;
}

/* ---- calls ---- */

GC_API int gc_window_open(gc_client *g, gc_chan c, unsigned n, gc_window **out, gc_until until)
{
    *out = NULL;
    if (n == 0 || n > GC_VALUES_MAX)
        return last_failed(n ? -E2BIG : -EINVAL, "1 to 1024 values in a window", false);
    int64_t capacity = gc_cap(g, c, until);
    if (capacity < 0)
        return (int)capacity;
    if (capacity == 0)
        return last_failed(
            -EINVAL, "a window on a channel of capacity 0 would be a buffer where there is none", false);
    struct gc_window *w = calloc(1, sizeof *w);
    if (!w)
        return last_failed(-ENOMEM, NULL, false);
    *w = (struct gc_window){.g = g, .chan = c, .most = n};
    client_enter(g);
    list_append(&g->windows, &w->link);
    client_leave(g);
    *out = w;
    return 0;
}

GC_API int gc_window_range(gc_window *w, struct gc_value *v, unsigned flags, gc_until until)
{
    int r = v->hold_ ? gc_ack(w->g, v) : 0;
    gc_value_clear(v);
    if (r < 0 && r != -ESTALE)
        return r;
    if (client_forked(w->g))
        return last_failed(-ECONNRESET, NULL, false);
    client_enter(w->g);
    r = take_next(w, v, flags & GC_HOLD, until);
    client_pass_on(w->g);
    client_leave(w->g);
    return r;
}

GC_API gc_window *gc_window_close(gc_window *w)
{
    if (!w)
        return NULL;
    if (!client_forked(w->g)) {
        client_enter(w->g);
        give_back(w);
        list_remove(&w->link);
        client_pass_on(w->g);
        client_leave(w->g);
    }
    free(w);
    return NULL;
}
