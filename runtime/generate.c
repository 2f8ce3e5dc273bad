/*
 * Generators: a goroutine that emits values into a channel of its own, which it closes at its end.
 *
 * Invariant: the goroutine holds the channel and the context until it ends, and it ends at the first emit that fails:
 * because the context is done, or because the consumer closed the channel (go_generate_stop).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "goroutine_sync.h"

struct generator {
    void (*fn)(go_emitter out, void *arg);
    go_emitter out;
    void *arg;
    _Alignas(16) unsigned char copy[];
};

static struct generator *generator_delete(struct generator *g)
{
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

static struct generator *generator_new(void (*fn)(go_emitter out, void *arg), const void *arg,
                                       size_t arg_bytes, go_ctx *ctx)
{
    struct generator *g = arg_bytes <= GO_ARG_BYTES_MAX ? calloc(1, sizeof *g + arg_bytes) : NULL;

    if (!g)
        return NULL;
    g->fn = fn;
    g->arg = arg_bytes ? g->copy : (void *)(uintptr_t)arg;
    if (arg_bytes)
        memcpy(g->copy, arg, arg_bytes);
    g->out.ctx = ctx ? go_ctx_ref(ctx) : NULL;
    return g;
}

go_receiver go_generate(void (*fn)(go_emitter out, void *arg), const void *arg, size_t arg_bytes,
                        size_t value_bytes, size_t capacity, go_ctx *ctx)
{
    struct go_spawn_options options = {.name = "go_generate"};
    struct generator *g = generator_new(fn, arg, arg_bytes, ctx);
    go_receiver none = {NULL}, values;

    if (!g)
        return none;
    g->out.sender.to = go_chan_new(value_bytes, capacity);
    if (!g->out.sender.to) {
        generator_delete(g);
        return none;
    }
    values = go_chan_receiver(go_chan_ref(g->out.sender.to));
    if (go_spawn_with(generator_run, g, 0, &options) == 0)
        return values;
    go_receiver_unref(values);
    generator_delete(g);
    return none;
}

void go_generate_stop(go_receiver values)
{
    if (!values.from)
        return;
    go_chan_close(values.from); /* -EPIPE: it has ended already */
    go_chan_unref(values.from);
}
