/*
 * What the core asks the store to keep: plain records in batches.
 *
 * A batch is records of one step: all of it becomes durable or none. Batches are numbered 1, 2, … in the
 * order of the steps and become durable in that order. Records are never SQL, so that another engine can
 * stand behind the same table (store.h).
 * A batch with a RECORD_JOB_NEW, RECORD_SCHEDULE_SET, RECORD_VALUE, RECORD_MESSAGE or RECORD_LATER is an admission: when the
 * store is full it fails, and whoever asked is told. So is one that only appends output. All others say what has happened already: they are kept and tried
 * again until they are stored. The core therefore never mixes an admission with news of another job.
 * The last record with a key (`once`) takes it from whatever other job has it.
 * A record for a job, a schedule, a channel, a value, a topic, a message, a group or a feed that the store does not have (its admission
 * failed) changes nothing and is no error.
 * A RECORD_JOB_NEW with a `schedule` moves that as RECORD_SCHEDULE_MOVE does: a run and its moment are one record. The same is
 * true of one with a `step` and RECORD_FEED_MOVE: a message and its job.
 * Ownership: the core makes a batch and hands it over with its effects; the receiver frees it with
 * batch_delete, on any thread.
 * To add a member or a kind: add it here, a migration N+1 in the schema of the store, and the row in both
 * stores.
 */
#pragma once

#include "list.h"
#include "message.h"
#include "record_topic.h"

/* How safely a job is kept: the value of `durability` of its queue when it was submitted (queue_policy.h), in its flags. */
enum durability {
    DURABLE_FULL,    /* on the disk */
    DURABLE_PROCESS, /* with the kernel: the daemon may die, the machine not */
    DURABLE_NONE     /* in memory: it goes with the daemon */
};
enum { DURABILITY_SHIFT = 30 }; /* in the flags of a job */
static inline enum durability flags_durability(uint32_t flags)
{
    return (enum durability)(flags >> DURABILITY_SHIFT);
}

enum record_kind {
    RECORD_JOB_NEW = 1, /* everything about the job, with its argument */
    RECORD_JOB_REPLACE, /* the same for one in the place of another, whose end is in the same batch: no admission */
    RECORD_JOB_STATE,  /* state, attempt, crashes, due, error, cause, text */
    RECORD_JOB_END,    /* the same, terminal, with the result */
    RECORD_JOB_OUTPUT, /* `body` is the kept output from byte job.output_bytes on */
    RECORD_JOB_DELETE,
    RECORD_QUEUE,        /* `body` is what is set of the queue job.queue (queue_kept.c); empty: nothing */
    RECORD_POOL,         /* `body` is what is set of the pool job.queue (pool_settings.h); empty: nothing */
    RECORD_JOB_IDS,      /* up to job.id they count as given */
    RECORD_SCHEDULE_SET, /* everything about it, with the argument of its jobs; one of that name is replaced */
    RECORD_SCHEDULE_MOVE,   /* struct schedule_progress */
    RECORD_SCHEDULE_PAUSE,  /* `paused`; and unless it is, progress.cursor_ns */
    RECORD_SCHEDULE_DELETE, /* by name */
    RECORD_CHANNEL,         /* everything about a durable channel but its values: made, or changed */
    RECORD_CHANNEL_SEEN,    /* channel.seen has risen; nothing else of the row counts */
    RECORD_CHANNEL_GONE,    /* with all its values */
    RECORD_VALUE,           /* `body` has entered a channel, behind all that are in it */
    RECORD_VALUE_JOINED,    /* the same as VALUE, in a batch of news, as the end of a job: no admission */
    RECORD_VALUE_GONE,
    RECORD_TOPIC_RULE, /* `body` is what is set of the topics that match job.queue, a pattern; empty: nothing */
    RECORD_TOPIC,      /* made, or changed */
    RECORD_TOPIC_GONE,     /* with its messages, blocks, once-ids, and what is to come later */
    RECORD_MESSAGE,        /* `body` is the next one of the log */
    RECORD_MESSAGE_JOINED, /* the same in a batch of news: no admission */
    RECORD_MESSAGES_GONE,  /* of that topic up to that sequence, with its blocks that end there or before */
    RECORD_ONCE_GONE,      /* the once-ids of that topic up to that sequence */
    RECORD_SEQUENCE,       /* what is not above it counts as given */
    RECORD_BLOCK,
    RECORD_LATER,        /* `body` is to be published when it is due */
    RECORD_LATER_JOINED, /* the same in a batch of news: no admission */
    RECORD_LATER_DUE,    /* now: it is the next one of the log */
    RECORD_LATER_GONE,   /* never */
    RECORD_GROUP,        /* made, or changed */
    RECORD_GROUP_GONE,   /* with its acks and tries */
    RECORD_GROUP_SEEN,   /* group.mark has risen; nothing else of the row counts */
    RECORD_GROUP_ACK,
    RECORD_GROUP_TRY,
    RECORD_FEED, /* made, or changed */
    RECORD_FEED_MOVE,
    RECORD_FEED_GONE,
    RECORD_KINDS
};

/* All that the store knows of a job, except its bodies. */
struct job_row {
    uint64_t id, run;      /* run: the last one, 0: none yet */
    uint32_t state, cause; /* enum job_state (running is stored as ready: claims are volatile), job_cause */
    int32_t error;
    uint32_t attempt, attempts_max, crashes, priority, flags, uid;
    int64_t created_us, due_us, started_us, ended_us; /* wall clock, UTC; 0: not yet */
    int64_t deadline_us;                              /* wall clock; 0: none */
    int64_t backoff_ns, backoff_max_ns, time_limit_ns, grace_ns;
    uint32_t jitter;       /* percent */
    struct secret session; /* who submitted it, by which operation: op_status settles a submit (IP4) */
    uint64_t op;
    uint64_t output_bytes, argument_bytes; /* of what is kept beside the row */
    struct bytes plugin, function, queue, key, text;
    struct bytes
        once; /* the key under which it is submitted once, while it holds that (job_once.c); empty: none */
    struct bytes after;    /* uint64_t ids each, of the jobs that it comes after */
    int64_t once_until_us; /* as in struct job_once */
    struct bytes
        delays; /* uint64_t ns each, in the order of this machine: both that we run on have the same */
};

/* How far a schedule has come. Moments are nanoseconds of the wall clock. */
struct schedule_progress {
    int64_t cursor_ns; /* everything up to here is settled: it has its job, or will have none */
    int64_t last_ns;   /* the last moment that has a job; 0: none */
    uint64_t last_job; /* 0: none */
    uint64_t runs, skipped;
};

/* All that the store knows of a schedule, except its argument. */
struct schedule_row {
    struct bytes name, spec, zone, plugin, function, queue, key;
    uint32_t uid, missed, missed_most, overlap, paused, priority, attempts_max;
    int64_t backoff_ns, backoff_max_ns, time_limit_ns, grace_ns, deadline_in_ns, delay_ns;
    uint32_t jitter;
    struct bytes delays; /* as those of a job */
    struct schedule_progress progress;
};

/* A durable channel. */
struct channel_row {
    uint64_t id; /* of the store alone; no two channels of one store have the same */
    uint64_t capacity, value_bytes_max, element_bytes;
    uint64_t seen;       /* values up to this sequence may have been received */
    uint32_t flags, uid; /* flags: enum open_flags */
    bool closed;
    struct bytes name, tag;
};

/* A value in a durable channel. */
struct value_row {
    uint64_t channel, sequence; /* sequence: their order in the channel */
    uint32_t uid;               /* who pays for it */
    bool seen;                  /* it may have been received, and all before it, whatever the channel says */
};

struct record {
    struct list link; /* in its batch */
    enum record_kind kind;
    const struct schedule_row *schedule; /* of RECORD_SCHEDULE_*, and of the job of one; else NULL */
    struct bytes body;                   /* argument, result, output or value */
    struct feed_step step;               /* of the job of a feed */
    union {                              /* by kind; there is no memory behind the member it has */
        struct job_row job;
        struct channel_row channel;
        struct value_row value;
        struct topic_row topic;
        struct message_row message;
        struct block_row block;
        struct later_row later;
        struct group_row group;
        struct ack_row ack;
        struct feed_row feed;
    };
};

struct batch {
    struct list link; /* for the receiver's queue */
    uint64_t number;
    struct list records;
    size_t bytes; /* of its records, about */
    size_t records_n;
    bool syncs;   /* the disk has to have it: it is as safe as the safest of its records */
    bool on_disk; /* some of it is not in memory alone */
    int error;    /* its fate, set by the store's thread */
};

/* The strings of a row, 0 to JOB_ROW_STRINGS - 1: whoever copies a row takes each. */
enum { JOB_ROW_STRINGS = 8 };
struct bytes *job_row_string(struct job_row *row, int i);
enum { SCHEDULE_ROW_STRINGS = 8 };
struct bytes *schedule_row_string(struct schedule_row *row, int i);
/* The size of all of them, and their copies to `tail`, which has room for that. */
size_t schedule_row_bytes(const struct schedule_row *row);
void schedule_row_keep(struct schedule_row *row, char *tail);

/* Copies row and body; the strings of the copy live in the record. NULL: out of memory. */
struct record *record_new(enum record_kind kind, const struct job_row *job, struct bytes body);
struct record *record_new_channel(enum record_kind kind, const struct channel_row *channel);
struct record *record_new_value(enum record_kind kind, const struct value_row *value, struct bytes body);
/* The same of the log (record_topic.c); the kind must be one of the row's. */
struct record *record_new_topic(enum record_kind kind, const struct topic_row *topic);
struct record *record_new_message(enum record_kind kind, const struct message_row *message,
                                  struct bytes body);
struct record *record_new_block(const struct block_row *block);
struct record *record_new_later(enum record_kind kind, const struct later_row *later, struct bytes body);
struct record *record_new_group(enum record_kind kind, const struct group_row *group);
struct record *record_new_ack(enum record_kind kind, const struct ack_row *ack);
struct record *record_new_feed(enum record_kind kind, const struct feed_row *feed);
struct record *record_copy(const struct record *record);
/* The same for a record of a schedule, or of a job that a schedule makes; `job` or `schedule` may be NULL. */
struct record *record_new_of(enum record_kind kind, const struct job_row *job,
                             const struct schedule_row *schedule, struct bytes body);
struct record *record_delete(struct record *record);
struct batch *batch_new(uint64_t number);
/* Takes the record. */
void batch_append(struct batch *batch, struct record *record);
/* Of the job or the topic it is about; FULL: it is about neither. */
enum durability record_durability(const struct record *record);
/* Whether a batch with this among its records is an admission. */
bool record_admits(enum record_kind kind);
/* Whether it may fail when the store is full. */
bool batch_admits(const struct batch *batch);
/* Accepts NULL. Any thread. */
struct batch *batch_delete(struct batch *batch);
