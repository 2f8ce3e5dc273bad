/*
 * Matching: how values pass between senders, buffer and receivers.
 *
 * Invariants (B4): a receiver in the queue implies that no value is there, unless it is a case of the only
 * operation that sends; a free slot implies that no sender is in the queue; returned values lie ahead of the
 * buffer, in the order in which they first entered, and do not count in the capacity (IP3). Values on their way through the
 * store (durable.c) do count, and nobody passes them.
 * Everything here moves items between lists: nothing allocates, nothing can fail.
 */
#include <assert.h>
#include <errno.h>

#include "durable.h"
#include "kept.h"

static bool has_room(const struct channel *c)
{
    return c->length + c->storing_n < c->capacity && !c->closing && (c->store_id || !c->storing_n);
}

/* Sender and receiver may meet: nothing lies between them. */
static bool is_direct(const struct channel *c)
{
    return !c->store_id && !c->storing_n;
}

bool channel_readable(struct core *core, struct channel *c, const struct op *self)
{
    return c->closed || c->returned_n || c->length || (is_direct(c) && sender_first(core, c, self));
}

bool channel_writable(struct core *core, struct channel *c, const struct op *self)
{
    return c->closed || c->closing || has_room(c) || c->full != FULL_BLOCK ||
           (is_direct(c) && receiver_first(core, c, self));
}

/* The simulator's bug: a value that one receiver has is there for the next one too. */
static void plant_twin(struct core *core, struct channel *c, const struct item *item)
{
    struct value value = {.body = {item->data, item->size}};
    struct item *twin;

    if (item->sequence % 8 || item->flags & VALUE_FLAGS || c->closed || item->sender || item->letter ||
        item_new(core, c, item->account, &value, &twin) < 0)
        return;
    twin->sequence = item->sequence;
    twin->flags = VALUE_RETURNED;
    list_prepend(&c->returned, &twin->link);
    c->returned_n++;
}

static void item_receive(struct core *core, struct channel *c, struct item *item, struct op *op)
{
    list_remove(&item->link);
    list_append(&op->items, &item->link);
    cargo_lend(item, op->scope);
    c->delivered_n++;
    c->received++;
    if (PLANTED(DOUBLE_GRANT))
        plant_twin(core, c, item);
}

/* The first unsent value of a sender leaves it: for the buffer, for a receiver who must acknowledge it when the
 * channel is unbuffered (IP2.1, IP2.2), or for the store. */
static struct item *sender_yield(struct channel *c, struct waiter *w)
{
    struct item *item = list_first(&w->unsent, struct item, link);

    list_remove(&item->link);
    c->sent++;
    if (!item->sequence)
        item->sequence = ++c->sequence;
    if (!c->store_id && (c->capacity || c->flags & OPEN_SYNC_MATCH)) {
        w->op->sent++;
    } else {
        item->sender = w->op;
        list_append(&w->op->handed, &item->sender_link);
    }
    return item;
}

/* A sender whose values are all gone is finished, or waits for their ACKs, or for the store. */
static void sender_progress(struct core *core, struct waiter *w)
{
    struct op *op = w->op;

    if (!list_empty(&w->unsent))
        return;
    if (!list_empty(&op->handed))
        return op_hand(core, op, w->index);
    op->index = w->index;
    op_finish(core, op, (int32_t)op->sent);
}

static void buffer_push(struct channel *c, struct item *item)
{
    list_append(&c->buffer, &item->link);
    c->length++;
}

/* There is room. */
static void enter(struct core *core, struct channel *c, struct waiter *w)
{
    struct item *item = sender_yield(c, w);

    if (c->store_id)
        durable_enter(core, c, item);
    else
        buffer_push(c, item);
}

/* One of a subscription. There is room. */
void channel_put(struct channel *c, struct item *item)
{
    item->sequence = ++c->sequence;
    c->sent++;
    buffer_push(c, item);
}

/* B3: the slot that a receive has freed goes to the first parked sender in the same step. */
static void buffer_refill(struct core *core, struct channel *c, const struct op *self)
{
    struct waiter *w;

    if (c->subscription)
        return subscription_room(core, c->subscription);
    while (has_room(c) && (w = sender_first(core, c, self))) {
        enter(core, c, w);
        sender_progress(core, w);
    }
}

static bool take_one(struct core *core, struct channel *c, struct op *op)
{
    struct waiter *w;

    if (c->returned_n) {
        c->returned_n--;
        item_receive(core, c, list_first(&c->returned, struct item, link), op);
    } else if (c->length) {
        c->length--;
        item_receive(core, c, list_first(&c->buffer, struct item, link), op);
        buffer_refill(core, c, op);
    } else if (is_direct(c) && (w = sender_first(core, c, op))) {
        item_receive(core, c, sender_yield(c, w), op);
        sender_progress(core, w);
    } else {
        return false;
    }
    return true;
}

size_t channel_take(struct core *core, struct channel *c, struct op *op, size_t max)
{
    size_t n = 0;

    while (n < max && take_one(core, c, op))
        n++;
    if (n)
        durable_received(core, c, op);
    if (n && member_marks(c))
        member_received(core, c->subscription, op);
    return n;
}

static void receiver_done(struct core *core, struct waiter *r, size_t n)
{
    struct op *op = r->op;

    op->index = r->index;
    op_finish(core, op, (int32_t)n);
}

/* From the sender straight to a waiting receiver: the buffer is empty (B4). */
static void give(struct core *core, struct channel *c, struct waiter *w, struct waiter *r)
{
    size_t n = 0;

    assert(!c->length && !c->returned_n && "B4: no value is passed by another one");
    for (; n < r->max && !list_empty(&w->unsent); n++)
        item_receive(core, c, sender_yield(c, w), r->op);
    receiver_done(core, r, n);
}

/* A full channel that does not block. */
static void overflow(struct core *core, struct channel *c, struct waiter *w)
{
    struct item *item = sender_yield(c, w);

    c->dropped++;
    if (c->full == FULL_DROP_NEWEST)
        return item_drop(core, item);
    item_drop(core, list_first(&c->buffer, struct item, link));
    list_append(&c->buffer, &item->link);
}

void channel_offer(struct core *core, struct channel *c, struct waiter *w)
{
    struct waiter *r;

    while (!list_empty(&w->unsent)) {
        if (is_direct(c) && (r = receiver_first(core, c, w->op)))
            give(core, c, w, r);
        else if (has_room(c))
            enter(core, c, w);
        else if (c->full != FULL_BLOCK)
            overflow(core, c, w);
        else
            break;
    }
    sender_progress(core, w);
}

void channel_arrived(struct core *core, struct channel *c)
{
    struct waiter *r;

    while ((c->length || c->returned_n) && (r = receiver_first(core, c, NULL)))
        receiver_done(core, r, channel_take(core, c, r->op, r->max));
    buffer_refill(core, c, NULL);
}

/* ---- after delivery ---- */

/* One of its values is acknowledged: with the last one, SENT is released. */
static void sender_settle(struct core *core, struct op *op, struct item *item)
{
    list_remove(&item->sender_link);
    item->sender = NULL;
    op->sent++;
    if (op->state == OP_HANDED && list_empty(&op->handed) && !op->scope->ended)
        op_finish(core, op, (int32_t)op->sent);
}

/* delivered_n goes last: it keeps the channel. */
void item_ack(struct core *core, struct item *item)
{
    struct op *op = item->sender;
    struct channel *c = item->channel;

    if (item->flags & ITEM_ACKED)
        return;
    item->flags |= ITEM_ACKED;
    if (item->deposit)
        durable_leave(core, item);
    if (member_marks(c))
        member_acked(core, c->subscription, item);
    item_uncharge(core, item);
    cargo_keep(core, item);
    if (c->subscription)
        subscription_room(core, c->subscription); /* of bytes */
    if (op)
        sender_settle(core, op, item);
    c->delivered_n--;
    channel_settle(core, c);
}

/* Back among the unsent values of its sender, in the order of its vector. */
static void unsent_insert(struct waiter *w, struct item *item)
{
    struct list *at = w->unsent.next;

    while (at != &w->unsent && container_of(at, struct item, link)->index < item->index)
        at = at->next;
    list_insert_before(at, &item->link);
}

/* IP2.2: the receiver is gone, so its sender waits again, at its old place. */
static void sender_undo(struct core *core, struct channel *c, struct item *item)
{
    struct op *op = item->sender;
    struct waiter *w = &op->waiters[op->verb == VERB_SELECT ? item->index : 0];

    list_remove(&item->sender_link);
    item->sender = NULL;
    c->sent--;
    unsent_insert(w, item);
    if (c->closed) {
        op->index = w->index;
        op_stop(core, op, -EPIPE);
    } else if (op->try) {
        op_stop(core, op, op->crowded ? -ENOBUFS : -EAGAIN);
    } else if (op->state == OP_HANDED) {
        op_unhand(core, op);
        if (!PLANTED(LOST_REPARK))
            op_retry(core, op);
    }
}

/* IP3: ahead of the buffer, in the order of first entry; to a waiting receiver at once. */
static void requeue(struct core *core, struct channel *c, struct item *item)
{
    struct list *at = c->returned.next;
    struct waiter *r;

    while (at != &c->returned && container_of(at, struct item, link)->sequence < item->sequence)
        at = at->next;
    list_insert_before(PLANTED(WRONG_REQUEUE) ? &c->returned : at, &item->link);
    c->returned_n++;
    if ((r = receiver_first(core, c, NULL)))
        receiver_done(core, r, channel_take(core, c, r->op, r->max));
}

/* It was committed when its sender's scope ended, and stands (IP2.3). */
static void sender_ended(struct item *item)
{
    list_remove(&item->sender_link);
    if (item->sender)
        item->sender->sent++;
    item->sender = NULL;
}

static void put_back(struct core *core, struct channel *c, struct item *item, enum value_flags flag)
{
    if (c->flags & OPEN_AT_MOST_ONCE && flag == VALUE_REDELIVERED) {
        c->dropped++;
        item_drop(core, item);
    } else {
        requeue(core, c, item);
    }
}

/* Of a member of a group: it is the group's again. */
static void member_value_back(struct core *core, struct channel *c, struct item *item, enum value_flags flag)
{
    list_remove(&item->link);
    core->counters[COUNT_REDELIVERED]++;
    member_returned(core, c->subscription, item, flag);
    item_drop(core, item);
    c->delivered_n--;
    channel_settle(core, c);
}

void item_return(struct core *core, struct item *item, enum value_flags flag)
{
    struct channel *c = item->channel;

    if (member_marks(c))
        return member_value_back(core, c, item, flag);
    item->flags |= flag;
    list_remove(&item->link);
    cargo_return(core, item);
    core->counters[COUNT_REDELIVERED]++;
    if (item->sender && !item->sender->scope->ended) {
        sender_undo(core, c, item);
    } else {
        sender_ended(item);
        put_back(core, c, item, flag);
    }
    c->delivered_n--;
    channel_settle(core, c);
}

/* ---- close ---- */

static void splice(struct core *core, struct wait_queue *q)
{
    list_splice(&core->resolved, &q->list);
    core->resolved_n += q->count;
    q->count = 0;
    q->spliced = core->ticket;
}

void channel_close(struct core *core, struct channel *c)
{
    c->closed = true;
    splice(core, &c->senders);
    splice(core, &c->receivers);
}
