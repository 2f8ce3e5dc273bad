/*
 * Ended jobs: another life, or none.
 */
#include <errno.h>

#include "call.h"
#include "goclient_job.h"
#include "last.h"
#include "options.h"

GC_API int gc_job_retry(gc_client *g, gc_job job, gc_until until)
{
    struct request request = {.verb = VERB_JOB_RETRY, .job_retry = {.job = job.id}};
    int r;

    if (!job.id)
        return last_failed(-ENOENT, NULL, false);
    r = call_plain(g, &request, until);
    return r < 0 ? r : 0;
}

/* One page; `next` gets where to go on. */
static int page(gc_client *g, const struct request *request, gc_job *next, gc_until until)
{
    struct answer answer;
    int r = call_run(g, request, until, 0, &answer);

    *next = gc_job_of(r >= 0 && answer.result.flags & RESULT_MORE ? answer.result.handle : 0);
    answer_end(&answer);
    return r;
}

static int take(struct gc_ended *use, const struct gc_ended *given)
{
    if (options_take(use, sizeof *use, given) < 0)
        return last_failed(-EINVAL, "gc_ended: size is not set, or of a newer library", false);
    return 0;
}

GC_API int gc_jobs_retry(gc_client *g, const struct gc_ended *which, gc_job *next, gc_until until)
{
    struct gc_ended use;
    int r = take(&use, which);

    if (r < 0)
        return r;
    struct request request = {
        .verb = VERB_JOB_RETRY,
        .job_retry = {
            .states = use.states, .queue = text_bytes(use.queue), .after = use.after.id, .limit = use.limit}};
    return page(g, &request, next, until);
}

GC_API int gc_jobs_purge(gc_client *g, const struct gc_ended *which, gc_job *next, gc_until until)
{
    struct gc_ended use;
    int r = take(&use, which);

    if (r < 0)
        return r;
    struct request request = {.verb = VERB_JOB_PURGE,
                              .job_purge = {.states = use.states,
                                            .queue = text_bytes(use.queue),
                                            .older_ns = use.older_ns,
                                            .after = use.after.id,
                                            .limit = use.limit}};
    return page(g, &request, next, until);
}
