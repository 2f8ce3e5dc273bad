/*
 * Waiters: the places of parked operations in the queues of channels and jobs.
 *
 * Invariants: a queue is in order of tickets (F1), and a waiter keeps its ticket when it comes back after an undo
 * (IP5.2). Closing a channel splices its queues to core->resolved in O(1): those waiters have a ticket of at most
 * queue->spliced, and whoever meets one of their operations elsewhere asks op_gone first.
 */
#include <assert.h>
#include <errno.h>

#include "topic.h"

static struct wait_queue *waiter_queue(const struct waiter *w)
{
    return w->kind == CASE_SEND ? &w->channel->senders : &w->channel->receivers;
}

void waiter_create(struct core *core, struct op *op, uint32_t index, enum case_kind kind, struct handle *via)
{
    struct waiter *w = &op->waiters[index];

    w->kind = kind;
    w->index = index;
    w->ticket = ++core->ticket;
    w->max = 1;
    if (!via)
        return;
    w->via = via;
    via->waiters_n++;
    w->channel = via->channel;
    w->channel->waiters_n++;
}

void waiter_enter(struct core *core, struct waiter *w)
{
    if (list_linked(&w->link))
        return;
    if (w->kind == CASE_JOB) {
        list_append(jobs_case_waiters(core, w->object), &w->link);
        return;
    }
    if (w->kind == CASE_CTX) {
        list_append(context_case_waiters(core, w->object), &w->link);
        return;
    }
    struct wait_queue *q = waiter_queue(w);
    struct list *at = q->list.prev;

    assert(!w->channel->closed && "nobody begins to wait on a closed channel");
    while (at != &q->list && container_of(at, struct waiter, link)->ticket > w->ticket)
        at = at->prev;
    list_insert_before(at->next, &w->link);
    q->count++;
}

void waiter_leave(struct core *core, struct waiter *w)
{
    if (!list_linked(&w->link))
        return;
    list_remove(&w->link);
    if (!w->channel)
        return;
    struct wait_queue *q = waiter_queue(w);
    if (w->ticket <= q->spliced)
        core->resolved_n--;
    else
        q->count--;
}

/* Its session takes nothing more for now (IP6.2): out of the queue, with its ticket, until it is relieved. */
static void pass_over(struct core *core, struct waiter *w)
{
    struct op *op = w->op;

    waiter_leave(core, w);
    if (!list_linked(&op->entry.out))
        list_append(&op->scope->session->passed_over, &op->entry.out);
}

static bool expired(const struct core *core, const struct op *op)
{
    return timer_armed(&op->timer) && op->timer.at_ns <= core->now.mono_ns;
}

static struct waiter *queue_first(struct core *core, struct wait_queue *q, const struct op *self)
{
    struct list *at = q->list.next;

    while (at != &q->list) {
        struct waiter *w = container_of(at, struct waiter, link);
        struct op *op = w->op;

        at = at->next;
        if (op == self)
            continue;
        if (op_gone(core, op)) {
            waiter_leave(core, w);
        } else if (expired(core, op)) {
            op_stop(core, op, -ETIMEDOUT);
            at = q->list.next; /* other waiters of it may have left too */
        } else if (w->kind == CASE_RECV && session_full(core, op->scope->session)) {
            pass_over(core, w);
        } else {
            return w;
        }
    }
    return NULL;
}

struct waiter *receiver_first(struct core *core, struct channel *c, const struct op *self)
{
    return queue_first(core, &c->receivers, self);
}

struct waiter *sender_first(struct core *core, struct channel *c, const struct op *self)
{
    return queue_first(core, &c->senders, self);
}

struct waiter *op_resolved(const struct core *core, struct op *op)
{
    if (!core->resolved_n)
        return NULL;
    for (uint32_t i = 0; i < op->waiters_n; i++) {
        struct waiter *w = &op->waiters[i];

        if (w->channel && w->channel->closed && list_linked(&w->link))
            return w;
    }
    return NULL;
}

void waiter_closed(struct core *core, struct waiter *w)
{
    struct op *op = w->op;

    op->index = w->index;
    if (w->kind == CASE_SEND)
        return op_stop(core, op, -EPIPE);
    if (subscription_failed(core, op, w->channel))
        return;
    op->flags |= RESULT_CLOSED;
    op_finish(core, op, 0);
}

size_t resolved_sweep(struct core *core, size_t most)
{
    for (; most && !list_empty(&core->resolved); most--) {
        struct waiter *w = list_first(&core->resolved, struct waiter, link);

        if (w->op->scope->ended)
            waiter_leave(core, w);
        else
            waiter_closed(core, w);
    }
    return most;
}
