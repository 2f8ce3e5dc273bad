/*
 * What is new in the simulator with workers, transactions and rights: workers.c, transactions.c and users.c say what clients do,
 * judge_workers.c and judge_deals.c what must hold.
 */
#pragma once

#include "sim.h"

/* A worker may ask for at most so much; the shorter one is what it gets when it does not say. */
enum { LEASE_MS = 6, LEASE_MAX_MS = 16 };
/* All that one transaction may have. */
enum { BULK_BYTES = 4096 };

/* ---- workers.c ---- */

/* A client asks for jobs, unless it does already. */
void work_worker(struct client *client);
/* It is told which ones it has. */
void worker_told(struct task *task, const struct result *result);
/* Something of a run of a worker has come back. False: the task is about no run. */
bool worker_surfaced(struct task *task);
/* After the work: runs that sleep are over. */
void workers_calm(struct client *client);
/* The next thing of one of its runs. False: there is no next. */
bool worker_goes_on(struct client *client, struct run *run);

/* ---- judge_workers.c ---- */

void judge_workers_free(struct sim *sim);
/* The core has taken this operation of a client; what the core shows is as it was before. */
void judge_work_came(struct sim *sim, struct task *task, const struct request *request);
/* A result leaves the daemon, whatever it says. */
void judge_work_reply(struct sim *sim, uint64_t session, const struct task *task,
                      const struct result *result);
/* After each step of the core. */
void judge_work_look(struct sim *sim);

/* ---- judge_jobs.c ---- */

/* A run of the job is told to who is to do it. */
void judge_run_told(struct sim *sim, uint64_t job, uint64_t run);
/* Whether it was. */
bool judge_was_told(struct sim *sim, uint64_t job, uint64_t run);
/* What this operation says was the end of that run. */
void judge_run_over(struct sim *sim, const struct task *task, uint64_t job, uint64_t run);

/* ---- plugins.c ---- */

/* What a run of this job does. */
enum deed deed_of(struct sim *sim, uint64_t job, struct bytes argument);
/* Its end is told, or asked for with a transaction. */
void run_done(struct client *host, struct run *run);
void run_end(struct run *run);
void run_later(struct client *host, const struct run *run);
/* Says something about the run; the verb's request begins with job and run. */
struct task *run_says(struct client *host, enum verb verb, const struct run *run);

/* ---- transactions.c ---- */

/* Before the end of such a run: it opens its channel, receives. */
void deal_step(struct client *client, struct run *run);
/* Its end. */
void deal_ask(struct client *client, struct run *run);
/* What it asked for has come back. `run` may be NULL: it is over. */
void deal_surfaced(struct task *task, struct run *run);
/* It came when its run had no use for it any more: nobody is given it. */
bool deal_drops(struct client *client, const struct task *task);
/* Nothing of what the run has received is acknowledged: it goes back. */
void deal_give_up(struct client *client, const struct run *run);

/* ---- judge_deals.c ---- */

/* A transaction is to be asked for: its number. `held`: the n receives that it acknowledges. */
uint64_t judge_deal_new(struct task *task, struct task *const *held, size_t n);
/* Its request is complete. */
void judge_deal_begins(const struct task *task);
/* What its job ends with, and the key of the jobs that it submits. */
enum { DEAL_MARK_BYTES = 8 };
size_t deal_mark(uint64_t number, char mark[DEAL_MARK_BYTES]);
/* Its result leaves the daemon, and it happened; a client is told so; nobody will be told. */
void judge_deal_reply(struct sim *sim, const struct task *task, const struct result *result);
void judge_deal_told(const struct task *task, const struct result *result);
void judge_deal_unknown(const struct task *task);
/* After a restart, when what is stored has been loaded; and after the drain. */
void judge_deals_loaded(struct sim *sim);
void judge_deals_end(struct sim *sim);
void judge_deals_free(struct sim *sim);
/* The store has this value. */
void judge_value_loaded(struct sim *sim, struct bytes body);

/* ---- storage.c ---- */

/* Whether it has the job, ended as done with exactly this result: 1, 0; -1: it does not have the job. */
int storage_ended_with(struct sim *sim, uint64_t job, struct bytes result);
/* How many jobs it has with this key. */
size_t storage_count(struct sim *sim, struct bytes key);

/* ---- crowd.c ---- */

/* After the work: many jobs, few at once. */
void crowd(struct sim *sim);

/* ---- users.c ---- */

struct credentials;
/* Who a process is; actors above the clients are of the daemon's own user. */
struct credentials user_of(const struct sim *sim, uint32_t who);
uint32_t user_uid(const struct sim *sim, uint32_t who);
/* The table of a seed that has one. */
void users_start(struct sim *sim, struct core *core);
/* Another table is read, now and then. */
void users_change(struct sim *sim);
/* The core has taken this operation, or has refused it with -EPERM. */
void judge_user_came(struct sim *sim, uint64_t conn, const struct request *request);
void judge_user_reply(struct sim *sim, const struct task *task, const struct result *result);
