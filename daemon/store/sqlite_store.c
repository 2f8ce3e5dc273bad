/*
 * The store on SQLite: opening, and batches as transactions.
 *
 * One connection writes and checkpoints, always on the store thread; the other one only reads (sqlite_fetch.c).
 * The order of the calls in sqlite_open is the promise: schema first; the incarnation durable, with a full sync, before
 * anybody can see it; the page limit last, so that a full database can still be opened.
 */
#include "sqlite_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "directory.h"
#include "fault.h"
#include "row.h"
#include "schema.h"
#include "why.h"

static const char *const writes[WRITES] = {
    [WRITE_BEGIN] = "BEGIN IMMEDIATE",
    [WRITE_COMMIT] = "COMMIT",
    [WRITE_NEW] = ROW_INSERT,
    [WRITE_BODY] = "INSERT INTO bodies(job, body) VALUES (?1, ?2)",
    [WRITE_STATE] =
        "UPDATE jobs SET state = ?2, cause = ?3, error = ?4, attempt = ?5, crashes = ?6, due_us = ?7,"
        " started_us = ?8, ended_us = ?9, text = ?10, run = ?11, deadline_us = ?12, once = ?13 WHERE id = ?1",
    [WRITE_ONCE] = "UPDATE jobs SET once = x'' WHERE once = ?1 AND id <> ?2",
    [WRITE_RESULT] =
        "INSERT INTO results(job, body) SELECT ?1, ?2 WHERE EXISTS (SELECT 1 FROM jobs WHERE id = ?1)",
    [WRITE_OUTPUT] = "INSERT OR REPLACE INTO outputs(job, start, body) SELECT ?1, ?2, ?3"
                     " WHERE EXISTS (SELECT 1 FROM jobs WHERE id = ?1)",
    [WRITE_DROP_JOB] = "DELETE FROM jobs WHERE id = ?1",
    [WRITE_DROP_BODY] = "DELETE FROM bodies WHERE job = ?1",
    [WRITE_DROP_RESULT] = "DELETE FROM results WHERE job = ?1",
    [WRITE_DROP_OUTPUT] = "DELETE FROM outputs WHERE job = ?1",
    [WRITE_QUEUE] = "INSERT OR REPLACE INTO queues(name, kept) VALUES (?1, ?2)",
    [WRITE_DROP_QUEUE] = "DELETE FROM queues WHERE name = ?1",
    [WRITE_POOL] = "INSERT OR REPLACE INTO pools(name, kept) VALUES (?1, ?2)",
    [WRITE_DROP_POOL] = "DELETE FROM pools WHERE name = ?1",
    [WRITE_JOB_IDS] = "UPDATE daemon SET job = max(job, ?1)",
    [WRITE_JOB_LAST] =
        "UPDATE daemon SET job = ?1 WHERE job < ?1 AND coalesce((SELECT max(id) FROM jobs), 0) < ?1",
    [WRITE_CHANNEL] = "INSERT OR REPLACE INTO channels(" CHANNEL_COLUMNS ") VALUES (?,?,?,?,?,?,?,?,?,?)",
    [WRITE_CHANNEL_SEEN] = "UPDATE channels SET seen = ?2 WHERE id = ?1",
    [WRITE_DROP_CHANNEL] = "DELETE FROM channels WHERE id = ?1",
    [WRITE_DROP_VALUES] = "DELETE FROM channel_values WHERE channel = ?1",
    [WRITE_VALUE] = "INSERT INTO channel_values(" VALUE_COLUMNS ") SELECT ?1, ?2, ?3, ?4, ?5"
                    " WHERE EXISTS (SELECT 1 FROM channels WHERE id = ?1)",
    [WRITE_DROP_VALUE] = "DELETE FROM channel_values WHERE channel = ?1 AND sequence = ?2",
    [WRITE_SCHEDULE] = SCHEDULE_INSERT,
    [WRITE_SCHEDULE_MOVE] = "UPDATE schedules SET cursor_ns = ?2, last_ns = ?3, last_job = ?4, runs = ?5,"
                            " skipped = ?6 WHERE name = ?1",
    [WRITE_SCHEDULE_PAUSE] =
        "UPDATE schedules SET paused = ?2, cursor_ns = iif(?2, cursor_ns, ?3) WHERE name = ?1",
    [WRITE_SCHEDULE_DROP] = "DELETE FROM schedules WHERE name = ?1",
};

char *store_path(const char *directory)
{
    char *path;

    return asprintf(&path, "%s/state.db", directory) < 0 ? NULL : path;
}

static const struct {
    int error;
    const char *format; /* path, SQLite's words */
} complaints[] = {
    {-EBADMSG,
     "%s is damaged (%s); keep a copy of it, then put the last backup in its place, or move "
     "state.db, state.db-wal and state.db-shm away to start empty; `goroutined --fsck` lists the faults"},
    {-ENOSPC, "no room to write %s (%s); free space on its disk and start again"},
    {-EROFS, "%s can only be read (%s); mount its disk read-write, or name another state directory"},
    {-EACCES, "cannot open %s (%s); give it to the user of the daemon"},
    {-EBUSY, "%s is locked (%s) by a program that is not a daemon; end that program"},
};

int store_complain(const char *path, const struct db *db, int error, char **why)
{
    for (size_t i = 0; i < sizeof(complaints) / sizeof(*complaints); i++)
        if (complaints[i].error == error)
            return why_set(why, error, complaints[i].format, path, db_message(db));
    return why_set(why, error, "cannot use %s: %s (%s)", path, strerror(-error), db_message(db));
}

static int set_write_ahead(struct db *db)
{
    struct statement *statement = NULL;
    int r = statement_new(db, "PRAGMA journal_mode=WAL", &statement);

    if (r == 0)
        r = statement_step(statement);
    if (r == 1) {
        struct bytes mode = column_bytes(statement, 0);
        r = mode.size == 3 && memcmp(mode.data, "wal", 3) == 0 ? 0 : -EOPNOTSUPP;
    }
    statement_delete(statement);
    return r;
}

static int set_cache(struct db *db)
{
    char text[80];

    snprintf(text, sizeof(text), "PRAGMA cache_size=-%d; PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY",
             CACHE_KIB);
    return db_exec(db, text);
}

static int prepare(struct db *db, const char *const *texts, struct statement **statements, int n)
{
    for (int i = 0, r; i < n; i++)
        if ((r = statement_new(db, texts[i], &statements[i])) < 0)
            return r;
    return 0;
}

/* A file of an older daemon becomes one of this: said before it happens, since that daemon will not read it any more. */
static int upgrade(struct db *db, const struct store_options *options, int64_t found)
{
    for (int to = (int)found + 1; found && options->upgrading && to <= schema_version(); to++)
        options->upgrading(options->context, to, schema_step(to));
    return schema_upgrade(db, found);
}

/* Schema, and an incarnation that no earlier daemon had. Durable when it returns. */
static int begin_life(struct db *db, const struct store_options *options, uint64_t *incarnation,
                      const char *path, char **why)
{
    int64_t found = 0, number = 0;
    int r = db_exec(db, "PRAGMA auto_vacuum=INCREMENTAL"); /* before the first table, or never */

    if (r == 0)
        r = set_write_ahead(db);
    if (r == 0)
        r = db_exec(db, "PRAGMA synchronous=FULL");
    if (r == 0)
        r = schema_find(db, &found);
    if (r == -ENOTSUP)
        return why_set(
            why, r,
            "%s was written by a newer goroutined (schema %lld, this one knows up to %d) or by another "
            "program; start the newer goroutined, or name another state directory",
            path, (long long)found, schema_version());
    if (r == 0)
        r = upgrade(db, options, found);
    if (r == 0)
        r = db_exec(db, "UPDATE daemon SET incarnation = incarnation + 1");
    if (r == 0)
        r = db_number(db, "SELECT incarnation FROM daemon", &number);
    if (r == -ENOENT)
        r = -EBADMSG;
    *incarnation = (uint64_t)number;
    return r < 0 ? store_complain(path, db, r, why) : 0;
}

static int set_pages_max(struct store *store, uint64_t extra)
{
    char text[64];

    if (store->pages_max == 0)
        return 0;
    snprintf(text, sizeof(text), "PRAGMA max_page_count=%llu",
             (unsigned long long)(store->pages_max + extra));
    return db_exec(store->writer, text);
}

static int open_reader(struct store *store)
{
    int r = db_open(store->path, DB_QUERY, &store->reader);

    if (r == 0)
        r = set_cache(store->reader);
    if (r == 0)
        r = prepare(store->reader, store_reads, store->read, READS);
    return r < 0 ? r : prepare(store->reader, log_reads, store->log.read, LOG_READS);
}

/* Whether a commit waits for the disk. Not within a transaction. A commit that does takes all with it that came before. */
static int set_sync(struct store *store, bool syncs)
{
    int r = store->syncs == syncs ? 0
            : syncs               ? db_exec(store->writer, "PRAGMA synchronous=FULL")
                                  : db_exec(store->writer, "PRAGMA synchronous=NORMAL");

    if (r == 0)
        store->syncs = syncs;
    return r;
}

static bool any_syncs(const struct list *batches)
{
    const struct batch *batch;

    list_each (batch, batches, link)
        if (batch->syncs)
            return true;
    return false;
}

static int open_database(struct store *store, const struct store_options *options, uint64_t *incarnation,
                         char **why)
{
    int r = db_open(store->path, DB_CREATE, &store->writer);

    if (r == 0)
        r = set_cache(store->writer);
    if (r < 0)
        return store_complain(store->path, store->writer, r, why);
    r = begin_life(store->writer, options, incarnation, store->path, why);
    if (r < 0)
        return r;
    store->sync = options->sync;
    store->syncs = true;
    r = set_sync(store, store->sync);
    if (r == 0)
        r = store_offer_jobs(store);
    if (r == 0)
        r = prepare(store->writer, writes, store->write, WRITES);
    if (r == 0)
        r = prepare(store->writer, log_writes, store->log.write, LOG_WRITES);
    if (r == 0)
        r = set_pages_max(store, 0);
    if (r == 0 && (r = open_reader(store)) < 0)
        return store_complain(store->path, store->reader, r, why);
    return r < 0 ? store_complain(store->path, store->writer, r, why) : 0;
}

static void delete_all(struct statement **statements, int n)
{
    for (int i = 0; i < n; i++)
        statements[i] = statement_delete(statements[i]);
}

static void close_database(struct store *store)
{
    delete_all(store->read, READS);
    delete_all(store->write, WRITES);
    delete_all(store->log.read, LOG_READS);
    delete_all(store->log.write, LOG_WRITES);
    store->reader = db_close(store->reader);
    store->writer = db_close(store->writer);
}

static struct store *sqlite_close(struct store *store)
{
    if (!store)
        return NULL;
    close_database(store);
    free(store->path);
    free(store->directory);
    free(store);
    return NULL;
}
DEFINE_CLEANUP(struct store *, sqlite_close)

static struct store *store_new(const struct store_options *options)
{
    struct store *store = calloc(1, sizeof(*store));

    if (!store)
        return NULL;
    store->pages_max = options->pages_max;
    store->directory = strdup(options->directory);
    store->path = store_path(options->directory);
    return store->directory && store->path ? store : sqlite_close(store);
}

static int sqlite_open(const struct store_options *options, struct store **out, uint64_t *incarnation,
                       char **why)
{
    _cleanup_(sqlite_closep) struct store *store = store_new(options);

    if (!store)
        return why_set(why, -ENOMEM, "out of memory");
    int r = open_database(store, options, incarnation, why);
    if (r == -ENOSPC && ballast_release(options->directory) == 0) {
        close_database(store);
        r = open_database(store, options, incarnation, why);
    }
    if (r < 0)
        return r;
    if (why) {
        free(*why);
        *why = NULL;
    }
    *out = store;
    store = NULL;
    return 0;
}

static int write_state(struct store *store, const struct record *record)
{
    struct statement *update = store->write[WRITE_STATE];
    const struct job_row *row = &record->job;
    const int64_t numbers[] = {(int64_t)row->id, row_state(row), row->cause,      row->error,   row->attempt,
                               row->crashes,     row->due_us,    row->started_us, row->ended_us};
    int at = 0, r = store_take_key(store, row);

    if (r < 0)
        return r;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
        bind_number(update, ++at, numbers[i]);
    bind_bytes(update, ++at, row->text);
    bind_number(update, ++at, (int64_t)row->run);
    bind_number(update, ++at, row->deadline_us);
    bind_bytes(update, ++at, row->once);
    return statement_run(update);
}

static int write_end(struct store *store, const struct record *record)
{
    struct statement *insert = store->write[WRITE_RESULT];
    int r = write_state(store, record);

    if (r < 0 || record->body.size == 0)
        return r;
    bind_number(insert, 1, (int64_t)record->job.id);
    bind_bytes(insert, 2, record->body);
    return statement_run(insert);
}

static int write_output(struct store *store, const struct record *record)
{
    struct statement *insert = store->write[WRITE_OUTPUT];

    bind_number(insert, 1, (int64_t)record->job.id);
    bind_number(insert, 2, (int64_t)record->job.output_bytes);
    bind_bytes(insert, 3, record->body);
    return statement_run(insert);
}

static int write_delete(struct store *store, const struct record *record)
{
    int r = 0;

    if (store->job_gone < record->job.id)
        store->job_gone = record->job.id;

    for (int i = WRITE_DROP_JOB; r == 0 && i <= WRITE_DROP_OUTPUT; i++) {
        bind_number(store->write[i], 1, (int64_t)record->job.id);
        r = statement_run(store->write[i]);
    }
    return r;
}

static int write_ids(struct store *store, const struct record *record)
{
    bind_number(store->write[WRITE_JOB_IDS], 1, (int64_t)record->job.id);
    return statement_run(store->write[WRITE_JOB_IDS]);
}

/* What the transaction still owes: no id is given again when its job is no more. */
static int settle(struct store *store)
{
    uint64_t gone = store->job_gone;

    store->job_gone = 0;
    bind_number(store->write[WRITE_JOB_LAST], 1, (int64_t)gone);
    int r = gone ? statement_run(store->write[WRITE_JOB_LAST]) : 0;
    return r < 0 ? r : log_settle(store);
}

/* What is set of a queue or a pool; nothing is no row. */
static int write_kept(struct store *store, const struct record *record)
{
    bool pool = record->kind == RECORD_POOL;
    int keep = pool ? WRITE_POOL : WRITE_QUEUE, drop = pool ? WRITE_DROP_POOL : WRITE_DROP_QUEUE;
    struct statement *write = store->write[record->body.size ? keep : drop];

    bind_bytes(write, 1, record->job.queue);
    if (record->body.size)
        bind_bytes(write, 2, record->body);
    return statement_run(write);
}

static int (*const record_writers[])(struct store *, const struct record *) = {
    [RECORD_JOB_STATE] = write_state,
    [RECORD_JOB_END] = write_end,
    [RECORD_JOB_OUTPUT] = write_output,
    [RECORD_JOB_DELETE] = write_delete,
    [RECORD_QUEUE] = write_kept,
    [RECORD_POOL] = write_kept,
    [RECORD_JOB_IDS] = write_ids,
    [RECORD_CHANNEL] = write_channel,
    [RECORD_CHANNEL_SEEN] = write_channel,
    [RECORD_CHANNEL_GONE] = write_channel,
    [RECORD_VALUE] = write_value,
    [RECORD_VALUE_JOINED] = write_value,
    [RECORD_VALUE_GONE] = write_value,
    [RECORD_SCHEDULE_SET] = store_write_schedule,
    [RECORD_SCHEDULE_MOVE] = store_move_schedule,
    [RECORD_SCHEDULE_PAUSE] = store_pause_schedule,
    [RECORD_SCHEDULE_DELETE] = store_drop_schedule,
};

/* What a job that is in memory alone (layered.c) changes on the disk. */
static int write_moves(struct store *store, const struct record *record)
{
    int r = record->schedule ? store_move_schedule(store, record) : 0;

    return r == 0 && record->step.feed ? log_step_feed(store, &record->step) : r;
}

static int write_next(struct store *store, struct place *at)
{
    const struct record *record = at->record;
    int r;

    if (record_durability(record) == DURABLE_NONE) {
        place_next(at);
        return write_moves(store, record);
    }
    if (record_is_new(record))
        return store_write_jobs(store, at);
    r = fault_hit(FAULT_STORE_RECORD);
    place_next(at);
    if (r < 0 || record->kind >= RECORD_TOPIC_RULE)
        return r < 0 ? r : log_write_record(store, record);
    return record_writers[record->kind](store, record);
}

static int write_all(struct store *store, const struct list *batches)
{
    struct place at = place_first(batches);
    int r = fault_hit(FAULT_STORE_BEGIN);

    if (r == 0)
        r = set_sync(store, store->sync && any_syncs(batches));
    if (r == 0)
        r = statement_run(store->write[WRITE_BEGIN]);
    while (r == 0 && at.record)
        r = write_next(store, &at);
    if (r == 0)
        r = settle(store);
    if (r < 0)
        return r;
    r = fault_hit(FAULT_STORE_BEFORE_COMMIT);
    if (r == 0)
        r = fault_hit(FAULT_STORE_COMMIT);
    return r < 0 ? r : db_commit(store->writer, store->write[WRITE_COMMIT]);
}

static int sqlite_apply(struct store *store, const struct list *batches)
{
    int r = write_all(store, batches);

    if (r == 0)
        return fault_hit(FAULT_STORE_AFTER_COMMIT);
    db_rollback(store->writer);
    store->job_gone = 0;
    log_forget(store);
    return r;
}

/* Whether enough of the file is free to be worth giving back. */
static int vacuum(struct store *store)
{
    int64_t pages = 0, unused = 0;
    char text[64];
    int r = db_number(store->writer, "PRAGMA page_count", &pages);

    if (r == 0)
        r = db_number(store->writer, "PRAGMA freelist_count", &unused);
    if (r < 0 || unused * 100 < pages * VACUUM_FREE_PERCENT || unused < VACUUM_PAGES)
        return r;
    snprintf(text, sizeof(text), "PRAGMA incremental_vacuum(%d)", VACUUM_PAGES);
    return db_exec(store->writer, text);
}

static int sqlite_tidy(struct store *store, bool idle)
{
    int wal = db_wal_pages(store->writer);

    if (wal < (idle ? 1 : CHECKPOINT_PAGES))
        return 0;
    int r = fault_hit(FAULT_STORE_CHECKPOINT);
    if (r == 0 && idle)
        r = vacuum(store);
    if (r == 0)
        r = db_checkpoint(store->writer);
    return r == -ENOSPC ? 0 : r; /* the log keeps it; the next one tries again */
}

/* Under the page limit the ballast is a part of the limit, and back when as many pages are free again. */
static int take_pages(struct store *store)
{
    int64_t pages = 0, unused = 0;
    int r = store->pages_max ? db_number(store->writer, "PRAGMA page_count", &pages) : 0;

    if (r == 0 && store->pages_max)
        r = db_number(store->writer, "PRAGMA freelist_count", &unused);
    if (r < 0)
        return r;
    if (store->pages_max && (uint64_t)(pages - unused) >= store->pages_max)
        return -ENOSPC;
    return set_pages_max(store, 0);
}

static int sqlite_ballast(struct store *store, bool keep)
{
    if (!keep) {
        int r = ballast_release(store->directory);
        return r < 0 ? r : set_pages_max(store, BALLAST_PAGES);
    }
    int r = fault_hit(FAULT_STORE_BALLAST);
    if (r == 0)
        r = take_pages(store);
    return r < 0 ? r : ballast_take(store->directory);
}

static uint64_t size_of(const char *path)
{
    struct stat seen;

    return path && stat(path, &seen) == 0 ? (uint64_t)seen.st_size : 0;
}

static void sqlite_size(const struct store *store, uint64_t *file_bytes, uint64_t *log_bytes)
{
    char *log = NULL;

    if (asprintf(&log, "%s-wal", store->path) < 0)
        log = NULL;
    *file_bytes = size_of(store->path);
    *log_bytes = size_of(log);
    free(log);
}

const struct store_ops store_sqlite = {
    .name = "sqlite",
    .warning = db_version_warning,
    .open = sqlite_open,
    .load = store_load,
    .apply = sqlite_apply,
    .fetch = store_fetch,
    .backup = store_backup,
    .tidy = sqlite_tidy,
    .ballast = sqlite_ballast,
    .size = sqlite_size,
    .fsck = store_fsck,
    .close = sqlite_close,
};
