/*
 * Output commit and fetches: what the core asks of the store.
 *
 * The records of one step are one batch, or a few: an admission has its own. A result leaves only when the last batch it depends on is durable; until
 * then its operation is in core->held, ordered by batch. The core never waits: reports come as inputs.
 */
#include <assert.h>
#include <errno.h>

#include "engine.h"

void commit_step(struct core *core)
{
    if (!core->batch)
        return;
    list_append(&core->out->batches, &core->batch->link);
    core->batch = NULL;
}

static bool batch_is_admission(const struct batch *batch)
{
    return list_first(&batch->records, struct record, link)->kind == RECORD_JOB_NEW;
}

/* An admission may fail in a full store, news of other jobs may not: they never share a batch (record.h). */
static struct batch *batch_for(struct core *core, enum record_kind kind)
{
    if (core->batch && batch_is_admission(core->batch) == (kind == RECORD_JOB_NEW))
        return core->batch;
    struct batch *fresh = batch_new(core->batch_last + 1);
    if (!fresh)
        return NULL;
    commit_step(core);
    core->batch = fresh;
    core->batch_last++;
    return fresh;
}

uint64_t core_record(struct core *core, enum record_kind kind, const struct job_row *row, struct bytes body)
{
    struct record *record = record_new(kind, row, body);
    struct batch *batch = record ? batch_for(core, kind) : NULL;

    if (!batch) {
        record_delete(record);
        return 0;
    }
    batch_append(batch, record);
    return batch->number;
}

/* The batch failed: the operation waits for another one, or fails. */
static void held_failed(struct core *core, struct op *op, int error)
{
    uint64_t again = jobs_store_failed(core, op, error);

    if (again) {
        op->batch = again;
        return;
    }
    op->answer = answer_drop(core, op->answer);
    op->status = error;
}

static void release(struct core *core, struct op *op)
{
    op->held = false;
    list_remove(&op->entry.out);
    list_append(&core->outbox, &op->entry.out);
}

void commit_stored(struct core *core, const struct input *in)
{
    uint64_t first = core->batch_stored + 1, last = in->stored.batch;
    struct op *op, *after;

    if (last < first)
        return;
    core->batch_stored = last;
    jobs_stored(core, first, last, in->stored.error);
    list_each_safe (op, after, &core->held, entry.out) {
        if (in->stored.error && op->batch <= last)
            held_failed(core, op, in->stored.error);
        if (core_stored(core, op->batch))
            release(core, op);
    }
}

/* ---- fetches ---- */

static int fetch_ask(struct core *core, struct fetching *fetching, const struct fetch *what)
{
    struct effect *effect;

    if (map_reserve(core, &core->fetches, 1) < 0 || !(effect = effect_new(core, EFFECT_FETCH, 0)))
        return -ENOMEM;
    fetching->number = ++core->fetch_sequence;
    effect->fetch.number = fetching->number;
    effect->fetch.what = *what;
    map_add(&core->fetches, &fetching->node, core_hash_number(core, fetching->number));
    return 0;
}

int core_fetch(struct core *core, const struct fetch *what, fetch_done *done, struct op *op, void *context)
{
    bool park = op && op->state == OP_NEW;
    struct fetching *fetching = core_alloc(core, sizeof(*fetching));
    int r = fetching ? 0 : -ENOMEM;

    if (r == 0 && park)
        r = account_charge(core, op->scope->account, SLOT_WAITERS, 1);
    if (r < 0) {
        core_free(core, fetching);
        return r;
    }
    r = fetch_ask(core, fetching, what);
    if (r < 0) {
        if (park)
            account_release(op->scope->account, SLOT_WAITERS, 1);
        core_free(core, fetching);
        return r;
    }
    fetching->done = done;
    fetching->context = context;
    fetching->op = op;
    if (op)
        op->fetch = fetching;
    if (park) {
        op->charged = true;
        op_wait(core, op, WAIT_FETCH);
    }
    return 0;
}

void fetch_forget(struct core *core, struct op *op)
{
    if (op->fetch)
        op->fetch->op = NULL;
    op->fetch = NULL;
}

void core_fetch_forget(struct core *core, const void *context)
{
    struct map_node *n = NULL;

    while ((n = map_walk(&core->fetches, n))) {
        struct fetching *fetching = map_entry(n, struct fetching, node);

        if (fetching->context == context && !fetching->op)
            fetching->done = NULL;
    }
}

static void fetch_end(struct core *core, struct fetching *fetching, const struct input *in)
{
    map_remove(&core->fetches, &fetching->node);
    if (fetching->op)
        fetching->op->fetch = NULL;
    if (fetching->done)
        fetching->done(core, fetching->op, fetching->context, in);
    core_free(core, fetching);
}

void commit_fetched(struct core *core, const struct input *in)
{
    struct map_node *n = map_first(&core->fetches, core_hash_number(core, in->fetched.fetch));

    while (n && map_entry(n, struct fetching, node)->number != in->fetched.fetch)
        n = map_next(n);
    if (n)
        fetch_end(core, map_entry(n, struct fetching, node), in);
}

void commit_end(struct core *core)
{
    const struct input none = {.kind = IN_FETCHED, .fetched = {.error = -ECANCELED}};
    struct map_node *n;

    while ((n = map_walk(&core->fetches, NULL)))
        fetch_end(core, map_entry(n, struct fetching, node), &none);
}
