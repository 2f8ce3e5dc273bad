/* Private to the SQLite store: the log of durable topics. */
#pragma once

#include "store.h"

struct statement;

enum log_write {
    LOG_TOPIC_RULE,
    LOG_DROP_TOPIC_RULE,
    LOG_TOPIC,
    LOG_FIND_TOPIC,
    LOG_MESSAGE,
    LOG_ONCE,
    LOG_BLOCK,
    LOG_END,
    LOG_FIND_GONE,
    LOG_LAST_IN_PART,
    LOG_DROP_IN_PART,
    LOG_GONE,
    LOG_DROP_BLOCKS, /* these two up to a sequence */
    LOG_DROP_ONCES,
    LOG_DROP_LATERS, /* these two of a topic */
    LOG_DROP_TOPIC,
    LOG_SEQUENCE,
    LOG_LATER,
    LOG_LATER_DUE, /* from here on, the steps of one record */
    LOG_LATER_ONCE,
    LOG_DROP_LATER,
    LOG_GROUP,
    LOG_GROUP_SEEN,
    LOG_GROUP_ACK,
    LOG_GROUP_ACK_TRY,
    LOG_GROUP_TRY,
    LOG_DROP_TRY,
    LOG_FLOOR, /* from here on, the steps of a floor */
    LOG_DROP_ACKS,
    LOG_DROP_TRIES,
    LOG_DROP_GROUP,
    LOG_FEED,
    LOG_FEED_MOVE,
    LOG_DROP_FEED,
    LOG_WRITES
};

enum log_read { READ_END, READ_ALL, READ_PART, READ_MESSAGE, READ_LATER, LOG_READS };

extern const char *const log_writes[LOG_WRITES];
extern const char *const log_reads[LOG_READS];

/* The index of the messages by topic is one of parts of the log, of 2^LOG_PART_BITS sequences each: what follows in the log is
 * near in the index, too. Whoever looks for the messages of a topic goes from part to part. */
enum { LOG_PART_BITS = 12 };
#define LOG_PART "sequence >> 12"

enum { LOG_TOPICS_KNOWN = 64, LOG_FLOORS = 16 };

/* What the connection that writes knows within a transaction, and of topics beyond it. */
struct log_state {
    struct statement *write[LOG_WRITES];
    struct statement *read[LOG_READS]; /* of the reader */
    uint64_t known[LOG_TOPICS_KNOWN];  /* topics that are there, by id */
    /* The floors of this transaction: each is written once, at its end. */
    struct {
        uint64_t group, sequence;
    } floors[LOG_FLOORS];
    int floors_n;
};

/* A record of record_topic.h, or RECORD_TOPIC_RULE. */
int log_write_record(struct store *store, const struct record *record);
/* sqlite_feed.c: records of feeds, and the step of one that a job makes; a row of FEED_COLUMNS for the load. */
#define FEED_COLUMNS                                                                                         \
    "id, uid, paused, argument, ahead, from_us, cursor, jobs, missed, last_job, name, pattern, plugin, "     \
    "function, queue"
int log_write_feed(struct store *store, const struct record *record);
int log_move_feed(struct store *store, const struct record *record);
int log_drop_feed(struct store *store, const struct record *record);
int log_step_feed(struct store *store, const struct feed_step *step);
int log_load_feed(const struct store_load *load, struct statement *select);
/* What the transaction still owes: before its commit. */
int log_settle(struct store *store);
/* The transaction did not happen. */
void log_forget(struct store *store);
/* FETCH_MESSAGES. */
int log_fetch(struct store *store, const struct fetch *what, struct fetched *out);
/* FETCH_LATERS. */
int log_fetch_laters(struct store *store, const struct fetch *what, struct fetched *out);
/* All of the log for a start, in the order of store_load. 0, what a callback said in *said, or how reading failed. */
int log_load(struct store *store, const struct store_load *load, int *said);
