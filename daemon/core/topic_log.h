/*
 * The index of one durable topic: its messages in blocks, without the messages. Pure: what goes is told, not done.
 *
 * Sequences rise over all topics, so those of one topic have gaps; times never fall. A block is what goes at once when a bound
 * of the topic is passed, so it is at most 1/16 of each bound, and at most TOPIC_BLOCK_MESSAGES: between a bound and what is
 * kept lies never more than a block. The last block is open; the others are sealed, and the store may be told of them, in
 * order.
 * Memory: a topic has its first block in itself. Where there is none for one more, the last one grows.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct core;

enum { TOPIC_BLOCK_MESSAGES = 256, TOPIC_BLOCK_SHARE = 16 };

struct topic_block {
    uint64_t first, last; /* sequences of messages in it */
    uint64_t messages, bytes;
    int64_t first_us, last_us; /* wall clock */
    uint64_t before;           /* messages of the log in front of it, with those that are gone */
};

/* What a topic may keep; 0: no bound. */
struct topic_bounds {
    uint64_t messages, bytes;
    int64_t age_us;
};

struct topic_log {
    struct topic_block *block; /* oldest first, from `head` on; `one` or of the core's memory */
    size_t head, blocks, size;
    size_t told; /* of the blocks: sealed ones that the store knows */
    struct topic_block one;
    uint64_t messages, bytes; /* of all blocks */
    uint64_t last;            /* the last sequence there ever was; 0: none */
};

void topic_log_init(struct topic_log *log);
void topic_log_free(struct core *core, struct topic_log *log);

/* A message behind all others. Never fails. */
void topic_log_append(struct core *core, struct topic_log *log, const struct topic_bounds *bounds,
                      uint64_t sequence, uint64_t bytes, int64_t time_us);
/* Whether that is behind all messages that are there. */
bool topic_log_takes(const struct topic_log *log, uint64_t sequence);
/* A sealed block that the store has, behind all others. 0, -ENOMEM, -EINVAL: it makes no sense there. */
int topic_log_load(struct core *core, struct topic_log *log, const struct topic_block *block);
/* The oldest sealed block that the store has not been told of; NULL: none. topic_log_tell: it has been. */
const struct topic_block *topic_log_untold(const struct topic_log *log);
void topic_log_tell(struct topic_log *log);

/* Whether one more message passes a bound of number or size. */
bool topic_log_is_full(const struct topic_log *log, const struct topic_bounds *bounds, uint64_t bytes);
/* How many of the oldest blocks are beyond the bounds at this moment. Number and size leave the last one. */
size_t topic_log_excess(const struct topic_log *log, const struct topic_bounds *bounds, int64_t now_us);
/* How many of the first n blocks have that many messages, the last of them perhaps more; none for none or less. */
size_t topic_log_within(const struct topic_log *log, size_t n, int64_t messages);
/* When the oldest block will be too old; INT64_MAX: never. */
int64_t topic_log_due_us(const struct topic_log *log, const struct topic_bounds *bounds);
/* The last sequence of the first n blocks; n is 1 to blocks. */
uint64_t topic_log_end_of(const struct topic_log *log, size_t n);
/* Drops the first n blocks. */
void topic_log_drop(struct topic_log *log, size_t n);
/* Everything up to `sequence` is gone; of a block that has some of both, `messages` and `bytes` stay, the first of them being
 * `first` at `first_us`. */
struct topic_rest {
    uint64_t first, messages, bytes;
    int64_t first_us;
};
/* The block that has some of both, if the store was told of it: what it has now is news. Else NULL. */
const struct topic_block *topic_log_cut(struct topic_log *log, uint64_t sequence,
                                        const struct topic_rest *rest);
/* Where pieces of about so many messages end, of whole blocks, the last one at `sequence`. How many there are, at least one; `end`
 * may be NULL. */
size_t topic_log_pieces(const struct topic_log *log, uint64_t sequence, uint64_t messages, uint64_t *end);

/* The block that has messages up to that sequence and others behind it. NULL: none has. */
const struct topic_block *topic_log_block(const struct topic_log *log, uint64_t sequence);
/* The block of the n-th message, from 0; *n is then its number in that. It is there. */
const struct topic_block *topic_log_nth(const struct topic_log *log, uint64_t *n);
/* 0: it is empty. */
uint64_t topic_log_first(const struct topic_log *log);
/* The first sequence from which messages at or after that time are found, as near as blocks say: what lies between is older.
 * Behind the last one when all are older. */
uint64_t topic_log_at(const struct topic_log *log, int64_t time_us);
/* How many messages have a sequence above this one, about: those of the block it lies in are shared out evenly. */
uint64_t topic_log_behind(const struct topic_log *log, uint64_t sequence);
void topic_log_check(const struct topic_log *log);
