/*
 * Generators: a goroutine that emits values into a channel of its own, which it closes at its end.
 *
 * Invariant: the goroutine holds the channel and the context until it ends, and it ends at the first emit that fails:
 * because the context is done, or because the consumer closed the channel (go_generate_stop).
 */
#include "goroutine_sync.h"

#include <stdlib.h>

#include "launch.h"

struct generator {
    void (*fn)(go_emitter out, void *arg);
    go_emitter out;
    void *arg;
};

static struct generator *generator_delete(struct generator *g)
{
    if (!g)
        return NULL;
    go_chan_unref(g->out.sender.to);
    go_ctx_unref(g->out.ctx);
    free(g);
    return NULL;
}

/* By return, panic and exit alike: consumers must not wait for one that is gone. */
static void generator_end(void *p)
{
    struct generator *g = p;

    go_chan_close(g->out.sender.to); /* -EPIPE: the consumer did it */
    generator_delete(g);
}

static void generator_run(void *p)
{
    struct generator *g = p;

    go_defer(generator_end, g);
    g->fn(g->out, g->arg);
}

static struct generator *generator_new(const void *arg, size_t arg_bytes, go_chan *c, go_ctx *ctx)
{
    struct generator *g;
    void *copy;

    if (arg_bytes > GO_ARG_BYTES_MAX || !c)
        return NULL;
    g = arg_block(sizeof *g, arg, arg_bytes, &copy);
    if (!g)
        return NULL;
    g->arg = copy;
    g->out.sender = go_chan_sender(go_chan_ref(c));
    g->out.ctx = ctx ? go_ctx_ref(ctx) : NULL;
    return g;
}

go_receiver go_generate(void (*fn)(go_emitter out, void *arg), const void *arg, size_t arg_bytes,
                        size_t value_bytes, size_t capacity, go_ctx *ctx)
{
    go_chan *c = go_chan_new(value_bytes, capacity);
    struct generator *g = generator_new(arg, arg_bytes, c, ctx);

    if (g)
        g->fn = fn;
    if (!g || spawn_for(generator_run, g, "go_generate", __builtin_return_address(0)) != 0) {
        generator_delete(g);
        c = go_chan_unref(c);
    }
    return go_chan_receiver(c);
}

void go_generate_stop(go_receiver values)
{
    if (!values.from)
        return;
    go_chan_close(values.from); /* -EPIPE: it has ended already */
    go_chan_unref(values.from);
}
