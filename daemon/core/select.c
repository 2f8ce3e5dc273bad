/*
 * Send, receive and select: one engine. A send or receive is a select of one case (S10).
 *
 * All cases are judged in one step; among the ready ones the seeded draw decides (S2). If none is ready, every case
 * gets a place in its queue; the first match, deadline, cancel or close takes the operation out of all of them.
 */
#include <errno.h>

#include "durable.h"
#include "topic.h"

static bool waiter_ready(struct core *core, struct waiter *w)
{
    uint64_t batch;

    switch (w->kind) {
    case CASE_SEND:
        return channel_writable(core, w->channel, w->op);
    case CASE_RECV:
        return channel_readable(core, w->channel, w->op);
    case CASE_CTX:
        return context_case_ready(core, w->op, w->object) != 0; /* or gone, since it was named */
    default:
        return jobs_case_ready(core, w->object, &batch) != 0; /* or ended and forgotten since */
    }
}

static void commit_send(struct core *core, struct waiter *w)
{
    op_depends(w->op, w->channel->closing);
    if (w->channel->closed || w->channel->closing)
        op_stop(core, w->op, -EPIPE);
    else
        channel_offer(core, w->channel, w);
}

static void commit_recv(struct core *core, struct waiter *w)
{
    struct op *op = w->op;
    size_t n = channel_take(core, w->channel, op, w->max);

    if (!n && subscription_failed(core, op, w->channel))
        return;
    if (!n)
        op->flags |= RESULT_CLOSED;
    op_finish(core, op, (int32_t)n);
}

static void commit_job(struct core *core, struct waiter *w, uint64_t batch)
{
    struct op *op = w->op;

    op->index = w->index;
    op->handle = w->object;
    op->answer = jobs_case_answer(core, op, w->object);
    op_depends(op, batch);
    op_finish(core, op, 1);
}

static void commit_context(struct core *core, struct waiter *w)
{
    struct op *op = w->op;

    op->handle = w->object;
    op->answer = context_case_answer(core, w->object);
    op_finish(core, op, 1);
}

static void waiter_commit(struct core *core, struct waiter *w)
{
    uint64_t batch = 0;

    w->op->index = w->index;
    switch (w->kind) {
    case CASE_SEND:
        return commit_send(core, w);
    case CASE_RECV:
        return commit_recv(core, w);
    case CASE_CTX:
        return commit_context(core, w);
    default:
        jobs_case_ready(core, w->object, &batch);
        return commit_job(core, w, batch);
    }
}

bool cases_try(struct core *core, struct op *op)
{
    struct waiter *chosen = NULL;
    uint64_t ready = 0;

    for (uint32_t i = 0; i < op->waiters_n; i++)
        if (waiter_ready(core, &op->waiters[i]) && core_draw(core, ++ready) == 0)
            chosen = &op->waiters[i];
    if (chosen)
        waiter_commit(core, chosen);
    return chosen;
}

void cases_enter(struct core *core, struct op *op)
{
    for (uint32_t i = 0; i < op->waiters_n; i++)
        waiter_enter(core, &op->waiters[i]);
}

void op_retry(struct core *core, struct op *op)
{
    if (op->bond && bond_over(core, op->bond))
        return; /* the sweep of its context ends it */
    cases_try(core, op);
    if (op->state == OP_PARKED)
        cases_enter(core, op);
}

/* A try that cannot go on: SENT for what was taken, once it is acknowledged. */
static void try_ends(struct core *core, struct op *op)
{
    struct item *item, *after;

    if (list_empty(&op->handed))
        return op_stop(core, op, op->crowded ? -ENOBUFS : -EAGAIN);
    list_each_safe (item, after, &op->waiters[0].unsent, link)
        item_drop(core, item);
    op_hand(core, op, 0);
}

/* Every case has its waiter: take one, or wait. */
static int cases_run(struct core *core, struct op *op, enum wait_reason reason)
{
    op_may_wait(core, op);
    cases_try(core, op);
    if (op->state != OP_NEW)
        return 0;
    if (op->try) {
        try_ends(core, op);
        return 0;
    }
    op_wait(core, op, reason);
    cases_enter(core, op);
    return 0;
}

static int unsent_add(struct core *core, struct waiter *w, const struct value *value, uint32_t index)
{
    struct item *item;
    int r = item_new(core, w->channel, w->op->scope->account, value, &item);

    if (r < 0)
        return r;
    item->index = index;
    list_append(&w->unsent, &item->link);
    if (w->channel->store_id)
        return durable_prepare(core, item, value);
    return cargo_load(core, w->op, item, value);
}

int handle_send(struct core *core, struct op *op, const struct request *request)
{
    const struct request_send *send = &request->send;
    struct handle *handle;
    int r = handle_get(core, op, send->handle, RIGHT_SEND, &handle);

    if (r < 0)
        return r;
    if (!send->values_n)
        return -EINVAL;
    if (send->values_n > VALUES_MAX)
        return -E2BIG;
    op_depends(op, handle->channel->closing);
    if (handle->channel->closed || handle->channel->closing)
        return -EPIPE;
    waiter_create(core, op, 0, CASE_SEND, handle);
    for (uint32_t i = 0; i < send->values_n; i++)
        if ((r = unsent_add(core, &op->waiters[0], &send->values[i], i)) < 0)
            return r;
    return cases_run(core, op, WAIT_CHAN_SEND);
}

int handle_recv(struct core *core, struct op *op, const struct request *request)
{
    struct handle *handle;
    int r = handle_get(core, op, request->recv.handle, RIGHT_RECV, &handle);

    if (r < 0)
        return r;
    if (!request->recv.max)
        return -EINVAL;
    if (request->recv.max > VALUES_MAX)
        return -E2BIG;
    waiter_create(core, op, 0, CASE_RECV, handle);
    op->waiters[0].max = request->recv.max;
    if ((r = durable_expect(core, op, handle->channel)) < 0)
        return r;
    return cases_run(core, op, WAIT_CHAN_RECV);
}

/* 0 and ready to be made, or why it cannot be. */
static int case_check(struct core *core, struct op *op, const struct select_case *from,
                      struct handle **handle)
{
    uint32_t rights = from->kind == CASE_SEND ? RIGHT_SEND : RIGHT_RECV;
    uint64_t batch;

    if (from->kind == CASE_JOB && !jobs_case_allowed(core, op, from->handle))
        return -EPERM;
    if (from->kind == CASE_JOB)
        return jobs_case_ready(core, from->handle, &batch);
    if (from->kind == CASE_CTX)
        return context_case_ready(core, op, from->handle);
    return handle_get(core, op, from->handle, rights, handle);
}

static int case_create(struct core *core, struct op *op, uint32_t i, const struct select_case *from)
{
    struct handle *handle = NULL;
    int r;

    if (from->kind < CASE_SEND || from->kind > CASE_CTX)
        return -EINVAL;
    r = case_check(core, op, from, &handle);
    if (r < 0)
        return r;
    waiter_create(core, op, i, from->kind, handle);
    if (from->kind >= CASE_JOB)
        op->waiters[i].object = from->handle;
    if (from->kind == CASE_SEND && !handle->channel->closed && !handle->channel->closing)
        return unsent_add(core, &op->waiters[i], &from->value, i);
    return from->kind == CASE_RECV ? durable_expect(core, op, handle->channel) : 0;
}

int handle_select(struct core *core, struct op *op, const struct request *request)
{
    const struct request_select *select = &request->select;

    if (select->cases_n > CASES_MAX)
        return -E2BIG;
    if (!select->cases_n)
        return -EINVAL;
    for (uint32_t i = 0; i < select->cases_n; i++) {
        int r = case_create(core, op, i, &select->cases[i]);

        if (r < 0) {
            op->index = i;
            return r;
        }
    }
    return cases_run(core, op, WAIT_SELECT);
}

void waiters_job_ended(struct core *core, struct list *waiters, uint64_t batch)
{
    while (!list_empty(waiters)) {
        struct waiter *w = list_first(waiters, struct waiter, link);

        if (op_gone(core, w->op))
            waiter_leave(core, w);
        else
            commit_job(core, w, batch);
    }
}

void waiter_context_ended(struct core *core, struct waiter *w)
{
    w->op->index = w->index;
    commit_context(core, w);
}
