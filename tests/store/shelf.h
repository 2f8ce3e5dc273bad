/*
 * The log of durable topics as the store must have it, for the ledger: small tables of what is known, in order, with all
 * else as a digest. Compared as memory: there is no padding, and what is not used is 0.
 */
#pragma once

#include "store.h"

enum shelf_of {
    SHELF_RULES,    /* a: digest of the pattern */
    SHELF_TOPICS,   /* a: id; more: last_sequence */
    SHELF_MESSAGES, /* a: sequence, b: topic */
    SHELF_BLOCKS,   /* a: topic, b: last; more: first */
    SHELF_ONCES,    /* a: topic, b: sequence */
    SHELF_LATERS,   /* a: id, b: topic; more: its content, which is not loaded */
    SHELF_GROUPS,   /* a: id, b: nothing; more: floor */
    SHELF_ACKS,     /* a: group, b: sequence */
    SHELF_TRIES,    /* the same */
    SHELF_FEEDS,    /* a: id; more: digest of its progress */
    SHELVES
};

enum { SHELF_SLOTS = 64 };

struct slot {
    uint64_t a, b, more, row; /* row: a digest */
};

struct kept_log {
    uint64_t sequence; /* the highest that was given */
    struct {
        uint64_t n;
        struct slot slot[SHELF_SLOTS]; /* by a, then b */
    } shelf[SHELVES];
};

/* Whether the record is one of the log's, and what it does. */
bool shelf_has(const struct record *record);
void shelf_take(struct kept_log *log, const struct record *record);
/* The same of the job of a feed. */
void shelf_step(struct kept_log *log, const struct feed_step *step);
/* What the store gives of all this. 0, or how it failed. */
int shelf_find(struct kept_log *log, const struct store_ops *ops, struct store *store);
bool shelf_differs(const struct kept_log *found, const struct kept_log *kept);
/* The slots of this shelf with `a`; *n of them, side by side. */
const struct slot *shelf_slots(const struct kept_log *log, enum shelf_of of, uint64_t a, uint64_t *n);
