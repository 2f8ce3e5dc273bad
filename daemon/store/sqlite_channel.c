/* Durable channels in the SQLite store: their rows, and their values in the order of channel and sequence. */
#include "sqlite_store.h"

static int write_channel_row(struct store *store, const struct channel_row *row)
{
    struct statement *write = store->write[WRITE_CHANNEL];
    const uint64_t numbers[] = {
        row->id,    row->capacity, row->value_bytes_max, row->element_bytes, row->seen,
        row->flags, row->uid,      row->closed};
    int at = 0;

    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
        bind_number(write, ++at, (int64_t)numbers[i]);
    bind_bytes(write, ++at, row->name);
    bind_bytes(write, ++at, row->tag);
    return statement_run(write);
}

static int drop_channel(struct store *store, uint64_t id)
{
    int r = 0;

    for (int i = WRITE_DROP_CHANNEL; r == 0 && i <= WRITE_DROP_VALUES; i++) {
        bind_number(store->write[i], 1, (int64_t)id);
        r = statement_run(store->write[i]);
    }
    return r;
}

static int write_seen(struct store *store, const struct channel_row *row)
{
    struct statement *write = store->write[WRITE_CHANNEL_SEEN];

    bind_number(write, 1, (int64_t)row->id);
    bind_number(write, 2, (int64_t)row->seen);
    return statement_run(write);
}

int write_channel(struct store *store, const struct record *record)
{
    if (record->kind == RECORD_CHANNEL)
        return write_channel_row(store, &record->channel);
    if (record->kind == RECORD_CHANNEL_SEEN)
        return write_seen(store, &record->channel);
    return drop_channel(store, record->channel.id);
}

int write_value(struct store *store, const struct record *record)
{
    bool gone = record->kind == RECORD_VALUE_GONE;
    struct statement *write = store->write[gone ? WRITE_DROP_VALUE : WRITE_VALUE];

    bind_number(write, 1, (int64_t)record->value.channel);
    bind_number(write, 2, (int64_t)record->value.sequence);
    if (!gone) {
        bind_number(write, 3, record->value.uid);
        bind_number(write, 4, record->value.seen);
        bind_bytes(write, 5, record->body);
    }
    return statement_run(write);
}

int load_channel(const struct store_load *load, struct statement *select)
{
    const struct channel_row row = {
        .id = (uint64_t)column_number(select, 0),
        .capacity = (uint64_t)column_number(select, 1),
        .value_bytes_max = (uint64_t)column_number(select, 2),
        .element_bytes = (uint64_t)column_number(select, 3),
        .seen = (uint64_t)column_number(select, 4),
        .flags = (uint32_t)column_number(select, 5),
        .uid = (uint32_t)column_number(select, 6),
        .closed = column_number(select, 7),
        .name = column_bytes(select, 8),
        .tag = column_bytes(select, 9),
    };

    return load->channel ? load->channel(load->context, &row) : 0;
}

int load_value(const struct store_load *load, struct statement *select)
{
    const struct value_row row = {
        .channel = (uint64_t)column_number(select, 0),
        .sequence = (uint64_t)column_number(select, 1),
        .uid = (uint32_t)column_number(select, 2),
        .seen = column_number(select, 3),
    };

    return load->value ? load->value(load->context, &row, column_bytes(select, 4)) : 0;
}
