/* Private to the SQLite store: its parts share this. */
#pragma once

#include "sqlite.h"
#include "sqlite_topic.h"
#include "store.h"

enum write {
    WRITE_BEGIN,
    WRITE_COMMIT,
    WRITE_NEW,
    WRITE_BODY,
    WRITE_STATE,
    WRITE_ONCE,
    WRITE_RESULT,
    WRITE_OUTPUT,
    WRITE_DROP_JOB,
    WRITE_DROP_BODY,
    WRITE_DROP_RESULT,
    WRITE_DROP_OUTPUT,
    WRITE_QUEUE,
    WRITE_DROP_QUEUE,
    WRITE_POOL,
    WRITE_DROP_POOL,
    WRITE_JOB_IDS,
    WRITE_JOB_LAST,
    WRITE_CHANNEL,
    WRITE_CHANNEL_SEEN,
    WRITE_DROP_CHANNEL,
    WRITE_DROP_VALUES,
    WRITE_VALUE,
    WRITE_DROP_VALUE,
    WRITE_SCHEDULE,
    WRITE_SCHEDULE_MOVE,
    WRITE_SCHEDULE_PAUSE,
    WRITE_SCHEDULE_DROP,
    WRITES
};
enum read { READ_ARGUMENT, READ_JOB, READ_JOBS, READ_ENDED, READ_OP, READ_OUTPUT, READS };

/* A record of a list of batches. */
struct place {
    const struct list *batches;
    const struct batch *batch;
    const struct record *record; /* NULL: behind the last one */
};

/* New jobs that become rows at once: as many records as `left` from `at` on. */
struct arriving {
    struct source source;
    struct place from, at;
    size_t n, left;
};

/* Of jobs_op, the one that new jobs come into. */
struct part {
    uint64_t first; /* job of it; 0: none yet */
    size_t n;       /* jobs that came into it */
};

struct store {
    struct db *writer; /* the one connection that writes and checkpoints: store thread */
    struct db *reader; /* query only: the thread of fetches */
    struct statement *write[WRITES];
    struct statement *read[READS];
    struct arriving arriving;
    struct part part;
    struct log_state log; /* sqlite_topic.c */
    uint64_t job_gone;    /* the highest id of those that this transaction deletes; 0: none */
    bool sync;            /* durability `full` of the daemon */
    bool syncs;           /* what the connection does now */
    uint64_t pages_max;
    char *directory, *path;
};

enum {
    PAGE_BYTES = 4096,
    BALLAST_PAGES = 2048,      /* of the page limit: the same as the ballast file */
    CHECKPOINT_PAGES = 8 << 8, /* 8 MiB of log */
    VACUUM_PAGES = 256,        /* given back at a time */
    VACUUM_FREE_PERCENT = 25,  /* from here on */
    PART_JOBS = 256,           /* from here on a part has enough */
    CACHE_KIB = 16 << 10,
    LOAD_CACHE_KIB = 1024,
};

extern const char *const store_reads[READS];

char *store_path(const char *directory);
/* Says what is wrong with the database in `path` and what to do; returns `error`. */
int store_complain(const char *path, const struct db *db, int error, char **why);
int store_load(struct store *store, const struct store_load *load, char **why);
/* sqlite_new.c: new jobs, and the walk through records. */
struct place place_first(const struct list *batches);
void place_next(struct place *at);
bool record_is_new(const struct record *record);
/* Makes ROW_INSERT a statement that can be prepared. */
int store_offer_jobs(struct store *store);
/* The new job at `at` and those that follow; moves `at` behind them. */
int store_write_jobs(struct store *store, struct place *at);
/* Nobody else has its key any more. */
int store_take_key(struct store *store, const struct job_row *row);
/* Durable channels: records of theirs, and rows for the load. */
#define CHANNEL_COLUMNS "id, capacity, value_bytes_max, element_bytes, seen, flags, uid, closed, name, tag"
#define VALUE_COLUMNS   "channel, sequence, uid, seen, body"
int write_channel(struct store *store, const struct record *record);
int write_value(struct store *store, const struct record *record);
int load_channel(const struct store_load *load, struct statement *select);
int load_value(const struct store_load *load, struct statement *select);
/* sqlite_schedule.c: records of schedules; a row of SCHEDULE_SELECT for load. */
int store_write_schedule(struct store *store, const struct record *record);
int store_move_schedule(struct store *store, const struct record *record);
int store_pause_schedule(struct store *store, const struct record *record);
int store_drop_schedule(struct store *store, const struct record *record);
int store_load_schedule(const struct store_load *load, struct statement *select);
int store_fetch(struct store *store, const struct fetch *what, struct fetched *out);
int store_backup(struct store *store, int64_t wall_ns, const atomic_bool *stop, struct fetched *out);
int store_fsck(const struct store_options *options, void (*say)(void *context, const char *line),
               void *context);
