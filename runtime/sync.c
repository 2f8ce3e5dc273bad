/*
 * Mutex, cond, wait group, once. Each is a small lock, a word, and a queue; the public types hide the structs
 * below.
 *
 * Mutex: LOCKED means held, WAITERS that the queue is not empty. Unlock lets the first waiter try again, and
 * a newcomer may be faster; but once the first has waited a millisecond it is handed the mutex, which never
 * becomes free meanwhile, so newcomers queue (M2). A loser goes back to the front. WOKEN means that one is on its way to
 * try: until it has, unlocking wakes nobody else, who would only lose too.
 *
 * `self` is for copy_check, `home` for home_note.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "frames.h"
#include "group.h"
#include "launch.h"
#include "queue.h"
#include "sync.h"

enum { LOCKED = 1, WAITERS = 2, WOKEN = 4 };
enum { OUTCOME_RETRY = 0, OUTCOME_OWNED = 1 };

#define STARVES_AFTER_NS 1000000

/* ---- mutex ---- */

/* `woken`: the caller's flag, WOKEN or 0, which ends with the try. */
static bool word_take(struct mutex *m, uint32_t woken)
{
    uint32_t word = atomic_load_explicit(&m->word, memory_order_relaxed);

    while (!(word & LOCKED))
        if (atomic_compare_exchange_weak(&m->word, &word, (word | LOCKED) & ~woken))
            return true;
    return false;
}

/* Says that somebody waits; false if it became free before that. Internal lock held. */
static bool word_mark(struct mutex *m, uint32_t woken)
{
    uint32_t word = atomic_load(&m->word);

    while (word & LOCKED)
        if (atomic_compare_exchange_weak(&m->word, &word, (word | WAITERS) & ~woken))
            return true;
    return false;
}

/* Claims the first waiter with the outcome that its age asks for. Internal lock held. */
static struct waiter *mutex_claim(struct mutex *m, unsigned *outcome)
{
    struct list *waiters = queue_list(&m->waiters);

    while (!list_empty(waiters)) {
        struct waiter *w = list_first(waiters, struct waiter, link);

        *outcome = clock_queue_ns() - w->since_ns > STARVES_AFTER_NS ? OUTCOME_OWNED : OUTCOME_RETRY;
        list_remove(&w->link);
        if (wait_claim(w->g, w->ticket, *outcome))
            return w;
    }
    return NULL;
}

static unsigned mutex_lock_slow(struct mutex *m, unsigned flags)
{
    struct waiter w;
    uint32_t woken = 0;
    unsigned outcome;

    if (word_take(m, 0))
        return OUTCOME_OWNED;
    w.since_ns = clock_queue_ns();
    for (;;) {
        lock_take(&m->lock, RANK_CHAN);
        while (!word_mark(m, woken))
            if (word_take(m, woken)) {
                lock_drop(&m->lock);
                return OUTCOME_OWNED;
            }
        outcome = queue_wait(queue_list(&m->waiters), &m->lock, &w, woken, "mutex", flags);
        if (outcome != OUTCOME_RETRY)
            return outcome;
        woken = WOKEN;
        if (word_take(m, woken))
            return OUTCOME_OWNED;
    }
}

static inline void note_locker(struct mutex *m)
{
    struct thread *t = thread_self();

    m->locker = t && !t->current->thread ? atomic_load_explicit(&t->current->id, memory_order_relaxed) : 0;
}

static __attribute__((noinline)) void mutex_lock_wait(struct mutex *m, unsigned flags)
{
    wait_check(g_self(), mutex_lock_slow(m, flags));
    note_locker(m);
}

static inline void mutex_lock(struct mutex *m, unsigned flags)
{
    uint32_t free = 0;

    if (!atomic_compare_exchange_strong(&m->word, &free, LOCKED)) {
        mutex_lock_wait(m, flags);
        return;
    }
    note_locker(m);
}

void go_mutex_lock(go_mutex *mutex)
{
    mutex_lock((struct mutex *)mutex, 0);
}

int go_mutex_trylock(go_mutex *mutex)
{
    struct mutex *m = (struct mutex *)mutex;

    if (!word_take(m, 0))
        return 0;
    note_locker(m);
    return 1;
}

/*
 * False: there is nobody to wake after all. The last touch of the mutex is the one that makes it free,
 * outside its own lock: whoever takes it then may also free its memory.
 */
static bool mutex_unlock_slow(struct mutex *m)
{
    unsigned outcome = OUTCOME_RETRY;
    struct waiter *w;
    struct g *g;

    lock_take(&m->lock, RANK_CHAN);
    w = mutex_claim(m, &outcome);
    g = w ? w->g : NULL;
    if (list_empty(queue_list(&m->waiters)))
        atomic_fetch_and(&m->word, ~(uint32_t)WAITERS);
    if (g && outcome == OUTCOME_RETRY)
        atomic_fetch_or(&m->word, WOKEN);
    lock_drop(&m->lock);
    if (!g)
        return false;
    if (outcome == OUTCOME_RETRY)
        atomic_fetch_and(&m->word, ~(uint32_t)LOCKED);
    wake(g);
    return true;
}

static __attribute__((noinline)) void mutex_unlock_wake(struct mutex *m)
{
    uint32_t word = atomic_load_explicit(&m->word, memory_order_relaxed);

    for (;;) {
        if (!(word & LOCKED))
            panic_fatal("unlock of a mutex that is not locked (last locked by goroutine %llu)",
                        (unsigned long long)m->locker);
        if (!(word & WAITERS) || word & WOKEN) {
            if (atomic_compare_exchange_weak(&m->word, &word, word & ~(uint32_t)LOCKED))
                return;
        } else if (mutex_unlock_slow(m)) {
            return;
        } else {
            word = atomic_load_explicit(&m->word, memory_order_relaxed);
        }
    }
}

void go_mutex_unlock(go_mutex *mutex)
{
    struct mutex *m = (struct mutex *)mutex;
    uint32_t word = LOCKED;

    if (!atomic_compare_exchange_strong(&m->word, &word, 0))
        mutex_unlock_wake(m);
}

/* ---- cond ---- */

/* Locks again before it unwinds, too: what the caller deferred will unlock. */
void go_cond_wait(go_cond *cond, go_mutex *mutex)
{
    struct cond *c = (struct cond *)cond;
    struct waiter w = {.outcome = 0};
    unsigned outcome;

    copy_check(&c->self, c, "cond");
    lock_take(&c->lock, RANK_CHAN);
    w.g = g_self();
    w.ticket = wait_open(w.g, home_note(&c->home, w.g));
    list_append(queue_list(&c->waiters), &w.link);
    wait_on(w.g, &c->lock, WAIT_ON_LOCK);
    lock_drop(&c->lock);
    go_mutex_unlock(mutex);
    outcome = park(w.g, "cond");
    lock_take(&c->lock, RANK_CHAN);
    list_remove(&w.link);
    lock_drop(&c->lock);
    mutex_lock((struct mutex *)mutex, WAIT_MASKED);
    wait_check(w.g, outcome);
}

void go_cond_signal(go_cond *cond)
{
    struct cond *c = (struct cond *)cond;
    struct waiter *w;
    struct g *g;

    copy_check(&c->self, c, "cond");
    home_note(&c->home, g_self());
    lock_take(&c->lock, RANK_CHAN);
    w = waiter_claim(queue_list(&c->waiters));
    g = w ? w->g : NULL;
    lock_drop(&c->lock);
    if (g)
        wake(g);
}

static void waiters_all(struct list *queue, struct wake_list *wakes)
{
    struct waiter *w;

    while ((w = waiter_claim(queue_list(queue))))
        wake_later(wakes, w->g);
}

void go_cond_broadcast(go_cond *cond)
{
    struct cond *c = (struct cond *)cond;
    struct wake_list wakes;

    copy_check(&c->self, c, "cond");
    home_note(&c->home, g_self());
    wake_list_init(&wakes);
    lock_take(&c->lock, RANK_CHAN);
    waiters_all(&c->waiters, &wakes);
    lock_drop(&c->lock);
    wake_all(&wakes);
}

/* ---- wait group ---- */

static void round_ends(struct waitgroup *w, struct wake_list *wakes)
{
    struct waiter *waiter;

    while ((waiter = waiter_claim(queue_list(&w->waiters)))) {
        w->woken = waiter->g;
        w->woken_ticket = waiter->ticket;
        wake_later(wakes, waiter->g);
    }
}

/* A wait group belongs to one round at a time: whoever begins the next must know that the last is over. */
static bool round_overlaps(const struct waitgroup *w, int n)
{
    return w->n == 0 && n > 0 && w->woken && wait_returning(w->woken, w->woken_ticket);
}

void go_waitgroup_add(go_waitgroup *group, int n)
{
    struct waitgroup *w = (struct waitgroup *)group;
    struct wake_list wakes;
    bool misused;
    int64_t now;

    copy_check(&w->self, w, "wait group");
    home_note(&w->home, g_self());
    wake_list_init(&wakes);
    lock_take(&w->lock, RANK_CHAN);
    now = w->n + n;
    misused = round_overlaps(w, n);
    if (now >= 0 && !misused)
        w->n = now;
    if (now == 0)
        round_ends(w, &wakes);
    lock_drop(&w->lock);
    wake_all(&wakes);
    if (now < 0)
        go_panic("negative WaitGroup counter: %lld%+d", (long long)(now - n), n);
    if (misused)
        go_panic("WaitGroup misuse: add from 0 while a waiter of the last round has not returned");
}

void go_waitgroup_done(go_waitgroup *group)
{
    go_waitgroup_add(group, -1);
}

void waitgroup_wait(go_waitgroup *group, unsigned flags)
{
    struct waitgroup *w = (struct waitgroup *)group;
    struct waiter self = {.outcome = 0};
    struct g *g = g_self();
    unsigned outcome;

    copy_check(&w->self, w, "wait group");
    lock_take(&w->lock, RANK_CHAN);
    if (w->n == 0) {
        lock_drop(&w->lock);
        return;
    }
    outcome = queue_wait(queue_list(&w->waiters), &w->lock, &self, false, "wait group",
                         flags | home_note(&w->home, g));
    wait_check(g, outcome);
}

void go_waitgroup_wait(go_waitgroup *group)
{
    waitgroup_wait(group, 0);
}

int64_t go_waitgroup_count(go_waitgroup *group)
{
    struct waitgroup *w = (struct waitgroup *)group;
    int64_t n;

    lock_take(&w->lock, RANK_CHAN);
    n = w->n;
    lock_drop(&w->lock);
    return n;
}

struct counted {
    go_waitgroup *group;
    void (*fn)(void *);
    void *arg;
};

static void counted_end(void *p)
{
    struct counted *c = p;

    if (!unwind_is_panic(g_self()))
        go_waitgroup_done(c->group);
    free(c);
}

static void counted_run(void *p)
{
    struct counted *c = p;

    go_defer(counted_end, c);
    c->fn(c->arg);
}

int go_waitgroup_go(go_waitgroup *group, void (*fn)(void *arg), const void *arg, size_t arg_bytes)
{
    struct counted *c;
    void *copy;
    int r;

    if (arg_bytes > GO_ARG_BYTES_MAX)
        return -EINVAL;
    c = arg_block(sizeof *c, arg, arg_bytes, &copy);
    if (!c)
        return -ENOMEM;
    *c = (struct counted){.group = group, .fn = fn, .arg = copy};
    go_waitgroup_add(group, 1);
    r = spawn_for(counted_run, c, "go_waitgroup_go", __builtin_return_address(0));
    if (r == 0)
        return 0;
    go_waitgroup_done(group);
    free(c);
    return r;
}

/* ---- once ---- */

static void once_end(struct once **p)
{
    struct once *o = *p;
    struct wake_list wakes;

    wake_list_init(&wakes);
    lock_take(&o->lock, RANK_CHAN);
    atomic_store(&o->done, 1);
    waiters_all(&o->waiters, &wakes);
    lock_drop(&o->lock);
    wake_all(&wakes);
}

/* The cleanup runs on return, panic and exit alike (O2). */
static void once_run(struct once *o, void (*fn)(void *), void *arg)
{
    _cleanup_(once_end) struct once *running = o;

    (void)running;
    fn(arg);
}

void go_once_do(go_once *once, void (*fn)(void *arg), void *arg)
{
    struct once *o = (struct once *)once;
    struct waiter w = {.outcome = 0};

    if (atomic_load(&o->done))
        return;
    copy_check(&o->self, o, "once");
    lock_take(&o->lock, RANK_CHAN);
    if (atomic_load(&o->done)) {
        lock_drop(&o->lock);
    } else if (o->running) {
        wait_check(g_self(), queue_wait(queue_list(&o->waiters), &o->lock, &w, false, "once", 0));
    } else {
        o->running = true;
        lock_drop(&o->lock);
        once_run(o, fn, arg);
    }
}
