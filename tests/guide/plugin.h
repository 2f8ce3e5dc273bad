/* What the generated manifest of guide_rows calls. */
#pragma once

#include <stdio.h>

#include "goplugin.h"

/* Runs row or part `name` of `id` as this job. */
int guide_job(gp_job *job, const char *id, const char *name);

/* One line a row: function, how it ends, and the words asked of it, separated by tabs. */
int guide_list(gp_job *job);
