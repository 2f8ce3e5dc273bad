/*
 * Messages of kept topics that are to be published later: those of all topics in one heap, by the time when they are due and, of
 * equal times, by their ids.
 *
 * The store has them; the core has of each when it is due, whose it is and how large. Its bytes are fetched when it is due.
 * Each is on its way to the store (`storing`), waits in the heap, or is due (`fetching`). One that is doomed, since its topic
 * is to go, may be in none of these.
 * Invariants: no later in the heap is before the one above it; later->place is its index + 1, or 0; there is room in the heap
 * for all of them.
 */
#pragma once

#include "core_internal.h"

struct kept_topic;
struct topic_once;

struct later {
    struct list in_topic; /* of topic->laters */
    struct list link;     /* of laters->storing or laters->fetching */
    struct kept_topic *topic;
    struct account *account; /* charged SLOT_DELAYED, and its bytes */
    struct topic_once *once; /* its id, which repeats find until the topic has it; or NULL */
    uint64_t id, batch;      /* batch: in which it went to the store */
    int64_t due_us;
    uint64_t bytes; /* as bounds count them */
    size_t place;
};

struct laters {
    struct later **heap;
    size_t n, size, reserved; /* reserved: how many laters there are, with those that are only made */
    uint64_t count;           /* those that topics have */
    struct list storing;      /* struct later, by batch */
    struct list fetching;     /* struct later, by due_us and id: the store is asked for these */
    struct timer timer;       /* the first one is due, or may be; a place is reserved */
    uint64_t last_id;
    bool asked;     /* the store was, and has not answered */
    bool pausing;   /* it could not answer, or memory was out: until the timer */
    bool held;      /* what went to the log is not told yet: until it is */
    uint64_t moved; /* batch in which the last ones went to the log */
};

/* 0 or -ENOMEM. */
int laters_init(struct core *core, struct laters *laters);
/* When all of them are gone. */
void laters_free(struct core *core, struct laters *laters);

/* One of no topic yet, for which there is a place. NULL: out of memory. */
struct later *later_new(struct core *core);
/* Charged and known to its topic from now on, in no list. The row's headers, key and body count for its size (body_bytes). */
void later_enter(struct core *core, struct later *later, struct kept_topic *topic, struct account *account,
                 const struct later_row *row);
/* It is published, or will never be. Frees it and its id. Accepts NULL, and one that was never entered; returns NULL. */
struct later *later_delete(struct core *core, struct later *later);
/* Its id, empty: it has none. Repeats find it. 0 or -ENOMEM. */
int later_hold(struct core *core, struct later *later, struct bytes once);
/* It waits for its time. */
void later_wait(struct core *core, struct later *later);
/* It waits no more. Safe to repeat. */
void later_take(struct core *core, struct later *later);
/* The one that is due first, or NULL. */
struct later *laters_first(const struct core *core);
void laters_check(const struct core *core);
/* Adds what this account has in use. */
void laters_charged(const struct core *core, const struct account *account, uint64_t *used);
