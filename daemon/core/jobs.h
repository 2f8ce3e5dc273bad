/*
 * The seam between the engine of the core (sessions, operations, channels) and its jobs.
 *
 * The engine calls these; job*.c, queue.c, host.c and plugin.c define them. Everything about jobs hangs on
 * core->jobs, session->host_part, scope->job and scope->jobs, which the engine never looks into.
 */
#pragma once

#include "core_internal.h"

/* 0 or -ENOMEM. */
int jobs_init(struct core *core);
/* Frees everything. The sessions are gone by then. */
void jobs_fini(struct core *core);
int jobs_load(struct core *core, const struct job_row *row, const char **why);
/* A schedule of the store, with the argument of its jobs. 0, -ENOMEM, -EINVAL (why in *why, static). */
int jobs_load_schedule(struct core *core, const struct schedule_row *row, struct bytes argument,
                       const char **why);

/* A host's session is there; it has not said HELLO yet. */
void jobs_session_up(struct core *core, struct session *session);
/* The session of a host or a worker ends: before its scopes end, so that its runs can be returned. `error`: 0 after BYE. */
void jobs_session_end(struct core *core, struct session *session, int error);
/* A scope ends: cancel the jobs in scope->jobs and empty that list. */
void jobs_scope_end(struct core *core, struct scope *scope);

/* The context of this job has ended: it is cancelled, or has timed out, and lets go of its bond. 0 or -ENOMEM: nothing
 * happened. */
int jobs_context_ended(struct core *core, void *job, int status, struct bytes words);

/* Batches first..last have this fate: 0, or they did not happen. Before the results that wait for them leave.
 */
void jobs_stored(struct core *core, uint64_t first, uint64_t last, int error);
/* The batch of a finished operation failed. The number of a new batch that does its work again (the result
 * waits for that one), or 0: the operation fails with `error`. */
uint64_t jobs_store_failed(struct core *core, struct op *op, int error);

/* A submit that waits for room ends: the job, or the jobs, that came with it go. */
void jobs_submit_left(struct core *core, struct waiter *w);
/* A WORK_RESERVE ends: what it has for its worker goes back, unless it has just been answered with it. */
void jobs_reserve_left(struct core *core, struct waiter *w);

void jobs_plugin(struct core *core, const struct input *in);
void jobs_zone(struct core *core, const struct input *in);
void jobs_host_up(struct core *core, const struct input *in);
void jobs_host_end(struct core *core, const struct input *in);
void jobs_drain(struct core *core);
/* After every input, before results leave: dispatch, replies to IN_DRAIN. */
void jobs_turn(struct core *core);

/* SELECT, CASE_JOB. 1: has ended (and *batch must be durable before the result leaves); 0: not yet;
 * -ENOENT: unknown. */
int jobs_case_ready(struct core *core, uint64_t job, uint64_t *batch);
/* False: it is somebody else's, who alone may hear of its end. */
bool jobs_case_allowed(const struct core *core, const struct op *op, uint64_t job);
/* What the result of that case tells of the job, by answer_new; NULL when memory is out: the id says enough. */
struct answer *jobs_case_answer(struct core *core, struct op *op, uint64_t job);
/* The list on which waiters for the end of this job hang, which waiters_job_ended is called with. NULL:
 * unknown. */
struct list *jobs_case_waiters(struct core *core, uint64_t job);

void jobs_check(const struct core *core);
/* A feed from the store, before the first step, behind all kept topics. As core_load. */
int jobs_load_feed(struct core *core, const struct feed_row *row, const char **why);
/* Feeds go before what they read. Accepts that jobs_init failed. */
void jobs_feeds_free(struct core *core);
uint64_t feeds_charged(const struct core *core, const struct account *account);
bool feeds_have(const struct core *core, struct bytes name);
/* How many schedules this account pays for. */
uint64_t schedules_charged(const struct core *core, const struct account *account);
/* Calls `say` for each counter: `jobs.ready`, `jobs.running`, ... */
void jobs_stats(const struct core *core, void (*say)(void *context, const char *name, uint64_t value),
                void *context);

/*
 * Handlers of verbs, called through the table of core.c. The operation is new. 0 or a positive outcome: the
 * operation ends with it; negative errno value: it fails with it; unless the handler has parked or finished
 * it (op_park, op_finish, op_answer, op_fail, core_fetch), when the value does not count.
 */
#define HANDLER(NAME, name, number, flags, help)                                                             \
    int handle_##name(struct core *core, struct op *op, const struct request *request);
VERBS(HANDLER)
#undef HANDLER
