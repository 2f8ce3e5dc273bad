/*
 * Invariants: `awake` counts members that are not durably blocked. Whoever brings it to 0 is alone: it takes
 * one count for itself, does the one thing that comes next (wake the waiter of go_bubble_wait, jump to the
 * next timer, or end a deadlocked bubble) and gives the count back; if it was the last again, it goes on.
 */
#include "bubble.h"

#include <errno.h>
#include <stdlib.h>

#include "group.h"
#include "launch.h"
#include "waiting.h"

#define BUBBLE_START_NS (INT64_C(946684800) * 1000000000)

struct bubble {
    struct lock lock;
    struct list members; /* struct g.bubble_members */
    struct timers timers;
    _Atomic int64_t now_ns, awake, live;
    _Atomic int64_t users; /* the live ones, and those on their way out: at 0 the creator may free it */
    _Atomic bool over;
    struct g *settler; /* lock: in go_bubble_wait */
    uint64_t settler_ticket;
    go_wait creator;
};

int64_t bubble_clock(const struct bubble *b)
{
    return atomic_load(&b->now_ns);
}

struct timers *bubble_timers(struct bubble *b)
{
    return &b->timers;
}

bool bubble_over(const struct bubble *b)
{
    return atomic_load(&b->over);
}

void bubble_panic(const char *what)
{
    go_panic("%s of a bubble used from outside it", what);
}

void bubble_join(struct bubble *b, struct g *g)
{
    lock_take(&b->lock, RANK_GROUP);
    list_append(&b->members, &g->bubble_members);
    lock_drop(&b->lock);
    atomic_fetch_add(&b->live, 1);
    atomic_fetch_add(&b->users, 1);
    atomic_fetch_add(&b->awake, 1);
    g->bubble = b;
}

void bubble_leave(struct g *g)
{
    struct bubble *b = g->bubble;

    lock_take(&b->lock, RANK_GROUP);
    list_remove(&g->bubble_members);
    lock_drop(&b->lock);
    g->bubble = NULL;
    if (atomic_fetch_sub(&b->live, 1) > 1)
        bubble_asleep(b); /* the last one stays awake: there is nothing to do next */
    if (atomic_fetch_sub(&b->users, 1) == 1)
        go_ready(b->creator, 0);
}

void bubble_awake(struct bubble *b)
{
    atomic_fetch_add(&b->awake, 1);
}

static bool settler_wake(struct bubble *b)
{
    struct g *g;
    bool claimed;

    lock_take(&b->lock, RANK_GROUP);
    g = b->settler;
    b->settler = NULL;
    claimed = g && wait_claim(g, b->settler_ticket, 0);
    lock_drop(&b->lock);
    if (claimed)
        wake(g);
    return claimed;
}

static bool clock_jump(struct bubble *b)
{
    int64_t next = timers_next(&b->timers);

    if (next == TIMER_NEVER)
        return false;
    if (next > atomic_load(&b->now_ns))
        atomic_store(&b->now_ns, next);
    return timers_run(&b->timers, bubble_clock(b)) > 0;
}

/* Nobody in it can ever go on: all unwind. */
static void deadlock_end(struct bubble *b)
{
    struct wake_list wakes;
    struct g *g;

    wake_list_init(&wakes);
    lock_take(&b->lock, RANK_GROUP);
    atomic_store(&b->over, true);
    list_each (g, &b->members, bubble_members)
        if (wait_claim_scope(g))
            wake_later(&wakes, g);
    lock_drop(&b->lock);
    wake_all(&wakes);
}

void bubble_asleep(struct bubble *b)
{
    while (atomic_fetch_sub(&b->awake, 1) == 1) {
        atomic_fetch_add(&b->awake, 1);
        if (!settler_wake(b) && !clock_jump(b))
            deadlock_end(b);
    }
}

int go_bubble(void (*fn)(void *arg), void *arg)
{
    struct bubble *b;
    struct spawn what = {.fn = fn, .arg = arg, .pc = __builtin_return_address(0)};
    int r;

    if (g_self()->bubble)
        return -EINVAL;
    what.group = g_self()->group;
    b = calloc(1, sizeof *b);
    if (!b)
        return -ENOMEM;
    list_init(&b->members);
    timers_init(&b->timers);
    atomic_store(&b->now_ns, BUBBLE_START_NS);
    b->creator = go_wait_begin();
    what.bubble = b;
    r = spawn(&what);
    if (r < 0)
        go_wait_cancel(b->creator);
    else
        go_park(b->creator, "bubble", GO_PARK_MASKED, GO_FOREVER);
    if (r == 0 && atomic_load(&b->over))
        r = -EDEADLK;
    timers_free(&b->timers);
    free(b);
    return r;
}

void go_bubble_wait(void)
{
    struct g *g = g_self();
    struct bubble *b = g->bubble;

    if (!b)
        go_panic("go_bubble_wait outside a bubble");
    lock_take(&b->lock, RANK_GROUP);
    if (b->settler) {
        lock_drop(&b->lock);
        go_panic("two goroutines in go_bubble_wait of one bubble");
    }
    b->settler = g;
    b->settler_ticket = wait_open(g, WAIT_BUBBLE);
    lock_drop(&b->lock);
    wait_check(g, park(g, "bubble"));
}
