/*
 * The store behind a table of functions. `store_sqlite` is the default, `store_memory` serves tests and
 * --ephemeral. All functions of one store run on one thread (the store thread); fetch and backup
 * may run on another.
 */
#pragma once

#include <stdatomic.h>

#include "core.h"
#include "record.h"

struct store;

struct store_options {
    const char *directory; /* state directory, locked by the caller (directory.h); not used by store_memory */
    uint64_t pages_max;    /* SQLite's page limit; 0: none */
    bool sync;             /* false: durability `process` */
    bool beside;           /* store_memory: it keeps nothing but jobs of durability `none` */
    /* Of each step by which the file of an older daemon becomes one of this, before the first is taken: the version that it
     * leads to, and what it brings. NULL: nobody wants to know. */
    void (*upgrading)(void *context, int version, const char *what);
    void *context;
};

struct store_load {
    /* Called for each job in id order, without bodies; ended ones too, so that retention goes on with them.
     * Nonzero stops the load with it. */
    int (*job)(void *context, const struct job_row *row);
    void *context;
    /* Before the first job, for each queue of which something is set. NULL: it is passed over. */
    int (*queue)(void *context, struct bytes name, struct bytes kept);
    /* Before the first job, all durable channels by number, then their values by channel and sequence. NULL: as above. */
    int (*channel)(void *context, const struct channel_row *row);
    int (*value)(void *context, const struct value_row *row, struct bytes body);
    /* Called for each schedule, after the jobs, with the argument of its jobs. May be NULL. */
    int (*schedule)(void *context, const struct schedule_row *row, struct bytes argument);
    /* Before the first job, after all queues, for each pool of which something is set. NULL: it is passed over. */
    int (*pool)(void *context, struct bytes name, struct bytes kept);
    /* Behind the last job: the highest id that a job ever had, or one above that. NULL: it is passed over. */
    int (*job_ids)(void *context, uint64_t last);
    /* The log of durable topics (record_topic.h), before the first job and in this order. Each may be NULL: it is passed over. */
    int (*sequence)(void *context,
                    uint64_t last); /* the highest one that was ever given, or counts as given */
    int (*topic_rule)(void *context, struct bytes pattern, struct bytes kept);
    int (*topic)(void *context, const struct topic_row *row); /* by id */
    int (*block)(void *context, const struct block_row *row); /* by topic and place in it */
    int (*message)(
        void *context,
        const struct message_row *row); /* behind the last block of its topic; those of one topic in order */
    int (*once)(void *context, const struct message_row *row); /* topic, sequence, time_us, once; as blocks */
    int (*later)(void *context, const struct later_row *row);  /* by id, without body */
    int (*group)(void *context, const struct group_row *row);  /* by id */
    int (*group_ack)(void *context,
                     const struct ack_row *row); /* by group and sequence, all above the floor */
    int (*group_try)(void *context, const struct ack_row *row); /* the same */
    int (*feed)(void *context, const struct feed_row *row);     /* by id */
};

/* Filled by fetch; everything in it lives until fetched_clear. */
struct fetched {
    struct job_row *rows;
    size_t rows_n;
    struct bytes body;
    struct kept_message *messages; /* of topics asked for; also what is said to be gone while it is read */
    size_t messages_n;
    uint64_t
        offset; /* FETCH_OUTPUT: where body begins; later than asked for where output was lost. FETCH_MESSAGES: the
                        sequence up to which was looked. */
    bool more;          /* FETCH_MESSAGES: perhaps */
    struct list memory; /* owned */
};

struct store_ops {
    const char *name;
    bool
        instant; /* apply, and fetch of anything but a list, wait for nothing: they may run on the hub's thread too */
    /* Whether the same is true of apply for these batches. NULL: for none. */
    bool (*at_once)(const struct list *batches);
    /* NULL, or what an operator should know about this engine: for the log at start. */
    const char *(*warning)(void);
    /* Opens or makes the store and makes the next incarnation durable. On failure *why (heap, freed by the
     * caller) says what was wrong and what to do. -EBUSY: another daemon has it; -EROFS, -EACCES; -EBADMSG:
     * damaged; -ENOTSUP: written by a newer version; -EIO. */
    int (*open)(const struct store_options *options, struct store **store, uint64_t *incarnation, char **why);
    /* 0, -EBADMSG (damaged; *why as in open), -EIO, -ENOMEM, or what the callback said. */
    int (*load)(struct store *store, const struct store_load *load, char **why);
    /* Applies batches in order in one transaction and makes it as durable as the safest of its records asks for. -ENOSPC, -ENOMEM: nothing of them happened.
     * -EIO or anything else: the fate is unknown, the process must end. */
    int (*apply)(struct store *store, const struct list *batches);
    /* 0, -ENOENT, -EIO, -ENOMEM. A connection of its own: may run beside apply on another thread. */
    int (*fetch)(struct store *store, const struct fetch *what, struct fetched *out);
    /* Online copy into a new file of the state directory, named by the time; out->body is its path or, when it failed, why.
     * A connection of its own: may run beside apply and fetch on another thread, one at a time. -ECANCELED: `stop` was set;
     * -EEXIST, -ENOSPC, -EIO, -ENOMEM. NULL: fetch is asked, and says why there is none. */
    int (*backup)(struct store *store, int64_t wall_ns, const atomic_bool *stop, struct fetched *out);
    /* Between batches, or when `idle`: checkpoint, incremental vacuum. Cheap when there is nothing to do. */
    int (*tidy)(struct store *store, bool idle);
    /* Space set aside for news of running jobs. `keep` false gives it to the next commits, true takes it
     * back. 0, -ENOSPC: there is no room for it yet, -EIO. */
    int (*ballast)(struct store *store, bool keep);
    /* Bytes on the disk of the database and of its log; 0: none, or it cannot be seen. Any thread. */
    void (*size)(const struct store *store, uint64_t *file_bytes, uint64_t *log_bytes);
    /* Every invariant of a state directory that no daemon has; one line per fault. Count of faults, or
     * negative errno. */
    int (*fsck)(const struct store_options *options, void (*say)(void *context, const char *line),
                void *context);
    struct store *(*close)(struct store *store);
};

extern const struct store_ops store_sqlite;
extern const struct store_ops store_memory;

void fetched_clear(struct fetched *fetched);
