#include "queue.h"

#include "chan.h"
#include "context.h"
#include "group.h"

static void leave(struct lock *lock, struct waiter *w)
{
    lock_take(lock, RANK_CHAN);
    list_remove(&w->link);
    lock_drop(lock);
}

unsigned queue_wait(struct list *queue, struct lock *lock, struct waiter *w, bool in_front,
                    const char *reason, unsigned flags)
{
    unsigned outcome;

    w->g = g_self();
    w->ticket = wait_open(w->g, flags);
    if (in_front)
        list_prepend(queue, &w->link);
    else
        list_append(queue, &w->link);
    wait_on(w->g, lock, WAIT_ON_LOCK);
    lock_drop(lock);
    outcome = park(w->g, reason);
    if (outcome == OUTCOME_SCOPE)
        leave(lock, w);
    return outcome;
}

static const char HOME_NOWHERE, HOME_SHARED;

unsigned home_note(home *at, const struct g *g)
{
    const void *mine = &HOME_NOWHERE, *first = atomic_load_explicit(at, memory_order_relaxed);

    if (g->bubble)
        mine = g->bubble;
    else if (g->group)
        mine = g->group;
    if (first == mine || (!first && atomic_compare_exchange_strong(at, &first, mine)) || first == mine)
        return scope_has(g) ? WAIT_GROUP | WAIT_BUBBLE : 0;
    if (first != &HOME_SHARED)
        atomic_store(at, &HOME_SHARED);
    return 0;
}

/* Time and contexts of others end waits, too. */
static unsigned until_locality(const struct g *g, go_until until)
{
    const struct go_chan *done = until.ctx ? ctx_done(until.ctx) : NULL;
    unsigned local = done ? chan_locality(done, g) : WAIT_GROUP | WAIT_BUBBLE;

    return until.ns == GO_NS_FOREVER ? local : local & ~(unsigned)WAIT_GROUP;
}

unsigned queue_wait_until(struct list *queue, struct lock *lock, struct waiter *w, const char *reason,
                          unsigned flags, go_until until)
{
    unsigned outcome;

    w->g = g_self();
    w->ticket = wait_open(w->g, flags & until_locality(w->g, until));
    list_append(queue, &w->link);
    wait_on(w->g, lock, WAIT_ON_LOCK);
    lock_drop(lock);
    outcome = park_until(w->g, reason, w->ticket, until);
    if (outcome != w->outcome)
        leave(lock, w);
    return outcome;
}
