/* 4-ary heap: half the depth of a binary one, four children in one cache line. */
#include "timer.h"

#include <assert.h>
#include <errno.h>

#include "core_internal.h"

enum { CHILDREN = 4, TIMERS_FIRST = 64 };

int timers_reserve(struct core *core)
{
    struct timers *t = &core->timers;

    if (t->reserved == t->size) {
        size_t size = t->size ? 2 * t->size : TIMERS_FIRST;
        struct timer **heap = core_resize(core, t->heap, size * sizeof(*heap));

        if (!heap)
            return -ENOMEM;
        t->heap = heap;
        t->size = size;
    }
    t->reserved++;
    return 0;
}

void timers_unreserve(struct core *core)
{
    assert(core->timers.reserved > core->timers.count && "an armed timer keeps its place");
    core->timers.reserved--;
}

static void put(struct timers *t, size_t i, struct timer *timer)
{
    t->heap[i] = timer;
    timer->place = i + 1;
}

static size_t rise(struct timers *t, size_t i, struct timer *timer)
{
    for (; i; i = (i - 1) / CHILDREN) {
        struct timer *parent = t->heap[(i - 1) / CHILDREN];

        if (parent->at_ns <= timer->at_ns)
            break;
        put(t, i, parent);
    }
    put(t, i, timer);
    return i;
}

static size_t earliest_child(const struct timers *t, size_t i)
{
    size_t best = CHILDREN * i + 1, end = best + CHILDREN;

    for (size_t c = best + 1; c < end && c < t->count; c++)
        if (t->heap[c]->at_ns < t->heap[best]->at_ns)
            best = c;
    return best;
}

static void sink(struct timers *t, size_t i, struct timer *timer)
{
    while (CHILDREN * i + 1 < t->count) {
        size_t child = earliest_child(t, i);

        if (timer->at_ns <= t->heap[child]->at_ns)
            break;
        put(t, i, t->heap[child]);
        i = child;
    }
    put(t, i, timer);
}

static void settle(struct timers *t, size_t i, struct timer *timer)
{
    if (rise(t, i, timer) == i)
        sink(t, i, timer);
}

void timer_arm(struct core *core, struct timer *timer, int64_t at_ns, timer_fire *fire)
{
    struct timers *t = &core->timers;

    timer->at_ns = at_ns;
    timer->fire = fire;
    if (timer->place)
        return settle(t, timer->place - 1, timer);
    assert(t->count < t->reserved && "a timer is armed in a place that was reserved");
    t->count++;
    rise(t, t->count - 1, timer);
}

void timer_disarm(struct core *core, struct timer *timer)
{
    struct timers *t = &core->timers;
    size_t i = timer->place - 1;

    if (!timer->place)
        return;
    struct timer *last = t->heap[--t->count];
    timer->place = 0;
    if (last != timer)
        settle(t, i, last);
}

size_t timers_run(struct core *core, size_t most)
{
    struct timers *t = &core->timers;

    for (; most && t->count && t->heap[0]->at_ns <= core->now.mono_ns; most--) {
        struct timer *timer = t->heap[0];

        timer_disarm(core, timer);
        timer->fire(core, timer);
    }
    return most;
}

int64_t timers_next(const struct core *core)
{
    return core->timers.count ? core->timers.heap[0]->at_ns : INT64_MAX;
}

void timers_check(const struct core *core)
{
    const struct timers *t = &core->timers;

    assert(t->count <= t->reserved && t->reserved <= t->size && "there is a place for each timer");
    for (size_t i = 0; i < t->count; i++) {
        assert(t->heap[i]->place == i + 1 && "a timer knows its place");
        assert((!i || t->heap[(i - 1) / CHILDREN]->at_ns <= t->heap[i]->at_ns) && "no parent is later");
    }
}
