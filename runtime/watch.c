/*
 * Watching the cases of a select without taking anything: for a wait that also has partners elsewhere.
 *
 * A watcher stands in the queues like one that waits. Whoever comes takes it out, ends its wait and goes on as if it had
 * not been there (waiting.h). So what it watches costs nobody else anything, and what it was told is a hint: somebody else may
 * have been faster.
 *
 * Invariant: an entry is in its queue, or was told, or its wait is over; go_watch_end takes it out in any case. Two watchers
 * that could serve each other do not wait: the second finds the first.
 */
#include <errno.h>
#include <stdlib.h>

#include "chan.h"
#include "goroutine_host.h"
#include "select.h"

struct watched {
    struct go_chan *chan; /* NULL: not entered */
    struct waiter waiter;
};

struct go_watch {
    int n;
    struct watched watched[];
};

static bool partner_waits(const struct list *queue, const struct g *self)
{
    const struct waiter *w;

    list_each (w, queue, link)
        if (w->g != self && waiter_waits(w))
            return true;
    return false;
}

/* Under the lock. */
static bool seems_ready(struct go_chan *c, bool sends, const struct g *self)
{
    size_t count = atomic_load_explicit(&c->count, memory_order_relaxed);

    if (c->closed || (sends ? count < c->capacity : count > 0))
        return true;
    return partner_waits(sends ? &c->receivers : &c->senders, self);
}

/* True: it may be ready, and was not entered. */
static bool watched_enter(struct watched *w, struct go_chan *c, bool sends)
{
    bool ready;

    lock_take(&c->lock, RANK_CHAN);
    ready = seems_ready(c, sends, w->waiter.g);
    if (!ready) {
        w->chan = c;
        list_append(sends ? &c->senders : &c->receivers, &w->waiter.link);
    }
    lock_drop(&c->lock);
    return ready;
}

int go_watch_begin(go_wait wait, const struct go_case *cases, int n, int outcome, go_watch **out)
{
    go_watch *watch = calloc(1, sizeof *watch + (size_t)n * sizeof *watch->watched);
    bool ready = false;

    *out = NULL;
    if (!watch)
        return -ENOMEM;
    for (; watch->n < n && !ready; watch->n++) {
        struct watched *w = &watch->watched[watch->n];
        struct go_chan *c = case_chan(&cases[watch->n]);

        w->waiter = (struct waiter){
            .g = wait.who, .ticket = wait.ticket, .outcome = (unsigned)outcome | WAITER_WATCHES};
        ready = c && watched_enter(w, c, cases[watch->n].op == GO_OP_SEND);
    }
    if (ready)
        go_watch_end(watch);
    else
        *out = watch;
    return ready;
}

go_watch *go_watch_end(go_watch *watch)
{
    for (int i = 0; watch && i < watch->n; i++) {
        struct watched *w = &watch->watched[i];

        if (!w->chan)
            continue;
        lock_take(&w->chan->lock, RANK_CHAN);
        list_remove(&w->waiter.link);
        lock_drop(&w->chan->lock);
    }
    free(watch);
    return NULL;
}
