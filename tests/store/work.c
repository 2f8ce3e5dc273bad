/* The workload. Every row comes from the job's id and state alone, so that the ledger can tell what it must be. */
#include "work.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/store_fixture.h"
#include "disk.h"

enum { LONG_BYTES = 90000, SHORT_BYTES = 1500, BATCHES = 3 };

static uint64_t below(struct work *work, uint64_t n)
{
    return draw(&work->seed) % n;
}

static struct bytes bytes_of(uint64_t seed, size_t n, unsigned char **memory)
{
    unsigned char *bytes = malloc(n + 1);

    if (!bytes)
        abort();
    for (size_t i = 0; i < n; i++)
        bytes[i] = (unsigned char)(draw(&seed) >> 13);
    *memory = bytes;
    return (struct bytes){bytes, n};
}

static void append(struct work *work, struct batch *batch, enum record_kind kind, const struct job_row *row,
                   size_t n)
{
    unsigned char *memory;
    struct record *record = record_new(kind, row, bytes_of(draw(&work->seed), n, &memory));

    free(memory);
    if (!record)
        abort();
    if (kind == RECORD_JOB_NEW)
        record->step = work_on_feed(work);
    batch_append(batch, record);
}

/* A job that has not ended, from a random place on; 0: there is none. */
static uint64_t living(struct work *work)
{
    const struct held *held = ledger_now(work->ledger);
    uint64_t from = below(work, LEDGER_JOBS);

    for (uint64_t i = 0; i < LEDGER_JOBS; i++) {
        uint64_t id = (from + i) % LEDGER_JOBS;
        if (held[id].there && held[id].state < JOB_DONE)
            return id;
    }
    return 0;
}

static uint64_t any(struct work *work)
{
    const struct held *held = ledger_now(work->ledger);
    uint64_t from = below(work, LEDGER_JOBS);

    for (uint64_t i = 0; i < LEDGER_JOBS; i++)
        if (held[(from + i) % LEDGER_JOBS].there)
            return (from + i) % LEDGER_JOBS;
    return 0;
}

static void add_new(struct work *work, struct batch *batch)
{
    size_t most = work->body_max ? work->body_max : below(work, 12) ? SHORT_BYTES : LONG_BYTES;

    if (work->job + 1 == LEDGER_JOBS)
        return;
    struct job_row row = row_ready(++work->job);
    append(work, batch, RECORD_JOB_NEW, &row, most == LONG_BYTES ? most : below(work, most));
}

static void add_state(struct work *work, struct batch *batch, uint64_t id)
{
    struct job_row row = row_ready(id);

    row.attempt = 1 + (uint32_t)below(work, 3);
    row.crashes = (uint32_t)below(work, 9);
    row.due_us = (int64_t)below(work, 1000000);
    append(work, batch, RECORD_JOB_STATE, &row, 0);
}

static void add_end(struct work *work, struct batch *batch, uint64_t id)
{
    struct job_row row = row_done(id);

    append(work, batch, RECORD_JOB_END, &row, below(work, 3) ? below(work, SHORT_BYTES) : 0);
}

static void add_output(struct work *work, struct batch *batch, uint64_t id)
{
    struct job_row row = row_ready(id);

    row.output_bytes = ledger_now(work->ledger)[id].output_bytes;
    append(work, batch, RECORD_JOB_OUTPUT, &row, 1 + below(work, SHORT_BYTES));
}

static void add_delete(struct work *work, struct batch *batch, uint64_t id)
{
    struct job_row row = row_done(id);

    append(work, batch, RECORD_JOB_DELETE, &row, 0);
}

/* News of a job whose admission failed. */
static void add_stranger(struct work *work, struct batch *batch)
{
    struct job_row row = row_done(LEDGER_JOBS + 2);

    append(work, batch, RECORD_JOB_END, &row, 100);
}

/* ---- durable channels ---- */

static void append_channel(struct batch *batch, enum record_kind kind, uint64_t id, uint64_t seen,
                           bool closed)
{
    struct channel_row row = {.id = id,
                              .capacity = 8,
                              .value_bytes_max = 1 << 20,
                              .seen = seen,
                              .flags = 32,
                              .uid = 1000,
                              .closed = closed,
                              .name = {&"abcd"[id], 1}};
    struct record *record = record_new_channel(kind, &row);

    if (!record)
        abort();
    batch_append(batch, record);
}

static void append_value(struct work *work, struct batch *batch, enum record_kind kind, uint64_t id,
                         uint64_t sequence)
{
    struct value_row row = {.channel = id, .sequence = sequence, .uid = 1000, .seen = below(work, 2)};
    size_t n = kind == RECORD_VALUE ? below(work, below(work, 12) ? SHORT_BYTES : LONG_BYTES) : 0;
    unsigned char *memory;
    struct record *record = record_new_value(kind, &row, bytes_of(draw(&work->seed), n, &memory));

    free(memory);
    if (!record)
        abort();
    batch_append(batch, record);
}

/* A channel is made, gets values, gives the first ones up, is marked, closed or forgotten. */
static void add_channel(struct work *work, struct batch *batch)
{
    uint64_t id = 1 + below(work, LEDGER_CHANNELS - 1), kind = below(work, 12);
    const struct kept_channel *channel = &ledger_channels(work->ledger)[id];

    if (!channel->there && kind < 3)
        append_value(work, batch, RECORD_VALUE, id, 1); /* of nobody yet */
    if (!channel->there)
        append_channel(batch, RECORD_CHANNEL, id, 0, false);
    else if (kind < 6 && channel->n + 2 <= LEDGER_VALUES)
        for (uint64_t i = 0; i <= kind % 2; i++)
            append_value(work, batch, RECORD_VALUE, id, channel->next + i);
    else if (kind < 9 && channel->n)
        for (uint64_t i = 0; i < channel->n && i <= kind % 2; i++)
            append_value(work, batch, RECORD_VALUE_GONE, id, channel->value[i].sequence);
    else if (kind < 10)
        append_channel(batch, RECORD_CHANNEL_SEEN, id, channel->next, false);
    else if (kind == 10)
        append_channel(batch, RECORD_CHANNEL, id, channel->seen, true);
    else
        append_channel(batch, RECORD_CHANNEL_GONE, id, 0, false);
}

/* Batches of one transaction name different jobs, so that each can be made from what the ledger has. */
static void fill(struct work *work, struct batch *batch, uint64_t taken[BATCHES], int at)
{
    uint64_t kind = below(work, 22), id = kind < 8 ? living(work) : any(work);

    if (kind >= 14 && at == 0) {
        taken[at] = 0;
        return work_on_log(work, batch);
    }
    if (kind >= 10 && at == 0) {
        taken[at] = 0;
        return add_channel(work, batch);
    }

    for (int i = 0; i < at; i++)
        if (taken[i] == id)
            id = 0;
    taken[at] = id;
    if (kind < 4 || id == 0) {
        add_new(work, batch);
        if (kind == 0)
            add_stranger(work, batch);
    } else if (kind == 4) {
        add_state(work, batch, id);
    } else if (kind == 5) {
        add_output(work, batch, id);
    } else if (kind < 8) {
        add_output(work, batch, id);
        add_end(work, batch, id);
    } else {
        add_delete(work, batch, id);
    }
}

static struct batch *batch_in(struct work *work, struct list *batches)
{
    struct batch *batch = batch_new(++work->batch);

    if (!batch)
        abort();
    list_append(batches, &batch->link);
    return batch;
}

int work_transact(struct work *work)
{
    struct list batches = LIST_INIT(batches);
    uint64_t taken[BATCHES];
    int n = 1 + (int)below(work, BATCHES);

    for (int i = 0; i < n; i++)
        fill(work, batch_in(work, &batches), taken, i);
    return ledger_apply(work->ledger, work->ops, work->store, &batches);
}

int work_submit(struct work *work, size_t bytes)
{
    struct list batches = LIST_INIT(batches);
    struct batch *batch = batch_in(work, &batches);
    struct job_row row = row_ready(++work->job);

    append(work, batch, RECORD_JOB_NEW, &row, bytes);
    return ledger_apply(work->ledger, work->ops, work->store, &batches);
}

int work_forget_all(struct work *work)
{
    struct list batches = LIST_INIT(batches);
    struct batch *batch = batch_in(work, &batches);

    for (uint64_t id = 0; id < LEDGER_JOBS; id++)
        if (ledger_now(work->ledger)[id].there)
            add_delete(work, batch, id);
    return ledger_apply(work->ledger, work->ops, work->store, &batches);
}

/* What a fetch must give is compared with the ledger at the end; here it only stands beside the writer. */
static int look(struct work *work)
{
    struct fetch what = {.kind = FETCH_JOBS, .limit = 3};
    struct fetched out;
    int r = work->ops->fetch(work->store, &what, &out);

    if (r == 0)
        fetched_clear(&out);
    return r;
}

int work_open(struct work *work)
{
    uint64_t incarnation = 0;
    char *why = NULL;
    int r = work->ops->open(&work->options, &work->store, &incarnation, &why);

    free(why);
    if (r == 0)
        ledger_opened(work->ledger, incarnation);
    return r;
}

void work_close(struct work *work)
{
    work->store = work->ops->close(work->store);
}

int work_step(struct work *work)
{
    uint64_t kind = below(work, 20);

    if (!work->store)
        return work_open(work);
    if (kind < 13)
        return work_transact(work);
    if (kind < 15)
        return work->ops->tidy(work->store, true);
    if (kind == 15)
        return work->ops->tidy(work->store, false);
    if (kind == 16)
        return work->ops->ballast(work->store, false);
    if (kind == 17)
        return work->ops->ballast(work->store, true);
    if (kind == 18)
        return look(work);
    work_close(work);
    return work_open(work);
}

int work_steps(struct work *work, int n)
{
    int r = 0;

    while (r == 0 && n-- > 0)
        r = work_step(work);
    return r;
}
