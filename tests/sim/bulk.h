/*
 * Bulks and batches in the simulator: many jobs of one submit, and its ledger (judge_bulk.c). Each job of a bulk has a tag of its
 * own in its grace, by which it is known wherever it shows up.
 */
#pragma once

#include "lives.h"

enum { BULK_JOBS = AFTER_MAX + 1 };

/* A SUBMIT_MANY that the core took. What was asked of its jobs stands in lives->asked, one behind the other. */
struct bulk_book {
    uint64_t session, op;
    size_t asked, n; /* the first, and how many */
    bool callback, refused;
    uint64_t born; /* look at which its jobs came; 0: not yet */
};

/* bulk.c */
void work_bulk(struct client *client);

/* judge_bulk.c: the core has taken this operation; a job is in the core that was not; a result leaves; a client is told; the
 * daemon has loaded what the store has. */
void judge_bulk_came(struct sim *sim, uint64_t session, const struct request *request);
void judge_bulk_birth(struct sim *sim, struct life *life);
void judge_bulk_reply(struct sim *sim, uint64_t session, const struct result *result);
void judge_bulk_told(struct task *task, const struct result *result);
void judge_bulks_loaded(struct sim *sim);

/* judge_jobs.c: of a submit whose result came; and a job that it has made. */
struct entry_submit *submit_entry(struct sim *sim, const struct task *task);
void submit_known(const struct task *task, uint64_t id, uint32_t flags);
