/*
 * Work for a store, from a seed: jobs that are submitted, change, end, write output and are forgotten, durable channels, and
 * the log of durable topics, in transactions of one to three batches; between them the store is tidied, read beside the writer, given and taken its ballast, closed and
 * opened again.
 */
#pragma once

#include "ledger.h"

struct work {
    const struct store_ops *ops;
    struct store_options options;
    struct ledger *ledger;
    struct store *store;
    uint64_t seed, job, batch; /* the last ones */
    size_t body_max;           /* bytes of the longest argument; 0: what the seed gives */
};

/* Opens the store. What open gave, or -ENOMEM. */
int work_open(struct work *work);
void work_close(struct work *work);
/* A step. 0, or what the store refused it with; everything is as it was before then, as far as the store says. */
int work_step(struct work *work);
/* Steps, to the first that is refused. */
int work_steps(struct work *work, int n);
/* A transaction alone. As a step. */
int work_transact(struct work *work);
/* A transaction with one job whose argument has so many bytes; and one that deletes all that there are. */
int work_submit(struct work *work, size_t bytes);
int work_forget_all(struct work *work);
/* work_log.c: something of the log, made from what the ledger has; perhaps nothing. */
void work_on_log(struct work *work, struct batch *batch);
/* For a new job: of a feed, or of none. */
struct feed_step work_on_feed(struct work *work);
