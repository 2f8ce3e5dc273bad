/*
 * One wait: opened by the waiter, ended by exactly one claim, followed by exactly one wake.
 *
 *     wait_open(g)                  the waiter names the wait: ticket and "open" in one word
 *     enqueue {g, ticket} somewhere, arm a deadline, ...
 *     park(g, ...)                  sleeps until it was claimed and woken; returns the outcome
 *
 *     wait_claim(g, ticket, x)      whoever wants to end it: true for one caller only, ...
 *     wake(g)                       ... who must then wake it, after dropping its locks
 *
 * Nothing is lost when claim and wake come before the park, and nothing dangles when they come too late:
 * tickets only count up and a struct g is never freed.
 */
#pragma once

#include <assert.h>

#include "clock.h"
#include "g.h"
#include "group.h"

/* Outcomes below OUTCOME_TIMEOUT belong to who waits for what: a case's index, a value given to go_ready. */
enum outcome {
    OUTCOME_TIMEOUT = GO_OUTCOME_MAX + 1,
    OUTCOME_DONE,  /* the context of the until */
    OUTCOME_SCOPE, /* the goroutine's group ended */
    OUTCOME_OPEN = (1 << 20) - 1,
};

enum {
    WAIT_MASKED_BIT = 1 << 20, /* the end of the scope leaves this wait alone */
    WAIT_TICKET_SHIFT = 21,
};

/* Flags of a wait. */
enum {
    WAIT_MASKED = 1,
    WAIT_GROUP = 2,  /* only members of its group can end it */
    WAIT_BUBBLE = 4, /* only members of its bubble, or a timer of it */
};

/*
 * Opens a wait of the calling goroutine and returns its ticket. Whoever learns the ticket learns it through a lock; only
 * the end of a scope comes by itself, and park looks for that after the opening: both in one order.
 */
static inline uint64_t wait_open(struct g *g, unsigned flags)
{
    uint64_t ticket = (atomic_load_explicit(&g->wait, memory_order_relaxed) >> WAIT_TICKET_SHIFT) + 1;
    uint64_t word =
        ticket << WAIT_TICKET_SHIFT | (flags & WAIT_MASKED ? (uint64_t)WAIT_MASKED_BIT : 0) | OUTCOME_OPEN;

    g->durable = flags & (WAIT_GROUP | WAIT_BUBBLE);
    if (scope_has(g))
        atomic_store(&g->wait, word);
    else
        atomic_store_explicit(&g->wait, word, memory_order_release);
    return ticket;
}

bool wait_claim(struct g *g, uint64_t ticket, unsigned outcome);

/* Whether the wait of that ticket was claimed and g has not come out of its park yet. A glance: it may be on the way. */
bool wait_returning(struct g *g, uint64_t ticket);

/* Claims whatever unmasked wait g is in, as OUTCOME_SCOPE; false if it is in none. */
bool wait_claim_scope(struct g *g);

/* Names what the open wait is for, for reports until it ends: n channels (an array that stays while g is
 * parked), or the lock of one object of sync. */
enum { WAIT_ON_LOCK = -1 };
static inline void wait_on(struct g *g, const void *objects, int n)
{
    atomic_store_explicit(&g->objects, objects, memory_order_relaxed);
    atomic_store_explicit(&g->objects_n, n, memory_order_relaxed);
}

/* Arms the deadline; GO_NS_FOREVER arms nothing. The wait is open. */
void wait_deadline(struct g *g, uint64_t ticket, int64_t ns);

/* Parks the calling goroutine until its open wait is claimed and woken; disarms the deadline. No lock may be
 * held. `reason` lives for ever. */
unsigned park(struct g *g, const char *reason);

/* The same, with the deadline and the context of an until that is not over on arrival. */
unsigned park_until(struct g *g, const char *reason, uint64_t ticket, go_until until);

/* After a successful claim. No lock above RANK_TIMER may be held. */
void wake(struct g *g);

/* Ready ones collected under a lock, woken after it. */
struct wake_list {
    struct g *first, **last;
    int n;
};

static inline void wake_list_init(struct wake_list *list)
{
    list->first = NULL;
    list->last = &list->first;
    list->n = 0;
}

static inline void wake_later(struct wake_list *list, struct g *g)
{
    *list->last = g;
    list->last = &g->queue;
    list->n++;
}

void wake_listed(struct wake_list *list);

/* Empties the list. */
static inline void wake_all(struct wake_list *list)
{
    if (list->n)
        wake_listed(list);
}

/*
 * What a call that can fail returns for an outcome that is no success: -ETIMEDOUT, the error of `ctx`, or for
 * the end of the scope -ECANCELED, the first time. The next time it does not return: the goroutine unwinds.
 * No lock may be held and nothing may be left in any queue.
 */
int wait_failed(struct g *g, unsigned outcome, go_ctx *ctx);

/* For a wait that cannot fail: unwinds if the scope ended. */
void wait_check(struct g *g, unsigned outcome);

int until_limit_over(struct g *g, go_until until);

/* -ETIMEDOUT or the error of the context when `until` is over on arrival, else 0. A mark for "now" is not over. */
static inline int until_over(struct g *g, go_until until)
{
    return until.ns == GO_NS_FOREVER && !until.ctx ? 0 : until_limit_over(g, until);
}

/* Who takes it from a queue only tells it, and goes on to the next: it neither gives nor takes a value. */
#define WAITER_WATCHES (1u << 31)

/* One who waits in a queue: on the waiter's stack while it is parked. */
struct waiter {
    struct list link;
    struct g *g;
    uint64_t ticket;
    unsigned
        outcome; /* what a claim through this entry means; with WAITER_WATCHES it is a watcher's (watch.c) */
    bool sole;   /* nothing else can end the wait: no deadline, no context, no scope, no other queue */
    void *value; /* what is sent, where it is received */
    int *result;
    int64_t since_ns;
};

/* Takes the first that can still be claimed out of the queue and claims it; those whose wait is over are
 * dropped (F2), and watchers told. */
struct waiter *waiter_claim_next(struct list *queue);

/* Who holds the queue's lock is the only one who can claim a wait that is in no other queue. */
static inline struct waiter *sole_claim(struct waiter *w)
{
    assert(atomic_load(&w->g->wait) == (w->ticket << WAIT_TICKET_SHIFT | OUTCOME_OPEN));
    list_remove(&w->link);
    atomic_store_explicit(&w->g->wait, w->ticket << WAIT_TICKET_SHIFT | w->outcome, memory_order_release);
    return w;
}

static inline struct waiter *waiter_claim(struct list *queue)
{
    struct waiter *w = list_first(queue, struct waiter, link);

    if (!w)
        return NULL;
    return w->sole ? sole_claim(w) : waiter_claim_next(queue);
}

/* Whether the wait of an entry is still open. A glance. */
bool waiter_waits(const struct waiter *w);

/* Drops those at the front whose wait is over; whether one is left. Somebody else may yet claim it. */
bool waiters_look(struct list *queue);

/* The same for any queue. */
static inline bool waiters_any(struct list *queue)
{
    struct waiter *w = list_first(queue, struct waiter, link);

    return w && (w->sole || waiters_look(queue));
}
