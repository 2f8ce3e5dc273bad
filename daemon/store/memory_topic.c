/*
 * The log of durable topics in the store in memory: the records themselves.
 *
 * A message is in the log, and in its topic, until it is gone; its once-id may outlive it: then the record stays for that.
 * Invariants: the log, the messages, blocks and once-ids of a topic are in the order of sequences; entries of each kind in that
 * of ids.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "memory_log.h"

struct memory_log *memory_log_new(void)
{
    struct memory_log *log = calloc(1, sizeof(*log));

    if (!log)
        return NULL;
    list_init(&log->topics.list);
    list_init(&log->groups.list);
    list_init(&log->laters.list);
    list_init(&log->feeds.list);
    list_init(&log->rules);
    list_init(&log->messages);
    return log;
}

/* ---- entries ---- */

struct entry *entry_find(const struct table *table, uint64_t id)
{
    struct entry *entry;

    HASH_FIND(by_id, table->by_id, &id, sizeof(id), entry);
    return entry;
}

/* The row of the entry with this id is that record from now on; `fresh` is memory for a new one. */
static struct entry *entry_set(struct table *table, uint64_t id, struct record *record, struct entry *fresh)
{
    struct entry *entry = entry_find(table, id);
    struct list *place = table->list.prev;

    if (entry) {
        free(fresh);
        record_delete(entry->row);
        entry->row = record;
        return entry;
    }
    *fresh = (struct entry){.id = id, .row = record};
    list_init(&fresh->messages);
    list_init(&fresh->onces);
    list_init(&fresh->blocks);
    list_init(&fresh->acks);
    list_init(&fresh->tries);
    while (place != &table->list && container_of(place, struct entry, link)->id > id)
        place = place->prev;
    list_prepend(place, &fresh->link);
    HASH_ADD(by_id, table->by_id, id, sizeof(id), fresh);
    return fresh;
}

static void records_clear(struct list *records)
{
    struct record *record, *after;

    list_each_safe (record, after, records, link)
        record_delete(record);
}

static void entry_drop(struct table *table, struct entry *entry)
{
    if (!entry)
        return;
    HASH_DELETE(by_id, table->by_id, entry);
    list_remove(&entry->link);
    records_clear(&entry->blocks);
    records_clear(&entry->acks);
    records_clear(&entry->tries);
    record_delete(entry->row);
    free(entry);
}

/* ---- messages ---- */

static void message_free(struct message_kept *kept)
{
    if (list_linked(&kept->in_log) || list_linked(&kept->in_once))
        return;
    record_delete(kept->record);
    free(kept);
}

static void leave_log(struct memory_log *log, struct message_kept *kept)
{
    HASH_DELETE(by_sequence, log->by_sequence, kept);
    list_remove(&kept->in_log);
    list_remove(&kept->in_topic);
    message_free(kept);
}

static void drop_messages(struct memory_log *log, struct entry *topic, uint64_t sequence)
{
    struct message_kept *kept, *after;
    struct record *block, *next;

    list_each_safe (kept, after, &topic->messages, in_topic) {
        if (kept->sequence > sequence)
            break;
        if (topic->row->topic.last_sequence < kept->sequence)
            topic->row->topic.last_sequence = kept->sequence;
        leave_log(log, kept);
    }
    list_each_safe (block, next, &topic->blocks, link)
        if (block->block.last <= sequence)
            record_delete(block);
}

static void drop_onces(struct entry *topic, uint64_t sequence)
{
    struct message_kept *kept, *after;

    list_each_safe (kept, after, &topic->onces, in_once) {
        if (kept->sequence > sequence)
            return;
        list_remove(&kept->in_once);
        message_free(kept);
    }
}

static void drop_topic(struct memory_log *log, struct entry *topic)
{
    struct entry *later, *after;

    if (!topic)
        return;
    list_each_safe (later, after, &log->laters.list, link)
        if (later->row->later.message.topic == topic->id)
            entry_drop(&log->laters, later);
    drop_messages(log, topic, UINT64_MAX);
    drop_onces(topic, UINT64_MAX);
    entry_drop(&log->topics, topic);
}

/* Takes both. */
static void publish(struct memory_log *log, struct record *record, struct message_kept *fresh)
{
    struct entry *topic = entry_find(&log->topics, record->message.topic);

    if (!topic) {
        record_delete(record);
        free(fresh);
        return;
    }
    fresh->record = record;
    fresh->sequence = record->message.sequence;
    list_init(&fresh->in_once);
    list_append(&log->messages, &fresh->in_log);
    list_append(&topic->messages, &fresh->in_topic);
    if (record->message.once.size)
        list_append(&topic->onces, &fresh->in_once);
    HASH_ADD(by_sequence, log->by_sequence, sequence, sizeof(fresh->sequence), fresh);
    if (fresh->sequence > log->sequence)
        log->sequence = fresh->sequence;
}

/* ---- one record of each kind ---- */

static void take_rule(struct memory_log *log, struct record *record, void *fresh)
{
    struct record *old, *after;
    struct bytes name = record->job.queue;

    list_each_safe (old, after, &log->rules, link)
        if (bytes_are(old->job.queue, name.data, name.size))
            record_delete(old);
    if (record->body.size)
        list_append(&log->rules, &record->link);
    else
        record_delete(record);
}

static void take_topic(struct memory_log *log, struct record *record, void *fresh)
{
    entry_set(&log->topics, record->topic.id, record, fresh);
}

static void take_topic_gone(struct memory_log *log, struct record *record, void *fresh)
{
    drop_topic(log, entry_find(&log->topics, record->topic.id));
    record_delete(record);
}

static void take_message(struct memory_log *log, struct record *record, void *fresh)
{
    publish(log, record, fresh);
}

static void take_messages_gone(struct memory_log *log, struct record *record, void *fresh)
{
    struct entry *topic = entry_find(&log->topics, record->message.topic);

    if (topic)
        drop_messages(log, topic, record->message.sequence);
    record_delete(record);
}

static void take_once_gone(struct memory_log *log, struct record *record, void *fresh)
{
    struct entry *topic = entry_find(&log->topics, record->message.topic);

    if (topic)
        drop_onces(topic, record->message.sequence);
    record_delete(record);
}

static void take_sequence(struct memory_log *log, struct record *record, void *fresh)
{
    if (log->sequence < record->message.sequence)
        log->sequence = record->message.sequence;
    record_delete(record);
}

static void take_block(struct memory_log *log, struct record *record, void *fresh)
{
    struct entry *topic = entry_find(&log->topics, record->block.topic);
    struct record *block, *after;

    if (!topic) {
        record_delete(record);
        return;
    }
    list_each_safe (block, after, &topic->blocks, link) {
        if (block->block.last < record->block.last)
            continue;
        list_insert_before(&block->link, &record->link);
        if (block->block.last == record->block.last)
            record_delete(block);
        return;
    }
    list_append(&topic->blocks, &record->link);
}

static void take_later(struct memory_log *log, struct record *record, void *fresh)
{
    if (entry_find(&log->topics, record->later.message.topic)) {
        entry_set(&log->laters, record->later.id, record, fresh);
        return;
    }
    record_delete(record);
    free(fresh);
}

static void take_later_gone(struct memory_log *log, struct record *record, void *fresh)
{
    entry_drop(&log->laters, entry_find(&log->laters, record->later.id));
    record_delete(record);
}

/* The record becomes that of a message: its strings stay where they are. */
static void take_later_due(struct memory_log *log, struct record *record, void *fresh)
{
    struct entry *later = entry_find(&log->laters, record->later.id);
    struct record *due = later ? later->row : NULL;

    if (later) {
        struct message_row row = due->later.message;
        row.sequence = record->later.message.sequence;
        row.time_us = record->later.message.time_us;
        due->kind = RECORD_MESSAGE;
        due->message = row;
        later->row = NULL;
        entry_drop(&log->laters, later);
        publish(log, due, fresh);
    } else {
        free(fresh);
    }
    record_delete(record);
}

/* ---- groups ---- */

static void drop_acks(struct list *acks, uint64_t first, uint64_t last)
{
    struct record *ack, *after;

    list_each_safe (ack, after, acks, link)
        if (ack->ack.sequence >= first && ack->ack.sequence <= last)
            record_delete(ack);
}

static void put_ack(struct list *acks, struct record *record)
{
    drop_acks(acks, record->ack.sequence, record->ack.sequence);
    struct list *place = acks->prev;
    while (place != acks && container_of(place, struct record, link)->ack.sequence > record->ack.sequence)
        place = place->prev;
    list_prepend(place, &record->link);
}

static void take_group(struct memory_log *log, struct record *record, void *fresh)
{
    struct entry *group = entry_set(&log->groups, record->group.id, record, fresh);
    uint64_t settled = record->group.anew ? UINT64_MAX : record->group.floor;

    drop_acks(&group->acks, 0, settled);
    drop_acks(&group->tries, 0, settled);
}

static void take_group_gone(struct memory_log *log, struct record *record, void *fresh)
{
    entry_drop(&log->groups, entry_find(&log->groups, record->group.id));
    record_delete(record);
}

static void take_group_seen(struct memory_log *log, struct record *record, void *fresh)
{
    struct entry *group = entry_find(&log->groups, record->group.id);

    if (group)
        group->row->group.mark = record->group.mark;
    record_delete(record);
}

static void take_group_ack(struct memory_log *log, struct record *record, void *fresh)
{
    struct entry *group = entry_find(&log->groups, record->ack.group);

    if (group && group->row->group.floor < record->ack.floor) {
        group->row->group.floor = record->ack.floor;
        drop_acks(&group->acks, 0, record->ack.floor);
        drop_acks(&group->tries, 0, record->ack.floor);
    }
    if (group && record->ack.sequence > group->row->group.floor) {
        drop_acks(&group->tries, record->ack.sequence, record->ack.sequence);
        put_ack(&group->acks, record);
    } else {
        record_delete(record);
    }
}

static void take_group_try(struct memory_log *log, struct record *record, void *fresh)
{
    struct entry *group = entry_find(&log->groups, record->ack.group);

    if (group && record->ack.tries && record->ack.sequence > group->row->group.floor) {
        put_ack(&group->tries, record);
        return;
    }
    if (group)
        drop_acks(&group->tries, record->ack.sequence, record->ack.sequence);
    record_delete(record);
}

/* ---- feeds ---- */

static void take_feed(struct memory_log *log, struct record *record, void *fresh)
{
    const struct entry *before = entry_find(&log->feeds, record->feed.id);

    if (before && !record->feed.moves)
        record->feed.progress = before->row->feed.progress;
    entry_set(&log->feeds, record->feed.id, record, fresh);
}

void memory_log_step(struct memory_log *log, const struct feed_step *step)
{
    struct entry *feed = entry_find(&log->feeds, step->feed);

    if (feed)
        feed->row->feed.progress = step->to;
}

static void take_feed_move(struct memory_log *log, struct record *record, void *fresh)
{
    const struct feed_step step = {record->feed.id, record->feed.progress};

    memory_log_step(log, &step);
    record_delete(record);
}

static void take_feed_gone(struct memory_log *log, struct record *record, void *fresh)
{
    entry_drop(&log->feeds, entry_find(&log->feeds, record->feed.id));
    record_delete(record);
}

/* `fresh` is the size of the memory that a record may need. */
static const struct kind {
    void (*take)(struct memory_log *log, struct record *record, void *fresh);
    size_t fresh;
} kinds[RECORD_KINDS] = {
    [RECORD_TOPIC_RULE] = {take_rule},
    [RECORD_TOPIC] = {take_topic, sizeof(struct entry)},
    [RECORD_TOPIC_GONE] = {take_topic_gone},
    [RECORD_MESSAGE] = {take_message, sizeof(struct message_kept)},
    [RECORD_MESSAGE_JOINED] = {take_message, sizeof(struct message_kept)},
    [RECORD_MESSAGES_GONE] = {take_messages_gone},
    [RECORD_ONCE_GONE] = {take_once_gone},
    [RECORD_SEQUENCE] = {take_sequence},
    [RECORD_BLOCK] = {take_block},
    [RECORD_LATER] = {take_later, sizeof(struct entry)},
    [RECORD_LATER_JOINED] = {take_later, sizeof(struct entry)},
    [RECORD_LATER_DUE] = {take_later_due, sizeof(struct message_kept)},
    [RECORD_LATER_GONE] = {take_later_gone},
    [RECORD_GROUP] = {take_group, sizeof(struct entry)},
    [RECORD_GROUP_GONE] = {take_group_gone},
    [RECORD_GROUP_SEEN] = {take_group_seen},
    [RECORD_GROUP_ACK] = {take_group_ack},
    [RECORD_GROUP_TRY] = {take_group_try},
    [RECORD_FEED] = {take_feed, sizeof(struct entry)},
    [RECORD_FEED_MOVE] = {take_feed_move},
    [RECORD_FEED_GONE] = {take_feed_gone},
};

bool memory_log_has(const struct record *record)
{
    return kinds[record->kind].take;
}

int memory_log_prepare(const struct record *record, void **fresh)
{
    size_t size = kinds[record->kind].fresh;

    *fresh = size ? calloc(1, size) : NULL;
    return size && !*fresh ? -ENOMEM : 0;
}

void memory_log_take(struct memory_log *log, struct record *record, void *fresh)
{
    kinds[record->kind].take(log, record, fresh);
}

struct memory_log *memory_log_delete(struct memory_log *log)
{
    struct entry *entry, *after;

    if (!log)
        return NULL;
    list_each_safe (entry, after, &log->topics.list, link)
        drop_topic(log, entry);
    list_each_safe (entry, after, &log->groups.list, link)
        entry_drop(&log->groups, entry);
    list_each_safe (entry, after, &log->feeds.list, link)
        entry_drop(&log->feeds, entry);
    records_clear(&log->rules);
    free(log);
    return NULL;
}
