/*
 * The states of jobs, as messages of a topic (queue setting `states`; IP18).
 *
 * A notice is made ready before a job changes, while that may still fail, and sent when the store was told of the change. On a
 * kept topic it is in the same batch then; on a live one it waits for that batch. So nobody sees a state that is not stored.
 * It goes out in the step in which it was made ready.
 */
#pragma once

#include "jobs_internal.h"

struct notice;

/* Of what this row says of the job. 0, with *out NULL when nobody is to be told; -ENOMEM. */
int state_ready(struct core *core, const struct job *job, const struct job_row *row, struct notice **out);
/* A job that is blocked may go on in the very batch in which it comes: then no topic can be made any more. 0 or -ENOMEM. */
int state_ready_to_go_on(struct core *core, const struct job *job);
/* The same as state_ready of a change to this state that the store is not told of; `run`: the number of a new run, 0: none. */
int state_ready_to(struct core *core, const struct job *job, enum job_state state, uint64_t run,
                   struct notice **out);
/* `batch`, the last one that changed the job, has what it tells. Takes it, or NULL. */
void state_tell(struct core *core, struct job *job, struct notice *notice, uint64_t batch);
/* Both at once, of a change that nothing keeps from happening: when memory is out that is lost. */
void state_tell_to(struct core *core, struct job *job, enum job_state state);
/* Accepts NULL; returns NULL. */
struct notice *notice_delete(struct core *core, struct notice *notice);

/* Some queue publishes states on this topic. */
bool states_has_topic(const struct core *core, struct bytes topic);
/* As jobs_stored, and before jobs hear of it: what waits for these batches goes to its subscriptions. */
void states_stored(struct core *core, uint64_t first, uint64_t last, int error);
