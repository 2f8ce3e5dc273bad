/* Batches and records. Each is one allocation of the C library: they change threads, the core's memory does not. */
#include "record.h"

#include <stdlib.h>
#include <string.h>

static const size_t row_strings[] = {
    offsetof(struct job_row, plugin), offsetof(struct job_row, function), offsetof(struct job_row, queue),
    offsetof(struct job_row, key),    offsetof(struct job_row, text),
};

enum { ROW_STRINGS = sizeof(row_strings) / sizeof(*row_strings) };

static struct bytes *row_string(struct job_row *row, int i)
{
    return (struct bytes *)((char *)row + row_strings[i]);
}

/* Moves *bytes to *tail and steps over it. */
static void keep(struct bytes *bytes, char **tail)
{
    if (bytes->size)
        memcpy(*tail, bytes->data, bytes->size);
    bytes->data = *tail;
    *tail += bytes->size;
}

struct record *record_new(enum record_kind kind, const struct job_row *job, struct bytes body)
{
    struct job_row row = *job;
    size_t size = sizeof(struct record) + body.size;

    for (int i = 0; i < ROW_STRINGS; i++)
        size += row_string(&row, i)->size;
    struct record *record = malloc(size);
    if (!record)
        return NULL;
    char *tail = (char *)(record + 1);
    *record = (struct record){.kind = kind, .job = row, .body = body};
    list_init(&record->link);
    for (int i = 0; i < ROW_STRINGS; i++)
        keep(row_string(&record->job, i), &tail);
    keep(&record->body, &tail);
    return record;
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

void batch_append(struct batch *batch, struct record *record)
{
    list_append(&batch->records, &record->link);
    batch->records_n++;
    batch->bytes += sizeof(*record) + record->body.size;
}

bool batch_admits(const struct batch *batch)
{
    const struct record *record;
    bool only_output = true;

    list_each (record, &batch->records, link) {
        if (record->kind == RECORD_JOB_NEW)
            return true;
        only_output = only_output && record->kind == RECORD_JOB_OUTPUT;
    }
    return only_output && !list_empty(&batch->records);
}
