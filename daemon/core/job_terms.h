/* The terms of jobs: what those that were submitted alike have in common. See job_terms.c. */
#pragma once

#include "engine.h"

struct job;

enum { JOB_UNTOLD = 1 << 29 }; /* in the flags, beside SUBMIT_*: its states are published nowhere */

/* Who submitted a job, and on what terms: one for all that say the same (job_terms.c). Has no padding. */
struct terms {
    struct account *account;
    int64_t backoff_ns, backoff_max_ns, time_limit_ns, grace_ns;
    uint32_t attempts_max, flags;
};

/* Terms that say this, with a reference. NULL: out of memory. */
const struct terms *terms_get(struct core *core, const struct terms *like);
const struct terms *terms_ref(const struct terms *terms);
/* Accepts NULL. */
void terms_drop(struct core *core, const struct terms *terms);
/* Others for that job. 0 or -ENOMEM: it has those that it had. */
int terms_change(struct core *core, struct job *job, const struct terms *like);
