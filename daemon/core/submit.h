/* Submits of one job, until it is known. */
#pragma once

#include "jobs_internal.h"

/* Judges the job, then looks for room for it, by the policy of its queue: it is known from now on, or waits for room, or its
 * submit has ended. 0; negative: the job is gone and the submit ends with that, if it has not. */
int submit_with_room(struct core *core, struct op *op, struct job *job);
/* There is room for it: it is known from now on, and its submit has ended. 0; negative: the job is gone and the submit
 * ends with that. */
int submit_admit(struct core *core, struct op *op, struct job *job);
/* The daemon takes no job: the submit ends in words. Gives what it ends with. */
int submit_refuse_closed(struct core *core, struct op *op);
/* Whether this may be submitted: 0, or the operation has failed. */
int submit_check(struct core *core, struct op *op, const struct request_submit *submit);
/* NULL: there is none of that name, and the operation has failed. An empty name is `default`. */
struct queue *submit_queue(struct core *core, struct op *op, struct bytes name);

/* The plugin was looked at: its submits go on or fail with `error` and the words. */
void admissions_go_on(struct core *core, struct plugin *plugin, int error, struct bytes text);
void admissions_free(struct core *core, struct plugin *plugin);
