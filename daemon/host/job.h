/*
 * One run of one job in its host: a group of goroutines, a context, and what the run leaves behind.
 *
 * Life: job_start spawns the root goroutine → the root returns, panics or exits, or the grace after a cancel is over:
 * the scope ends (go_group_end) → the last member has ended: DONE goes to the daemon, the job is freed.
 * Owner: the host's list of jobs, until the last member has ended.
 */
#pragma once

#include "goclient_host.h"
#include "goplugin.h"
#include "goroutine_host.h"
#include "list.h"
#include "message.h"

struct host;

struct gp_job {
    struct list link; /* in the host's jobs; the host's lock */
    struct host *host;
    uint64_t id, run;
    uint64_t context; /* of the daemon, that ends it; 0: none */
    uint32_t attempt;
    uint32_t after_n, after_done; /* jobs that it came after; of them done */
    const struct gp_function *function;
    struct gp_bytes argument; /* owned */
    go_ctx *ctx;              /* owned */
    go_group *group;          /* owned */

    go_mutex lock; /* what follows; never held while waiting for the daemon */
    int returned;  /* what the function returned */
    bool has_returned, cancelled, output_full, gave_up, given_back;
    enum job_cause cause; /* of a panic or deadlock, else of the cancel */
    char *text;           /* owned; why it failed, or NULL */
    void *result;         /* owned */
    size_t result_bytes;
    go_timer *grace; /* owned; runs from the cancel to the end of the scope */
};

/* Starts the run that `offer` asks for. 0; -ENOMEM, -EAGAIN: it could not be started and nothing is left of it.
 * Any thread; never waits. */
int job_start(struct host *host, const struct gp_function *function, const struct gc_offer *offer);

/* Ends the job's context, and its scope when the grace is over. The first cancel counts. Caller holds the host's lock. */
void job_cancel(struct gp_job *job, enum job_cause cause, const char *text, int64_t grace_ns);

/* The run the calling goroutine works for; 0: none. */
uint64_t job_scope(void);

/* The run of the goroutine that runs on this thread; 0: none, or not of a job. Async-signal-safe. */
unsigned long long job_run_here(void);
