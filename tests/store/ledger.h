/*
 * What a store was asked to keep and what it acknowledged, written down outside of it; and whether a state directory
 * agrees. A store must hold what it had after some transaction: not before the last one that it acknowledged, not after
 * the last one that was begun. Between the two, each transaction is whole or not there.
 */
#pragma once

#include "shelf.h"
#include "store.h"

enum { LEDGER_JOBS = 128, LEDGER_CHANNELS = 4, LEDGER_MOMENTS = 512, LEDGER_LIVES = 64 };

/* A job as the store must have it; its columns and bodies as digests. */
struct held {
    uint32_t there; /* no padding: compared as memory */
    uint32_t state; /* enum job_state */
    uint64_t columns, argument, result, output, output_bytes;
};

/* A durable channel as the store must have it. Compared as memory. */
enum { LEDGER_VALUES = 12 };
struct kept_channel {
    uint64_t there, row, seen; /* row: digest of all the rest of it */
    uint64_t n, next;          /* values; sequence of the next one */
    struct {
        uint64_t sequence, body; /* body: digest, with all else that is known of the value */
    } value[LEDGER_VALUES];
};

/* After a transaction. [0] is what was there at the beginning. */
struct moment {
    size_t begun, told;            /* places on the tape; NOT_TOLD: nobody knows whether it happened */
    struct held held[LEDGER_JOBS]; /* by id */
    struct kept_channel channel[LEDGER_CHANNELS]; /* by id */
    struct kept_log log;
};
#define NOT_TOLD SIZE_MAX

struct ledger {
    const size_t *place; /* how long the tape is now; NULL: no tape */
    struct moment *moments;
    size_t n;
    struct {
        size_t told;
        uint64_t incarnation;
    } lives[LEDGER_LIVES];
    size_t lives_n;
};

/* Empty, or with what `from` has at one of its moments and the incarnation it had told by then. */
struct ledger *ledger_new(const size_t *place, const struct ledger *from, size_t moment);
struct ledger *ledger_delete(struct ledger *ledger);
void ledger_opened(struct ledger *ledger, uint64_t incarnation);
/* What the store must have now. */
const struct held *ledger_now(const struct ledger *ledger);
const struct kept_channel *ledger_channels(const struct ledger *ledger);
const struct kept_log *ledger_log(const struct ledger *ledger);

/* Applies the batches, writes down what came of it, and frees them. What apply gave. */
int ledger_apply(struct ledger *ledger, const struct store_ops *ops, struct store *store,
                 struct list *batches);

struct range {
    size_t first, last;   /* moments that the store may show */
    uint64_t incarnation; /* the next one is later */
};
/* What a crash at this place of the tape may leave. `forgets`: what was acknowledged may be lost, though not out of order. */
struct range ledger_at(const struct ledger *ledger, size_t place, bool forgets);
/* The same for the end of the ledger. */
struct range ledger_end(const struct ledger *ledger);

/*
 * Opens the directory, compares, lets the store go on by one transaction, closes, and looks for damage (fsck).
 * The moment that was found; -1: something is wrong, said in `why`.
 */
enum { WHY_BYTES = 400 };
int ledger_check(const struct ledger *ledger, const struct store_ops *ops,
                 const struct store_options *options, struct range range, char why[WHY_BYTES]);
/* The open store alone. */
int ledger_compare(const struct ledger *ledger, const struct store_ops *ops, struct store *store,
                   struct range range, char why[WHY_BYTES]);
