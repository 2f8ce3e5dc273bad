/*
 * A go_timer is a channel with room for one firing, fed by an armed `struct timer`.
 *
 * Invariants, all under the channel's lock: `epoch` changes with every stop and reset, and a firing of an
 * older epoch does nothing; stop and reset empty the slot, so that no older firing can be received (T4). The
 * armed timer holds a reference. An armed timer with a function keeps its group awake: it may wake the members (Z5).
 */
#include "timer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bubble.h"
#include "chan.h"
#include "fatal.h"
#include "group.h"
#include "launch.h"
#include "scheduler.h"

struct go_timer {
    struct go_chan chan;       /* first: its lock is the timer's */
    _Atomic int refs, holders; /* refs: the holders together, the armed timer, a firing under way */
    int64_t period_ns;         /* 0: fires once */
    uint64_t epoch;
    bool active;
    struct timer timer;
    struct timers *timers;
    void (*fn)(void *);
    void *arg;
    struct go_group *group; /* that fn will run in; held */
    int64_t slot;
};

struct go_chan *timer_chan(go_timer *t)
{
    return &t->chan;
}

go_timer *go_timer_ref(go_timer *t)
{
    atomic_fetch_add(&t->holders, 1);
    return t;
}

static void timer_drop(go_timer *t)
{
    if (atomic_fetch_sub(&t->refs, 1) > 1)
        return;
    go_group_unref(t->group);
    free(t);
}

static void timer_fire(void *owner, uint64_t epoch, int64_t now_ns);

/* Lock held, `timer` disarmed. */
static void arm(go_timer *t, int64_t when_ns)
{
    atomic_fetch_add(&t->refs, 1);
    t->active = true;
    if (!timer_arm(&t->timer, t->timers, when_ns, t->epoch))
        fatal("no memory for a %s", "timer");
    if (!t->chan.bubble)
        sched_timer_armed(t->timers, when_ns);
}

/* Lock held. */
static void disarm(go_timer *t)
{
    if (timer_disarm(&t->timer))
        atomic_fetch_sub(&t->refs, 1); /* the caller holds another */
    t->active = false;
    t->epoch++;
}

/* Lock held: the next firing of a ticker is due one period after this one was, or later if that has passed.
 */
static void tick_again(go_timer *t, int64_t due_ns, int64_t now_ns)
{
    int64_t next = clock_add(due_ns, t->period_ns);

    arm(t, next > now_ns ? next : clock_add(now_ns, t->period_ns - (now_ns - due_ns) % t->period_ns));
}

/* A group or a bubble that has ended wants no more goroutines. */
static void fn_start(go_timer *t)
{
    struct go_spawn_options options = {.name = "go_timer_func"};
    struct spawn what = {.fn = t->fn,
                         .arg = t->arg,
                         .options = &options,
                         .pc = (void *)t->fn,
                         .group = t->group,
                         .bubble = t->chan.bubble};
    int r = spawn(&what);

    if (r < 0 && r != -ECANCELED && r != -ESRCH)
        fatal("no goroutine for go_timer_func: %s", strerror(-r));
}

/* Takes over the reference of the armed timer. */
static void timer_fire(void *owner, uint64_t epoch, int64_t now_ns)
{
    go_timer *t = owner;
    struct wake_list wakes;
    int ignored;
    bool runs;

    wake_list_init(&wakes);
    lock_take(&t->chan.lock, RANK_CHAN);
    runs = t->epoch == epoch && t->active;
    if (runs) {
        t->active = t->period_ns > 0;
        if (!t->fn)
            chan_try_send(&t->chan, &now_ns, &ignored, &wakes); /* a slow reader loses it (T6) */
        if (t->period_ns)
            tick_again(t, t->timer.when_ns, now_ns);
    }
    lock_drop(&t->chan.lock);
    wake_all(&wakes);
    if (runs && t->fn)
        fn_start(t);
    if (runs && t->group)
        group_asleep(t->group);
    timer_drop(t);
}

static go_timer *timer_new(int64_t ns, int64_t period_ns, void (*fn)(void *), void *arg)
{
    struct g *g = g_self();
    go_timer *t = calloc(1, sizeof *t);

    if (!t)
        return NULL;
    chan_init(&t->chan, sizeof t->slot, 1, (unsigned char *)&t->slot);
    t->chan.group = CHAN_NEVER_LOCAL;
    atomic_store(&t->refs, 1);
    atomic_store(&t->holders, 1);
    timer_init(&t->timer);
    t->timer.owner = t;
    t->timer.fire = timer_fire;
    t->timers = g->bubble ? bubble_timers(g->bubble) : sched_timers(g);
    t->period_ns = period_ns;
    t->fn = fn;
    t->group = fn && g->group ? go_group_ref(g->group) : NULL;
    t->arg = arg;
    if (t->group)
        group_awake(t->group);
    lock_take(&t->chan.lock, RANK_CHAN);
    arm(t, clock_add(clock_of(g), ns));
    lock_drop(&t->chan.lock);
    return t;
}

go_timer *go_timer_new(int64_t ns)
{
    return timer_new(ns, 0, NULL, NULL);
}

go_timer *go_ticker_new(int64_t ns)
{
    if (ns <= 0)
        go_panic("go_ticker_new: the period is %lld ns, it must be positive", (long long)ns);
    return timer_new(ns, ns, NULL, NULL);
}

go_timer *go_timer_func(int64_t ns, void (*fn)(void *arg), void *arg)
{
    return timer_new(ns, 0, fn, arg);
}

/* Lock held: whether there was a firing to come, or one that nobody has received. */
static bool timer_clear(go_timer *t)
{
    bool was = t->active || atomic_load(&t->chan.count) > 0;

    disarm(t);
    atomic_store(&t->chan.count, 0);
    return was;
}

int go_timer_stop(go_timer *t)
{
    bool was;

    if (!t)
        go_panic("go_timer_stop of no timer");
    lock_take(&t->chan.lock, RANK_CHAN);
    was = timer_clear(t);
    lock_drop(&t->chan.lock);
    if (was && t->group)
        group_asleep(t->group);
    return was;
}

int go_timer_reset(go_timer *t, int64_t ns)
{
    struct g *g = g_self();
    bool was;

    if (!t)
        go_panic("go_timer_reset of no timer");
    if (t->period_ns && ns <= 0)
        go_panic("go_timer_reset: the period of a ticker is %lld ns, it must be positive", (long long)ns);
    bubble_check(t->chan.bubble, g, "timer");
    if (t->group)
        group_awake(t->group);
    lock_take(&t->chan.lock, RANK_CHAN);
    was = timer_clear(t);
    if (t->period_ns)
        t->period_ns = ns;
    arm(t, clock_add(clock_of(g), ns));
    lock_drop(&t->chan.lock);
    if (was && t->group)
        group_asleep(t->group);
    return was;
}

go_timer *go_timer_unref(go_timer *t)
{
    if (!t || atomic_fetch_sub(&t->holders, 1) > 1)
        return NULL;
    if (!t->fn)
        go_timer_stop(t);
    timer_drop(t);
    return NULL;
}
