/* Schedules in the SQLite store. A record of one that is not there changes nothing. */
#include <errno.h>

#include "row.h"
#include "sqlite_store.h"

int store_write_schedule(struct store *store, const struct record *record)
{
    struct statement *insert = store->write[WRITE_SCHEDULE];
    int at = schedule_write(insert, record->schedule);

    bind_bytes(insert, at, record->body);
    return statement_run(insert);
}

int store_move_schedule(struct store *store, const struct record *record)
{
    struct statement *update = store->write[WRITE_SCHEDULE_MOVE];
    const struct schedule_progress *to = &record->schedule->progress;

    bind_bytes(update, 1, record->schedule->name);
    bind_number(update, 2, to->cursor_ns);
    bind_number(update, 3, to->last_ns);
    bind_number(update, 4, (int64_t)to->last_job);
    bind_number(update, 5, (int64_t)to->runs);
    bind_number(update, 6, (int64_t)to->skipped);
    return statement_run(update);
}

int store_pause_schedule(struct store *store, const struct record *record)
{
    struct statement *update = store->write[WRITE_SCHEDULE_PAUSE];

    bind_bytes(update, 1, record->schedule->name);
    bind_number(update, 2, record->schedule->paused);
    bind_number(update, 3, record->schedule->progress.cursor_ns);
    return statement_run(update);
}

int store_drop_schedule(struct store *store, const struct record *record)
{
    bind_bytes(store->write[WRITE_SCHEDULE_DROP], 1, record->schedule->name);
    return statement_run(store->write[WRITE_SCHEDULE_DROP]);
}

int store_load_schedule(const struct store_load *load, struct statement *select)
{
    struct schedule_row row;
    int at = schedule_read(select, &row);

    return load->schedule ? load->schedule(load->context, &row, column_bytes(select, at)) : 0;
}
