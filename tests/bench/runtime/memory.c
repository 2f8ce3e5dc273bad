/* What a goroutine costs while it waits, and before it runs for the first time. One processor. */
#include "bench.h"

/* Who spawns a million at a stretch is a hog: a second processor would begin to run what is to stay queued, a stack each.
 * A yield lets a handful of them begin, so not after each one. */
enum { SPAWNS_PER_YIELD = 16384 };

struct waiting {
    go_chan *gate;
    _Atomic int64_t *here;
    go_waitgroup *done;
};

static void wait_at_gate(void *arg)
{
    struct waiting *w = arg;

    ++*w->here;
    go_chan_recv(w->gate, NULL, GO_FOREVER);
    go_waitgroup_done(w->done);
}

static void spawn_all(struct run *r, struct waiting *w)
{
    go_waitgroup_add(w->done, (int)r->n);
    for (int64_t i = 0; i < r->n; i++) {
        must_spawn(wait_at_gate, w, sizeof *w);
        if (i % SPAWNS_PER_YIELD == SPAWNS_PER_YIELD - 1)
            go_yield();
    }
}

static uint64_t let_go(struct run *r, struct waiting *w)
{
    run_begin(r);
    while (*w->here < r->n)
        go_yield();
    go_chan_close(w->gate);
    go_waitgroup_wait(w->done);
    run_end(r);
    go_chan_unref(w->gate);
    return (uint64_t)*w->here;
}

uint64_t parked_bytes(struct run *r)
{
    _Atomic int64_t here = 0;
    go_waitgroup done = {0};
    struct waiting w = {must_chan(0, 0), &here, &done};
    int64_t before = resident_bytes();

    spawn_all(r, &w);
    while (here < r->n)
        go_yield();
    r->bytes = resident_bytes() - before;
    return let_go(r, &w);
}

uint64_t queued_bytes(struct run *r)
{
    _Atomic int64_t here = 0;
    go_waitgroup done = {0};
    struct waiting w = {must_chan(0, 0), &here, &done};
    int64_t before = resident_bytes();

    spawn_all(r, &w);
    r->bytes = resident_bytes() - before;
    return let_go(r, &w);
}
