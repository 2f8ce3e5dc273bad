/*
 * Messages that are published later, in the seeds that have groups, on kept topics of their own. laters.c says what clients do and
 * what must hold (IP15.10).
 */
#pragma once

#include "sim.h"

/* A message. Its body is its number. */
struct delayed_message {
    uint32_t topic;
    uint64_t id; /* as the store has it; 0: it never had it */
    int64_t asked_us, delay_us, due_us;
    int64_t stored_us; /* clock on the wall */
    bool published;
};

enum { LATER_TOPICS = 2 };

struct later_ledger {
    uint64_t dice;                    /* chance of its own */
    struct delayed_message *messages; /* by number, from 1 */
    size_t messages_n;
};

/* In this seed there are such messages; what is noted lives until laters_free. */
void laters_open(struct sim *sim);
void judge_laters_free(struct sim *sim);
/* What the configuration says of their topics. */
void laters_configure(struct sim *sim, struct core *core);
/* Now and then a client publishes. False: not now. */
bool work_later(struct client *client);
/* A task of these has its result. */
void later_told(struct task *task, const struct result *result);
/* The daemon has told its store, which is about to have these. */
void judge_laters_taken(struct sim *sim, const struct list *batches);
void judge_laters_stored(struct sim *sim, const struct list *batches);
/* After the work: everything comes. */
void laters_come(struct sim *sim);
