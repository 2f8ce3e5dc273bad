/*
 * In a run with an order of its own every processor has ATTEND_ORDER set: it keeps nothing for itself, so all that is
 * ready lies in the global queue, and every switch goes over the idle loop, which takes from there what the order says.
 * Runs without one pay nothing.
 *
 * Seeded: one processor, and the next goroutine is any of those that are ready. The same seed and the same program give
 * the same run, as far as nothing comes from outside: no real clock, descriptor, blocking call or other thread.
 *
 * Migrating: a processor leaves a goroutine that it ran last to another one, so that whatever was kept over a wait (the
 * address of errno, say) is wrong after it. Not for ever, since the others may all be kept by what they run.
 */
#include "order.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "goroutine_test.h"
#include "scheduler.h"

enum { CHOICE_MAX = 1024 }; /* of the ready ones the seed picks among so many, the longest waiting */

#define STEP_NS       100000
#define REFUSE_MAX_NS INT64_C(100000000) /* then a processor takes what it ran last */

static _Atomic uint64_t seed_wanted;

/* Changes between runs only, but for `steps`. */
static struct {
    uint64_t seed;
    bool migrates;
    _Atomic int64_t steps;
} order;

uint64_t go_set_seed(uint64_t seed)
{
    return atomic_exchange(&seed_wanted, seed);
}

static uint64_t environment_number(const char *name)
{
    const char *text = getenv(name);

    return text ? strtoull(text, NULL, 0) : 0;
}

void order_start(void)
{
    order.seed = atomic_load(&seed_wanted);
    if (order.seed == 0)
        order.seed = environment_number("GOROUTINE_SEED");
    order.migrates = environment_number("GOROUTINE_MIGRATE") != 0;
    atomic_store(&order.steps, 0);
}

bool order_seeded(void)
{
    return order.seed != 0;
}

unsigned order_attention(void)
{
    return order.seed || order.migrates ? ATTEND_ORDER : 0;
}

/* Neighbouring seeds begin far from each other. */
static uint64_t scatter(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

uint64_t order_random(int index)
{
    uint64_t from = order.seed ? order.seed : (uint64_t)clock_ns();

    return scatter(from + 0x9e3779b97f4a7c15u * ((uint64_t)index + 1)) | 1;
}

int64_t order_clock_ns(void)
{
    return atomic_load_explicit(&order.steps, memory_order_relaxed) * STEP_NS;
}

/* ---- taking; sched.lock held ---- */

static struct g *take_at(struct g **place)
{
    struct g *g = *place;

    *place = g->queue;
    if (!*place)
        sched.global_last = place;
    atomic_fetch_sub(&sched.global_n, 1);
    return g;
}

static struct g *take_drawn(struct proc *p)
{
    int n = atomic_load(&sched.global_n), choices = n < CHOICE_MAX ? n : CHOICE_MAX;
    struct g **place = &sched.global_first;

    if (n == 0)
        return NULL;
    for (uint64_t skip = proc_random(p) % (unsigned)choices; skip > 0; skip--)
        place = &(*place)->queue;
    return take_at(place);
}

/* Nobody else is there to take what p refuses, or they had their time. */
static bool takes_its_own(struct proc *p)
{
    int64_t now;

    if (atomic_load(&sched.procs) + atomic_load(&sched.extras) == 1)
        return true;
    now = clock_real_ns();
    if (p->refuses_since_ns == 0)
        p->refuses_since_ns = now;
    return now - p->refuses_since_ns > REFUSE_MAX_NS;
}

static struct g *take_foreign(struct proc *p)
{
    struct g **place = &sched.global_first;

    if (!*place)
        return NULL;
    while (*place && (*place)->ran_on == p->index)
        place = &(*place)->queue;
    if (!*place && !takes_its_own(p))
        return NULL;
    p->refuses_since_ns = 0;
    return take_at(*place ? place : &sched.global_first);
}

struct g *order_take(struct proc *p)
{
    struct g *g;

    lock_take(&sched.lock, RANK_SCHED);
    g = order.seed ? take_drawn(p) : take_foreign(p);
    lock_drop(&sched.lock);
    if (g) {
        g->ran_on = (short)p->index;
        atomic_fetch_add_explicit(&order.steps, 1, memory_order_relaxed);
    }
    return g;
}
