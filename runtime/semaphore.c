/*
 * Weighted semaphore. Units are handed to waiters in the order of their arrival, by whoever makes that possible: a
 * release, or the waiter in front when it gives up.
 *
 * Invariants: 0 <= held <= size; when the lock is free the first waiter asks for more than is free, or its wait is over
 * and it is about to leave. What asks for more than the size never enters the queue (SE4).
 */
#include <errno.h>

#include "goroutine_sync.h"
#include "queue.h"
#include "sync.h"

struct want {
    struct waiter waiter;
    int64_t units;
};

static struct semaphore *semaphore_of(go_semaphore *semaphore, int64_t units, const char *who)
{
    struct semaphore *s = (struct semaphore *)semaphore;

    if (units < 0)
        go_panic("%s: %lld units", who, (long long)units);
    copy_check(&s->self, s, "semaphore");
    home_note(&s->home, g_self());
    return s;
}

/* Serves the queue from its front as far as units go (SE2). Lock held. */
static void grant(struct semaphore *s, struct wake_list *wakes)
{
    struct list *waiters = queue_list(&s->waiters);
    struct want *w;

    while ((w = list_first(waiters, struct want, waiter.link)) && w->units <= s->size - s->held) {
        int64_t units = w->units;
        struct g *g = w->waiter.g;

        list_remove(&w->waiter.link);
        if (!wait_claim(g, w->waiter.ticket, w->waiter.outcome))
            continue;
        s->held += units;
        wake_later(wakes, g);
    }
}

static void grant_after(struct semaphore *s, int64_t released)
{
    struct wake_list wakes;
    bool held;

    wake_list_init(&wakes);
    lock_take(&s->lock, RANK_CHAN);
    held = released <= s->held;
    if (held)
        s->held -= released;
    grant(s, &wakes);
    lock_drop(&s->lock);
    wake_all(&wakes);
    if (!held)
        go_panic("semaphore: %lld units released, more than are held", (long long)released);
}

/* A cancel that races with the grant wins: the units go back (SE1). */
static int granted(struct semaphore *s, int64_t units, go_until until)
{
    int over = until_over(g_self(), until);

    if (over)
        grant_after(s, units);
    return over;
}

/* Lock held and dropped. */
static int semaphore_wait(struct semaphore *s, int64_t units, go_until until)
{
    struct want me = {.units = units};
    unsigned outcome = queue_wait_until(queue_list(&s->waiters), &s->lock, &me.waiter, "semaphore",
                                        home_note(&s->home, g_self()), until);

    if (outcome == me.waiter.outcome)
        return granted(s, units, until);
    grant_after(s, 0); /* those behind may fit (SE3) */
    return wait_failed(me.waiter.g, outcome, until.ctx);
}

int go_semaphore_acquire(go_semaphore *semaphore, int64_t units, go_until until)
{
    struct semaphore *s = semaphore_of(semaphore, units, "go_semaphore_acquire");
    int over = until_over(g_self(), until);

    if (over)
        return over;
    if (units > s->size)
        return go_select(NULL, 0, until);
    lock_take(&s->lock, RANK_CHAN);
    if (list_empty(queue_list(&s->waiters)) && units <= s->size - s->held) {
        s->held += units;
        lock_drop(&s->lock);
        return 0;
    }
    if (until.ns != GO_NS_NOW)
        return semaphore_wait(s, units, until);
    lock_drop(&s->lock);
    return -EAGAIN;
}

void go_semaphore_release(go_semaphore *semaphore, int64_t units)
{
    grant_after(semaphore_of(semaphore, units, "go_semaphore_release"), units);
}
