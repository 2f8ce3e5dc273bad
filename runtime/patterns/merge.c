/* Fan-in: one goroutine that selects among the inputs. An input that has ended is no case any more. */
#include "plumbing.h"

struct merge {
    struct plumbing base;
    struct go_case cases[];
};

/* The next value of any input. 1; 0: all have ended. */
static int merge_recv(struct merge *m, int *open)
{
    struct plumbing *p = &m->base;

    while (*open > 0) {
        int i = go_select(m->cases, p->ins, go_with(p->ctx));

        if (i < 0)
            return i;
        if (m->cases[i].result == 1)
            return 1;
        m->cases[i].object = NULL;
        --*open;
    }
    return 0;
}

static void merge_run(struct plumbing *p)
{
    struct merge *m = (struct merge *)p;
    int open = p->ins;

    while (merge_recv(m, &open) == 1)
        if (go_chan_send(p->out[0], p->value, go_with(p->ctx)) < 0)
            return;
}

go_receiver go_merge(const go_receiver *in, int n, size_t capacity, go_ctx *ctx)
{
    size_t value_bytes = n > 0 ? plumbing_value_bytes(in[0]) : 0;
    struct merge *m = plumbing_new(sizeof *m + (size_t)n * sizeof *m->cases, in, n, value_bytes, ctx);

    if (!m)
        return go_chan_receiver(NULL);
    for (int i = 0; i < n; i++) {
        if (plumbing_value_bytes(in[i]) != value_bytes)
            go_panic("go_merge: values of %zu and of %zu bytes", value_bytes, plumbing_value_bytes(in[i]));
        m->cases[i] = GO_RECV(in[i].from, m->base.value);
    }
    m->base.run = merge_run;
    return plumbing_start_one(&m->base, value_bytes, capacity);
}
