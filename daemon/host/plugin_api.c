/* The gp_ functions: what plugin code may ask of its job. See goplugin.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "host.h"
#include "job.h"

#define GP_API __attribute__((visibility("default")))

/* The daemon is the judge of both limits (daemon/core/limits.h); these only keep a host from growing without bound. */
enum { RESULT_BYTES_MAX = 64 << 20, TEXT_BYTES_MAX = 16384 };

GP_API struct gp_bytes gp_argument(const gp_job *job)
{
    return job->argument;
}

GP_API uint64_t gp_id(const gp_job *job)
{
    return job->id;
}

GP_API uint64_t gp_run(const gp_job *job)
{
    return job->run;
}

GP_API unsigned gp_attempt(const gp_job *job)
{
    return job->attempt + 1;
}

GP_API unsigned gp_after(const gp_job *job, unsigned *jobs)
{
    if (jobs)
        *jobs = job->after_n;
    return job->after_done;
}

GP_API go_ctx *gp_context(const gp_job *job)
{
    return job->ctx;
}

GP_API uint64_t gp_context_id(const gp_job *job)
{
    return job->context;
}

GP_API gc_client *gp_client(const gp_job *job)
{
    return job->host->client;
}

GP_API int gp_result(gp_job *job, const void *bytes, size_t size)
{
    void *copy;

    if (size > RESULT_BYTES_MAX)
        return -E2BIG;
    copy = malloc(size + 1);
    if (!copy)
        return -ENOMEM;
    if (size > 0)
        memcpy(copy, bytes, size);
    go_mutex_lock(&job->lock);
    free(job->result);
    job->result = copy;
    job->result_bytes = size;
    go_mutex_unlock(&job->lock);
    return 0;
}

/* Out of memory: the error without words. */
static void say_why(gp_job *job, bool give_up, const char *format, va_list args)
{
    char *text = NULL;
    int n = vasprintf(&text, format, args);

    if (n < 0)
        text = NULL;
    if (n > TEXT_BYTES_MAX)
        text[TEXT_BYTES_MAX] = 0;
    go_mutex_lock(&job->lock);
    if (text) {
        free(job->text);
        job->text = text;
    }
    job->gave_up = give_up;
    go_mutex_unlock(&job->lock);
}

GP_API int gp_fail(gp_job *job, int error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say_why(job, false, format, args);
    va_end(args);
    return error;
}

GP_API int gp_give_up(gp_job *job, int error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say_why(job, true, format, args);
    va_end(args);
    return error;
}

/* Says once, in the output itself, that there is more than was kept. */
static bool first_overflow(gp_job *job)
{
    bool first;

    go_mutex_lock(&job->lock);
    first = !job->output_full;
    job->output_full = true;
    go_mutex_unlock(&job->lock);
    return first;
}

GP_API int gp_print(gp_job *job, const char *format, ...)
{
    _cleanup_(cleanup_free) char *text = NULL;
    va_list args;
    int n, r;

    va_start(args, format);
    n = vasprintf(&text, format, args);
    va_end(args);
    if (n < 0)
        return -ENOMEM;
    r = gc_host_print(job->host->client, job->id, job->run, text, (size_t)n);
    if (r == -ENOBUFS && first_overflow(job))
        fprintf(stderr, "level=warn event=output_full job=%llu run=%llu\n", (unsigned long long)job->id,
                (unsigned long long)job->run);
    return r;
}

GP_API int gp_progress(gp_job *job, double fraction, const char *text)
{
    if (!(fraction >= 0 && fraction <= 1))
        return -EINVAL;
    return gc_host_progress(job->host->client, job->id, job->run, fraction, text);
}
