/*
 * A stage of a pipeline: n goroutines that call a function for each value.
 *
 * With `ordered` the goroutines take turns, inside a monitor: only one receives at a time, and numbers what it got;
 * each waits until the results of the numbers before its own have left. Who ends with a number that did not leave, by
 * panic or exit, ends the stage: nobody may wait for it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "monitor.h"
#include "plumbing.h"

struct stage {
    struct plumbing base;
    go_stage_fn fn;
    void *arg;
    size_t in_bytes, out_bytes; /* of the room for a value */
    _Atomic size_t started;
    bool ordered;
    struct monitor m;
    /* inside the monitor */
    bool receiving, over;
    uint64_t received, left; /* how many values */
    struct list receivers, senders;
};

/* What one goroutine owes the others. */
struct turn {
    struct stage *stage;
    bool receiving, owes;
    uint64_t number;
};

static void turn_end(struct turn *t)
{
    struct stage *s = t->stage;

    if (!t->receiving && !t->owes)
        return;
    monitor_enter(&s->m);
    s->over = true;
    monitor_notify_all(&s->m, &s->receivers);
    monitor_notify_all(&s->m, &s->senders);
    monitor_leave(&s->m);
}

/* Inside: waits until `mine` holds. 0, inside; or negative, and outside: the stage or its context has ended. */
static int turn_wait(struct turn *t, bool (*mine)(const struct turn *t), struct list *queue,
                     const char *reason)
{
    struct stage *s = t->stage;
    int r = 0;

    while (r == 0 && !s->over && !mine(t))
        r = monitor_wait(&s->m, queue, NULL, reason, go_with(s->base.ctx));
    if (r == 0 && s->over) {
        monitor_leave(&s->m);
        r = -ECANCELED;
    }
    return r;
}

static bool nobody_receives(const struct turn *t)
{
    return !t->stage->receiving;
}

static bool is_next_to_leave(const struct turn *t)
{
    return t->stage->left == t->number;
}

static int receive_in_turn(struct turn *t, void *in)
{
    struct stage *s = t->stage;
    int r;

    monitor_enter(&s->m);
    r = turn_wait(t, nobody_receives, &s->receivers, "stage: turn to receive");
    if (r < 0)
        return r;
    s->receiving = t->receiving = true;
    monitor_leave(&s->m);
    r = go_chan_recv(s->base.in[0], in, go_with(s->base.ctx));
    monitor_enter(&s->m);
    s->receiving = t->receiving = false;
    if (r == 1) {
        t->number = s->received++;
        t->owes = true;
    }
    monitor_notify(&s->m, &s->receivers);
    monitor_leave(&s->m);
    return r;
}

/* Nothing leaves where `out` is NULL. */
static int send(struct stage *s, const void *out)
{
    return out ? go_chan_send(s->base.out[0], out, go_with(s->base.ctx)) : 0;
}

static int send_in_turn(struct turn *t, const void *out)
{
    struct stage *s = t->stage;
    int r;

    monitor_enter(&s->m);
    r = turn_wait(t, is_next_to_leave, &s->senders, "stage: turn to send");
    if (r < 0)
        return r;
    monitor_leave(&s->m);
    r = send(s, out);
    if (r < 0)
        return r;
    monitor_enter(&s->m);
    s->left++;
    t->owes = false;
    monitor_notify_all(&s->m, &s->senders);
    monitor_leave(&s->m);
    return 0;
}

static void stage_run(struct plumbing *p)
{
    struct stage *s = (struct stage *)p;
    _cleanup_(turn_end) struct turn t = {.stage = s};
    size_t i = atomic_fetch_add(&s->started, 1);
    unsigned char *in = p->value + i * (s->in_bytes + s->out_bytes), *out = in + s->in_bytes;
    int r;

    do {
        r = s->ordered ? receive_in_turn(&t, in) : go_chan_recv(p->in[0], in, go_with(p->ctx));
        if (r != 1)
            return;
        memset(out, 0, s->out_bytes);
        r = s->fn(in, out, s->arg);
        r = s->ordered ? send_in_turn(&t, r ? out : NULL) : send(s, r ? out : NULL);
    } while (r == 0);
}

static size_t rounded(size_t bytes)
{
    return (bytes + 15) & ~(size_t)15;
}

go_receiver go_stage(go_receiver in, go_stage_fn fn, void *arg, size_t out_bytes,
                     const struct go_stage_options *options)
{
    struct go_stage_options o = options ? *options : (struct go_stage_options){.workers = 1};
    int n = o.workers > 0 ? o.workers : 1;
    size_t in_room = rounded(plumbing_value_bytes(in)), out_room = rounded(out_bytes);
    struct stage *s = plumbing_new(sizeof *s, &in, 1, (in_room + out_room) * (size_t)n, o.ctx);
    go_receiver out = {NULL};

    if (!s)
        return out;
    s->base.run = stage_run;
    s->fn = fn;
    s->arg = arg;
    s->in_bytes = in_room;
    s->out_bytes = out_room;
    s->ordered = o.ordered && n > 1;
    monitor_init(&s->m, "stage");
    list_init(&s->receivers);
    list_init(&s->senders);
    plumbing_start(&s->base, n, &out, 1, out_bytes, o.capacity);
    return out;
}
