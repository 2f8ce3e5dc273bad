/*
 * The store in memory: for tests, for the simulator and for --ephemeral. It keeps the records themselves.
 *
 * Invariants: `jobs` holds every job once, in id order (ids only grow); `begun` is its RECORD_JOB_NEW, `latest`
 * the last state or end, or NULL; `outputs` are pieces by offset.
 * `schedules` holds the RECORD_SCHEDULE_SET of each schedule, with what changed since written into it.
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
#include "memory.h"
#include "memory_channel.h"
#include "memory_topic.h"
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
    struct bytes once;   /* in `begun` or `latest` */
    UT_hash_handle by_id, by_op, by_once;
};

struct store {
    pthread_mutex_t lock;
    struct job *jobs, *ops, *keys;
    struct list queues;     /* of struct record: the last RECORD_QUEUE of each with a body */
    struct list pools;      /* the same of RECORD_POOL */
    struct list channels;   /* memory_channel.c */
    struct memory_log *log; /* memory_topic.c */
    struct list schedules;  /* of struct record */
    uint64_t job_last;      /* the highest id of jobs that are no more, or that count as given */
    bool beside;            /* all but jobs of durability `none` is another's */
};

static int memory_open(const struct store_options *options, struct store **out, uint64_t *incarnation,
                       char **why)
{
    struct store *store = calloc(1, sizeof(*store));
    struct timespec now;

    if (!store || !(store->log = memory_log_new())) {
        free(store);
        return why_set(why, -ENOMEM, "out of memory");
    }
    list_init(&store->queues);
    list_init(&store->pools);
    list_init(&store->channels);
    pthread_mutex_init(&store->lock, NULL);
    list_init(&store->schedules);
    store->beside = options->beside;
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

static void lose_key(struct store *store, struct job *job)
{
    if (job->once.size)
        HASH_DELETE(by_once, store->keys, job);
    job->once = (struct bytes){0};
}

/* The key of a new record is that of this job alone. */
static void take_key(struct store *store, struct job *job, struct bytes once)
{
    struct job *other = NULL;

    lose_key(store, job);
    if (!once.size)
        return;
    HASH_FIND(by_once, store->keys, once.data, once.size, other);
    if (other)
        lose_key(store, other);
    job->once = once;
    HASH_ADD_KEYPTR(by_once, store->keys, job->once.data, job->once.size, job);
}

static void job_drop(struct store *store, struct job *job)
{
    lose_key(store, job);
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
    struct record *queue, *schedule, *next;
    struct job *job, *after;

    if (!store)
        return NULL;
    list_each_safe (queue, next, &store->queues, link)
        record_delete(queue);
    list_each_safe (queue, next, &store->pools, link)
        record_delete(queue);
    memory_channels_clear(&store->channels);
    memory_log_delete(store->log);
    HASH_ITER (by_id, store->jobs, job, after)
        job_drop(store, job);
    list_each_safe (schedule, next, &store->schedules, link)
        record_delete(schedule);
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
        row.deadline_us = new->deadline_us;
    }
    row.once = job->once;
    row.state = row_state(&row);
    row.argument_bytes = job->begun->body.size;
    row.output_bytes = piece ? piece->job.output_bytes + piece->body.size : 0;
    return row;
}

static int load_kept(struct store *store, const struct store_load *load)
{
    const struct record *row;
    int r = 0;

    list_each (row, &store->queues, link)
        if (r == 0 && load->queue)
            r = load->queue(load->context, row->job.queue, row->body);
    list_each (row, &store->pools, link)
        if (r == 0 && load->pool)
            r = load->pool(load->context, row->job.queue, row->body);
    return r;
}

static int memory_load(struct store *store, const struct store_load *load, char **why)
{
    const struct record *schedule;
    struct job *job, *after;
    int r = load_kept(store, load);

    if (r == 0)
        r = memory_channels_load(&store->channels, load);
    if (r == 0)
        r = memory_log_load(store->log, load);
    if (r != 0)
        return r;
    HASH_ITER (by_id, store->jobs, job, after) {
        struct job_row row = job_row_now(job);
        r = load->job(load->context, &row);
        if (r != 0)
            break;
    }
    if (r == 0 && load->job_ids)
        r = load->job_ids(load->context, store->job_last);
    list_each (schedule, &store->schedules, link)
        if (r == 0 && load->schedule)
            r = load->schedule(load->context, schedule->schedule, schedule->body);
    return r;
}

/* ---- schedules ---- */

static struct record *schedule_find(struct store *store, struct bytes name)
{
    struct record *record;

    list_each (record, &store->schedules, link)
        if (bytes_are(record->schedule->name, name.data, name.size))
            return record;
    return NULL;
}

/* The row stands behind the record, in memory that is the store's. */
static struct schedule_row *row_of(const struct record *record)
{
    return (struct schedule_row *)(uintptr_t)record->schedule;
}

static void schedule_set(struct store *store, struct record *record)
{
    struct record *before = schedule_find(store, record->schedule->name);

    if (before)
        record_delete(before);
    list_append(&store->schedules, &record->link);
}

static void schedule_change(struct store *store, const struct record *record)
{
    const struct schedule_row *new = record->schedule;
    struct record *kept = schedule_find(store, new->name);

    if (!kept)
        return;
    if (record->kind == RECORD_SCHEDULE_DELETE) {
        record_delete(kept);
    } else if (record->kind == RECORD_SCHEDULE_PAUSE) {
        row_of(kept)->paused = new->paused;
        if (!new->paused)
            row_of(kept)->progress.cursor_ns = new->progress.cursor_ns;
    } else {
        row_of(kept)->progress = new->progress;
    }
}

static void take_new(struct store *store, struct record *record, struct job *job)
{
    *job = (struct job){.id = record->job.id, .by = {record->job.session, record->job.op}, .begun = record};
    list_init(&job->outputs);
    HASH_ADD(by_id, store->jobs, id, sizeof(job->id), job);
    if (job->by.op)
        HASH_ADD(by_op, store->ops, by, sizeof(job->by), job);
    take_key(store, job, record->job.once);
}

static void take_output(struct job *job, struct record *record)
{
    struct record *piece, *after;

    list_each_safe (piece, after, &job->outputs, link)
        if (piece->job.output_bytes == record->job.output_bytes)
            record_delete(piece);
    list_append(&job->outputs, &record->link);
}

static void take_kept(struct list *rows, struct record *record)
{
    struct bytes name = record->job.queue;
    struct record *old, *after;

    list_each_safe (old, after, rows, link)
        if (old->job.queue.size == name.size && memcmp(old->job.queue.data, name.data, name.size) == 0)
            record_delete(old);
    if (record->body.size)
        list_append(rows, &record->link);
    else
        record_delete(record);
}

static bool begins(const struct record *record)
{
    return record->kind == RECORD_JOB_NEW || record->kind == RECORD_JOB_REPLACE;
}

static bool of_channel(const struct record *record)
{
    return record->kind >= RECORD_CHANNEL && record->kind <= RECORD_VALUE_GONE;
}

/* An id is not given again: not when its job is no more either, unless that was in memory alone. */
static void keep_id(struct store *store, const struct record *record)
{
    bool goes = record->kind == RECORD_JOB_DELETE && record_durability(record) != DURABLE_NONE;

    if ((goes || record->kind == RECORD_JOB_IDS) && store->job_last < record->job.id)
        store->job_last = record->job.id;
}

/* Takes the record; `fresh` is memory for what it makes. */
static void take(struct store *store, struct record *record, void *fresh)
{
    if (memory_log_has(record))
        return memory_log_take(store->log, record, fresh);
    if (of_channel(record))
        return memory_channel_take(&store->channels, record, fresh);
    struct job *job = job_find(store, record->job.id);

    keep_id(store, record);
    if (record->kind == RECORD_SCHEDULE_SET)
        return schedule_set(store, record);
    if (record->schedule)
        schedule_change(store, record);
    memory_log_step(store->log, &record->step);
    if (begins(record))
        return take_new(store, record, fresh);
    if (record->kind == RECORD_QUEUE || record->kind == RECORD_POOL)
        return take_kept(record->kind == RECORD_POOL ? &store->pools : &store->queues, record);
    if (!job || record->kind == RECORD_JOB_IDS) {
        record_delete(record); /* its admission failed */
    } else if (record->kind == RECORD_JOB_OUTPUT) {
        take_output(job, record);
    } else if (record->kind == RECORD_JOB_DELETE) {
        job_drop(store, job);
        record_delete(record);
    } else {
        take_key(store, job, record->job.once);
        record_delete(job->latest);
        job->latest = record;
    }
}

/* A record with the memory it may need, made before the first change. */
struct change {
    struct list link;
    struct record *record;
    void *fresh;
};

static struct change *change_delete(struct change *change)
{
    if (change->record && of_channel(change->record))
        change->fresh = memory_channel_delete(change->fresh);
    record_delete(change->record);
    free(change->fresh);
    list_remove(&change->link);
    free(change);
    return NULL;
}

/* Whether there is all the memory that this record needs. */
static bool change_fill(struct change *change)
{
    const struct record *record = change->record;

    if (!record)
        return false;
    if (memory_log_has(record))
        return memory_log_prepare(record, &change->fresh) == 0;
    if (begins(record))
        change->fresh = calloc(1, sizeof(struct job));
    else if (record->kind == RECORD_CHANNEL)
        change->fresh = memory_channel_new();
    else
        return true;
    return change->fresh;
}

static int change_add(struct list *changes, const struct record *record)
{
    struct change *change = calloc(1, sizeof(*change));
    int r = fault_hit(FAULT_STORE_RECORD);

    if (!change)
        return -ENOMEM;
    list_append(changes, &change->link);
    change->record = record_copy(record);
    return change_fill(change) ? r : -ENOMEM;
}

int memory_prepare(struct store *store, struct list *changes, const struct list *batches)
{
    const struct batch *batch;
    const struct record *record;
    int r = 0;

    list_each (batch, batches, link)
        list_each (record, &batch->records, link)
            if (r == 0 && (!store->beside || record_durability(record) == DURABLE_NONE))
                r = change_add(changes, record);
    return r;
}

void memory_forget(struct list *changes)
{
    struct change *change, *after;

    list_each_safe (change, after, changes, link)
        change_delete(change);
}

void memory_commit(struct store *store, struct list *changes)
{
    struct change *change, *after;

    pthread_mutex_lock(&store->lock);
    list_each_safe (change, after, changes, link) {
        take(store, change->record, change->fresh);
        change->record = NULL;
        change->fresh = NULL;
        change_delete(change);
    }
    pthread_mutex_unlock(&store->lock);
}

static int memory_apply(struct store *store, const struct list *batches)
{
    struct list changes = LIST_INIT(changes);
    int r = fault_hit(FAULT_STORE_BEGIN);

    if (r == 0)
        r = memory_prepare(store, &changes, batches);
    if (r == 0)
        r = fault_hit(FAULT_STORE_BEFORE_COMMIT);
    if (r == 0)
        r = fault_hit(FAULT_STORE_COMMIT);
    if (r == 0)
        memory_commit(store, &changes);
    memory_forget(&changes);
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

static int fetch_log(struct store *store, const struct fetch *what, struct fetched *out)
{
    return memory_log_fetch(store->log, what, out);
}

static int fetch_backup(struct store *store, const struct fetch *what, struct fetched *out)
{
    static const char why[] = "a daemon started with --ephemeral keeps nothing on disk";
    int r = fetched_body(out, (struct bytes){why, sizeof(why) - 1});

    return r < 0 ? r : -EOPNOTSUPP;
}

static int (*const fetches[])(struct store *, const struct fetch *, struct fetched *) = {
    [FETCH_ARGUMENT] = fetch_argument, [FETCH_JOB] = fetch_job,    [FETCH_OUTPUT] = fetch_output,
    [FETCH_JOBS] = fetch_jobs,         [FETCH_OP] = fetch_op,      [FETCH_BACKUP] = fetch_backup,
    [FETCH_MESSAGES] = fetch_log,      [FETCH_LATERS] = fetch_log,
};

static int memory_fetch(struct store *store, const struct fetch *what, struct fetched *out)
{
    fetched_init(out);
    int r = store->beside ? 0 : fault_hit(FAULT_STORE_FETCH);
    if (r < 0)
        return r;
    pthread_mutex_lock(&store->lock);
    r = fetches[what->kind](store, what, out);
    pthread_mutex_unlock(&store->lock);
    if (r < 0 && what->kind != FETCH_BACKUP) /* which says why */
        fetched_clear(out);
    return r;
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

static void memory_size(const struct store *store, uint64_t *file_bytes, uint64_t *log_bytes)
{
    *file_bytes = *log_bytes = 0;
}

static int memory_fsck(const struct store_options *options, void (*say)(void *context, const char *line),
                       void *context)
{
    return 0;
}

const struct store_ops store_memory = {
    .name = "memory",
    .instant = true,
    .warning = memory_warning,
    .open = memory_open,
    .load = memory_load,
    .apply = memory_apply,
    .fetch = memory_fetch,
    .tidy = memory_tidy,
    .ballast = memory_ballast,
    .size = memory_size,
    .fsck = memory_fsck,
    .close = memory_close,
};
