/* Tee: each value to both outputs, before the next one is received. */
#include <errno.h>

#include "plumbing.h"

/* Sends the value to every output that still has a consumer, whichever is ready first. Negative: the end. */
static int tee_send(struct plumbing *p, struct go_case outs[2])
{
    struct go_case now[2] = {outs[0], outs[1]};

    while (now[0].object || now[1].object) {
        int i = go_select(now, 2, go_with(p->ctx));

        if (i < 0)
            return i;
        if (now[i].result == -EPIPE)
            outs[i].object = NULL;
        now[i].object = NULL;
    }
    return outs[0].object || outs[1].object ? 0 : -EPIPE;
}

static void tee_run(struct plumbing *p)
{
    struct go_case outs[2] = {GO_SEND(p->out[0], p->value), GO_SEND(p->out[1], p->value)};

    while (go_chan_recv(p->in[0], p->value, go_with(p->ctx)) == 1)
        if (tee_send(p, outs) < 0)
            return;
}

int go_tee(go_receiver in, go_receiver out[2], size_t capacity, go_ctx *ctx)
{
    size_t value_bytes = plumbing_value_bytes(in);
    struct plumbing *p = plumbing_new(sizeof *p, &in, 1, value_bytes, ctx);

    if (!p) {
        out[0] = out[1] = go_chan_receiver(NULL);
        return -ENOMEM;
    }
    p->run = tee_run;
    return plumbing_start(p, 1, out, 2, value_bytes, capacity);
}
