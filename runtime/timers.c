/*
 * Invariants: heap[i].timer->place == i and ->home is this heap; heap[i].when_ns repeats the timer's, so that
 * sifting touches the array only; no child is earlier than its parent; next_ns is the first one's time.
 */
#include "timers.h"

#include <assert.h>
#include <stdlib.h>

enum { ARITY = 4, ROOM_FIRST = 64 };

struct timer_slot {
    int64_t when_ns;
    struct timer *timer;
};

void timers_init(struct timers *timers)
{
    *timers = (struct timers){.next_ns = TIMER_NEVER};
}

void timers_free(struct timers *timers)
{
    for (unsigned i = 0; i < timers->n; i++)
        timers->heap[i].timer->home = NULL;
    free(timers->heap);
    timers_init(timers);
}

static void slot_put(struct timers *h, unsigned i, struct timer_slot slot)
{
    h->heap[i] = slot;
    slot.timer->place = i;
}

static void sift_up(struct timers *h, unsigned i, struct timer_slot slot)
{
    while (i > 0 && h->heap[(i - 1) / ARITY].when_ns > slot.when_ns) {
        slot_put(h, i, h->heap[(i - 1) / ARITY]);
        i = (i - 1) / ARITY;
    }
    slot_put(h, i, slot);
}

static unsigned earliest_child(const struct timers *h, unsigned i)
{
    unsigned first = i * ARITY + 1, last = first + ARITY < h->n ? first + ARITY : h->n, best = first;

    for (unsigned c = first + 1; c < last; c++)
        if (h->heap[c].when_ns < h->heap[best].when_ns)
            best = c;
    return best;
}

static void sift_down(struct timers *h, unsigned i, struct timer_slot slot)
{
    while (i * ARITY + 1 < h->n) {
        unsigned c = earliest_child(h, i);

        if (h->heap[c].when_ns >= slot.when_ns)
            break;
        slot_put(h, i, h->heap[c]);
        i = c;
    }
    slot_put(h, i, slot);
}

static void next_publish(struct timers *h)
{
    atomic_store(&h->next_ns, h->n ? h->heap[0].when_ns : TIMER_NEVER);
}

static bool room_for_one(struct timers *h)
{
    unsigned room = h->room ? h->room * 2 : ROOM_FIRST;
    struct timer_slot *heap;

    if (h->n < h->room)
        return true;
    heap = realloc(h->heap, room * sizeof *heap);
    if (!heap)
        return false;
    h->heap = heap;
    h->room = room;
    return true;
}

bool timer_arm(struct timer *timer, struct timers *timers, int64_t when_ns, uint64_t tag)
{
    bool fits;

    assert(!__atomic_load_n(&timer->home, __ATOMIC_ACQUIRE));
    lock_take(&timers->lock, RANK_TIMER);
    fits = room_for_one(timers);
    if (fits) {
        timer->when_ns = when_ns;
        timer->tag = tag;
        timer->home = timers;
        timers->n++;
        sift_up(timers, timers->n - 1, (struct timer_slot){when_ns, timer});
        next_publish(timers);
    }
    lock_drop(&timers->lock);
    return fits;
}

/* Heap lock held. */
static void take_out(struct timers *h, struct timer *timer)
{
    unsigned i = timer->place;
    struct timer_slot moved = h->heap[--h->n];

    assert(i <= h->n && timer->home == h);
    __atomic_store_n(&timer->home, NULL, __ATOMIC_RELEASE);
    if (i < h->n) {
        if (i > 0 && h->heap[(i - 1) / ARITY].when_ns > moved.when_ns)
            sift_up(h, i, moved);
        else
            sift_down(h, i, moved);
    }
    if (h->n)
        __builtin_prefetch(h->heap[0].timer); /* the next that fires */
    next_publish(h);
}

bool timer_disarm(struct timer *timer)
{
    struct timers *home = __atomic_load_n(&timer->home, __ATOMIC_ACQUIRE);
    bool armed;

    if (!home)
        return false;
    lock_take(&home->lock, RANK_TIMER);
    armed = timer->home == home;
    if (armed)
        take_out(home, timer);
    lock_drop(&home->lock);
    return armed;
}

static bool take_due(struct timers *h, int64_t now_ns, struct timer *copy)
{
    bool due;

    lock_take(&h->lock, RANK_TIMER);
    due = h->n > 0 && h->heap[0].when_ns <= now_ns;
    if (due) {
        *copy = *h->heap[0].timer;
        take_out(h, h->heap[0].timer);
    }
    lock_drop(&h->lock);
    return due;
}

int timers_run(struct timers *timers, int64_t now_ns)
{
    struct timer due;
    int fired = 0;

    while (timers_next(timers) <= now_ns && take_due(timers, now_ns, &due)) {
        due.fire(due.owner, due.tag, now_ns);
        fired++;
    }
    return fired;
}
