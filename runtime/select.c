/*
 * Select in three passes, the first two under the locks of all channels, taken in the order of their addresses:
 *   1 draw one of the cases that are ready, and do it;
 *   2 else enter every queue and park; who comes claims the wait through one entry and does that case's work;
 *   3 leave the queues that did not win, one after the other.
 * Send and receive without a context have a shorter way (single.c).
 *
 * Invariants: between pass 2 and 3 the entries and the values they point to stay where they are; exactly one
 * claim decides; a destination is written only through the entry that was claimed (S11).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "bubble.h"
#include "chan.h"
#include "group.h"
#include "scheduler.h"
#include "select.h"
#include "waiting.h"

enum { FEW_CASES = 6 };

/* One case as the passes see it. The until's context is one too, behind those of the caller. */
struct arm {
    struct go_chan *chan; /* NULL: never ready */
    void *value;
    int result;
    bool sends;
    struct waiter waiter;
};

struct select {
    struct g *g;
    struct arm *arms;
    int n;                  /* arms, with that of the until's context */
    struct go_chan **locks; /* each channel once, rising */
    int locks_n;
    go_until until;
};

/* ---- setting up ---- */

static void arm_set(struct arm *a, const struct go_case *k)
{
    a->value = k->value;
    a->sends = k->op == GO_OP_SEND;
    a->result = 0;
    a->chan = case_chan(k);
}

static void sift(struct go_chan **v, int root, int n)
{
    for (int child; (child = 2 * root + 1) < n; root = child) {
        struct go_chan *c = v[root];

        if (child + 1 < n && v[child] < v[child + 1])
            child++;
        if (c >= v[child])
            return;
        v[root] = v[child];
        v[child] = c;
    }
}

/* Heap sort: no memory, no quadratic case. */
static void locks_sort_many(struct go_chan **v, int n)
{
    for (int i = n / 2; i-- > 0;)
        sift(v, i, n);
    for (int end = n - 1; end > 0; end--) {
        struct go_chan *c = v[0];

        v[0] = v[end];
        v[end] = c;
        sift(v, 0, end);
    }
}

/* Few are sorted by insertion: channels are often made in the order in which a select names them. */
static void locks_sort(struct go_chan **v, int n)
{
    if (n > FEW_CASES + 1) {
        locks_sort_many(v, n);
        return;
    }
    for (int i = 1; i < n; i++) {
        struct go_chan *c = v[i];
        int at = i;

        for (; at > 0 && v[at - 1] > c; at--)
            v[at] = v[at - 1];
        v[at] = c;
    }
}

static void locks_collect(struct select *s)
{
    int n = 0, unique = 0;

    for (int i = 0; i < s->n; i++)
        if (s->arms[i].chan)
            s->locks[n++] = s->arms[i].chan;
    if (n > 1)
        locks_sort(s->locks, n);
    for (int i = 0; i < n; i++)
        if (unique == 0 || s->locks[i] != s->locks[unique - 1])
            s->locks[unique++] = s->locks[i];
    s->locks_n = unique;
}

/* On a thread without a processor: a count, well mixed. */
static uint64_t random_word(void)
{
    static _Atomic uint64_t draws;
    struct thread *t = thread_self();
    uint64_t x;

    if (t && t->proc)
        return proc_random(t->proc);
    x = (atomic_fetch_add(&draws, 1) + 1) * 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

/* From 0 to n - 1. A product and no division: the bias is below n / 2^32. */
static int draw(int n)
{
    return (int)((random_word() >> 32) * (uint64_t)n >> 32);
}

static void locks_take(const struct select *s)
{
    for (int i = 0; i < s->locks_n; i++)
        lock_take(&s->locks[i]->lock, RANK_CHAN);
}

static void locks_drop(const struct select *s)
{
    for (int i = s->locks_n; i-- > 0;)
        lock_drop(&s->locks[i]->lock);
}

/* ---- the passes ---- */

/* Who waits there may be claimed elsewhere meanwhile: only trying tells. */
static inline bool arm_seems_ready(const struct arm *a)
{
    struct go_chan *c = a->chan;
    size_t count;

    if (!c)
        return false;
    count = atomic_load_explicit(&c->count, memory_order_relaxed);
    return c->closed || (a->sends ? count < c->capacity || waiters_any(&c->receivers)
                                  : count > 0 || waiters_any(&c->senders));
}

/* One of those that seem ready, each as likely as the others (S2); -1: none is. */
static int ready_draw(const struct select *s)
{
    int seen = 0, drawn = -1;

    for (int i = 0; i < s->n; i++)
        if (arm_seems_ready(&s->arms[i]) && (seen++ == 0 || draw(seen) == 0))
            drawn = i;
    return drawn;
}

static bool arm_try(struct arm *a, struct wake_list *wakes)
{
    return a->sends ? chan_try_send(a->chan, a->value, &a->result, wakes)
                    : chan_try_recv(a->chan, a->value, &a->result, wakes);
}

/* The index of the case that was done, or -1. */
static int pass_look(struct select *s, struct wake_list *wakes)
{
    int i;

    while ((i = ready_draw(s)) >= 0 && !arm_try(&s->arms[i], wakes))
        continue;
    return i;
}

static unsigned locality(const struct select *s)
{
    unsigned local = WAIT_GROUP | WAIT_BUBBLE;

    for (int i = 0; i < s->locks_n; i++)
        local &= chan_locality(s->locks[i], s->g);
    if (s->until.ns != GO_NS_FOREVER)
        local &= ~(unsigned)WAIT_GROUP;
    return local;
}

static uint64_t pass_enter(struct select *s)
{
    uint64_t ticket = wait_open(s->g, scope_has(s->g) ? locality(s) : 0);

    for (int i = 0; i < s->n; i++) {
        struct arm *a = &s->arms[i];

        if (!a->chan)
            continue;
        a->waiter.g = s->g;
        a->waiter.ticket = ticket;
        a->waiter.outcome = (unsigned)i;
        a->waiter.sole = false;
        a->waiter.value = a->value;
        a->waiter.result = &a->result;
        list_append(a->sends ? &a->chan->senders : &a->chan->receivers, &a->waiter.link);
    }
    return ticket;
}

/* The entry that was claimed has left its queue already: its channel may be gone. */
static void pass_leave(struct select *s, unsigned outcome)
{
    for (int i = 0; i < s->n; i++) {
        struct arm *a = &s->arms[i];

        if (!a->chan || outcome == (unsigned)i)
            continue;
        lock_take(&a->chan->lock, RANK_CHAN);
        list_remove(&a->waiter.link);
        lock_drop(&a->chan->lock);
    }
}

static const char *wait_reason(const struct select *s, int cases)
{
    if (cases != 1)
        return "select";
    if (!s->arms[0].chan)
        return s->arms[0].sends ? "chan send (nil channel)" : "chan receive (nil channel)";
    return s->arms[0].sends ? "chan send" : "chan receive";
}

/* Locks held, nothing ready: parks; returns the outcome. */
static unsigned select_wait(struct select *s, const char *reason)
{
    uint64_t ticket = pass_enter(s);
    unsigned outcome;

    locks_drop(s);
    wait_on(s->g, s->locks, s->locks_n);
    wait_deadline(s->g, ticket, s->until.ns);
    outcome = park(s->g, reason);
    pass_leave(s, outcome);
    return outcome;
}

/* The index of the case that took effect, or a negative errno value. */
static int select_run(struct select *s, int cases, const char *reason)
{
    struct wake_list wakes;
    unsigned outcome;
    int ready;

    locks_collect(s);
    wake_list_init(&wakes);
    locks_take(s);
    ready = pass_look(s, &wakes);
    if (ready >= 0 || s->until.ns == GO_NS_NOW) {
        locks_drop(s);
        wake_all(&wakes);
        outcome = (unsigned)ready;
        if (ready < 0)
            return -EAGAIN;
    } else {
        outcome = select_wait(s, reason ? reason : wait_reason(s, cases));
    }
    if (outcome < (unsigned)cases)
        return (int)outcome;
    return wait_failed(s->g, outcome == (unsigned)cases ? OUTCOME_DONE : outcome, s->until.ctx);
}

/* Fills the arms; the room is for n + 1 of everything. Checks what must hold before anything is taken. */
static int select_begin(struct select *s, const struct go_case *cases, int n)
{
    struct go_case done = GO_DONE(s->until.ctx);
    int over;

    s->g = g_self();
    over = until_over(s->g, s->until);
    if (over)
        return over;
    for (int i = 0; i < n; i++)
        arm_set(&s->arms[i], &cases[i]);
    s->n = n;
    if (s->until.ctx && ctx_done(s->until.ctx))
        arm_set(&s->arms[s->n++], &done);
    for (int i = 0; i < n; i++)
        if (s->arms[i].chan)
            bubble_check(s->arms[i].chan->bubble, s->g, "channel");
    return 0;
}

static int select_few(struct go_case *cases, int n, go_until until, const char *reason)
{
    struct arm arms[FEW_CASES + 1];
    struct go_chan *locks[FEW_CASES + 1];
    struct select s = {.arms = arms, .locks = locks, .until = until};
    int chosen = select_begin(&s, cases, n);

    if (chosen == 0)
        chosen = select_run(&s, n, reason);
    if (chosen >= 0)
        cases[chosen].result = arms[chosen].result;
    return chosen;
}

static int select_many(struct go_case *cases, int n, go_until until)
{
    size_t room = (size_t)n + 1;
    _cleanup_(cleanup_free) struct arm *arms = malloc(room * sizeof *arms);
    _cleanup_(cleanup_free) struct go_chan **locks = malloc(room * sizeof *locks);
    struct select s = {.arms = arms, .locks = locks, .until = until};
    int chosen;

    if (!arms || !locks)
        return -ENOMEM;
    chosen = select_begin(&s, cases, n);
    if (chosen == 0)
        chosen = select_run(&s, n, NULL);
    if (chosen >= 0)
        cases[chosen].result = arms[chosen].result;
    return chosen;
}

int go_select(struct go_case *cases, int n, go_until until)
{
    if (n < 0)
        return -EINVAL;
    if (n > GO_CASES_MAX)
        return -E2BIG;
    return n <= FEW_CASES ? select_few(cases, n, until, NULL) : select_many(cases, n, until);
}

int select_one(struct go_case k, go_until until, const char *reason)
{
    int chosen = select_few(&k, 1, until, reason);

    return chosen == 0 ? k.result : chosen;
}

int go_timer_wait(go_timer *t, int64_t *fired_ns, go_until until)
{
    return select_one(GO_TIMER(t, fired_ns), until, "timer");
}

int go_ctx_wait(go_ctx *ctx, go_until until)
{
    return select_one(GO_DONE(ctx), until, "context");
}

int select_none(go_until until, const char *reason)
{
    return select_few(NULL, 0, until, reason);
}
