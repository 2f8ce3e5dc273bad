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

/* Who alone can end the wait: those beside g, unless time or a context of others can, too. */
static unsigned until_locality(const struct g *g, go_until until)
{
    const struct go_chan *done = until.ctx ? ctx_done(until.ctx) : NULL;
    unsigned local = WAIT_GROUP | WAIT_BUBBLE;

    if (!scope_has(g))
        return 0;
    if (done)
        local &= chan_locality(done, g);
    if (until.ns != GO_NS_FOREVER)
        local &= ~(unsigned)WAIT_GROUP;
    return local;
}

unsigned queue_wait_until(struct list *queue, struct lock *lock, struct waiter *w, const char *reason,
                          go_until until)
{
    unsigned outcome;

    w->g = g_self();
    w->ticket = wait_open(w->g, until_locality(w->g, until));
    list_append(queue, &w->link);
    wait_on(w->g, lock, WAIT_ON_LOCK);
    lock_drop(lock);
    outcome = park_until(w->g, reason, w->ticket, until);
    if (outcome != w->outcome)
        leave(lock, w);
    return outcome;
}
