/*
 * The log of durable topics, as rows of records (record.h).
 *
 * There is one log: sequences are given once, rise, and are never given again, whatever is removed. A message belongs to one
 * topic; a topic's id is never given again either. Blocks are what the core keeps of a topic's older messages instead of a row
 * each: a start reads the blocks, and of the messages only those behind the last block of their topic.
 * A group is a durable subscription: everything up to its floor is settled, and of what lies above, what it has acknowledged
 * (acks) or has tried to give (tries).
 * How safely something is kept stands in its flags, as for jobs: a topic, its messages and what is said of them have the same
 * (flags_durability). What is kept in memory alone goes with the daemon, and nothing of it is on the disk.
 * Times are microseconds of the wall clock, UTC.
 */
#pragma once

#include "message.h"

/* RECORD_TOPIC: all of it. RECORD_TOPIC_GONE: id and flags. */
struct topic_row {
    uint64_t id;            /* not 0 */
    uint64_t last_sequence; /* of the last message that it had, as far as none that is there tells it */
    uint32_t uid, flags;    /* uid: who pays for it */
    struct bytes name;
};

/* RECORD_MESSAGE and RECORD_MESSAGE_JOINED: all of it, the bytes of the message in record.body. RECORD_MESSAGES_GONE and
 * RECORD_ONCE_GONE: topic, sequence and flags. RECORD_SEQUENCE: sequence. */
struct message_row {
    uint64_t topic, sequence;
    int64_t time_us;
    uint64_t of;         /* a dead letter: the sequence it had; else 0 */
    uint64_t body_bytes; /* in what is loaded, which has no body; else not used */
    uint32_t uid, flags;
    struct bytes key;
    struct bytes once;    /* kept beside the log, until RECORD_ONCE_GONE; not in what is fetched */
    struct bytes headers; /* as the core has encoded them */
};

/* What is fetched. */
struct kept_message {
    struct message_row row; /* without `once` */
    struct bytes body;
};

/* RECORD_BLOCK: messages of one topic that follow one another in it. One of that topic with this `last` is replaced. */
struct block_row {
    uint64_t topic, first, last; /* sequences of messages that are there when it is written */
    uint64_t messages, bytes;
    int64_t first_us, last_us;
    uint32_t flags;
};

/* RECORD_LATER and RECORD_LATER_JOINED: all of it, but message.sequence and message.time_us; the bytes in record.body. RECORD_LATER_DUE: id,
 * message.sequence, message.time_us and message.flags. RECORD_LATER_GONE: id and message.flags. */
struct later_row {
    uint64_t id;
    int64_t due_us;
    struct message_row message;
};

/* RECORD_GROUP: all of it. RECORD_GROUP_SEEN: id and mark. RECORD_GROUP_GONE: id. */
struct group_row {
    uint64_t id;
    uint64_t floor; /* up to here everything is settled */
    uint64_t mark;  /* messages up to here may have been seen by a member */
    uint32_t uid;
    bool paused;
    bool anew;         /* of RECORD_GROUP: what it has of acks and tries is forgotten. Not kept. */
    struct bytes name; /* no two groups have the same */
    struct bytes pattern;
    struct bytes text; /* what is set of it */
};

/* RECORD_GROUP_ACK: `sequence` is acknowledged and its try forgotten; the floor is `floor`, if it was lower, and everything up
 * to there is forgotten. What is not above the floor needs no record of its own. RECORD_GROUP_TRY: it has been given `tries`
 * times; 0: that is forgotten. */
struct ack_row {
    uint64_t group, sequence;
    uint64_t floor; /* of an ack */
    int64_t due_us; /* of a try: not before; 0: at once */
    uint32_t tries; /* of a try */
    uint32_t flags; /* of the message */
};

/* How far a feed has come. */
struct feed_progress {
    uint64_t cursor; /* messages up to this sequence have their job, or will have none */
    uint64_t jobs, missed;
    uint64_t last_job; /* 0: none */
};

/* A feed: messages that match its pattern become jobs. RECORD_FEED: all of it, but the progress of one that is there, unless it
 * `moves`. RECORD_FEED_MOVE: id and progress. RECORD_FEED_GONE: id. */
struct feed_row {
    uint64_t id;    /* not 0 */
    uint64_t ahead; /* it makes no job while so many wait in its queue */
    uint32_t uid;
    uint32_t argument; /* enum feed_argument */
    bool paused;
    bool moves;      /* not kept */
    int64_t from_us; /* messages that are older are passed over */
    struct feed_progress progress;
    struct bytes name; /* no two feeds have the same */
    struct bytes pattern, plugin, function, queue;
};

/* What a job of a feed says of that: `feed` has come so far, in the same record. */
struct feed_step {
    uint64_t feed; /* 0: it is of none */
    struct feed_progress to;
};
