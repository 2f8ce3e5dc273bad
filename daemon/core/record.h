/*
 * What the core asks the store to keep: plain records in batches.
 *
 * A batch is records of one step: all of it becomes durable or none. Batches are numbered 1, 2, … in the
 * order of the steps and become durable in that order. Records are never SQL, so that another engine can
 * stand behind the same table (store.h).
 * A batch with a RECORD_JOB_NEW is an admission: when the store is full it fails, and whoever asked is told.
 * So is one that only appends output. All others say what has happened already: they are kept and tried
 * again until they are stored. The core therefore never mixes an admission with news of another job.
 * A record for a job that the store does not have (its admission failed) changes nothing and is no error.
 * Ownership: the core makes a batch and hands it over with its effects; the receiver frees it with
 * batch_delete, on any thread.
 * To add a member or a kind: add it here, a migration N+1 in the schema of the store, and the row in both
 * stores.
 */
#pragma once

#include "list.h"
#include "message.h"

enum record_kind {
    RECORD_JOB_NEW = 1, /* everything about the job, with its argument */
    RECORD_JOB_STATE,   /* state, attempt, crashes, due, error, cause, text */
    RECORD_JOB_END,     /* the same, terminal, with the result */
    RECORD_JOB_OUTPUT,  /* `body` is the kept output from byte job.output_bytes on */
    RECORD_JOB_DELETE,
};

/* All that the store knows of a job, except its bodies. */
struct job_row {
    uint64_t id, run;      /* run: the last one, 0: none yet */
    uint32_t state, cause; /* enum job_state (running is stored as ready: claims are volatile), job_cause */
    int32_t error;
    uint32_t attempt, attempts_max, crashes, priority, flags, uid;
    int64_t created_us, due_us, started_us, ended_us; /* wall clock, UTC; 0: not yet */
    int64_t deadline_us;                              /* wall clock; 0: none */
    int64_t backoff_ns, backoff_max_ns, time_limit_ns, grace_ns;
    struct secret session; /* who submitted it, by which operation: op_status settles a submit (IP4) */
    uint64_t op;
    uint64_t output_bytes;
    struct bytes plugin, function, queue, key, text;
};

struct record {
    struct list link; /* in its batch */
    enum record_kind kind;
    struct job_row job;
    struct bytes body; /* argument, result or output */
};

struct batch {
    struct list link; /* for the receiver's queue */
    uint64_t number;
    struct list records;
    size_t bytes; /* of its records, about */
    size_t records_n;
    int error; /* its fate, set by the store's thread */
};

/* Copies row and body; the strings of the copy live in the record. NULL: out of memory. */
struct record *record_new(enum record_kind kind, const struct job_row *job, struct bytes body);
struct record *record_delete(struct record *record);
struct batch *batch_new(uint64_t number);
/* Takes the record. */
void batch_append(struct batch *batch, struct record *record);
/* Whether it may fail when the store is full. */
bool batch_admits(const struct batch *batch);
/* Accepts NULL. Any thread. */
struct batch *batch_delete(struct batch *batch);
