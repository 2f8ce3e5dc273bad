/* Jobs that do nothing, for measurements. */
#include <time.h>

#include "goplugin.h"

static int done(gp_job *job)
{
    return gp_result(job, "done", 4);
}

/* Leaves the time at which it began. */
static int begun(gp_job *job)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    int64_t ns = t.tv_sec * 1000000000LL + t.tv_nsec;
    return gp_result(job, &ns, sizeof ns);
}

GP_PLUGIN("bench", "1.0", {"done", "does nothing", done},
          {"begun", "leaves the time at which it began", begun});
