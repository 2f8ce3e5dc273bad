/* Batches and records. Each is one allocation of the C library: they change threads, the core's memory does not. */
#include "record_row.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const size_t row_strings[] = {
    offsetof(struct job_row, plugin), offsetof(struct job_row, function), offsetof(struct job_row, queue),
    offsetof(struct job_row, key),    offsetof(struct job_row, text),     offsetof(struct job_row, delays),
    offsetof(struct job_row, once),   offsetof(struct job_row, after),
};

static_assert(sizeof(row_strings) / sizeof(*row_strings) == JOB_ROW_STRINGS, "each string of a row");

static const size_t schedule_strings[] = {
    offsetof(struct schedule_row, name),     offsetof(struct schedule_row, spec),
    offsetof(struct schedule_row, zone),     offsetof(struct schedule_row, plugin),
    offsetof(struct schedule_row, function), offsetof(struct schedule_row, queue),
    offsetof(struct schedule_row, key),      offsetof(struct schedule_row, delays),
};

static_assert(sizeof(schedule_strings) / sizeof(*schedule_strings) == SCHEDULE_ROW_STRINGS,
              "each string of a row");

struct bytes *job_row_string(struct job_row *row, int i)
{
    return (struct bytes *)((char *)row + row_strings[i]);
}

struct bytes *schedule_row_string(struct schedule_row *row, int i)
{
    return (struct bytes *)((char *)row + schedule_strings[i]);
}

void record_keep(struct bytes *bytes, char **tail)
{
    if (bytes->size)
        memcpy(*tail, bytes->data, bytes->size);
    bytes->data = *tail;
    *tail += bytes->size;
}

struct record *record_alloc(enum record_kind kind, size_t size)
{
    struct record *record = malloc(size);

    if (!record)
        return NULL;
    list_init(&record->link);
    record->kind = kind;
    record->schedule = NULL;
    record->step = (struct feed_step){0};
    record->body = (struct bytes){0};
    return record;
}

void schedule_row_keep(struct schedule_row *row, char *tail)
{
    for (int i = 0; i < SCHEDULE_ROW_STRINGS; i++)
        record_keep(schedule_row_string(row, i), &tail);
}

size_t schedule_row_bytes(const struct schedule_row *row)
{
    struct schedule_row copy = *row;
    size_t size = 0;

    for (int i = 0; i < SCHEDULE_ROW_STRINGS; i++)
        size += schedule_row_string(&copy, i)->size;
    return size;
}

static size_t job_row_bytes(struct job_row row)
{
    size_t size = 0;

    for (int i = 0; i < JOB_ROW_STRINGS; i++)
        size += job_row_string(&row, i)->size;
    return size;
}

/* The row of a schedule, first behind the record, where memory is aligned. */
static void keep_schedule(struct record *record, const struct schedule_row *row, char **tail)
{
    struct schedule_row *kept = (struct schedule_row *)*tail;

    *kept = *row;
    *tail += sizeof(*kept);
    schedule_row_keep(kept, *tail);
    *tail += schedule_row_bytes(kept);
    record->schedule = kept;
}

struct record *record_new(enum record_kind kind, const struct job_row *job, struct bytes body)
{
    return record_new_of(kind, job, NULL, body);
}

struct record *record_new_of(enum record_kind kind, const struct job_row *job,
                             const struct schedule_row *schedule, struct bytes body)
{
    struct job_row row = job ? *job : (struct job_row){0};
    size_t size = offsetof(struct record, job) + sizeof(row), strings = job_row_bytes(row) + body.size;

    if (schedule)
        strings += sizeof(*schedule) + schedule_row_bytes(schedule);
    struct record *record = record_alloc(kind, size + strings);
    if (!record)
        return NULL;
    char *tail = (char *)record + size;
    record->job = row;
    record->body = body;
    if (schedule)
        keep_schedule(record, schedule, &tail);
    for (int i = 0; i < JOB_ROW_STRINGS; i++)
        record_keep(job_row_string(&record->job, i), &tail);
    record_keep(&record->body, &tail);
    return record;
}

struct record *record_new_channel(enum record_kind kind, const struct channel_row *channel)
{
    size_t size = offsetof(struct record, channel) + sizeof(*channel);
    struct record *record = record_alloc(kind, size + channel->name.size + channel->tag.size);

    if (!record)
        return NULL;
    char *tail = (char *)record + size;
    record->channel = *channel;
    record_keep(&record->channel.name, &tail);
    record_keep(&record->channel.tag, &tail);
    return record;
}

struct record *record_new_value(enum record_kind kind, const struct value_row *value, struct bytes body)
{
    size_t size = offsetof(struct record, value) + sizeof(*value);
    struct record *record = record_alloc(kind, size + body.size);

    if (!record)
        return NULL;
    char *tail = (char *)record + size;
    record->value = *value;
    record->body = body;
    record_keep(&record->body, &tail);
    return record;
}

static struct record *copy_of_job(const struct record *record)
{
    struct record *copy = record_new_of(record->kind, &record->job, record->schedule, record->body);

    if (copy)
        copy->step = record->step;
    return copy;
}

struct record *record_copy(const struct record *record)
{
    if (record_of_topics(record->kind))
        return record_new_row(record->kind, &record->topic, record->body);
    switch (record->kind) {
    case RECORD_CHANNEL:
    case RECORD_CHANNEL_SEEN:
    case RECORD_CHANNEL_GONE:
        return record_new_channel(record->kind, &record->channel);
    case RECORD_VALUE:
    case RECORD_VALUE_JOINED:
    case RECORD_VALUE_GONE:
        return record_new_value(record->kind, &record->value, record->body);
    default:
        return copy_of_job(record);
    }
}

struct record *record_delete(struct record *record)
{
    if (record)
        list_remove(&record->link);
    free(record);
    return NULL;
}

struct batch *batch_new(uint64_t number)
{
    struct batch *batch = malloc(sizeof(*batch));

    if (!batch)
        return NULL;
    *batch = (struct batch){.number = number};
    list_init(&batch->link);
    list_init(&batch->records);
    return batch;
}

struct batch *batch_delete(struct batch *batch)
{
    struct record *record, *after;

    if (!batch)
        return NULL;
    list_each_safe (record, after, &batch->records, link)
        record_delete(record);
    list_remove(&batch->link);
    free(batch);
    return NULL;
}

enum durability record_durability(const struct record *record)
{
    if (record_of_topics(record->kind))
        return flags_durability(record_row_flags(record));
    return record->kind <= RECORD_JOB_DELETE ? flags_durability(record->job.flags) : DURABLE_FULL;
}

void batch_append(struct batch *batch, struct record *record)
{
    bool moves = record->schedule || record->step.feed; /* what moves is on the disk, whatever the job is */
    enum durability durability = moves ? DURABLE_FULL : record_durability(record);

    batch->syncs = batch->syncs || durability == DURABLE_FULL;
    batch->on_disk = batch->on_disk || durability != DURABLE_NONE;
    list_append(&batch->records, &record->link);
    batch->records_n++;
    batch->bytes += sizeof(*record) + record->body.size;
}

bool record_admits(enum record_kind kind)
{
    return kind == RECORD_JOB_NEW || kind == RECORD_SCHEDULE_SET || kind == RECORD_VALUE ||
           kind == RECORD_MESSAGE || kind == RECORD_LATER;
}

bool batch_admits(const struct batch *batch)
{
    const struct record *record;
    bool only_output = true;

    list_each (record, &batch->records, link) {
        if (record_admits(record->kind))
            return true;
        only_output = only_output && record->kind == RECORD_JOB_OUTPUT;
    }
    return only_output && !list_empty(&batch->records);
}
