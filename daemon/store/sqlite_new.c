/*
 * New jobs in the SQLite store. Those that follow one another, in one batch or in several, become rows by one statement.
 *
 * What a job has beside its row is written before it; nothing refers to a row. A job with a key (`once`) is the first of its
 * statement: the key is taken from all that came before.
 */
#include "fault.h"
#include "row.h"
#include "sqlite_store.h"

/* ---- records, one after the other ---- */

/* From the first record of `batch`, or of the next one that has any. */
static void place_begin(struct place *at)
{
    while (&at->batch->link != at->batches && list_empty(&at->batch->records))
        at->batch = container_of(at->batch->link.next, struct batch, link);
    at->record =
        &at->batch->link == at->batches ? NULL : list_first(&at->batch->records, struct record, link);
}

struct place place_first(const struct list *batches)
{
    struct place at = {.batches = batches, .batch = container_of(batches->next, struct batch, link)};

    place_begin(&at);
    return at;
}

void place_next(struct place *at)
{
    at->record = container_of(at->record->link.next, struct record, link);
    if (&at->record->link != &at->batch->records)
        return;
    at->batch = container_of(at->batch->link.next, struct batch, link);
    place_begin(at);
}

/* ---- rows ---- */

static void arriving_first(void *context)
{
    struct arriving *arriving = context;

    arriving->at = arriving->from;
    arriving->left = arriving->n;
}

static void arriving_next(void *context)
{
    struct arriving *arriving = context;

    place_next(&arriving->at);
    arriving->left--;
}

static bool arriving_over(const void *context)
{
    const struct arriving *arriving = context;

    return arriving->left == 0;
}

static void arriving_cell(const void *context, int column, struct cell *cell)
{
    const struct record *record = ((const struct arriving *)context)->at.record;

    row_cell(&record->job, record->body, column, cell);
}

int store_offer_jobs(struct store *store)
{
    store->arriving.source = (struct source){.table = ROW_TABLE,
                                             .first = arriving_first,
                                             .next = arriving_next,
                                             .over = arriving_over,
                                             .cell = arriving_cell,
                                             .context = &store->arriving};
    return db_offer(store->writer, "arriving", &store->arriving.source);
}

/* ---- records as rows ---- */

bool record_is_new(const struct record *record)
{
    return record->kind == RECORD_JOB_NEW || record->kind == RECORD_JOB_REPLACE;
}

int store_take_key(struct store *store, const struct job_row *row)
{
    struct statement *update = store->write[WRITE_ONCE];

    if (!row->once.size)
        return 0;
    bind_bytes(update, 1, row->once);
    bind_number(update, 2, (int64_t)row->id);
    return statement_run(update);
}

static int write_body(struct store *store, const struct record *record)
{
    struct statement *insert = store->write[WRITE_BODY];

    bind_number(insert, 1, (int64_t)record->job.id);
    bind_bytes(insert, 2, record->body);
    return statement_run(insert);
}

/* The next record says it anew. */
static bool steps_on(struct place at)
{
    uint64_t feed = at.record->step.feed;

    place_next(&at);
    return at.record && at.record->step.feed == feed;
}

/* A job of a schedule or a feed moves that. */
static int write_beside(struct store *store, const struct place *at)
{
    const struct record *record = at->record;
    int r = fault_hit(FAULT_STORE_RECORD);

    if (r == 0 && record->body.size > BODY_APART_BYTES)
        r = write_body(store, record);
    if (r == 0 && record->schedule)
        r = store_move_schedule(store, record);
    if (r == 0 && record->step.feed && !steps_on(*at))
        r = log_step_feed(store, &record->step);
    return r;
}

/* The part for what begins with this job. */
static uint64_t part_for(struct part *part, uint64_t job)
{
    if (part->n >= PART_JOBS || !part->first)
        *part = (struct part){.first = job};
    return part->first;
}

int store_write_jobs(struct store *store, struct place *at)
{
    struct arriving *arriving = &store->arriving;
    struct statement *insert = store->write[WRITE_NEW];
    int r = store_take_key(store, &at->record->job);

    bind_number(insert, 1, (int64_t)part_for(&store->part, at->record->job.id));
    arriving->from = *at;
    arriving->n = 0;
    do {
        r = r == 0 ? write_beside(store, at) : r;
        arriving->n++;
        place_next(at);
    } while (r == 0 && at->record && record_is_new(at->record) && !at->record->job.once.size &&
             record_durability(at->record) != DURABLE_NONE);
    store->part.n += arriving->n;
    return r < 0 ? r : statement_run(insert);
}
