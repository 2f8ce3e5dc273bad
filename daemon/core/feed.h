/*
 * Feeds: each message of kept topics that match a pattern becomes one job of a queue.
 *
 *     feed.c        the objects: table, store's reports, load
 *     feed_run.c    a message is read: its job, or why there is none yet
 *     feed_text.c   a message as the argument of its job
 *     feed_verbs.c  what clients ask
 *
 * The rules: a job and the step of its feed over the message are one record, and all steps that the store has not reported on are
 * in one batch (`pending`). So whatever is lost, a message has one job or is still to come. `row.progress` is ahead of the store
 * while something is pending; `stored` is what a failure goes back to.
 * A feed has no buffer: what it cannot submit yet stays in the log, and is read again. It waits (`waits`) in words, for its time
 * or, in queue->feeds, for room.
 */
#pragma once

#include "feeds.h"
#include "kept.h"

#define FEED_LOOK_NS  (INT64_C(10000000000)) /* what nobody tells of is looked at again */
#define FEED_AGAIN_NS (INT64_C(1000000000))  /* when the store refused its jobs */

enum {
    FEED_TROUBLE_BYTES = 256,
    FEED_JOBS = 256, /* in one batch */
    FEED_COST = 16,  /* of a turn's messages: a job is more than a delivery */
    FEED_AHEAD = 1000,
    FEED_AGAIN_SHARE = 4, /* one that is as far ahead as it may goes on when 1 of so many is gone */
};

struct feed {
    struct map_node node;     /* feeds->by_name */
    struct list link;         /* feeds->all, or feeds->setting while its SET waits */
    struct list pending_link; /* feeds->pending, by batch */
    struct list room;         /* queue->feeds, while it waits for room there */
    struct account *account;  /* who made it: its jobs are his */
    struct lane *lane;        /* of jobs without a key: keeps queue, function and plugin */
    struct reader reader;
    struct timer timer;  /* armed while it waits; a place is reserved */
    struct feed_row row; /* its strings stand behind the struct */
    struct feed_progress stored;
    uint64_t pending;   /* batch of its last jobs; 0: none */
    uint64_t pending_n; /* of them */
    uint64_t need;      /* bytes of the argument that it waits to have room for */
    bool waits;
    bool counts_more; /* on the disk, if the store refuses what is pending */
    /* While its SET waits: */
    struct secret session; /* who asks, */
    uint64_t op;           /* by which operation, */
    uint32_t from;         /* enum feed_from, and where */
    uint64_t from_sequence;
    char trouble[FEED_TROUBLE_BYTES]; /* "": none */
};

struct feeds {
    struct map by_name;
    struct list all, pending, setting;
    uint64_t last; /* id of one */
    uint64_t jobs, missed;
};

/* ---- feed.c ---- */

/* With the strings copied, in no table; it reads nothing yet. Takes a reference to the lane. NULL: out of memory. */
struct feed *feed_new(struct core *core, struct account *account, const struct feed_row *row,
                      struct lane *lane);
/* Out of the table and all lists. Accepts NULL; returns NULL. */
struct feed *feed_delete(struct core *core, struct feed *feed);
struct feed *feed_find(const struct core *core, struct bytes name);
/* It begins to read behind this sequence, is in the table and charged. 0, or -ENOMEM: nothing happened. */
int feed_enter(struct core *core, struct feed *feed, uint64_t next);
/* Messages up to this sequence have their job, or will have none. */
uint64_t feed_cursor(const struct core *core, const struct feed *feed);
/* It has jobs in this batch. */
void feed_pend(struct core *core, struct feed *feed, uint64_t batch);
/* Takes over what another one that goes has on its way to the store, wherever it goes on itself. */
void feed_inherit(struct feed *feed, struct feed *from);
/* What it counts, and how far it is, is on the disk now; without memory, with its next job. While nothing is pending. */
void feed_save(struct core *core, const struct feed *feed);
/* It does nothing for this time, or until something tells it to; LIST says why. It stands in no line for room any more. */
void feed_wait(struct core *core, struct feed *feed, int64_t for_ns, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* What it waited for may be there. */
void feed_go_on(struct core *core, struct feed *feed);

/* ---- feed_run.c ---- */

extern const struct reader_user feed_user;

/* That plugin was looked at, for whoever waits for it. */
void feeds_looked(struct core *core, const struct plugin *plugin, int error, struct bytes text);

/* ---- feed_text.c ---- */

/* The bytes of a message as an argument of that form, and the argument, to `to`, which has room for that. */
size_t feed_text_bytes(const struct letter *letter, uint32_t form);
void feed_text_write(const struct letter *letter, uint32_t form, char *to);
