/*
 * Invariant: what is free here, what processors have in hand, and those that live and are counted make the limit; more
 * live only after it was lowered, and then `free` is negative. Under the lock lots move between here and the hands, so who
 * finds nothing here, and then nothing in any hand, was right to refuse.
 */
#include "living.h"

#include "scheduler.h"

enum {
    LOT = 64,              /* what a processor takes into its hand */
    HAND_MAX = 4 * LOT,    /* more in hand goes back */
    PLENTY_EACH = 2 * LOT, /* for each processor, from where on lots are given */
};

static struct {
    _Alignas(64) struct lock lock;
    int64_t limit, free;              /* lock */
    _Atomic bool scarce;              /* nobody may spend from his hand */
    _Atomic uint64_t spawned_outside; /* by threads that have no processor */
} all = {.limit = 1 << 20, .free = 1 << 20};

static struct proc *proc_of_caller(void)
{
    struct thread *t = thread_self();

    return t ? t->proc : NULL;
}

/* ---- leave ---- */

/* Lock held. */
static void hands_empty(void)
{
    int made = atomic_load(&sched.made);

    for (int i = 0; i < made; i++)
        all.free += atomic_exchange(&atomic_load(&sched.proc[i])->in_hand, 0);
}

/* Lock held. */
static void scarce_set(void)
{
    int64_t plenty = PLENTY_EACH * ((int64_t)atomic_load(&sched.made) + 1);

    if (all.free < plenty)
        hands_empty();
    atomic_store(&all.scarce, all.free < plenty);
}

static bool hand_spend(struct proc *p)
{
    int n = atomic_load_explicit(&p->in_hand, memory_order_relaxed);

    while (n > 0)
        if (atomic_compare_exchange_weak_explicit(&p->in_hand, &n, n - 1, memory_order_relaxed,
                                                  memory_order_relaxed))
            return true;
    return false;
}

static bool all_take(struct proc *p)
{
    bool some;

    lock_take(&all.lock, RANK_LIVING);
    scarce_set();
    some = all.free > 0;
    if (some && p && !atomic_load(&all.scarce)) {
        all.free -= LOT;
        atomic_fetch_add(&p->in_hand, LOT - 1);
    } else if (some) {
        all.free--;
    }
    lock_drop(&all.lock);
    return some;
}

bool living_charge(void)
{
    struct proc *p = proc_of_caller();

    if (p && !atomic_load_explicit(&all.scarce, memory_order_relaxed) && hand_spend(p))
        return true;
    return all_take(p);
}

/* One more is free, and where somebody has much in hand, that too. */
static void all_give(struct proc *p)
{
    lock_take(&all.lock, RANK_LIVING);
    all.free += 1 + (p ? atomic_exchange(&p->in_hand, 0) : 0);
    scarce_set();
    lock_drop(&all.lock);
}

void living_return(void)
{
    struct proc *p = proc_of_caller();

    if (p && !atomic_load_explicit(&all.scarce, memory_order_relaxed) &&
        atomic_load_explicit(&p->in_hand, memory_order_relaxed) < HAND_MAX)
        atomic_fetch_add_explicit(&p->in_hand, 1, memory_order_relaxed);
    else
        all_give(p);
}

int64_t living_limit(int64_t n, int64_t most)
{
    int64_t old, new;

    lock_take(&all.lock, RANK_LIVING);
    old = all.limit < most ? all.limit : most;
    new = n < 1 ? old : n < most ? n : most;
    all.free += new - all.limit;
    all.limit = new;
    scarce_set();
    lock_drop(&all.lock);
    return old;
}

/* ---- counts ---- */

void living_begins(void)
{
    struct proc *p = proc_of_caller();

    if (p)
        count_up(&p->spawned);
    else
        atomic_fetch_add_explicit(&all.spawned_outside, 1, memory_order_relaxed);
}

/* Its leave first: who has seen it counted out may count on that. */
void living_ended(void)
{
    struct proc *p = proc_of_caller();

    living_return();
    atomic_store_explicit(&p->ended, atomic_load_explicit(&p->ended, memory_order_relaxed) + 1,
                          memory_order_release);
}

/* Ended first: who ends meanwhile counts as alive, and who is spawned meanwhile too, on whatever processor. The lock, so
 * that none is freed meanwhile. */
struct living living_read(void)
{
    struct living l = {0, 0};

    lock_take(&all.lock, RANK_LIVING);
    for (int i = 0; i < atomic_load(&sched.made); i++)
        l.ended += atomic_load(&atomic_load(&sched.proc[i])->ended);
    for (int i = 0; i < atomic_load(&sched.made); i++)
        l.spawned += atomic_load(&atomic_load(&sched.proc[i])->spawned);
    l.spawned += atomic_load(&all.spawned_outside);
    lock_drop(&all.lock);
    return l;
}

int64_t living_cached(void)
{
    int64_t n = 0;

    lock_take(&all.lock, RANK_LIVING);
    for (int i = 0; i < atomic_load(&sched.made); i++)
        n += atomic_load_explicit(&atomic_load(&sched.proc[i])->gs.n, memory_order_relaxed);
    lock_drop(&all.lock);
    return n;
}

/* ---- processors that are no more ---- */

void living_unmake(int index)
{
    lock_take(&all.lock, RANK_LIVING);
    atomic_store(&sched.made, index);
    lock_drop(&all.lock);
}

int living_stop(void)
{
    int made;

    lock_take(&all.lock, RANK_LIVING);
    made = atomic_load(&sched.made);
    atomic_store(&sched.made, 0);
    all.free = all.limit;
    atomic_store(&all.scarce, true); /* until somebody asks */
    atomic_store(&all.spawned_outside, 0);
    lock_drop(&all.lock);
    return made;
}
