/* What the families of commands share about jobs. */
#pragma once

#include "session.h"

/* Calls `one` with each operand, a job's number, and goes on behind a failure; the first bad status. */
int for_each_job(const struct options *options, int (*one)(struct session *, gc_job));

/* The jobs in these states, and of the queue of the options; 0: in all. An exit status. */
int list_jobs(struct session *session, uint32_t states);

/* Everything about a job. An exit status. */
int show_job(struct session *session, gc_job job);

/* Waits for the job, prints its result or output, tells why it failed. An exit status. */
int wait_job(struct session *session, gc_job job);
