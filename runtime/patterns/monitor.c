#include "monitor.h"

#include <errno.h>

#include "bubble.h"
#include "chan.h"
#include "context.h"
#include "group.h"

void monitor_init(struct monitor *m, const char *what)
{
    struct g *g = g_self();

    *m = (struct monitor){.bubble = g->bubble, .group = g->group, .what = what};
}

void monitor_enter(struct monitor *m)
{
    bubble_check(m->bubble, g_self(), m->what);
    lock_take(&m->lock, RANK_CHAN);
    wake_list_init(&m->wakes);
}

void monitor_leave(struct monitor *m)
{
    struct wake_list wakes = m->wakes;
    bool any = wakes.n > 0;

    lock_drop(&m->lock);
    if (any)
        wake_all(&wakes);
}

int monitor_enter_until(struct monitor *m, go_until until)
{
    int over = until_over(g_self(), until);

    if (over == 0)
        monitor_enter(m);
    return over;
}

/* Who alone can end the wait: as a channel says it, made where the monitor was. */
static unsigned locality(const struct monitor *m, const struct g *g, go_until until)
{
    unsigned local = (m->group == g->group ? WAIT_GROUP : 0u) | (m->bubble == g->bubble ? WAIT_BUBBLE : 0u);

    if (until.ctx && ctx_done(until.ctx))
        local &= chan_locality(ctx_done(until.ctx), g);
    if (until.ns != GO_NS_FOREVER)
        local &= ~(unsigned)WAIT_GROUP;
    return local;
}

int monitor_wait(struct monitor *m, struct list *queue, void *value, const char *reason, go_until until)
{
    struct g *g = g_self();
    struct waiter w = {.g = g, .value = value};
    unsigned outcome;

    if (until.ns == GO_NS_NOW) {
        monitor_leave(m);
        return -EAGAIN;
    }
    w.ticket = wait_open(g, scope_has(g) ? locality(m, g, until) : 0);
    list_append(queue, &w.link);
    monitor_leave(m);
    outcome = park_until(g, reason, w.ticket, until);
    monitor_enter(m);
    list_remove(&w.link);
    if (outcome == 0)
        return 0;
    monitor_leave(m);
    return wait_failed(g, outcome, until.ctx);
}

void *monitor_first(struct monitor *m, struct list *queue)
{
    struct waiter *w = waiter_claim(queue);

    if (!w)
        return NULL;
    wake_later(&m->wakes, w->g);
    return w->value;
}

bool monitor_notify(struct monitor *m, struct list *queue)
{
    struct waiter *w = waiter_claim(queue);

    if (w)
        wake_later(&m->wakes, w->g);
    return w;
}

void monitor_notify_all(struct monitor *m, struct list *queue)
{
    struct waiter *w;

    while ((w = waiter_claim(queue)))
        wake_later(&m->wakes, w->g);
}
