/* Workers: clients that are hosts of the runs they reserve. See worker.c. */
#pragma once

#include "jobs_internal.h"

/* A worker that takes this ready job now, or NULL. */
struct host *worker_ready(struct core *core, const struct job *job);
/* Why no worker takes it, in words; empty: one would. */
size_t worker_reason(const struct core *core, const struct job *job, char *to, size_t size);
/* One that waits takes jobs of this queue. */
bool workers_name(const struct core *core, const struct queue *queue);
/* A run that begins is for the WORK_RESERVE that takes it: worker_ready was not NULL in this step. */
void worker_take(struct core *core, struct run *run);
/* The argument of such a run is here. 0 or -ENOMEM. */
int worker_gather(struct core *core, struct run *run, struct bytes argument);
/* Such a run goes, or is lost: nobody gets it, and who watches it hears so. Safe to repeat. */
void worker_forget(struct core *core, struct run *run);
/* The lease of a run is over. 0 or -ENOMEM: nothing happened. */
int worker_lease_over(struct core *core, struct run *run);
/* It is to be ended: its worker hears of it. */
void worker_cancel(struct core *core, struct run *run);
/* Its session has ended; `clean`: it has said BYE. */
void worker_session_end(struct core *core, struct host *worker, bool clean);
/* A run of it is gone. */
void worker_settle(struct core *core, struct host *worker);
/* All give back what they have. */
void workers_return(struct core *core);
/* After dispatch: reserves are answered. */
void workers_turn(struct core *core);
void workers_free(struct core *core);
void workers_check(const struct core *core);
