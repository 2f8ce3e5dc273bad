/* What a job does together with its end, and others at once, of which all happens or nothing: see transact.c. */
#pragma once

#include "jobs_internal.h"

struct transaction;

/* A copy of what is asked for beside the jobs. 0; -ENOMEM; -E2BIG, -EINVAL: op_fail was called. */
int transaction_new(struct core *core, struct op *op, const struct request_transact *asked,
                    struct transaction **out);
/* Accepts NULL; returns NULL. What was reserved and not applied is given back. */
struct transaction *transaction_delete(struct core *core, struct transaction *transaction);
/* All but the end of the job that may fail. 0; -ESTALE (the run is not that of now, or a value is not held any more), -EPIPE,
 * -EAGAIN (no room), -ENOENT, -ENETRESET, -EPERM, -EINVAL, -E2BIG, -EMSGSIZE, -ENOBUFS, -ENOMEM: nothing happened. */
int transaction_reserve(struct core *core, struct op *op, struct transaction *transaction);
/* A full store may refuse it: it ends no job and acknowledges nothing. */
bool transaction_admits(const struct transaction *transaction);
/* The job has ended: done. 0, also when it ends none; -ENOMEM: nothing happened. Behind it all that was reserved goes into the
 * same batch. */
int transaction_end_job(struct core *core, struct op *op, struct transaction *transaction);
/* Never fails. `news`: no record of it is an admission. */
void transaction_apply(struct core *core, struct op *op, struct transaction *transaction, bool news);
