/*
 * Output commit and fetches: what the core asks of the store.
 *
 * The records of one step are one batch, or a few: an admission has its own. What must be able to say something at a moment at
 * which nothing may fail has a note: a record made beforehand, with a batch for it. A result leaves only when the last batch it depends on is durable; until
 * then its operation is in core->held, ordered by batch. The core never waits: reports come as inputs.
 */
#include <errno.h>

#include "durable.h"
#include "kept.h"

void commit_step(struct core *core)
{
    if (!core->batch)
        return;
    list_append(&core->out->batches, &core->batch->link);
    core->batch = NULL;
}

bool batch_is_open(const struct core *core, uint64_t batch)
{
    return core->batch && core->batch->number == batch;
}

static bool batch_is_admission(const struct batch *batch)
{
    return record_admits(list_first(&batch->records, struct record, link)->kind);
}

/* An admission may fail in a full store, news of what else happened may not: they never share a batch (record.h). */
static bool batch_fits(const struct core *core, enum record_kind kind)
{
    return core->batch && batch_is_admission(core->batch) == record_admits(kind);
}

static void batch_open(struct core *core, struct batch *fresh)
{
    commit_step(core);
    fresh->number = ++core->batch_last;
    core->batch = fresh;
}

static struct batch *batch_for(struct core *core, enum record_kind kind)
{
    if (batch_fits(core, kind))
        return core->batch;
    struct batch *fresh = batch_new(0);
    if (fresh)
        batch_open(core, fresh);
    return fresh;
}

uint64_t core_record(struct core *core, enum record_kind kind, const struct job_row *row, struct bytes body)
{
    return core_record_of(core, kind, row, NULL, body);
}

uint64_t core_record_of(struct core *core, enum record_kind kind, const struct job_row *row,
                        const struct schedule_row *schedule, struct bytes body)
{
    struct record *record = record_new_of(kind, row, schedule, body);
    struct batch *batch = record ? batch_for(core, kind) : NULL;

    if (!batch) {
        record_delete(record);
        return 0;
    }
    batch_append(batch, record);
    return batch->number;
}

uint64_t core_record_all(struct core *core, struct list *records)
{
    enum record_kind kind = list_first(records, struct record, link)->kind;
    struct batch *batch = batch_for(core, kind);
    struct record *record, *after;

    if (!batch)
        return 0;
    list_each_safe (record, after, records, link) {
        list_remove(&record->link);
        batch_append(batch, record);
        if (PLANTED(PARTED_BULK) && !list_empty(records)) {
            commit_step(core);
            batch = batch_for(core, kind);
        }
    }
    return batch->number;
}

/* ---- notes ---- */

struct note *note_new(struct core *core, struct record *record)
{
    struct note *note = record ? core_take(core, sizeof(*note)) : NULL;
    struct batch *batch = note ? batch_new(0) : NULL;

    if (!batch) {
        if (note)
            core_give(core, note, sizeof(*note));
        record_delete(record);
        return NULL;
    }
    *note = (struct note){record, batch};
    return note;
}

struct note *note_delete(struct core *core, struct note *note)
{
    if (!note)
        return NULL;
    record_delete(note->record);
    batch_delete(note->batch);
    core_give(core, note, sizeof(*note));
    return NULL;
}

uint64_t note_write(struct core *core, struct note *note)
{
    if (!batch_fits(core, note->record->kind)) {
        batch_open(core, note->batch);
        note->batch = NULL;
    }
    batch_append(core->batch, note->record);
    note->record = NULL;
    note_delete(core, note);
    return core->batch->number;
}

/* The batch failed: the operation waits for another one, or fails. */
static void held_failed(struct core *core, struct op *op, int error)
{
    uint64_t again = jobs_store_failed(core, op, error);

    if (again) {
        op->batch = again;
        list_remove(&op->entry.out);
        log_hold(core, op);
        return;
    }
    op->answer = answer_drop(core, op->answer);
    op->status = error;
    log_recount(core, op);
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
        if (!core_stored(core, op->batch))
            break; /* they wait in order */
        if (in->stored.error)
            held_failed(core, op, in->stored.error);
        if (core_stored(core, op->batch))
            release(core, op);
    }
    durable_stored(core, last,
                   in->stored.error); /* what is received now leaves behind what was received before */
    kept_stored(core, last, in->stored.error);
}

/* ---- fetches ---- */

static int fetch_ask(struct core *core, struct fetching *fetching, const struct fetch *what)
{
    struct effect *effect;

    struct bytes topics = {what->topics, what->topics_n * sizeof(*what->topics)};

    if (map_reserve(core, &core->fetches, 1) < 0 || !(effect = effect_new(core, EFFECT_FETCH, topics.size)))
        return -ENOMEM;
    fetching->number = ++core->fetch_sequence;
    effect->fetch.number = fetching->number;
    effect->fetch.what = *what;
    effect->fetch.what.topics = effect_text(effect, topics).data;
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
