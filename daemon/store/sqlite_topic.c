/*
 * The log of durable topics in the SQLite store: its records.
 *
 * A message is a row by its sequence, so that a publish appends to one place; its index leads to it by part of the log and topic.
 * `gone` of a topic says from where on it has messages, so that nobody looks for older ones. A message is written only where its topic is there: the last few topics that were found so are remembered, until one goes or a transaction
 * is taken back.
 * A floor moves with nearly every acknowledgement: of one transaction only the last place of each is written.
 */
#include <errno.h>
#include <string.h>

#include "sqlite_store.h"

#define MESSAGE_COLUMNS "sequence, topic, time_us, of, uid, flags, key, headers, body"
#define IN_PART                                                                                              \
    " FROM messages INDEXED BY messages_topic WHERE " LOG_PART " = ?1 AND topic = ?2 AND sequence <= ?3"

const char *const log_writes[LOG_WRITES] = {
    [LOG_TOPIC_RULE] = "INSERT OR REPLACE INTO topic_rules(name, kept) VALUES (?1, ?2)",
    [LOG_DROP_TOPIC_RULE] = "DELETE FROM topic_rules WHERE name = ?1",
    [LOG_TOPIC] = "INSERT INTO topics(id, last_sequence, uid, flags, name, gone) VALUES (?1, ?2, ?3, ?4, ?5,"
                  " coalesce((SELECT max(sequence) FROM messages), 0)) ON CONFLICT(id) DO UPDATE SET"
                  " last_sequence = ?2, uid = ?3, flags = ?4, name = ?5",
    [LOG_FIND_TOPIC] = "SELECT 1 FROM topics WHERE id = ?1",
    [LOG_MESSAGE] = "INSERT INTO messages(" MESSAGE_COLUMNS ") VALUES (?,?,?,?,?,?,?,?,?)",
    [LOG_ONCE] = "INSERT OR REPLACE INTO onces(topic, sequence, time_us, once) VALUES (?1, ?2, ?3, ?4)",
    [LOG_BLOCK] =
        "INSERT OR REPLACE INTO blocks(topic, last, first, messages, bytes, first_us, last_us, flags)"
        " SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 WHERE EXISTS (SELECT 1 FROM topics WHERE id = ?1)",
    [LOG_END] = "SELECT coalesce(max(sequence), 0) FROM messages",
    [LOG_FIND_GONE] = "SELECT gone FROM topics WHERE id = ?1",
    [LOG_LAST_IN_PART] = "SELECT coalesce(max(sequence), 0)" IN_PART,
    [LOG_DROP_IN_PART] = "DELETE" IN_PART,
    [LOG_GONE] = "UPDATE topics SET gone = ?2, last_sequence = max(last_sequence, ?3) WHERE id = ?1",
    [LOG_DROP_BLOCKS] = "DELETE FROM blocks WHERE topic = ?1 AND last <= ?2",
    [LOG_DROP_ONCES] = "DELETE FROM onces WHERE topic = ?1 AND sequence <= ?2",
    [LOG_DROP_LATERS] = "DELETE FROM laters WHERE topic = ?1",
    [LOG_DROP_TOPIC] = "DELETE FROM topics WHERE id = ?1",
    [LOG_SEQUENCE] = "UPDATE daemon SET sequence = max(sequence, ?1)",
    [LOG_LATER] = "INSERT OR REPLACE INTO laters(id, due_us, topic, of, uid, flags, key, once, headers, body)"
                  " VALUES (?,?,?,?,?,?,?,?,?,?)",
    [LOG_LATER_DUE] = "INSERT INTO messages(" MESSAGE_COLUMNS ")"
                      " SELECT ?2, topic, ?3, of, uid, flags, key, headers, body FROM laters WHERE id = ?1",
    [LOG_LATER_ONCE] = "INSERT OR REPLACE INTO onces(topic, sequence, time_us, once)"
                       " SELECT topic, ?2, ?3, once FROM laters WHERE id = ?1 AND once <> x''",
    [LOG_DROP_LATER] = "DELETE FROM laters WHERE id = ?1",
    [LOG_GROUP] = "INSERT OR REPLACE INTO topic_groups(id, floor, mark, uid, paused, name, pattern, text)"
                  " VALUES (?,?,?,?,?,?,?,?)",
    [LOG_GROUP_SEEN] = "UPDATE topic_groups SET mark = ?2 WHERE id = ?1",
    [LOG_GROUP_ACK] = "INSERT OR IGNORE INTO group_acks(id, sequence) SELECT ?1, ?2"
                      " WHERE EXISTS (SELECT 1 FROM topic_groups WHERE id = ?1 AND floor < ?2)",
    [LOG_GROUP_ACK_TRY] = "DELETE FROM group_tries WHERE id = ?1 AND sequence = ?2",
    [LOG_GROUP_TRY] = "INSERT OR REPLACE INTO group_tries(id, sequence, tries, due_us) SELECT ?1, ?2, ?3, ?4"
                      " WHERE EXISTS (SELECT 1 FROM topic_groups WHERE id = ?1 AND floor < ?2)",
    [LOG_DROP_TRY] = "DELETE FROM group_tries WHERE id = ?1 AND sequence = ?2",
    [LOG_FLOOR] = "UPDATE topic_groups SET floor = ?2 WHERE id = ?1 AND floor < ?2",
    [LOG_DROP_ACKS] = "DELETE FROM group_acks WHERE id = ?1 AND sequence <= ?2",
    [LOG_DROP_TRIES] = "DELETE FROM group_tries WHERE id = ?1 AND sequence <= ?2",
    [LOG_DROP_GROUP] = "DELETE FROM topic_groups WHERE id = ?1",
    [LOG_FEED] =
        "INSERT INTO feeds(" FEED_COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,"
        " ?13, ?14, ?15) ON CONFLICT(id) DO UPDATE SET uid = ?2, paused = ?3, argument = ?4, ahead = ?5,"
        " from_us = ?6, cursor = iif(?16, ?7, cursor), jobs = iif(?16, ?8, jobs),"
        " missed = iif(?16, ?9, missed), last_job = iif(?16, ?10, last_job), name = ?11, pattern = ?12,"
        " plugin = ?13, function = ?14, queue = ?15",
    [LOG_FEED_MOVE] = "UPDATE feeds SET cursor = ?2, jobs = ?3, missed = ?4, last_job = ?5 WHERE id = ?1",
    [LOG_DROP_FEED] = "DELETE FROM feeds WHERE id = ?1",
};

/* The number that a statement gives. 1; 0: it gives none. */
static int number(struct statement *select, uint64_t *number)
{
    int r = statement_step(select);

    if (r == 1)
        *number = (uint64_t)column_number(select, 0);
    statement_reset(select);
    return r;
}

/* A place in the log: what lies above all of them may be meant. */
static int64_t place_of(uint64_t sequence)
{
    return sequence > INT64_MAX ? INT64_MAX : (int64_t)sequence;
}

/* Statements `first` to `last`, each with these two numbers. */
static int run(struct store *store, enum log_write first, enum log_write last, uint64_t id, uint64_t sequence)
{
    int r = 0;

    for (int i = first; r == 0 && i <= (int)last; i++) {
        struct statement *write = store->log.write[i];

        bind_number(write, 1, (int64_t)id);
        bind_number(write, 2, place_of(sequence));
        r = statement_run(write);
    }
    return r;
}

/* ---- topics ---- */

static int write_rule(struct store *store, const struct record *record)
{
    struct statement *write = store->log.write[record->body.size ? LOG_TOPIC_RULE : LOG_DROP_TOPIC_RULE];

    bind_bytes(write, 1, record->job.queue);
    if (record->body.size)
        bind_bytes(write, 2, record->body);
    return statement_run(write);
}

static int write_topic(struct store *store, const struct record *record)
{
    const struct topic_row *row = &record->topic;
    struct statement *write = store->log.write[LOG_TOPIC];

    bind_number(write, 1, (int64_t)row->id);
    bind_number(write, 2, (int64_t)row->last_sequence);
    bind_number(write, 3, row->uid);
    bind_number(write, 4, row->flags);
    bind_bytes(write, 5, row->name);
    return statement_run(write);
}

/* 1: the topic is there, 0: it is not. */
static int find_topic(struct store *store, uint64_t id)
{
    struct statement *select = store->log.write[LOG_FIND_TOPIC];
    uint64_t *known = &store->log.known[id % LOG_TOPICS_KNOWN], there;

    if (*known == id)
        return 1;
    bind_number(select, 1, (int64_t)id);
    int r = number(select, &there);
    if (r == 1)
        *known = id;
    return r;
}

/* ---- messages ---- */

static int write_once(struct store *store, const struct message_row *row)
{
    struct statement *write = store->log.write[LOG_ONCE];

    bind_number(write, 1, (int64_t)row->topic);
    bind_number(write, 2, (int64_t)row->sequence);
    bind_number(write, 3, row->time_us);
    bind_bytes(write, 4, row->once);
    return statement_run(write);
}

static int write_message(struct store *store, const struct record *record)
{
    const struct message_row *row = &record->message;
    struct statement *write = store->log.write[LOG_MESSAGE];
    int r = find_topic(store, row->topic);

    if (r != 1)
        return r;
    bind_number(write, 1, (int64_t)row->sequence);
    bind_number(write, 2, (int64_t)row->topic);
    bind_number(write, 3, row->time_us);
    bind_number(write, 4, (int64_t)row->of);
    bind_number(write, 5, row->uid);
    bind_number(write, 6, row->flags);
    bind_bytes(write, 7, row->key);
    bind_bytes(write, 8, row->headers);
    bind_bytes(write, 9, record->body);
    r = statement_run(write);
    return r < 0 || !row->once.size ? r : write_once(store, row);
}

/* The messages of a topic in one part of the log. *last is the last one of those that are gone, as long as it was 0. */
static int drop_in_part(struct store *store, uint64_t topic, uint64_t part, uint64_t to, uint64_t *last)
{
    int r = 1;

    for (int i = *last ? LOG_DROP_IN_PART : LOG_LAST_IN_PART; r == 1 && i <= LOG_DROP_IN_PART; i++) {
        bind_number(store->log.write[i], 1, (int64_t)part);
        bind_number(store->log.write[i], 2, (int64_t)topic);
        bind_number(store->log.write[i], 3, (int64_t)to);
        r = i == LOG_LAST_IN_PART ? number(store->log.write[i], last) : statement_run(store->log.write[i]);
        if (i == LOG_LAST_IN_PART && *last == 0)
            return r < 0 ? r : 0;
    }
    return r < 0 ? r : 0;
}

static int keep_sequence(struct store *store, uint64_t sequence)
{
    bind_number(store->log.write[LOG_SEQUENCE], 1, place_of(sequence));
    return statement_run(store->log.write[LOG_SEQUENCE]);
}

static int move_gone(struct store *store, uint64_t topic, uint64_t gone, uint64_t last)
{
    struct statement *update = store->log.write[LOG_GONE];

    bind_number(update, 1, (int64_t)topic);
    bind_number(update, 2, (int64_t)gone);
    bind_number(update, 3, (int64_t)last);
    return statement_run(update);
}

/* From its last message to its first. */
static int drop_up_to(struct store *store, uint64_t topic, uint64_t sequence)
{
    uint64_t gone = 0, end = 0, last = 0;

    bind_number(store->log.write[LOG_FIND_GONE], 1, (int64_t)topic);
    int r = number(store->log.write[LOG_FIND_GONE], &gone);
    if (r == 1)
        r = number(store->log.write[LOG_END], &end);
    if (r != 1 || end <= gone || sequence <= gone)
        return r < 0 ? r : 0;
    uint64_t to = sequence < end ? sequence : end;
    r = to == end ? keep_sequence(store, end) : 0;
    for (uint64_t part = (to >> LOG_PART_BITS) + 1; r == 0 && part-- > gone >> LOG_PART_BITS;)
        r = drop_in_part(store, topic, part, to, &last);
    return r < 0 ? r : move_gone(store, topic, to, last);
}

static int drop_messages(struct store *store, const struct record *record)
{
    const struct message_row *row = &record->message;
    int r = drop_up_to(store, row->topic, row->sequence);

    return r < 0 ? r : run(store, LOG_DROP_BLOCKS, LOG_DROP_BLOCKS, row->topic, row->sequence);
}

static int drop_topic(struct store *store, const struct record *record)
{
    uint64_t id = record->topic.id;
    int r = drop_up_to(store, id, UINT64_MAX);

    memset(store->log.known, 0, sizeof(store->log.known));
    if (r == 0)
        r = run(store, LOG_DROP_BLOCKS, LOG_DROP_ONCES, id, UINT64_MAX);
    for (int i = LOG_DROP_LATERS; r == 0 && i <= LOG_DROP_TOPIC; i++) {
        bind_number(store->log.write[i], 1, (int64_t)id);
        r = statement_run(store->log.write[i]);
    }
    return r;
}

static int drop_onces(struct store *store, const struct record *record)
{
    return run(store, LOG_DROP_ONCES, LOG_DROP_ONCES, record->message.topic, record->message.sequence);
}

static int write_sequence(struct store *store, const struct record *record)
{
    return keep_sequence(store, record->message.sequence);
}

static int write_block(struct store *store, const struct record *record)
{
    const struct block_row *row = &record->block;
    struct statement *write = store->log.write[LOG_BLOCK];
    const int64_t numbers[] = {(int64_t)row->topic,    (int64_t)row->last,  (int64_t)row->first,
                               (int64_t)row->messages, (int64_t)row->bytes, row->first_us,
                               row->last_us,           row->flags};

    for (int i = 0; i < (int)(sizeof(numbers) / sizeof(*numbers)); i++)
        bind_number(write, i + 1, numbers[i]);
    return statement_run(write);
}

/* ---- what is to come ---- */

static int write_later(struct store *store, const struct record *record)
{
    const struct later_row *row = &record->later;
    struct statement *write = store->log.write[LOG_LATER];
    int r = find_topic(store, row->message.topic);

    if (r != 1)
        return r;
    bind_number(write, 1, (int64_t)row->id);
    bind_number(write, 2, row->due_us);
    bind_number(write, 3, (int64_t)row->message.topic);
    bind_number(write, 4, (int64_t)row->message.of);
    bind_number(write, 5, row->message.uid);
    bind_number(write, 6, row->message.flags);
    bind_bytes(write, 7, row->message.key);
    bind_bytes(write, 8, row->message.once);
    bind_bytes(write, 9, row->message.headers);
    bind_bytes(write, 10, record->body);
    return statement_run(write);
}

static int drop_later(struct store *store, const struct record *record)
{
    bind_number(store->log.write[LOG_DROP_LATER], 1, (int64_t)record->later.id);
    return statement_run(store->log.write[LOG_DROP_LATER]);
}

static int publish_later(struct store *store, const struct record *record)
{
    int r = 0;

    for (int i = LOG_LATER_DUE; r == 0 && i <= LOG_LATER_ONCE; i++) {
        bind_number(store->log.write[i], 1, (int64_t)record->later.id);
        bind_number(store->log.write[i], 2, (int64_t)record->later.message.sequence);
        bind_number(store->log.write[i], 3, record->later.message.time_us);
        r = statement_run(store->log.write[i]);
    }
    return r < 0 ? r : drop_later(store, record);
}

/* ---- groups ---- */

int log_settle(struct store *store)
{
    struct log_state *log = &store->log;
    int r = 0;

    for (int i = 0; r == 0 && i < log->floors_n; i++)
        r = run(store, LOG_FLOOR, LOG_DROP_TRIES, log->floors[i].group, log->floors[i].sequence);
    log->floors_n = 0;
    return r;
}

/* It is written when the transaction is, or when there are too many. */
static int move_floor(struct store *store, uint64_t group, uint64_t floor)
{
    struct log_state *log = &store->log;
    int at = 0, r = 0;

    while (at < log->floors_n && log->floors[at].group != group)
        at++;
    if (at == LOG_FLOORS) {
        r = log_settle(store);
        at = 0;
    }
    if (at == log->floors_n) {
        log->floors[at].group = group;
        log->floors[at].sequence = 0;
        log->floors_n++;
    }
    if (log->floors[at].sequence < floor)
        log->floors[at].sequence = floor;
    return r;
}

static int write_group(struct store *store, const struct record *record)
{
    const struct group_row *row = &record->group;
    struct statement *write = store->log.write[LOG_GROUP];
    int r = log_settle(store);

    bind_number(write, 1, (int64_t)row->id);
    bind_number(write, 2, (int64_t)row->floor);
    bind_number(write, 3, (int64_t)row->mark);
    bind_number(write, 4, row->uid);
    bind_number(write, 5, row->paused);
    bind_bytes(write, 6, row->name);
    bind_bytes(write, 7, row->pattern);
    bind_bytes(write, 8, row->text);
    if (r == 0)
        r = statement_run(write);
    return r == 0 ? run(store, LOG_DROP_ACKS, LOG_DROP_TRIES, row->id, row->anew ? UINT64_MAX : row->floor)
                  : r;
}

static int drop_group(struct store *store, const struct record *record)
{
    int r = log_settle(store);

    if (r == 0)
        r = run(store, LOG_DROP_ACKS, LOG_DROP_TRIES, record->group.id, UINT64_MAX);
    bind_number(store->log.write[LOG_DROP_GROUP], 1, (int64_t)record->group.id);
    return r == 0 ? statement_run(store->log.write[LOG_DROP_GROUP]) : r;
}

static int write_seen(struct store *store, const struct record *record)
{
    return run(store, LOG_GROUP_SEEN, LOG_GROUP_SEEN, record->group.id, record->group.mark);
}

static int write_ack(struct store *store, const struct record *record)
{
    const struct ack_row *row = &record->ack;
    int r = move_floor(store, row->group, row->floor);

    if (r < 0 || row->sequence <= row->floor)
        return r;
    return run(store, LOG_GROUP_ACK, LOG_GROUP_ACK_TRY, row->group, row->sequence);
}

static int write_try(struct store *store, const struct record *record)
{
    const struct ack_row *row = &record->ack;
    struct statement *write = store->log.write[LOG_GROUP_TRY];

    if (row->tries == 0)
        return run(store, LOG_DROP_TRY, LOG_DROP_TRY, row->group, row->sequence);
    bind_number(write, 1, (int64_t)row->group);
    bind_number(write, 2, (int64_t)row->sequence);
    bind_number(write, 3, row->tries);
    bind_number(write, 4, row->due_us);
    return statement_run(write);
}

/* ---- any of them ---- */

static int (*const writers[RECORD_KINDS])(struct store *, const struct record *) = {
    [RECORD_TOPIC_RULE] = write_rule,
    [RECORD_TOPIC] = write_topic,
    [RECORD_TOPIC_GONE] = drop_topic,
    [RECORD_MESSAGE] = write_message,
    [RECORD_MESSAGE_JOINED] = write_message,
    [RECORD_MESSAGES_GONE] = drop_messages,
    [RECORD_ONCE_GONE] = drop_onces,
    [RECORD_SEQUENCE] = write_sequence,
    [RECORD_BLOCK] = write_block,
    [RECORD_LATER] = write_later,
    [RECORD_LATER_JOINED] = write_later,
    [RECORD_LATER_DUE] = publish_later,
    [RECORD_LATER_GONE] = drop_later,
    [RECORD_GROUP] = write_group,
    [RECORD_GROUP_GONE] = drop_group,
    [RECORD_GROUP_SEEN] = write_seen,
    [RECORD_GROUP_ACK] = write_ack,
    [RECORD_GROUP_TRY] = write_try,
    [RECORD_FEED] = log_write_feed,
    [RECORD_FEED_MOVE] = log_move_feed,
    [RECORD_FEED_GONE] = log_drop_feed,
};

int log_write_record(struct store *store, const struct record *record)
{
    return writers[record->kind](store, record);
}

void log_forget(struct store *store)
{
    store->log.floors_n = 0;
    memset(store->log.known, 0, sizeof(store->log.known));
}
