/*
 * Publishes that waited for room at subscriptions which have ended: by ticket they take their places in the queue, before those
 * that came later.
 *
 * What waits at one subscription is by ticket, and most often all of it goes to one place: so it costs no more however many they
 * are. What waited at many is sorted first.
 */
#include "engine.h"
#include "topic.h"

/* Of an operation, and live: it may have waited, or may have to. */
static bool is_behind(const struct publish *other, const struct publish *p)
{
    return other->op && !other->topic && other->ticket > p->ticket;
}

static struct publish *last_publish(const struct list *publishes)
{
    return container_of(publishes->prev, struct publish, link);
}

/* Those of a list, by ticket, before those that are behind them in one that has them by ticket too, between others. Returns at how
 * many it looked: what all goes to one place goes there at once. */
static size_t merge(struct list *into, struct list *from)
{
    struct list *at = into->next;
    size_t looked = 0;

    for (; !list_empty(from); looked++) {
        struct publish *first = list_first(from, struct publish, link);

        for (; at != into && !is_behind(container_of(at, struct publish, link), first); at = at->next)
            looked++;
        if (at == into || is_behind(container_of(at, struct publish, link), last_publish(from))) {
            list_splice(at, from);
        } else {
            list_remove(&first->link);
            list_insert_before(at, &first->link);
        }
    }
    return looked;
}

/* Takes those that a list begins with, as long as they are by ticket: what waited at one subscription, at least. Returns how many. */
static size_t take_run(struct list *all, struct list *run)
{
    struct publish *p, *after;
    size_t n = 0;

    list_init(run);
    list_each_safe (p, after, all, link) {
        if (n && last_publish(run)->ticket > p->ticket)
            break;
        list_remove(&p->link);
        list_append(run, &p->link);
        n++;
    }
    return n;
}

/* By ticket: of runs that are, two of about as many are merged. Returns at how many it looked: each once, and once for each bit of
 * the number of runs. */
static size_t sort(struct list *all)
{
    struct list runs[8 * sizeof(size_t)], run; /* runs[i]: 2^i of them in one; or none */
    size_t looked = 0, n = 0, i;

    while (!list_empty(all)) {
        looked += take_run(all, &run);
        for (i = 0; i < n && !list_empty(&runs[i]); i++)
            looked += merge(&run, &runs[i]);
        if (i == n)
            list_init(&runs[n++]);
        list_splice(&runs[i], &run);
    }
    for (i = 0; i < n; i++)
        looked += merge(all, &runs[i]);
    return looked;
}

void publishes_leave(struct core *core, struct list *waiting)
{
    struct topics *t = core->topics;
    const struct publish *first = list_first(waiting, struct publish, link);

    t->mixed |= first && !list_empty(&t->again) && last_publish(&t->again)->ticket > first->ticket;
    list_splice(&t->again, waiting);
}

/* What they waited for may have ended in any order. */
void publishes_go_on(struct core *core)
{
    struct topics *t = core->topics;
    size_t looked = t->mixed ? sort(&t->again) : 0;

    t->mixed = false;
    looked += merge(&t->queue, &t->again);
    t->left -= looked < t->left ? looked : t->left - 1;
}
