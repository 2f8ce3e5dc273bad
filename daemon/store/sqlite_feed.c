/* Feeds in the SQLite store. A record of one that is not there changes nothing. */
#include "sqlite_store.h"

/* Cursor, jobs, missed and last job. */
static int bind_progress(struct statement *write, int at, const struct feed_progress *progress)
{
    bind_number(write, at++, (int64_t)progress->cursor);
    bind_number(write, at++, (int64_t)progress->jobs);
    bind_number(write, at++, (int64_t)progress->missed);
    bind_number(write, at++, (int64_t)progress->last_job);
    return at;
}

int log_write_feed(struct store *store, const struct record *record)
{
    const struct feed_row *row = &record->feed;
    struct statement *write = store->log.write[LOG_FEED];
    const struct bytes strings[] = {row->name, row->pattern, row->plugin, row->function, row->queue};

    bind_number(write, 1, (int64_t)row->id);
    bind_number(write, 2, row->uid);
    bind_number(write, 3, row->paused);
    bind_number(write, 4, row->argument);
    bind_number(write, 5, (int64_t)row->ahead);
    bind_number(write, 6, row->from_us);
    int at = bind_progress(write, 7, &row->progress);
    for (size_t i = 0; i < sizeof(strings) / sizeof(*strings); i++)
        bind_bytes(write, at++, strings[i]);
    bind_number(write, at, row->moves);
    return statement_run(write);
}

int log_step_feed(struct store *store, const struct feed_step *step)
{
    struct statement *update = store->log.write[LOG_FEED_MOVE];

    bind_number(update, 1, (int64_t)step->feed);
    bind_progress(update, 2, &step->to);
    return statement_run(update);
}

int log_move_feed(struct store *store, const struct record *record)
{
    const struct feed_step step = {record->feed.id, record->feed.progress};

    return log_step_feed(store, &step);
}

int log_drop_feed(struct store *store, const struct record *record)
{
    bind_number(store->log.write[LOG_DROP_FEED], 1, (int64_t)record->feed.id);
    return statement_run(store->log.write[LOG_DROP_FEED]);
}

int log_load_feed(const struct store_load *load, struct statement *select)
{
    const struct feed_row row = {
        .id = (uint64_t)column_number(select, 0),
        .uid = (uint32_t)column_number(select, 1),
        .paused = column_number(select, 2),
        .argument = (uint32_t)column_number(select, 3),
        .ahead = (uint64_t)column_number(select, 4),
        .from_us = column_number(select, 5),
        .progress = {.cursor = (uint64_t)column_number(select, 6),
                     .jobs = (uint64_t)column_number(select, 7),
                     .missed = (uint64_t)column_number(select, 8),
                     .last_job = (uint64_t)column_number(select, 9)},
        .name = column_bytes(select, 10),
        .pattern = column_bytes(select, 11),
        .plugin = column_bytes(select, 12),
        .function = column_bytes(select, 13),
        .queue = column_bytes(select, 14),
    };

    return load->feed ? load->feed(load->context, &row) : 0;
}
