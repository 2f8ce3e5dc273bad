/*
 * The store in memory: for tests, for the simulator and for --ephemeral. It keeps the records themselves.
 *
 * Invariants: `jobs` holds every job once, in id order (ids only grow); `begun` is its RECORD_JOB_NEW, `latest`
 * the last state or end, or NULL; `outputs` are pieces by offset.
 * A batch is copied whole before the first of its records counts: after that nothing can fail.
 * Threads: the lock makes fetch safe beside apply.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uthash.h>

#include "cleanup.h"
#include "fault.h"
#include "fetched.h"
#include "row.h"
#include "why.h"

struct op_key {
    struct secret session;
    uint64_t op;
};

struct job {
    uint64_t id;
    struct op_key by;
    struct record *begun, *latest;
    struct list outputs; /* of struct record */
    UT_hash_handle by_id, by_op;
};

struct store {
    pthread_mutex_t lock;
    struct job *jobs, *ops;
};

static int memory_open(const struct store_options *options, struct store **out, uint64_t *incarnation,
                       char **why)
{
    struct store *store = calloc(1, sizeof(*store));
    struct timespec now;

    if (!store)
        return why_set(why, -ENOMEM, "out of memory");
    pthread_mutex_init(&store->lock, NULL);
    clock_gettime(CLOCK_REALTIME, &now); /* nothing remembers the last one, so the clock has to */
    *incarnation = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
    *out = store;
    return 0;
}

static struct job *job_find(struct store *store, uint64_t id)
{
    struct job *job;

    HASH_FIND(by_id, store->jobs, &id, sizeof(id), job);
    return job;
}

static void outputs_clear(struct job *job)
{
    struct record *piece, *after;

    list_each_safe (piece, after, &job->outputs, link)
        record_delete(piece);
}

static void job_drop(struct store *store, struct job *job)
{
    HASH_DELETE(by_id, store->jobs, job);
    if (job->by.op)
        HASH_DELETE(by_op, store->ops, job);
    outputs_clear(job);
    record_delete(job->begun);
    record_delete(job->latest);
    free(job);
}

static struct store *memory_close(struct store *store)
{
    struct job *job, *after;

    if (!store)
        return NULL;
    HASH_ITER (by_id, store->jobs, job, after)
        job_drop(store, job);
    pthread_mutex_destroy(&store->lock);
    free(store);
    return NULL;
}

/* What is known of the job now: as it began, with what changed since. */
static struct job_row job_row_now(const struct job *job)
{
    struct job_row row = job->begun->job;
    const struct record *piece =
        list_empty(&job->outputs) ? NULL : container_of(job->outputs.prev, struct record, link);

    if (job->latest) {
        const struct job_row *new = &job->latest->job;
        row.state = new->state;
        row.cause = new->cause;
        row.error = new->error;
        row.attempt = new->attempt;
        row.crashes = new->crashes;
        row.due_us = new->due_us;
        row.started_us = new->started_us;
        row.ended_us = new->ended_us;
        row.text = new->text;
        row.run = new->run;
    }
    row.state = row_state(&row);
    row.output_bytes = piece ? piece->job.output_bytes + piece->body.size : 0;
    return row;
}

static int memory_load(struct store *store, const struct store_load *load, char **why)
{
    struct job *job, *after;
    int r = 0;

    HASH_ITER (by_id, store->jobs, job, after) {
        struct job_row row = job_row_now(job);
        r = load->job(load->context, &row);
        if (r != 0)
            break;
    }
    return r;
}

static void take_new(struct store *store, struct record *record, struct job *job)
{
    *job = (struct job){.id = record->job.id, .by = {record->job.session, record->job.op}, .begun = record};
    list_init(&job->outputs);
    HASH_ADD(by_id, store->jobs, id, sizeof(job->id), job);
    if (job->by.op)
        HASH_ADD(by_op, store->ops, by, sizeof(job->by), job);
}

static void take_output(struct job *job, struct record *record)
{
    struct record *piece, *after;

    list_each_safe (piece, after, &job->outputs, link)
        if (piece->job.output_bytes == record->job.output_bytes)
            record_delete(piece);
    list_append(&job->outputs, &record->link);
}

/* Takes the record; `fresh` is memory for a new job. */
static void take(struct store *store, struct record *record, struct job *fresh)
{
    struct job *job = job_find(store, record->job.id);

    if (record->kind == RECORD_JOB_NEW) {
        take_new(store, record, fresh);
        return;
    }
    if (!job) {
        record_delete(record); /* its admission failed */
    } else if (record->kind == RECORD_JOB_OUTPUT) {
        take_output(job, record);
    } else if (record->kind == RECORD_JOB_DELETE) {
        job_drop(store, job);
        record_delete(record);
    } else {
        record_delete(job->latest);
        job->latest = record;
    }
}

/* A record with the memory it may need, made before the first change. */
struct change {
    struct list link;
    struct record *record;
    struct job *fresh;
};

static struct change *change_delete(struct change *change)
{
    record_delete(change->record);
    free(change->fresh);
    list_remove(&change->link);
    free(change);
    return NULL;
}

static int change_add(struct list *changes, const struct record *record)
{
    struct change *change = calloc(1, sizeof(*change));
    int r = fault_hit(FAULT_STORE_RECORD);

    if (!change)
        return -ENOMEM;
    list_append(changes, &change->link);
    change->record = record_new(record->kind, &record->job, record->body);
    change->fresh = record->kind == RECORD_JOB_NEW ? calloc(1, sizeof(struct job)) : NULL;
    if (!change->record || (record->kind == RECORD_JOB_NEW && !change->fresh))
        return -ENOMEM;
    return r;
}

static int changes_make(struct list *changes, const struct list *batches)
{
    const struct batch *batch;
    const struct record *record;
    int r = fault_hit(FAULT_STORE_BEGIN);

    list_each (batch, batches, link)
        list_each (record, &batch->records, link)
            if (r == 0)
                r = change_add(changes, record);
    if (r == 0)
        r = fault_hit(FAULT_STORE_BEFORE_COMMIT);
    return r < 0 ? r : fault_hit(FAULT_STORE_COMMIT);
}

static int memory_apply(struct store *store, const struct list *batches)
{
    struct list changes = LIST_INIT(changes);
    struct change *change, *after;
    int r = changes_make(&changes, batches);

    pthread_mutex_lock(&store->lock);
    list_each_safe (change, after, &changes, link) {
        if (r == 0) {
            take(store, change->record, change->fresh);
            change->record = NULL;
            change->fresh = NULL;
        }
        change_delete(change);
    }
    pthread_mutex_unlock(&store->lock);
    return r < 0 ? r : fault_hit(FAULT_STORE_AFTER_COMMIT);
}

static int fetch_argument(struct store *store, const struct fetch *what, struct fetched *out)
{
    const struct job *job = job_find(store, what->job);

    return job ? fetched_body(out, job->begun->body) : -ENOENT;
}

static int fetch_job(struct store *store, const struct fetch *what, struct fetched *out)
{
    const struct job *job = job_find(store, what->job);
    struct bytes none = {0};

    if (!job)
        return -ENOENT;
    struct job_row row = job_row_now(job);
    int r = fetched_row(out, &row, 1);
    bool ended = job->latest && job->latest->kind == RECORD_JOB_END;
    return r < 0 ? r : fetched_body(out, ended ? job->latest->body : none);
}

static int fetch_jobs(struct store *store, const struct fetch *what, struct fetched *out)
{
    struct job *job, *after;
    int r = 0;

    HASH_ITER (by_id, store->jobs, job, after) {
        struct job_row row = job_row_now(job);
        if (row.id <= what->job || (what->states && !(what->states >> row.state & 1)))
            continue;
        out->more = out->rows_n == what->limit;
        if (out->more || (r = fetched_row(out, &row, what->limit)) < 0)
            break;
    }
    return r;
}

static int fetch_op(struct store *store, const struct fetch *what, struct fetched *out)
{
    struct op_key key = {what->session, what->op};
    struct job *job;

    HASH_FIND(by_op, store->ops, &key, sizeof(key), job);
    if (!job)
        return -ENOENT;
    struct job_row row = job_row_now(job);
    return fetched_row(out, &row, 1);
}

/* Adds what the piece has behind `end`, the offset reached. False: it does not go on there, or all is full. */
static bool take_piece(const struct record *piece, struct fetched *out, size_t limit)
{
    uint64_t start = piece->job.output_bytes, end = out->offset + out->body.size;

    if (start + piece->body.size <= end)
        return true;
    if (start > end && out->body.size > 0)
        return false;
    if (start > end)
        out->offset = end = start; /* output was lost before it */
    size_t skip = (size_t)(end - start), left = piece->body.size - skip, room = limit - out->body.size;
    size_t n = left < room ? left : room;
    memcpy((char *)out->body.data + out->body.size, (const char *)piece->body.data + skip, n);
    out->body.size += n;
    return left <= room;
}

static int fetch_output(struct store *store, const struct fetch *what, struct fetched *out)
{
    const struct job *job = job_find(store, what->job);
    const struct record *piece;

    out->body.data = fetched_memory(out, what->limit);
    out->offset = what->offset;
    if (!out->body.data)
        return -ENOMEM;
    if (job)
        list_each (piece, &job->outputs, link)
            if (!out->more)
                out->more = !take_piece(piece, out, what->limit);
    return 0;
}

static int (*const fetches[])(struct store *, const struct fetch *, struct fetched *) = {
    [FETCH_ARGUMENT] = fetch_argument, [FETCH_JOB] = fetch_job, [FETCH_OUTPUT] = fetch_output,
    [FETCH_JOBS] = fetch_jobs,         [FETCH_OP] = fetch_op,
};

static int memory_fetch(struct store *store, const struct fetch *what, struct fetched *out)
{
    fetched_init(out);
    int r = fault_hit(FAULT_STORE_FETCH);
    if (r < 0)
        return r;
    pthread_mutex_lock(&store->lock);
    r = fetches[what->kind](store, what, out);
    pthread_mutex_unlock(&store->lock);
    if (r < 0)
        fetched_clear(out);
    return r;
}

static int memory_backup(struct store *store, const char *path, char **why)
{
    return why_set(why, -EOPNOTSUPP, "a daemon started with --ephemeral keeps nothing that %s could hold",
                   path);
}

static const char *memory_warning(void)
{
    return NULL;
}

static int memory_tidy(struct store *store, bool idle)
{
    return 0;
}

static int memory_ballast(struct store *store, bool keep)
{
    return keep ? fault_hit(FAULT_STORE_BALLAST) : 0;
}

static int memory_fsck(const struct store_options *options, void (*say)(void *context, const char *line),
                       void *context)
{
    return 0;
}

const struct store_ops store_memory = {
    .name = "memory",
    .warning = memory_warning,
    .open = memory_open,
    .load = memory_load,
    .apply = memory_apply,
    .fetch = memory_fetch,
    .backup = memory_backup,
    .tidy = memory_tidy,
    .ballast = memory_ballast,
    .fsck = memory_fsck,
    .close = memory_close,
};
