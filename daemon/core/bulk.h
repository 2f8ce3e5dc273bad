/* Many jobs of one submit, of which all are admitted or none: see bulk.c. */
#pragma once

#include "jobs_internal.h"

struct bulk;

/* Accepts NULL; returns NULL. */
struct bulk *bulk_delete(struct core *core, struct bulk *bulk);
/* The function whose plugin it has waited for; if the operation fails now, it is there. */
const struct function *bulk_waits_for(struct op *op, struct bulk *bulk);
/* Takes the bulk: it is admitted, waits for something else, or is refused. `turn`: the queue in whose line it is the first;
 * NULL: it has just come. 0, or the operation has ended, or is to end with this. */
int bulk_go_on(struct core *core, struct op *op, struct bulk *bulk, struct queue *turn);
/* It would not wait again, as far as is known now. `turn`: as above. */
bool bulk_may_go_on(struct core *core, struct bulk *bulk, struct queue *turn);

/* ---- submit.c: what it shares with the submit of one job ---- */

/* A job in state NONE as the submit says, or -ENOMEM, or the operation has ended. */
int submit_make(struct core *core, struct op *op, const struct request_submit *submit, struct job **out);
/* Its plugin has to be looked at before it is admitted. */
bool submit_stale(const struct core *core, const struct job *job);
/* The operation waits for the plugin of that job, with the job, or with the bulk, which has it. 0, or as op_park: nothing
 * happened. */
int submit_wait(struct core *core, struct op *op, struct job *job, struct bulk *bulk);
