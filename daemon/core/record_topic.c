/* Records of the log of durable topics: what each kind has of a row, as a table. */
#include "record_row.h"

#include <string.h>

enum { ROW_STRINGS = 5 };

struct shape {
    size_t size;                 /* of the row */
    size_t flags;                /* where they are in it; 0: it has none */
    size_t strings[ROW_STRINGS]; /* where; 0: no more. None is the first member. */
};

static const struct shape of_topic = {
    .size = sizeof(struct topic_row),
    .flags = offsetof(struct topic_row, flags),
    .strings = {offsetof(struct topic_row, name)},
};
static const struct shape of_message = {
    .size = sizeof(struct message_row),
    .flags = offsetof(struct message_row, flags),
    .strings = {offsetof(struct message_row, key), offsetof(struct message_row, once),
                offsetof(struct message_row, headers)},
};
static const struct shape of_block = {
    .size = sizeof(struct block_row),
    .flags = offsetof(struct block_row, flags),
};
static const struct shape of_later = {
    .size = sizeof(struct later_row),
    .flags = offsetof(struct later_row, message.flags),
    .strings = {offsetof(struct later_row, message.key), offsetof(struct later_row, message.once),
                offsetof(struct later_row, message.headers)},
};
static const struct shape of_group = {
    .size = sizeof(struct group_row),
    .strings = {offsetof(struct group_row, name), offsetof(struct group_row, pattern),
                offsetof(struct group_row, text)},
};
static const struct shape of_ack = {
    .size = sizeof(struct ack_row),
    .flags = offsetof(struct ack_row, flags),
};
static const struct shape of_feed = {
    .size = sizeof(struct feed_row),
    .strings = {offsetof(struct feed_row, name), offsetof(struct feed_row, pattern),
                offsetof(struct feed_row, plugin), offsetof(struct feed_row, function),
                offsetof(struct feed_row, queue)},
};

static const struct shape *const shapes[RECORD_KINDS] = {
    [RECORD_TOPIC] = &of_topic,           [RECORD_TOPIC_GONE] = &of_topic,
    [RECORD_MESSAGE] = &of_message,       [RECORD_MESSAGE_JOINED] = &of_message,
    [RECORD_MESSAGES_GONE] = &of_message, [RECORD_ONCE_GONE] = &of_message,
    [RECORD_SEQUENCE] = &of_message,      [RECORD_BLOCK] = &of_block,
    [RECORD_LATER] = &of_later,           [RECORD_LATER_DUE] = &of_later,
    [RECORD_LATER_JOINED] = &of_later,    [RECORD_LATER_GONE] = &of_later,
    [RECORD_GROUP] = &of_group,           [RECORD_GROUP_GONE] = &of_group,
    [RECORD_GROUP_SEEN] = &of_group,      [RECORD_GROUP_ACK] = &of_ack,
    [RECORD_GROUP_TRY] = &of_ack,         [RECORD_FEED] = &of_feed,
    [RECORD_FEED_MOVE] = &of_feed,        [RECORD_FEED_GONE] = &of_feed,
};

bool record_of_topics(enum record_kind kind)
{
    return shapes[kind];
}

static struct bytes *row_string(const struct shape *shape, const void *row, int i)
{
    return (struct bytes *)((uintptr_t)row + shape->strings[i]);
}

static size_t row_bytes(const struct shape *shape, const void *row)
{
    size_t size = 0;

    for (int i = 0; i < ROW_STRINGS && shape->strings[i]; i++)
        size += row_string(shape, row, i)->size;
    return size;
}

struct record *record_new_row(enum record_kind kind, const void *row, struct bytes body)
{
    const struct shape *shape = shapes[kind];
    size_t size = offsetof(struct record, topic) + shape->size;
    struct record *record = record_alloc(kind, size + row_bytes(shape, row) + body.size);

    if (!record)
        return NULL;
    char *tail = (char *)record + size;
    memcpy(&record->topic, row, shape->size);
    record->body = body;
    for (int i = 0; i < ROW_STRINGS && shape->strings[i]; i++)
        record_keep(row_string(shape, &record->topic, i), &tail);
    record_keep(&record->body, &tail);
    return record;
}

uint32_t record_row_flags(const struct record *record)
{
    const struct shape *shape = shapes[record->kind];

    return shape->flags ? *(const uint32_t *)((const char *)&record->topic + shape->flags) : 0;
}

struct record *record_new_topic(enum record_kind kind, const struct topic_row *topic)
{
    return record_new_row(kind, topic, (struct bytes){0});
}

struct record *record_new_message(enum record_kind kind, const struct message_row *message, struct bytes body)
{
    return record_new_row(kind, message, body);
}

struct record *record_new_block(const struct block_row *block)
{
    return record_new_row(RECORD_BLOCK, block, (struct bytes){0});
}

struct record *record_new_later(enum record_kind kind, const struct later_row *later, struct bytes body)
{
    return record_new_row(kind, later, body);
}

struct record *record_new_group(enum record_kind kind, const struct group_row *group)
{
    return record_new_row(kind, group, (struct bytes){0});
}

struct record *record_new_ack(enum record_kind kind, const struct ack_row *ack)
{
    return record_new_row(kind, ack, (struct bytes){0});
}

struct record *record_new_feed(enum record_kind kind, const struct feed_row *feed)
{
    return record_new_row(kind, feed, (struct bytes){0});
}
