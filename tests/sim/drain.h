/* What the files of the drain share: questions asked one after the other, when no faults happen any more. */
#pragma once

#include "sim.h"

struct reply {
    int32_t status;
    uint32_t flags;
    uint64_t handle, dropped;
    uint32_t state;
    size_t got_n, proven;
    bool one_group;
};

/* Runs until `done` says so. A run that does not get there is a finding. */
bool run_until(struct sim *sim, bool (*done)(struct sim *sim, void *context), void *context,
               const char *what);
/* Starts the operation, and waits for its result. */
struct reply ask(struct task *task);
void wait_for(struct sim *sim, int64_t ns);
/* One that is scripted as those of ask, under way. */
void begin(struct task *task);
struct reply outcome(struct task *task);

/* drain.c: every job in the store ends. */
void end_jobs(struct sim *sim);

/* stuck.c: some wait for each other, and everybody is told. */
void stuck(struct sim *sim);
/* judge_brief.c: what is kept of a queue that keeps little. */
void brief_end(struct sim *sim);
/* shares.c: who may set queues fills them and sees who has his turn. */
void shares_try(struct sim *sim);
/* schedules.c: all of them are removed, one after the other. */
void schedules_end(struct sim *sim);
