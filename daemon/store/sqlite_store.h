/* Private to the SQLite store: its parts share this. */
#pragma once

#include "sqlite.h"
#include "store.h"

enum write {
    WRITE_BEGIN,
    WRITE_COMMIT,
    WRITE_NEW,
    WRITE_BODY,
    WRITE_STATE,
    WRITE_RESULT,
    WRITE_OUTPUT,
    WRITE_DROP_JOB,
    WRITE_DROP_BODY,
    WRITE_DROP_RESULT,
    WRITE_DROP_OUTPUT,
    WRITES
};
enum read { READ_ARGUMENT, READ_JOB, READ_JOBS, READ_ENDED, READ_OP, READ_OUTPUT, READS };

struct store {
    struct db *writer; /* the one connection that writes and checkpoints: store thread */
    struct db *reader; /* query only: the thread of fetches */
    struct statement *write[WRITES];
    struct statement *read[READS];
    int lock;
    uint64_t pages_max;
    char *directory, *path;
};

enum {
    PAGE_BYTES = 4096,
    BALLAST_PAGES = 2048,      /* of the page limit: the same as the ballast file */
    CHECKPOINT_PAGES = 8 << 8, /* 8 MiB of log */
    VACUUM_PAGES = 256,        /* given back at a time */
    VACUUM_FREE_PERCENT = 25,  /* from here on */
    CACHE_KIB = 64 << 10,
};

extern const char *const store_reads[READS];

char *store_path(const char *directory);
/* Says what is wrong with the database in `path` and what to do; returns `error`. */
int store_complain(const char *path, const struct db *db, int error, char **why);
int store_fetch(struct store *store, const struct fetch *what, struct fetched *out);
int store_fsck(const struct store_options *options, void (*say)(void *context, const char *line),
               void *context);
