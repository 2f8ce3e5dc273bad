/* Bridge: a channel of channels becomes one sequence. Each channel that was received belongs to the bridge. */
#include "plumbing.h"

struct bridge {
    struct plumbing base;
    go_receiver inner; /* the one that is read; NULL: none */
};

static int inner_pass(struct plumbing *p, go_receiver inner)
{
    int r;

    while ((r = go_receiver_recv(inner, p->value, go_with(p->ctx))) == 1) {
        r = go_chan_send(p->out[0], p->value, go_with(p->ctx));
        if (r < 0)
            break;
    }
    return r;
}

static void inner_stop(struct bridge *b)
{
    go_generate_stop(b->inner);
    b->inner.from = NULL;
}

static void bridge_run(struct plumbing *p)
{
    struct bridge *b = (struct bridge *)p;

    while (go_chan_recv(p->in[0], &b->inner, go_with(p->ctx)) == 1) {
        if (b->inner.from && inner_pass(p, b->inner) < 0)
            return;
        inner_stop(b);
    }
}

/* Channels that were sent and will not be read: nobody else holds them. The input is closed, so this has an end. */
static void bridge_end(struct plumbing *p)
{
    struct bridge *b = (struct bridge *)p;

    do
        inner_stop(b);
    while (go_chan_recv(p->in[0], &b->inner, GO_NOW) == 1);
}

go_receiver go_bridge(go_receiver in, size_t value_bytes, size_t capacity, go_ctx *ctx)
{
    struct bridge *b = plumbing_new(sizeof *b, &in, 1, value_bytes, ctx);

    if (!b)
        return go_chan_receiver(NULL);
    b->base.run = bridge_run;
    b->base.end = bridge_end;
    return plumbing_start_one(&b->base, value_bytes, capacity);
}
