/* Batches: groups of values, sent when full, or some time after their first value came. */
#include <errno.h>
#include <string.h>

#include "plumbing.h"

struct batcher {
    struct plumbing base;
    size_t value_bytes, n;
    int64_t wait_ns;
};

/* The value that is sent: a count, then the values. */
static size_t *count_of(const struct plumbing *p)
{
    return (size_t *)(void *)p->value;
}

static unsigned char *value_at(const struct batcher *b, size_t i)
{
    return b->base.value + sizeof(size_t) + i * b->value_bytes;
}

/* As many as are there, at least one. */
static int receive_some(struct batcher *b, go_until until)
{
    size_t *count = count_of(&b->base);
    int r = go_chan_recv_many(b->base.in[0], value_at(b, *count), b->n - *count, until);

    if (r > 0)
        *count += (size_t)r;
    return r;
}

/* 1: a group is to be sent, and more may come; 0: the last one, maybe empty; negative: an early end. */
static int batch_fill(struct batcher *b)
{
    go_ctx *ctx = b->base.ctx;
    go_until until;
    int r;

    memset(b->base.value, 0, sizeof(size_t) + b->n * b->value_bytes);
    r = receive_some(b, go_with(ctx));
    until = go_both(go_after_ns(b->wait_ns), ctx);
    while (r > 0 && *count_of(&b->base) < b->n)
        r = receive_some(b, until);
    return r == -ETIMEDOUT && !(ctx && go_ctx_err(ctx)) ? 1 : r;
}

static void batch_run(struct plumbing *p)
{
    struct batcher *b = (struct batcher *)p;
    int r;

    do {
        r = batch_fill(b);
        if (r < 0)
            return;
        if (*count_of(p) > 0 && go_chan_send(p->out[0], p->value, go_with(p->ctx)) < 0)
            return;
    } while (r > 0);
}

go_receiver go_batches(go_receiver in, size_t n, int64_t wait_ns, size_t capacity, go_ctx *ctx)
{
    size_t value_bytes = plumbing_value_bytes(in), bytes;
    struct batcher *b;

    if (n < 1 || __builtin_mul_overflow(n, value_bytes, &bytes) || bytes > PTRDIFF_MAX / 2)
        go_panic("go_batches: %zu values of %zu bytes", n, value_bytes);
    bytes += sizeof(size_t);
    b = plumbing_new(sizeof *b, &in, 1, bytes, ctx);
    if (!b)
        return go_chan_receiver(NULL);
    b->base.run = batch_run;
    b->value_bytes = value_bytes;
    b->n = n;
    b->wait_ns = wait_ns;
    return plumbing_start_one(&b->base, bytes, capacity);
}
