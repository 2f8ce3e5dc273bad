/* What the families of commands share about jobs. */
#pragma once

#include "session.h"

/* Calls `one` with each operand, a job's number, and goes on behind a failure; the first bad status. */
int for_each_job(const struct options *options, int (*one)(struct session *, gc_job));

/* Waits for the job, prints its result or output, tells why it failed. An exit status. */
int wait_job(struct session *session, gc_job job);
