/*
 * One processor: a thread, its run queue, its timers, and its idle loop.
 *
 * Invariants
 *   A processor in the idle list is counted in sched.idle_n and has an empty ring when it sleeps; who takes
 * it out of the list (under sched.lock) wakes it, or is itself. sched.spinning counts those that look for
 * work of others. The last one to find some wakes another. At most one processor sleeps in netpoll, until the
 * earliest timer of all; who arms an earlier one ends that sleep.
 */
#include <assert.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>

#include "annotate.h"
#include "crash.h"
#include "deadlock.h"
#include "fatal.h"
#include "futex.h"
#include "netpoll.h"
#include "order.h"
#include "pin.h"
#include "scheduler.h"
#include "watchdog.h"

enum { STEAL_PASSES = 4, LOOKS_PER_OLDEST = 1024 };

#define OLDEST_FOR_NS INT64_C(10000000)

uint64_t proc_random(struct proc *p)
{
    uint64_t x = p->random;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return p->random = x;
}

/* ---- timers of all processors ---- */

struct timers *sched_timers(struct g *g)
{
    struct thread *t = thread_self();

    return t && t->proc ? &t->proc->timers : &atomic_load(&sched.proc[0])->timers;
}

int64_t sched_next_timer(void)
{
    int64_t next = TIMER_NEVER;
    int made = atomic_load(&sched.made);

    for (int i = 0; i < made; i++) {
        int64_t ns = timers_next(&atomic_load(&sched.proc[i])->timers);

        next = ns < next ? ns : next;
    }
    return next;
}

int sched_run_timers(void)
{
    int made = atomic_load(&sched.made), fired = 0;
    int64_t now;

    if (sched_next_timer() == TIMER_NEVER)
        return 0;
    atomic_fetch_add(&sched.firing, 1);
    now = clock_ns();
    for (int i = 0; i < made; i++)
        fired += timers_run(&atomic_load(&sched.proc[i])->timers, now);
    atomic_fetch_sub(&sched.firing, 1);
    atomic_fetch_add_explicit(&sched.timers_fired, (uint64_t)fired, memory_order_relaxed);
    return fired;
}

void sched_timer_armed(struct timers *timers, int64_t when_ns)
{
    if (when_ns < atomic_load(&sched.poll_until_ns) && atomic_load(&sched.poller))
        netpoll_break();
}

/* ---- the idle list ---- */

static void idle_remove(struct proc *p)
{
    struct proc **place;

    lock_take(&sched.lock, RANK_SCHED);
    for (place = &sched.idle_first; *place; place = &(*place)->idle_next)
        if (*place == p) {
            *place = p->idle_next;
            atomic_fetch_sub(&sched.idle_n, 1);
            sched.active++;
            break;
        }
    lock_drop(&sched.lock);
}

/* False: there is work in the global queue, or the runtime stops. */
static bool idle_add(struct proc *p)
{
    bool quiet;

    lock_take(&sched.lock, RANK_SCHED);
    quiet = !sched.global_first && !(atomic_load(&p->attention) & ATTEND_CHANGE);
    if (quiet) {
        atomic_store(&p->woken, 0);
        p->idle_next = sched.idle_first;
        sched.idle_first = p;
        atomic_fetch_add(&sched.idle_n, 1);
        sched.active--;
    }
    lock_drop(&sched.lock);
    return quiet;
}

/* Takes one out to look for work: it is counted as spinning from here on, whatever else wakes it first. */
static struct proc *idle_take(void)
{
    struct proc *p;

    lock_take(&sched.lock, RANK_SCHED);
    p = sched.idle_first;
    if (p) {
        sched.idle_first = p->idle_next;
        atomic_fetch_sub(&sched.idle_n, 1);
        sched.active++;
        p->spinning = true;
    }
    lock_drop(&sched.lock);
    return p;
}

void proc_wake(struct proc *p)
{
    atomic_store(&p->woken, 1);
    if (atomic_load(&sched.poller) == p)
        netpoll_break();
    else
        futex_wake(&p->woken, 1);
}

void proc_wake_one(void)
{
    int none = 0;
    struct proc *p;

    /* The caller has published work. One who goes idle says so, and then looks for work: one of the two sees the other. */
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load(&sched.idle_n) == 0 || atomic_load(&sched.spinning) > 0 ||
        !atomic_compare_exchange_strong(&sched.spinning, &none, 1))
        return;
    p = idle_take();
    if (!p) {
        atomic_fetch_sub(&sched.spinning, 1);
        return;
    }
    count_up(&p->wakeups);
    proc_wake(p);
}

/* ---- looking for work ---- */

static struct g *steal_next(struct proc *victim)
{
    return atomic_load_explicit(&victim->ring.next, memory_order_relaxed)
               ? atomic_exchange(&victim->ring.next, NULL)
               : NULL;
}

static struct g *steal_ready(struct proc *p, struct proc *victim)
{
    struct g *taken[RING_SIZE / 2];
    uint32_t n = ring_take_half(&victim->ring, taken, RING_SIZE / 2);

    for (uint32_t i = 1; i < n; i++)
        if (!ring_push(&p->ring, taken[i]))
            fatal("the ring of an idle processor is full: %u", n);
    return n ? taken[0] : NULL;
}

static struct g *steal_starts(struct proc *p, struct proc *victim)
{
    struct g *taken[STARTS_TAKE_MAX];
    uint32_t n = starts_take_oldest(&victim->starts, taken, STARTS_TAKE_MAX);

    for (uint32_t i = 1; i < n; i++)
        if (!starts_push(&p->starts, taken[i]))
            fatal("no memory for %u goroutines that start", n);
    return n ? taken[0] : NULL;
}

static struct g *steal_from(struct proc *p, struct proc *victim, bool last_pass)
{
    struct g *g = steal_ready(p, victim);

    if (!g)
        g = steal_starts(p, victim);
    if (!g && last_pass)
        g = steal_next(victim);
    if (g)
        count_up(&p->steals);
    return g;
}

static struct g *steal(struct proc *p)
{
    int made = atomic_load(&sched.made);

    for (int pass = 0; pass < STEAL_PASSES; pass++) {
        int start = (int)(proc_random(p) % (unsigned)made);

        for (int i = 0; i < made; i++) {
            struct proc *victim = atomic_load(&sched.proc[(start + i) % made]);
            struct g *g = victim == p ? NULL : steal_from(p, victim, pass == STEAL_PASSES - 1);

            if (g)
                return g;
        }
    }
    return NULL;
}

static bool work_anywhere(void)
{
    int made = atomic_load(&sched.made);

    if (atomic_load(&sched.global_n) > 0)
        return true;
    for (int i = 0; i < made; i++)
        if (proc_has_work(atomic_load(&sched.proc[i])))
            return true;
    return false;
}

static struct g *start_oldest(struct proc *p)
{
    struct g *g = NULL;

    starts_take_oldest(&p->starts, &g, 1);
    return g;
}

/*
 * The oldest start, if it has been that for a time slice, or very many looks: then it goes before the newer ones. Not
 * sooner: every tree that is begun before another is done costs stacks.
 */
static struct g *start_due(struct proc *p)
{
    int64_t now = clock_coarse_ns();
    uint32_t seen = p->oldest_seen;

    if (now - p->oldest_ns < OLDEST_FOR_NS && ++p->looks % LOOKS_PER_OLDEST)
        return NULL;
    p->oldest_ns = now;
    p->oldest_seen = starts_oldest(&p->starts);
    return p->oldest_seen == seen ? start_oldest(p) : NULL;
}

static void wake_what_is_due(void)
{
    sched_run_timers();
    if (netpoll_waiting() && !atomic_load(&sched.poller))
        netpoll_wait(0);
}

static struct g *look_outside(struct proc *p)
{
    struct g *g;

    p->look = false;
    wake_what_is_due();
    g = start_due(p);
    if (!g)
        g = global_take(p, RING_SIZE / 2);
    if (!g)
        g = atomic_exchange(&p->ring.next, NULL);
    return g ? g : sched_pick_behind_next(p);
}

static void spinning_start(struct proc *p)
{
    if (!p->spinning && 2 * atomic_load(&sched.spinning) < atomic_load(&sched.procs)) {
        p->spinning = true;
        atomic_fetch_add(&sched.spinning, 1);
    }
}

/* Found something: the last who looked leaves the looking to another. */
static void spinning_end(struct proc *p)
{
    if (!p->spinning)
        return;
    p->spinning = false;
    if (atomic_fetch_sub(&sched.spinning, 1) == 1 && work_anywhere())
        proc_wake_one();
}

/* What lies in its queues goes to all. */
static void queues_give(struct proc *p)
{
    struct wake_list list;
    struct g *g;

    wake_list_init(&list);
    while ((g = atomic_exchange(&p->ring.next, NULL)) || (g = ring_pop(&p->ring)) || (g = start_oldest(p)))
        wake_later(&list, g);
    global_push(&list);
}

/* ---- sleeping ---- */

static void poll_sleep(struct proc *p)
{
    int64_t until, now;

    do {
        until = clock_is_fake() ? TIMER_NEVER : sched_next_timer();
        atomic_store(&sched.poll_until_ns, until);
    } while (!clock_is_fake() && sched_next_timer() < until);
    now = clock_ns();
    if (atomic_load(&p->woken) == 0)
        netpoll_wait(until == TIMER_NEVER ? -1 : until > now ? until - now : 0);
    atomic_store(&sched.poll_until_ns, INT64_MIN);
}

static void sleep_once(struct proc *p)
{
    struct proc *none = NULL;

    if (atomic_compare_exchange_strong(&sched.poller, &none, p)) {
        poll_sleep(p);
        atomic_store(&sched.poller, NULL);
    } else {
        futex_wait(&p->woken, 0, -1);
    }
}

static bool something_new(struct proc *p)
{
    return atomic_load(&p->ring.next) || work_anywhere() || (atomic_load(&p->attention) & ATTEND_CHANGE) ||
           (sched_next_timer() != TIMER_NEVER && sched_next_timer() <= clock_ns());
}

/* Returns when there may be something to do. Out of the idle list again, whoever took it out. */
static void proc_idle(struct proc *p)
{
    bool looked = p->spinning;

    p->spinning = false; /* in the list the field is the waker's, under sched.lock */
    if (!idle_add(p)) {
        p->spinning = looked;
        return;
    }
    atomic_store(&p->asleep, true);
    if (looked)
        atomic_fetch_sub(&sched.spinning, 1);
    while (atomic_load(&p->woken) == 0 && !something_new(p)) {
        stack_cache_heed(&p->stacks);
        deadlock_check();
        sleep_once(p);
    }
    atomic_store(&p->asleep, false);
    idle_remove(p);
    clock_coarse_set(clock_ns());
    watchdog_kick();
}

void proc_active_add(int n)
{
    lock_take(&sched.lock, RANK_SCHED);
    sched.active += n;
    lock_drop(&sched.lock);
}

/* Beyond go_set_procs: what is here goes to the others, the thread sleeps. */
static void proc_retire(struct proc *p)
{
    queues_give(p);
    spinning_end(p);
    proc_wake_one();
    atomic_store(&p->asleep, true);
    proc_active_add(-1);
    deadlock_check();
    while (atomic_load(&p->woken) == 0)
        futex_wait(&p->woken, 0, -1);
    proc_active_add(1);
    atomic_store(&p->woken, 0);
    atomic_store(&p->asleep, false);
}

static bool proc_attend(struct proc *p)
{
    bool retire;

    lock_take(&sched.lock, RANK_SCHED);
    retire = p->retired && !atomic_load(&sched.stopping);
    if (!retire)
        atomic_fetch_and(&p->attention, ~(unsigned)ATTEND_CHANGE);
    else
        atomic_store(&p->woken, 0);
    lock_drop(&sched.lock);
    if (retire)
        proc_retire(p);
    return !atomic_load(&sched.stopping);
}

static struct g *find_in_order(struct proc *p)
{
    struct g *g;

    queues_give(p);
    wake_what_is_due();
    g = order_take(p);
    if (!g && atomic_load(&sched.global_n) > 0) {
        spinning_end(p); /* all that is ready is for another processor */
        proc_wake_one();
        sched_yield();
    }
    return g;
}

static struct g *proc_find(struct proc *p)
{
    struct g *g;

    if (atomic_load_explicit(&p->attention, memory_order_relaxed) & ATTEND_ORDER)
        return find_in_order(p);
    g = p->look ? look_outside(p) : sched_pick(p);
    if (g || p->look)
        return g;
    if ((g = look_outside(p)))
        return g;
    spinning_start(p);
    return p->spinning ? steal(p) : NULL;
}

static void proc_run(struct proc *p, struct g *g)
{
    spinning_end(p);
    if (g->heed & HEED_PIN)
        pin_lend(p, g);
    else
        sched_switch(&p->thread, g, LEFT_IDLE_LOOP);
}

void proc_loop(struct proc *p)
{
    for (;;) {
        struct g *g = p->handed;

        p->handed = NULL;
        if (!g && (atomic_load(&p->attention) & ATTEND_CHANGE) && !proc_attend(p))
            return;
        if (!g)
            g = proc_find(p);
        if (g)
            proc_run(p, g);
        else if (!p->look)
            proc_idle(p);
    }
}
