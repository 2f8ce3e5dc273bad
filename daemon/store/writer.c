/*
 * The store thread: groups of batches as transactions, and what to do when the store is full.
 *
 * Ownership of a batch: hub until pushed; queue and group belong to the store thread's side; records are freed
 * there; the bare batch with its fate travels back in `done` and is freed by writer_collect.
 * The lock guards `queue`, `done`, `stop`, `stats`, `working`. `full` is the store thread's own, `to_sync` and `collected`
 * are the hub's.
 */
#include "writer.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>

#include "cleanup.h"
#include "fd.h"
#include "fetcher.h"
#include "thread.h"

struct writer {
    struct writer_options options;
    struct fetcher *fetcher, *copier; /* backups take long, and nothing else waits for them */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct list queue, done;
    struct writer_stats stats;
    bool stop;
    bool working; /* the store thread has taken a group, and has not come back for another */
    bool full;    /* the ballast is out: admissions fail untried */
    bool ended;   /* after fatal */
    bool tidied;  /* nothing was stored since the log was moved */
    int event;
    uint64_t to_sync, collected; /* the last batches that were pushed to be on the disk, and collected */
};

enum { DEFAULT_WAIT_MS = 1000 };

static bool refused(int error)
{
    return error == -ENOSPC || error == -ENOMEM;
}

static void wake_hub(int event)
{
    uint64_t one = 1;

    /* A full counter is as readable as any other. */
    while (write(event, &one, sizeof(one)) < 0 && errno == EINTR)
        ;
}

static struct timespec after_ms(uint32_t ms)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_nsec += (long)(ms % 1000) * 1000000;
    at.tv_sec += ms / 1000 + at.tv_nsec / 1000000000;
    at.tv_nsec %= 1000000000;
    return at;
}

/* Moves the head of the queue into the group. What need not wait for the disk does not wait for what comes behind it and must.
 * Holds the lock. */
static void group_take(struct writer *writer, struct list *group)
{
    size_t records = 0, bytes = 0;
    struct batch *batch;
    bool syncs = false;

    while ((batch = list_first(&writer->queue, struct batch, link)) &&
           (records == 0 || (records + batch->records_n <= WRITER_GROUP_RECORDS &&
                             bytes + batch->bytes <= WRITER_GROUP_BYTES && batch->syncs <= syncs))) {
        syncs = syncs || batch->syncs;
        records += batch->records_n;
        bytes += batch->bytes;
        list_remove(&batch->link);
        list_append(group, &batch->link);
    }
}

/* Waits for work, the end, or the time to look after the store. True: the queue has something. */
static bool wait_for_work(struct writer *writer, struct list *group)
{
    bool waiting = writer->full || !writer->tidied;
    struct timespec at = after_ms(writer->full ? writer->options.retry_ms : writer->options.idle_ms);
    int r = 0;

    pthread_mutex_lock(&writer->lock);
    writer->working = false;
    while (r != ETIMEDOUT && !writer->stop && list_empty(&writer->queue))
        r = waiting ? pthread_cond_timedwait(&writer->work, &writer->lock, &at)
                    : pthread_cond_wait(&writer->work, &writer->lock);
    group_take(writer, group);
    writer->working = !list_empty(group);
    pthread_mutex_unlock(&writer->lock);
    return !list_empty(group);
}

/* Gives every batch of the group its fate and hands it back. */
static void group_report(struct writer *writer, struct list *group)
{
    struct batch *batch;
    struct record *record, *after;
    uint64_t stored = 0, failed = 0;

    list_each (batch, group, link) {
        list_each_safe (record, after, &batch->records, link)
            record_delete(record);
        *(batch->error == 0 ? &stored : &failed) += 1;
    }
    pthread_mutex_lock(&writer->lock);
    list_splice(&writer->done, group);
    writer->stats.batches += stored;
    writer->stats.refused += failed;
    pthread_mutex_unlock(&writer->lock);
    wake_hub(writer->event);
}

static int group_apply(struct writer *writer, const struct list *group)
{
    int r = writer->options.ops->apply(writer->options.store, group);

    if (r == 0) {
        pthread_mutex_lock(&writer->lock);
        writer->stats.groups++;
        pthread_mutex_unlock(&writer->lock);
    }
    return r;
}

static void end(struct writer *writer, int error)
{
    writer->ended = true;
    writer->options.fatal(writer->options.context, error);
}

static int ballast(struct writer *writer, bool keep)
{
    int r = writer->options.ops->ballast(writer->options.store, keep);

    if (r < 0)
        return r;
    writer->full = !keep;
    pthread_mutex_lock(&writer->lock);
    writer->stats.full = writer->full;
    pthread_mutex_unlock(&writer->lock);
    return 0;
}

/* A full disk is nothing to what is in memory alone, whichever way it comes here. */
static bool not_its_error(const struct writer *writer, const struct batch *batch, int error)
{
    return error == -ENOSPC && writer->options.ops->at_once && !batch->on_disk;
}

/* Moves every batch that may not fail, or that does not need what failed, from the group to `kept`; the rest gets `error`. */
static void group_split(const struct writer *writer, struct list *group, struct list *kept, int error)
{
    struct batch *batch, *after;

    list_each_safe (batch, after, group, link) {
        batch->error = batch_admits(batch) && !not_its_error(writer, batch, error) ? error : 0;
        if (batch->error)
            continue;
        list_remove(&batch->link);
        list_append(kept, &batch->link);
    }
}

/* Puts both lists back into one, by number. */
static void group_join(struct list *group, struct list *kept)
{
    struct list joined = LIST_INIT(joined);

    while (!list_empty(group) && !list_empty(kept)) {
        struct batch *a = list_first(group, struct batch, link), *b = list_first(kept, struct batch, link);
        struct batch *first = a->number < b->number ? a : b;
        list_remove(&first->link);
        list_append(&joined, &first->link);
    }
    list_splice(&joined, group);
    list_splice(&joined, kept);
    list_splice(group, &joined);
}

/* What cannot be stored now waits at the head of the queue, with all that is behind it. */
static void group_put_back(struct writer *writer, struct list *group)
{
    struct list queue = LIST_INIT(queue);

    pthread_mutex_lock(&writer->lock);
    list_splice(&queue, group);
    list_splice(&queue, &writer->queue);
    list_splice(&writer->queue, &queue);
    pthread_mutex_unlock(&writer->lock);
}

/* Reports the admissions at the head of the group: nothing kept is before them. */
static void report_head(struct writer *writer, struct list *group)
{
    struct list head = LIST_INIT(head);
    struct batch *batch;

    while ((batch = list_first(group, struct batch, link)) && batch->error) {
        list_remove(&batch->link);
        list_append(&head, &batch->link);
    }
    if (!list_empty(&head))
        group_report(writer, &head);
}

/* The store is full: admissions fail, the rest is stored alone. 0, or what the rest failed with. */
static int group_store_full(struct writer *writer, struct list *group, int error)
{
    struct list kept = LIST_INIT(kept);

    group_split(writer, group, &kept, error);
    int r = list_empty(&kept) ? 0 : group_apply(writer, &kept);
    group_join(group, &kept);
    if (r == 0)
        group_report(writer, group);
    else if (refused(r))
        report_head(writer, group);
    return r;
}

/* Waits between two attempts, unless the end has come. */
static void pause_retry(struct writer *writer)
{
    struct timespec at = after_ms(writer->options.retry_ms);
    int r = 0;

    pthread_mutex_lock(&writer->lock);
    while (r != ETIMEDOUT && !writer->stop)
        r = pthread_cond_timedwait(&writer->work, &writer->lock, &at);
    pthread_mutex_unlock(&writer->lock);
}

/* False: it could not be stored and waits again. */
static bool group_store(struct writer *writer, struct list *group)
{
    int r = writer->full ? -ENOSPC : group_apply(writer, group);

    if (r == 0)
        group_report(writer, group);
    else if (refused(r)) {
        int error = r;
        r = writer->full ? 0 : ballast(writer, false);
        if (r == 0)
            r = group_store_full(writer, group, error);
    }
    if (r == 0)
        return true;
    group_put_back(writer, group);
    if (refused(r))
        pause_retry(writer);
    else
        end(writer, r);
    return false;
}

static void look_after(struct writer *writer, bool idle)
{
    int r = writer->options.ops->tidy(writer->options.store, idle);

    writer->tidied = idle;
    if (r == 0 && writer->full)
        r = ballast(writer, true);
    if (r < 0 && !refused(r))
        end(writer, r);
}

static bool stopping(struct writer *writer)
{
    pthread_mutex_lock(&writer->lock);
    bool stop = writer->stop;
    pthread_mutex_unlock(&writer->lock);
    return stop;
}

static void *writer_main(void *argument)
{
    struct writer *writer = argument;
    struct list group = LIST_INIT(group);

    pthread_setname_np(pthread_self(), "store");
    while (!writer->ended) {
        bool last = stopping(writer); /* asked before looking: what was pushed before it is seen */
        bool some = wait_for_work(writer, &group);
        if (last && (!some || !group_store(writer, &group)))
            break;
        if (!last && some)
            group_store(writer, &group);
        if (!writer->ended)
            look_after(writer, !some);
    }
    return NULL;
}

static void lock_init(struct writer *writer)
{
    pthread_condattr_t attributes;

    pthread_mutex_init(&writer->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&writer->work, &attributes);
    pthread_condattr_destroy(&attributes);
}

static struct writer *writer_free(struct writer *writer)
{
    struct batch *batch, *after;

    if (!writer)
        return NULL;
    fetcher_stop(writer->fetcher);
    fetcher_stop(writer->copier);
    list_splice(&writer->queue, &writer->done);
    list_each_safe (batch, after, &writer->queue, link)
        batch_delete(batch);
    pthread_cond_destroy(&writer->work);
    pthread_mutex_destroy(&writer->lock);
    cleanup_close(&writer->event);
    free(writer);
    return NULL;
}
DEFINE_CLEANUP(struct writer *, writer_free)

static struct writer *writer_new(const struct writer_options *options)
{
    struct writer *writer = calloc(1, sizeof(*writer));

    if (!writer)
        return NULL;
    writer->options = *options;
    if (options->retry_ms == 0)
        writer->options.retry_ms = DEFAULT_WAIT_MS;
    if (options->idle_ms == 0)
        writer->options.idle_ms = DEFAULT_WAIT_MS;
    list_init(&writer->queue);
    list_init(&writer->done);
    lock_init(writer);
    writer->event = -1;
    return writer;
}

int writer_start(const struct writer_options *options, struct writer **out)
{
    _cleanup_(writer_freep) struct writer *writer = writer_new(options);

    if (!writer)
        return -ENOMEM;
    writer->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (writer->event < 0)
        return -errno;
    int r = ballast(writer, true);
    if (refused(r))
        r = ballast(writer, false); /* full from the start */
    if (r == 0)
        r = fetcher_start("fetch", options->ops, options->store, writer->event, &writer->fetcher);
    if (r == 0)
        r = fetcher_start("backup", options->ops, options->store, writer->event, &writer->copier);
    if (r == 0)
        r = thread_start(&writer->thread, writer_main, writer);
    if (r < 0)
        return r;
    *out = writer;
    writer = NULL;
    return 0;
}

int writer_fd(const struct writer *writer)
{
    return writer->event;
}

static void fail_at_once(struct writer *writer, struct list *batches, int error)
{
    struct batch *batch, *after;

    list_each_safe (batch, after, batches, link)
        batch_delete(batch);
    writer->options.fatal(writer->options.context, error);
}

/* Only this thread gives the other one work: what is idle now stays so. True: they are stored, and their fates to be
 * collected; or the store has failed for good, and nobody hears any more. */
static bool store_at_once(struct writer *writer, struct list *batches)
{
    const struct store_ops *ops = writer->options.ops;

    if (list_empty(batches) || (!ops->instant && !(ops->at_once && ops->at_once(batches))))
        return false;
    pthread_mutex_lock(&writer->lock);
    bool full = writer->stats.full && ops->instant; /* a full disk is nothing to what is in memory alone */
    bool busy = writer->working || full || writer->stop || !list_empty(&writer->queue);
    pthread_mutex_unlock(&writer->lock);
    int r = busy ? -ENOSPC : group_apply(writer, batches);
    if (refused(r))
        return false; /* nothing has happened */
    if (r == 0)
        group_report(writer, batches);
    else
        fail_at_once(writer, batches, r);
    return true;
}

static void note_syncs(struct writer *writer, const struct list *batches)
{
    const struct batch *batch;

    list_each (batch, batches, link)
        if (batch->syncs)
            writer->to_sync = batch->number;
}

bool writer_syncs(const struct writer *writer)
{
    return writer->collected < writer->to_sync;
}

void writer_push(struct writer *writer, struct list *batches)
{
    if (store_at_once(writer, batches))
        return;
    note_syncs(writer, batches);
    pthread_mutex_lock(&writer->lock);
    list_splice(&writer->queue, batches);
    pthread_mutex_unlock(&writer->lock);
    pthread_cond_signal(&writer->work);
}

int writer_fetch(struct writer *writer, uint64_t number, const struct fetch *what)
{
    return fetcher_push(what->kind == FETCH_BACKUP ? writer->copier : writer->fetcher, number, what);
}

/* One call for each run of batches with the same fate. */
static int collect_stored(struct writer *writer)
{
    struct list done = LIST_INIT(done);
    struct batch *batch, *after;
    int calls = 0;

    pthread_mutex_lock(&writer->lock);
    list_splice(&done, &writer->done);
    pthread_mutex_unlock(&writer->lock);
    list_each_safe (batch, after, &done, link) {
        if (&after->link == &done || after->error != batch->error) {
            writer->options.stored(writer->options.context, batch->number, batch->error);
            calls++;
        }
        writer->collected = batch->number;
        batch_delete(batch);
    }
    return calls;
}

int writer_collect(struct writer *writer)
{
    uint64_t count;

    /* Emptied before looking: what is done later makes it readable again. */
    while (read(writer->event, &count, sizeof(count)) < 0 && errno == EINTR)
        ;
    int calls = collect_stored(writer);
    calls += fetcher_collect(writer->copier, writer->options.fetched, writer->options.context);
    return calls + fetcher_collect(writer->fetcher, writer->options.fetched, writer->options.context);
}

struct writer_stats writer_stats(struct writer *writer)
{
    pthread_mutex_lock(&writer->lock);
    struct writer_stats stats = writer->stats;
    pthread_mutex_unlock(&writer->lock);
    return stats;
}

struct writer *writer_stop(struct writer *writer)
{
    if (!writer)
        return NULL;
    pthread_mutex_lock(&writer->lock);
    writer->stop = true;
    pthread_mutex_unlock(&writer->lock);
    pthread_cond_signal(&writer->work);
    pthread_join(writer->thread, NULL);
    fetcher_finish(writer->fetcher);
    fetcher_finish(writer->copier);
    writer_collect(writer);
    return writer_free(writer);
}
