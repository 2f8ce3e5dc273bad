#include "plumbing.h"

#include <errno.h>
#include <stdlib.h>

#include "chan.h"

static size_t rounded(size_t bytes)
{
    return (bytes + 15) & ~(size_t)15;
}

size_t plumbing_value_bytes(go_receiver in)
{
    return in.from ? in.from->value_bytes : 0;
}

/* Also of those that came too late to be of use. */
static void inputs_stop(const go_receiver *in, int n)
{
    for (int i = 0; i < n; i++)
        go_generate_stop(in[i]);
}

void *plumbing_new(size_t bytes, const go_receiver *in, int ins, size_t value_bytes, go_ctx *ctx)
{
    size_t in_bytes = rounded((size_t)ins * sizeof(go_chan *));
    struct plumbing *p = calloc(1, rounded(bytes) + in_bytes + value_bytes);

    for (int i = 0; p && i < ins; i++)
        if (!in[i].from) {
            free(p);
            p = NULL;
        }
    if (!p) {
        inputs_stop(in, ins);
        return NULL;
    }
    p->in = (go_chan **)((unsigned char *)p + rounded(bytes));
    p->value = (unsigned char *)p + rounded(bytes) + in_bytes;
    p->ins = ins;
    for (int i = 0; i < ins; i++)
        p->in[i] = in[i].from;
    p->ctx = ctx ? go_ctx_ref(ctx) : NULL;
    atomic_store(&p->users, 1);
    return p;
}

static void inputs_close(struct plumbing *p)
{
    for (int i = 0; i < p->ins; i++)
        go_chan_close(p->in[i]); /* -EPIPE: it had come to its end */
}

void plumbing_drop(struct plumbing *p)
{
    if (atomic_fetch_sub(&p->users, 1) > 1)
        return;
    inputs_close(p);
    if (p->end)
        p->end(p);
    for (int i = 0; i < p->ins; i++)
        go_chan_unref(p->in[i]);
    for (int i = 0; i < 2 && p->out[i]; i++) {
        go_chan_close(p->out[i]); /* -EPIPE: its consumer has left */
        go_chan_unref(p->out[i]);
    }
    go_ctx_unref(p->ctx);
    free(p);
}

static void plumbing_end(void *arg)
{
    inputs_close(arg);
    plumbing_drop(arg);
}

static void plumbing_run(void *arg)
{
    struct plumbing *p = arg;

    go_defer(plumbing_end, p);
    p->run(p);
}

static int spawn_all(struct plumbing *p, int n)
{
    struct go_spawn_options options = {.name = "plumbing"};
    int r = 0;

    for (int i = 0; r == 0 && i < n; i++) {
        atomic_fetch_add(&p->users, 1);
        r = go_spawn_with(plumbing_run, p, 0, &options);
        if (r < 0)
            plumbing_end(p);
    }
    return r;
}

int plumbing_start(struct plumbing *p, int n, go_receiver *out, int outs, size_t value_bytes, size_t capacity)
{
    int r = 0;

    for (int i = 0; r == 0 && i < outs; i++) {
        p->out[i] = go_chan_new(value_bytes, capacity);
        if (!p->out[i])
            r = -ENOMEM;
    }
    for (int i = 0; r == 0 && i < outs; i++)
        out[i] = go_chan_receiver(go_chan_ref(p->out[i]));
    if (r == 0) {
        r = spawn_all(p, n);
        if (r < 0)
            inputs_stop(out, outs);
    }
    if (r < 0)
        for (int i = 0; i < outs; i++)
            out[i] = go_chan_receiver(NULL);
    plumbing_drop(p);
    return r;
}

go_receiver plumbing_start_one(struct plumbing *p, size_t value_bytes, size_t capacity)
{
    go_receiver out;

    plumbing_start(p, 1, &out, 1, value_bytes, capacity);
    return out;
}
