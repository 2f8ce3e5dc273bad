#include "monitor.h"

#include <errno.h>

#include "bubble.h"

void monitor_init(struct monitor *m, const char *what)
{
    struct g *g = g_self();

    *m = (struct monitor){.bubble = g->bubble, .what = what};
    home_note(&m->home, g);
}

void monitor_enter(struct monitor *m)
{
    struct g *g = g_self();

    bubble_check(m->bubble, g, m->what);
    home_note(&m->home, g);
    lock_take(&m->lock, RANK_CHAN);
    wake_list_init(&m->wakes);
}

void monitor_leave(struct monitor *m)
{
    struct wake_list wakes = m->wakes;

    lock_drop(&m->lock);
    if (wakes.n > 0)
        wake_all(&wakes);
}

int monitor_enter_until(struct monitor *m, go_until until)
{
    int over = until_over(g_self(), until);

    if (over == 0)
        monitor_enter(m);
    return over;
}

int monitor_wait(struct monitor *m, struct list *queue, void *value, const char *reason, go_until until)
{
    struct g *g = g_self();
    struct waiter w = {.value = value};
    unsigned outcome;

    if (until.ns == GO_NS_NOW) {
        monitor_leave(m);
        return -EAGAIN;
    }
    wake_all(&m->wakes); /* under the lock, for once: it is the wait that drops it */
    outcome = queue_wait_until(queue, &m->lock, &w, reason, home_note(&m->home, g), until);
    if (outcome != w.outcome)
        return wait_failed(g, outcome, until.ctx);
    monitor_enter(m);
    return 0;
}

int monitor_wait_at(struct monitor *m, struct list *queue, const char *reason, int64_t at_ns, go_until until)
{
    bool first = at_ns <= until.ns;
    int r = monitor_wait(m, queue, NULL, reason, go_until_make(first ? at_ns : until.ns, until.ctx));

    if (r != -ETIMEDOUT || !first || (until.ctx && go_ctx_err(until.ctx)))
        return r;
    monitor_enter(m);
    return 0;
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
    while (monitor_notify(m, queue))
        continue;
}
