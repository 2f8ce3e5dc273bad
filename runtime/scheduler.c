/*
 * Invariants
 *   A ready goroutine is in exactly one place: a `next` slot, a ring, or before its first run a processor's starts, or
 * the global queue, or about to be run. Of its own a processor takes `next` first, then the ring: who has a stack shall
 * be done with it; then the newest of the starts. Each of the first two at most so often in a row, so that none waits for
 * ever.
 *   Who publishes work looks for sleepers after it; who goes to sleep announces it and then looks for work (proc.c),
 * with a fence between, so one of the two sees the other. The one exception: a goroutine put into an empty `next` slot
 * wakes nobody, since its waker usually parks at once. If it does not, the watchdog finds it, and if that happens often
 * (`late`), the processor wakes somebody each time.
 */
#include "scheduler.h"

#include <assert.h>
#include <errno.h>

#include "annotate.h"
#include "dump.h"
#include "fatal.h"
#include "fpenv.h"
#include "frames.h"
#include "living.h"
#include "pin.h"
#include "switch.h"
#include "trace.h"

enum {
    LOOK_EVERY = 61, /* picks between two looks at everything (H6) */
    STREAK_MAX =
        16, /* picks from `next` while others wait (H3), and from the ring while some have not started */
    MANY_READY = 12, /* so long in the ring that what it needs has left the caches */
    LINE_BYTES = 64,
    LINES_PARKED = 8, /* of its stack, from where it was left */
};

struct sched sched = {
    .global_last = &sched.global_first,
};

/* ---- queues ---- */

/* sched.lock held; others only read. */
static void global_count(int n)
{
    atomic_store_explicit(&sched.global_n, atomic_load_explicit(&sched.global_n, memory_order_relaxed) + n,
                          memory_order_release);
}

void global_push(struct wake_list *list)
{
    if (!list->first)
        return;
    lock_take(&sched.lock, RANK_SCHED);
    *list->last = NULL;
    *sched.global_last = list->first;
    sched.global_last = list->last;
    global_count(list->n);
    lock_drop(&sched.lock);
    wake_list_init(list);
}

static struct g *global_pop(void)
{
    struct g *g = sched.global_first;

    if (!g)
        return NULL;
    sched.global_first = g->queue;
    if (!sched.global_first)
        sched.global_last = &sched.global_first;
    global_count(-1);
    return g;
}

static void global_unpop(struct g *g)
{
    g->queue = sched.global_first;
    if (!g->queue)
        sched.global_last = &g->queue;
    sched.global_first = g;
    global_count(1);
}

/* False: no room. */
static bool local_take(struct proc *p, struct g *g)
{
    return g->stack ? ring_push(&p->ring, g) : starts_push(&p->starts, g);
}

struct g *global_take(struct proc *p, int max)
{
    struct g *first, *g;
    int share;

    if (atomic_load(&sched.global_n) == 0)
        return NULL;
    lock_take(&sched.lock, RANK_SCHED);
    share = atomic_load_explicit(&sched.global_n, memory_order_relaxed) / atomic_load(&sched.procs) + 1;
    first = global_pop();
    for (int i = 1; i < max && i < share && (g = global_pop()); i++)
        if (!local_take(p, g)) {
            global_unpop(g);
            break;
        }
    lock_drop(&sched.lock);
    return first;
}

/* A full ring gives half of it, and g, to everybody. */
static void ring_spill(struct proc *p, struct g *g)
{
    struct g *half[RING_SIZE / 2];
    uint32_t n = ring_take_half(&p->ring, half, RING_SIZE / 2);
    struct wake_list list;

    wake_list_init(&list);
    for (uint32_t i = 0; i < n; i++)
        wake_later(&list, half[i]);
    wake_later(&list, g);
    global_push(&list);
}

static void local_push(struct proc *p, struct g *g)
{
    if (!ring_push(&p->ring, g))
        ring_spill(p, g);
}

/* The processor of this thread, if it may keep work for itself: nothing but `ignored` waits for its attention. */
static struct proc *proc_here(unsigned ignored)
{
    struct thread *t = thread_self();

    if (!t || !t->proc || atomic_load_explicit(&t->proc->attention, memory_order_relaxed) & ~ignored)
        return NULL;
    return t->proc;
}

/*
 * `late` guesses whether who is put into `next` will wait there, because wakers on this processor go on computing. It
 * rises when one was there over a tick of the coarse clock, which a hand-over of less than a microsecond hardly ever is,
 * and falls with every one that was not.
 */
static void next_taken(struct proc *p)
{
    int late = atomic_load_explicit(&p->late, memory_order_relaxed);

    if (clock_coarse_ns() != p->next_since_ns)
        late = late + LATE_STEP < LATE_MAX ? late + LATE_STEP : LATE_MAX;
    else if (late == 0)
        return;
    else
        late--;
    atomic_store_explicit(&p->late, late, memory_order_relaxed);
}

static bool next_will_wait(struct proc *p)
{
    p->next_since_ns = clock_coarse_ns();
    return atomic_load_explicit(&p->late, memory_order_relaxed) > LATE_STEP;
}

/* g runs next, whoever was to goes behind the others. False: g is the only one, and nobody need be woken for it yet. */
static bool next_push(struct proc *p, struct g *g)
{
    struct g *displaced = NULL;

    /* Others only take out: an empty slot stays empty until its owner fills it. */
    if (atomic_load_explicit(&p->ring.next, memory_order_relaxed))
        displaced = atomic_exchange(&p->ring.next, g);
    else
        atomic_store_explicit(&p->ring.next, g, memory_order_release);
    if (displaced)
        local_push(p, displaced);
    return displaced;
}

static void global_push_one(struct g *g)
{
    struct wake_list one;

    wake_list_init(&one);
    wake_later(&one, g);
    global_push(&one);
}

/* Also where a processor is about to retire: others take from its starts, and in the end it gives them away. */
void sched_start(struct g *g)
{
    struct proc *p = proc_here(ATTEND_CHANGE);

    if (!p || !starts_push(&p->starts, g))
        global_push_one(g);
    proc_wake_one();
}

void sched_ready(struct g *g)
{
    struct proc *p = proc_here(0);

    if (p && !next_push(p, g) && !next_will_wait(p))
        return;
    if (!p)
        global_push_one(g);
    proc_wake_one();
}

void sched_ready_list(struct wake_list *list)
{
    struct thread *t = thread_self();
    struct g *g = list->first, *after;

    if (list->n == 1) {
        wake_list_init(list);
        sched_ready(g);
        return;
    }
    if (!t || !t->proc || list->n > RING_SIZE / 2) {
        global_push(list);
    } else {
        *list->last = NULL;
        for (; g; g = after) {
            after = g->queue;
            local_push(t->proc, g);
        }
        wake_list_init(list);
    }
    proc_wake_one();
}

/* Whether a start goes before `head`, the first of the ring. One that yielded lets the others run first (H1). */
static bool start_is_next(const struct proc *p, struct g *head)
{
    if (!head)
        return true;
    return atomic_load_explicit(&head->yielded, memory_order_relaxed) ? p->starts_streak < STREAK_MAX
                                                                      : p->ring_streak >= STREAK_MAX;
}

/* Begins to load what g will need, while the one before it runs. A guess: g may be taken, run and end meanwhile, which
 * the checker of races need not hear of. */
static inline void fetch(const struct g *g)
{
#ifndef ANNOTATE_TSAN
    uintptr_t sp = (uintptr_t)g->sp;

    for (int i = 0; i < LINES_PARKED * LINE_BYTES; i += LINE_BYTES)
        __builtin_prefetch((const void *)(sp + (unsigned)i));
    __builtin_prefetch(g->begun);
    __builtin_prefetch(&g->fn);
    __builtin_prefetch(g->arg_copy);
#endif
}

__attribute__((noinline)) struct g *sched_pick_behind_next(struct proc *p)
{
    struct g *head = ring_first(&p->ring), *g;
    bool starts = !starts_empty(&p->starts);

    if (starts && start_is_next(p, head) && (g = starts_pop(&p->starts))) {
        p->starts_streak = head ? p->starts_streak + 1 : 0;
        p->ring_streak = 0;
        return g;
    }
    p->starts_streak = 0;
    p->ring_streak = starts ? p->ring_streak + 1 : 0;
    g = head ? ring_pop(&p->ring) : NULL;
    if (g && (head = ring_first_of(&p->ring, MANY_READY)))
        fetch(head);
    return g ? g : starts_pop(&p->starts);
}

static inline __attribute__((always_inline)) struct g *pick(struct proc *p)
{
    struct g *g;

    if (atomic_load_explicit(&p->attention, memory_order_relaxed))
        return NULL;
    if (++p->picks % LOOK_EVERY == 0) {
        p->look = true;
        return NULL;
    }
    if (p->streak < STREAK_MAX || (ring_empty(&p->ring) && starts_empty(&p->starts))) {
        g = atomic_load_explicit(&p->ring.next, memory_order_relaxed);
        if (g && (g = atomic_exchange(&p->ring.next, NULL))) {
            p->streak++;
            next_taken(p);
            return g;
        }
    }
    p->streak = 0;
    return sched_pick_behind_next(p);
}

struct g *sched_pick(struct proc *p)
{
    return pick(p);
}

/* ---- switching ---- */

static inline void token_settle(struct g *g)
{
    uint32_t none = TOKEN_NONE;

    if (!atomic_compare_exchange_strong(&g->token, &none, TOKEN_PARKED))
        sched_ready(g); /* woken while it was leaving */
}

static void g_bury(struct g *g)
{
    struct proc *p = thread_self()->proc;
    char *stack = g->stack;
    int class = g->stack_class;
    bool system = g->system;

    annotate_fiber_end(g->tsan_fiber);
    g_delete(g, &p->gs);
    if (!system)
        living_ended();
    stack_give(&p->stacks, stack, class);
}

/* How the stack of the thread itself becomes known. */
static void stack_note(struct thread *t, const struct g *left)
{
    const void *bottom = NULL;
    size_t size = 0;

    annotate_arrive(t->current->begun->asan_fake, &bottom, &size);
    if (left == t->idle && !t->stack_bottom) {
        t->stack_bottom = bottom;
        t->stack_size = size;
    }
}

/* What becomes of who was left, if it has not parked. */
static __attribute__((noinline)) void left_behind(struct thread *t, struct g *left)
{
    switch ((enum left)t->left_why) {
    case LEFT_IDLE_LOOP:
        break;
    case LEFT_PARKED:
        token_settle(left);
        break;
    case LEFT_YIELDED:
        atomic_store_explicit(&left->yielded, true, memory_order_relaxed);
        local_push(t->proc, left);
        break;
    case LEFT_DEAD:
        g_bury(left);
        break;
    }
}

/* On the new stack: the old one is saved, so whoever was left there may now run elsewhere. */
static inline void arrived(void)
{
    struct thread *t = thread_self();
    struct g *left = t->left;

    if (ANNOTATE_STACKS)
        stack_note(t, left);
    *t->errno_at = t->current->saved_errno;
    t->left = NULL;
    if (t->left_why == LEFT_PARKED)
        token_settle(left);
    else
        left_behind(t, left);
}

static void g_begin(void)
{
    arrived();
    goroutine_body(thread_self()->current);
    sched_exit();
}

static void stack_bind(struct proc *p, struct g *g)
{
    char *low = stack_take(&p->stacks, g->stack_class);
    struct begun *begun = (struct begun *)stack_top(low, g->stack_class) - 1;

    begun_init(begun);
    g->begun = begun;
    g->sp = switch_prepare(begun, g_begin);
    g->stack = low;
}

/* One of the two has control words of its own. No floating-point code runs between here and the switch. */
static void switch_fpenv(struct thread *t, struct g *to)
{
    struct g *from = t->current;

    if (from->heed & HEED_FPENV)
        from->fp_control = fpenv_read();
    else
        t->fp_control = fpenv_read();
    fpenv_write(to->heed & HEED_FPENV ? to->fp_control : t->fp_control);
}

/* What a switch need not look at in the usual case. Who is switched to: a goroutine that is locked to another thread is
 * left to the idle loop. */
static __attribute__((noinline)) struct g *switch_heed(struct thread *t, struct g *to, enum left why)
{
    if (t->current->heed & HEED_EACH)
        each_refuse(t->current, why == LEFT_YIELDED ? "yield" : "wait");
    if (why == LEFT_DEAD && t->current->heed & HEED_PIN)
        pin_abandon(t->current);
    if (to->heed & HEED_PIN && !pin_has(to, t)) {
        t->proc->handed = to;
        to = t->idle;
    }
    if ((t->current->heed | to->heed) & HEED_FPENV)
        switch_fpenv(t, to);
    return to;
}

static inline __attribute__((always_inline)) void switch_to(struct thread *t, struct g *to, enum left why)
{
    struct g *from = t->current;

    assert(from != to);
    if (__builtin_expect(from->heed | to->heed, 0))
        to = switch_heed(t, to, why);
    if (to != t->idle && !to->stack)
        stack_bind(t->proc, to);
    if (trace_on())
        trace_switch(t, to, why);
    from->saved_errno = *t->errno_at;
    t->left = from;
    t->left_why = why;
    t->current = to;
    count_up(&t->proc->switches);
    if (ANNOTATE_STACKS)
        annotate_leave(why == LEFT_DEAD ? NULL : &from->begun->asan_fake,
                       to == t->idle ? t->stack_bottom : stack_bottom(to->stack),
                       to == t->idle ? t->stack_size : stack_usable(to->stack, to->stack_class));
    annotate_fiber_switch(to->tsan_fiber);
    goroutine_switch(&from->sp, to->sp);
    arrived();
}

void sched_switch(struct thread *t, struct g *to, enum left why)
{
    switch_to(t, to, why);
}

void sched_park(struct g *g)
{
    struct thread *t;
    struct g *to;

    if (atomic_load_explicit(&g->token, memory_order_acquire) != TOKEN_READY) {
        t = thread_self();
        to = pick(t->proc);
        count_up(&t->proc->parks);
        switch_to(t, to ? to : t->idle, LEFT_PARKED);
    }
    atomic_store_explicit(&g->token, TOKEN_NONE, memory_order_relaxed);
}

void sched_yield_self(void)
{
    struct thread *t = thread_self();
    struct g *g = t->current;
    struct g *to = pick(t->proc);

    switch_to(t, to ? to : t->idle, LEFT_YIELDED);
    atomic_store_explicit(&g->yielded, false, memory_order_relaxed);
}

bool sched_others_ready(void)
{
    struct proc *p = proc_here(0);

    return p && proc_has_work(p);
}

void sched_exit(void)
{
    struct thread *t = thread_self();
    struct g *to = pick(t->proc);

    switch_to(t, to ? to : t->idle, LEFT_DEAD);
    fatal("goroutine %s ran after its end", "of the runtime");
}
