#include "waiting.h"

#include <assert.h>
#include <errno.h>

#include "bubble.h"
#include "chan.h"
#include "context.h"
#include "dump.h"
#include "fatal.h"
#include "frames.h"
#include "futex.h"
#include "group.h"
#include "scheduler.h"
#include "trace.h"

/* False: somebody else was first, or only the mask changed; *word is now what there is. */
static bool word_claim(struct g *g, uint64_t *word, unsigned outcome)
{
    return atomic_compare_exchange_strong(&g->wait, word, (*word & ~(uint64_t)OUTCOME_OPEN) | outcome);
}

static bool word_is_open(uint64_t word)
{
    return (word & OUTCOME_OPEN) == OUTCOME_OPEN;
}

bool wait_claim(struct g *g, uint64_t ticket, unsigned outcome)
{
    uint64_t word = atomic_load(&g->wait);

    while (word >> WAIT_TICKET_SHIFT == ticket && word_is_open(word))
        if (word_claim(g, &word, outcome))
            return true;
    return false;
}

bool wait_returning(struct g *g, uint64_t ticket)
{
    return atomic_load(&g->wait) >> WAIT_TICKET_SHIFT == ticket && *atomic_load(&g->reason);
}

bool wait_claim_scope(struct g *g)
{
    uint64_t word = atomic_load(&g->wait);

    while (!(word & WAIT_MASKED_BIT) && word_is_open(word))
        if (word_claim(g, &word, OUTCOME_SCOPE))
            return true;
    return false;
}

static void deadline_fire(void *owner, uint64_t tag, int64_t now_ns)
{
    struct g *g = owner;

    if (wait_claim(g, tag, OUTCOME_TIMEOUT))
        wake(g);
}

void wait_deadline(struct g *g, uint64_t ticket, int64_t ns)
{
    struct timers *timers;

    if (ns == GO_NS_FOREVER)
        return;
    timers = g->bubble ? bubble_timers(g->bubble) : sched_timers(g);
    g->begun->deadline.owner = g;
    g->begun->deadline.fire = deadline_fire;
    if (!timer_arm(&g->begun->deadline, timers, ns, ticket))
        fatal("no memory for a %s", "timer");
    atomic_store_explicit(&g->timed, true, memory_order_relaxed);
    if (!g->bubble)
        sched_timer_armed(timers, ns);
}

/* ---- parking ---- */

static void thread_park(struct g *g)
{
    uint32_t none = TOKEN_NONE;

    if (g->heed & HEED_EACH)
        each_refuse(g, "wait");
    if (atomic_compare_exchange_strong(&g->token, &none, TOKEN_PARKED))
        while (atomic_load(&g->token) != TOKEN_READY)
            futex_wait(&g->token, TOKEN_PARKED, -1);
    atomic_store(&g->token, TOKEN_NONE);
}

/* The scope ended before this wait began: it would find nobody to end it. The root of a group is woken later. */
static bool scope_is_over(struct g *g)
{
    return scope_has(g) && scope_over(g) && wait_claim_scope(g) && !group_wakes_later(g);
}

unsigned park(struct g *g, const char *reason)
{
    if (!scope_is_over(g)) {
        atomic_store_explicit(&g->wait_since_ns, clock_coarse_ns(), memory_order_relaxed);
        atomic_store_explicit(&g->reason, reason, memory_order_relaxed);
        if (scope_has(g))
            scope_wait_begins(g);
        if (g->thread)
            thread_park(g);
        else
            sched_park(g);
        atomic_store_explicit(&g->reason, "", memory_order_relaxed);
    }
    atomic_store_explicit(&g->objects_n, 0, memory_order_relaxed);
    if (atomic_load_explicit(&g->timed, memory_order_relaxed)) {
        atomic_store_explicit(&g->timed, false, memory_order_relaxed);
        timer_disarm(&g->begun->deadline);
    }
    return atomic_load(&g->wait) & OUTCOME_OPEN;
}

unsigned park_until(struct g *g, const char *reason, uint64_t ticket, go_until until)
{
    struct waiter done = {.g = g, .ticket = ticket, .outcome = OUTCOME_DONE};
    go_chan *c = until.ctx ? ctx_done(until.ctx) : NULL;
    unsigned outcome;

    wait_deadline(g, ticket, until.ns);
    if (c)
        chan_watch_close(c, &done);
    outcome = park(g, reason);
    if (c)
        chan_unwatch(c, &done);
    return outcome;
}

/*
 * Whether g was parked, and must be made to run. A claim has one wake: nobody else writes the token of one that is parked,
 * so only one that is still on its way needs an exchange.
 */
static bool token_give(struct g *g)
{
    if (trace_on())
        trace_wake(g);
    if (scope_has(g))
        scope_wait_ends(g);
    if (atomic_load_explicit(&g->token, memory_order_acquire) != TOKEN_PARKED)
        return atomic_exchange(&g->token, TOKEN_READY) == TOKEN_PARKED;
    atomic_store_explicit(&g->token, TOKEN_READY, memory_order_release);
    return true;
}

/* Once it has its token a plain thread may run on and end, and its struct g become somebody else's. */
void wake(struct g *g)
{
    bool thread = g->thread;

    if (!token_give(g))
        return;
    if (thread)
        futex_wake(&g->token, 1);
    else
        sched_ready(g);
}

/* Those that were parked become ready together; the others find their token. */
static void wake_many(struct wake_list *list)
{
    struct wake_list ready;
    struct g *g = list->first, *after;

    *list->last = NULL;
    wake_list_init(&ready);
    for (; g; g = after) {
        bool thread = g->thread;

        after = g->queue;
        if (!token_give(g))
            continue;
        if (thread)
            futex_wake(&g->token, 1);
        else
            wake_later(&ready, g);
    }
    if (ready.n)
        sched_ready_list(&ready);
}

void wake_listed(struct wake_list *list)
{
    if (list->n == 1)
        wake(list->first);
    else
        wake_many(list);
    wake_list_init(list);
}

/* ---- outcomes ---- */

void wait_check(struct g *g, unsigned outcome)
{
    if (outcome == OUTCOME_SCOPE)
        unwind_exit(g);
}

int wait_failed(struct g *g, unsigned outcome, go_ctx *ctx)
{
    if (outcome == OUTCOME_TIMEOUT)
        return -ETIMEDOUT;
    if (outcome == OUTCOME_DONE)
        return ctx ? go_ctx_err(ctx) : -ECANCELED;
    assert(outcome == OUTCOME_SCOPE);
    if (g->scope_told)
        unwind_exit(g);
    g->scope_told = true;
    return -ECANCELED;
}

int until_limit_over(struct g *g, go_until until)
{
    int err = until.ctx ? go_ctx_err(until.ctx) : 0;

    if (err || until.ns == GO_NS_FOREVER || until.ns == GO_NS_NOW)
        return err;
    return until.ns <= clock_of(g) ? -ETIMEDOUT : 0;
}

bool waiter_waits(const struct waiter *w)
{
    uint64_t word = atomic_load(&w->g->wait);

    return word >> WAIT_TICKET_SHIFT == w->ticket && word_is_open(word);
}

/* Its entry has left the queue and may be gone as soon as its wait is claimed. */
static void watcher_tell(const struct waiter *w)
{
    struct g *g = w->g;

    if (wait_claim(g, w->ticket, w->outcome & ~WAITER_WATCHES))
        wake(g);
}

struct waiter *waiter_claim_next(struct list *queue)
{
    while (!list_empty(queue)) {
        struct waiter *w = list_first(queue, struct waiter, link);

        if (w->sole)
            return sole_claim(w);
        list_remove(&w->link);
        if (w->outcome & WAITER_WATCHES)
            watcher_tell(w);
        else if (wait_claim(w->g, w->ticket, w->outcome))
            return w;
    }
    return NULL;
}

bool waiters_look(struct list *queue)
{
    while (!list_empty(queue)) {
        struct waiter *w = list_first(queue, struct waiter, link);
        if (waiter_waits(w))
            return true;
        list_remove(&w->link);
    }
    return false;
}
