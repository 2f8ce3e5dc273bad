/*
 * A transaction: a run ends its job, done, further jobs are submitted, values are sent on durable channels, received ones
 * acknowledged. All of it is one batch of the store, and one step here: it happens, or nothing of it does.
 *
 * A run of a plugin asks from its own scope. A worker may ask from that of its session, too, which has its channels and values.
 * Whoever has no job to end names none.
 *
 * The jobs are a bulk (bulk.c), which waits until their plugins are known and there is room for them. What cannot wait is
 * judged in the step in which all happens: the run must still be that of its job, channels open and with room.
 * With the end of a job, or with acknowledgements, none of its records is an admission that a full store may refuse: the batch
 * is kept until it is stored (record.h). Without them all are.
 */
#include "transact.h"

#include <errno.h>
#include <string.h>

#include "durable.h"
#include "kept.h"

struct transaction {
    uint64_t job, run;
    struct bytes result;
    struct request_send *sends;
    size_t sends_n;
    struct ack *acks;
    size_t acks_n;
    struct list deals; /* struct deal: messages to be published */
    struct list items; /* of all sends, in their order: reserved */
    uint64_t memory[]; /* what the members above point to */
};

/* ---- a copy ---- */

static size_t rounded(size_t size)
{
    return (size + 7) & ~(size_t)7;
}

static size_t size_of(const struct request_transact *asked)
{
    size_t size = rounded(asked->result.size) + asked->sends_n * sizeof(*asked->sends) +
                  asked->acks_n * sizeof(*asked->acks);

    for (size_t i = 0; i < asked->sends_n; i++) {
        size += asked->sends[i].values_n * sizeof(struct value);
        for (size_t k = 0; k < asked->sends[i].values_n; k++)
            size += rounded(asked->sends[i].values[k].body.size);
    }
    return size;
}

static void *copy(char **room, const void *from, size_t size)
{
    void *to = *room;

    if (size)
        memcpy(to, from, size);
    *room += rounded(size);
    return to;
}

static void copy_send(struct request_send *send, char **room)
{
    struct value *values = copy(room, send->values, send->values_n * sizeof(*values));

    for (size_t i = 0; i < send->values_n; i++)
        values[i].body.data = copy(room, values[i].body.data, values[i].body.size);
    send->values = values;
}

static bool ends_job(const struct request_transact *asked)
{
    return asked->job || asked->run;
}

static int check_sizes(struct core *core, struct op *op, const struct request_transact *asked, size_t size)
{
    size_t values = 0;

    for (size_t i = 0; i < asked->publishes_n; i++) {
        values += asked->publishes[i].messages_n;
        size += publish_bytes(&asked->publishes[i]);
    }
    for (size_t i = 0; i < asked->sends_n; i++) {
        values += asked->sends[i].values_n;
        if (!asked->sends[i].values_n)
            return -EINVAL;
        for (size_t k = 0; k < asked->sends[i].values_n; k++)
            if (asked->sends[i].values[k].handles_n)
                return -EINVAL;
    }
    if (asked->result.size && !ends_job(asked))
        op_fail(core, op, -EINVAL, "a result, and no job that ends with it");
    else if (asked->result.size > core->limits.result_bytes_max)
        op_fail(core, op, -E2BIG, "a result of %zu bytes: result_bytes_max is %llu", asked->result.size,
                (unsigned long long)core->limits.result_bytes_max);
    else if (size > core->limits.bulk_bytes_max)
        op_fail(core, op, -E2BIG, "result and values of %zu bytes: bulk_bytes_max is %llu", size,
                (unsigned long long)core->limits.bulk_bytes_max);
    else if (values > VALUES_MAX || asked->sends_n > VALUES_MAX || asked->acks_n > VALUES_MAX)
        op_fail(core, op, -E2BIG,
                "a transaction sends and publishes at most %d values, and acknowledges as many", VALUES_MAX);
    return op->state == OP_NEW ? 0 : -EINVAL; /* it has its answer */
}

int transaction_new(struct core *core, struct op *op, const struct request_transact *asked,
                    struct transaction **out)
{
    size_t size = size_of(asked);
    int r = check_sizes(core, op, asked, size);

    if (r < 0)
        return r;
    struct transaction *t = core_alloc(core, sizeof(*t) + size);
    if (!t)
        return -ENOMEM;
    char *room = (char *)t->memory;
    t->job = asked->job;
    t->run = asked->run;
    list_init(&t->items);
    list_init(&t->deals);
    t->sends_n = asked->sends_n;
    t->sends = copy(&room, asked->sends, t->sends_n * sizeof(*t->sends));
    t->acks_n = asked->acks_n;
    t->acks = copy(&room, asked->acks, t->acks_n * sizeof(*t->acks));
    for (size_t i = 0; i < t->sends_n; i++)
        copy_send(&t->sends[i], &room);
    t->result = (struct bytes){copy(&room, asked->result.data, asked->result.size), asked->result.size};
    for (size_t i = 0; r == 0 && i < asked->publishes_n; i++)
        r = deals_new(core, op, &asked->publishes[i], &t->deals);
    *out = r < 0 ? transaction_delete(core, t) : t;
    return r < 0 && op->state != OP_NEW ? -EINVAL : r; /* it has its answer */
}

struct transaction *transaction_delete(struct core *core, struct transaction *t)
{
    if (!t)
        return NULL;
    items_discard(core, &t->items);
    deals_free(core, &t->deals);
    core_free(core, t);
    return NULL;
}

/* ---- what may fail ---- */

static bool ends(const struct transaction *t)
{
    return t->job || t->run;
}

static struct run *find(struct core *core, const struct op *op, const struct transaction *t)
{
    const struct host *host = op->scope->session->host_part;
    uint64_t from = op->scope->run;

    return host && (from == t->run || (host->outside && !from)) ? run_find(core, host, t->job, t->run) : NULL;
}

bool transaction_admits(const struct transaction *t)
{
    return !ends(t) && !t->acks_n;
}

/* With those that are to go there before it. */
static uint64_t values_for(const struct transaction *t, const struct channel *c)
{
    const struct item *item;
    uint64_t n = 0;

    list_each (item, &t->items, link)
        n += item->channel == c;
    return n;
}

static int reserve_value(struct core *core, struct op *op, struct transaction *t, struct channel *c,
                         const struct value *value)
{
    struct item *item;
    int r = item_new(core, c, op->scope->account, value, &item);

    if (r < 0)
        return r;
    list_append(&t->items, &item->link);
    return durable_prepare(core, item, value);
}

static int reserve_send(struct core *core, struct op *op, struct transaction *t,
                        const struct request_send *send)
{
    struct handle *handle;
    int r = handle_get(core, op, send->handle, RIGHT_SEND, &handle);

    if (r < 0)
        return r;
    struct channel *c = handle->channel;
    if (!c->store_id) {
        op_fail(core, op, -EINVAL, "%.*s is not durable: a transaction cannot send there", c->name_size,
                c->text);
        return -EINVAL;
    }
    op_depends(op, c->closing);
    if (c->closed || c->closing)
        return -EPIPE;
    if (c->length + c->storing_n + values_for(t, c) + send->values_n > c->capacity) {
        op_fail(core, op, -EAGAIN, "no room on %.*s for %zu values", c->name_size, c->text, send->values_n);
        return -EAGAIN;
    }
    for (size_t i = 0; r == 0 && i < send->values_n; i++)
        r = reserve_value(core, op, t, c, &send->values[i]);
    return r;
}

/* The scope holds what it acknowledges. */
static int check_ack(const struct core *core, const struct op *op, const struct ack *ack)
{
    const struct op *from = op_find(core, op->scope->session, ack->op);

    return from && from->scope == op->scope && op_holds(from, ack->count) ? 0 : -ESTALE;
}

int transaction_reserve(struct core *core, struct op *op, struct transaction *t)
{
    int r = !ends(t) || find(core, op, t) ? 0 : -ESTALE;

    items_discard(core, &t->items);
    for (size_t i = 0; r == 0 && i < t->sends_n; i++)
        r = reserve_send(core, op, t, &t->sends[i]);
    for (size_t i = 0; r == 0 && i < t->acks_n; i++)
        r = check_ack(core, op, &t->acks[i]);
    return r == 0 ? deals_ready(core, op, &t->deals) : r;
}

int transaction_end_job(struct core *core, struct op *op, struct transaction *t)
{
    struct run *run;

    if (!ends(t))
        return 0;
    run = find(core, op, t);
    run_begin(core, run); /* an overtaken STARTED */
    op->job = t->job;
    return run_succeeded(core, run, t->result);
}

/* ---- what cannot ---- */

void transaction_apply(struct core *core, struct op *op, struct transaction *t, bool news)
{
    struct item *item, *after;

    list_each_safe (item, after, &t->items, link) {
        struct channel *c = item->channel;

        list_remove(&item->link);
        if (news && !PLANTED(TORN_DEAL))
            durable_is_news(item);
        item->sequence = ++c->sequence;
        c->sent++;
        durable_enter(core, c, item);
    }
    deals_apply(core, &t->deals, news);
    for (size_t i = 0; i < t->acks_n && !PLANTED(KEPT_ACK); i++)
        session_ack(core, op->scope->session, &t->acks[i]);
}
