/*
 * The store's threads, as the hub sees them: batches go in, their fates come out; fetches and backups go in, answers
 * come out. Nothing here waits for the disk on the hub's thread.
 *
 * Group commit: the store thread takes all that waits, at most WRITER_GROUP_RECORDS or WRITER_GROUP_BYTES, as one
 * transaction. There is no linger: the next group forms while this one syncs.
 *
 * A store that is `instant` does on the hub's thread what the threads would do, as long as the store thread has nothing to do
 * and the store is not full: nothing is won by another thread, and two turns of it are lost. The fate is told as ever.
 *
 * A full store (-ENOSPC, -ENOMEM): nothing of the transaction happened. Its admissions (record.h) fail with that
 * error. All other batches are kept: the ballast is released and they are tried again, alone, until they are
 * stored. While the ballast is out, admissions fail at once; it is taken back as soon as there is room.
 * Fates are reported in the order of the batches, so an admission behind news that cannot be stored waits with it.
 * Any other error leaves the fate of the transaction unknown: `fatal` is told, and the process has to end.
 */
#pragma once

#include "store.h"

enum {
    WRITER_GROUP_RECORDS = 4096,
    WRITER_GROUP_BYTES = 4 << 20,
};

struct writer;

struct writer_options {
    const struct store_ops *ops;
    struct store *store; /* stays the caller's, who closes it after writer_stop */
    /* Called by writer_collect, on its thread. `fetched` lives for the call. */
    void (*stored)(void *context, uint64_t batch, int error);
    void (*fetched)(void *context, uint64_t number, int error, const struct fetched *fetched);
    /* Called on the store thread (of an instant store perhaps in writer_push), at most once. Must end the process, or at least never use the store again;
     * nothing more is reported. */
    void (*fatal)(void *context, int error);
    void *context;
    uint32_t retry_ms; /* between attempts while the store is full; 0: 1000 */
    uint32_t idle_ms;  /* without work before the log is moved into the database; 0: 1000 */
};

struct writer_stats {
    uint64_t groups, batches, refused; /* transactions, batches stored, batches that failed */
    bool full;                         /* the ballast is out */
};

/* Starts the threads. 0, -ENOMEM, -EAGAIN (no thread), -EMFILE. */
int writer_start(const struct writer_options *options, struct writer **writer);
/* An eventfd, readable when writer_collect has something to do. */
int writer_fd(const struct writer *writer);
/* Takes all batches of the list. Never blocks on the disk. */
void writer_push(struct writer *writer, struct list *batches);
/* Something that waits for the disk was pushed, and its fate has not been collected. For the thread that does both. */
bool writer_syncs(const struct writer *writer);
/* The answer carries `number`. 0, -ENOMEM. */
int writer_fetch(struct writer *writer, uint64_t number, const struct fetch *what);
/* Calls `stored` and `fetched` for all that is done. The number of calls. */
int writer_collect(struct writer *writer);
struct writer_stats writer_stats(struct writer *writer);
/* Stores what waits (what cannot be stored is given up), ends the threads (a backup that is under way fails with -ECANCELED), collects what is done and frees.
 * Blocks for the disk. Accepts NULL. */
struct writer *writer_stop(struct writer *writer);
