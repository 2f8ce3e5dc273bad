/*
 * The store behind a table of functions. `store_sqlite` is the default, `store_memory` serves tests and
 * --ephemeral. All functions of one store run on one thread (the store thread); fetch and backup
 * may run on another.
 */
#pragma once

#include "core.h"
#include "record.h"

struct store;

struct store_options {
    const char *directory; /* state directory; not used by store_memory */
    uint64_t pages_max;    /* SQLite's page limit; 0: none */
    bool sync;             /* false: durability `process` */
};

struct store_load {
    /* Called for each job in id order, without bodies; ended ones too, so that retention goes on with them.
     * Nonzero stops the load with it. */
    int (*job)(void *context, const struct job_row *row);
    void *context;
};

/* Filled by fetch; everything in it lives until fetched_clear. */
struct fetched {
    struct job_row *rows;
    size_t rows_n;
    struct bytes body;
    uint64_t offset; /* FETCH_OUTPUT: where body begins; later than asked for where output was lost */
    bool more;
    struct list memory; /* owned */
};

struct store_ops {
    const char *name;
    /* NULL, or what an operator should know about this engine: for the log at start. */
    const char *(*warning)(void);
    /* Opens or makes the store and makes the next incarnation durable. On failure *why (heap, freed by the
     * caller) says what was wrong and what to do. -EBUSY: another daemon has it; -EROFS, -EACCES; -EBADMSG:
     * damaged; -ENOTSUP: written by a newer version; -EIO. */
    int (*open)(const struct store_options *options, struct store **store, uint64_t *incarnation, char **why);
    /* 0, -EBADMSG (damaged; *why as in open), -EIO, -ENOMEM, or what the callback said. */
    int (*load)(struct store *store, const struct store_load *load, char **why);
    /* Applies batches in order in one transaction and makes it durable. -ENOSPC: nothing of them happened.
     * -EIO: the fate is unknown, the process must end. */
    int (*apply)(struct store *store, const struct list *batches);
    /* 0, -ENOENT, -EIO, -ENOMEM. A connection of its own: may run beside apply on another thread. */
    int (*fetch)(struct store *store, const struct fetch *what, struct fetched *out);
    /* Online copy into a new file, by a connection of its own: on any thread, beside apply. -EEXIST. */
    int (*backup)(struct store *store, const char *path, char **why);
    /* Between batches, or when `idle`: checkpoint, incremental vacuum. Cheap when there is nothing to do. */
    int (*tidy)(struct store *store, bool idle);
    /* Space set aside for news of running jobs. `keep` false gives it to the next commits, true takes it
     * back. 0, -ENOSPC: there is no room for it yet, -EIO. */
    int (*ballast)(struct store *store, bool keep);
    /* Every invariant of a state directory that no daemon has; one line per fault. Count of faults, or
     * negative errno. */
    int (*fsck)(const struct store_options *options, void (*say)(void *context, const char *line),
                void *context);
    struct store *(*close)(struct store *store);
};

extern const struct store_ops store_sqlite;
extern const struct store_ops store_memory;

void fetched_clear(struct fetched *fetched);
