#include "clock.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

#include "bubble.h"
#include "g.h"
#include "order.h"
#include "scheduler.h"

static _Atomic int64_t fake_ns;
static _Atomic bool fake;
_Atomic int64_t clock_coarse;

int64_t clock_real_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t clock_ns(void)
{
    return atomic_load_explicit(&fake, memory_order_relaxed) ? atomic_load(&fake_ns) : clock_real_ns();
}

int64_t clock_queue_ns(void)
{
    return order_seeded() ? order_clock_ns() : clock_real_ns();
}

int64_t clock_of(const struct g *g)
{
    return g->bubble ? bubble_clock(g->bubble) : clock_ns();
}

void clock_coarse_set(int64_t ns)
{
    atomic_store_explicit(&clock_coarse, ns, memory_order_relaxed);
}

int64_t clock_add(int64_t a, int64_t b)
{
    int64_t sum;

    if (__builtin_add_overflow(a, b, &sum))
        return b > 0 ? INT64_MAX : INT64_MIN + 1; /* INT64_MIN is the mark for now */
    return sum;
}

int clock_is_fake(void)
{
    return atomic_load_explicit(&fake, memory_order_relaxed);
}

int64_t go_now_ns(void)
{
    struct thread *t = thread_self();

    return t ? clock_of(t->current) : clock_ns();
}

static go_until until_in(int64_t n, int64_t unit_ns)
{
    int64_t ns;

    if (__builtin_mul_overflow(n, unit_ns, &ns))
        ns = n > 0 ? INT64_MAX : INT64_MIN + 1;
    return go_until_make(clock_add(go_now_ns(), ns), NULL);
}

go_until go_after_ns(int64_t ns)
{
    return until_in(ns, 1);
}

go_until go_after_us(int64_t us)
{
    return until_in(us, 1000);
}

go_until go_after_ms(int64_t ms)
{
    return until_in(ms, 1000000);
}

void go_clock_fake(int64_t ns)
{
    atomic_store(&fake_ns, ns);
    atomic_store(&fake, true);
}

void go_clock_real(void)
{
    atomic_store(&fake, false);
}

void go_clock_advance(int64_t ns)
{
    atomic_fetch_add(&fake_ns, ns);
    if (atomic_load(&sched.running))
        sched_run_timers();
}
