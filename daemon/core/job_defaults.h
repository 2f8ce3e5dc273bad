/* What a submit leaves open of how a job is tried. See job_defaults.c. */
#pragma once

#include "jobs_internal.h"

/* Fills in what the submit or the schedule of a job left open. Its plugin is known. Safe to repeat. 0 or -ENOMEM. */
int job_set_defaults(struct core *core, struct job *job);
