/* How jobs end and what they leave: wait, logs, cancel. */
#include "jobs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "options.h"
#include "output.h"
#include "status.h"

static int print_output(const struct options *options, gc_job job, uint64_t offset,
                        const struct gc_value *output)
{
    const struct options raw = {.raw = true};
    json_t *object;

    if (!options->json)
        return output_bytes(&raw, output->data, output->size);
    if (!output->size)
        return 0;
    object = json_pack("{s:I, s:I}", "job", (json_int_t)job.id, "offset", (json_int_t)offset);
    if (object && json_set_bytes(object, "output", output->data, output->size) < 0) {
        json_decref(object);
        object = NULL;
    }
    return output_json(object);
}

/* Prints the kept output from *offset on, as much as there is now, and moves the offset. */
static int copy_output(struct session *session, gc_job job, uint64_t *offset)
{
    int more = 1;

    while (more) {
        struct gc_value output = {0};
        int r;

        more = gc_job_output(session->client, job, *offset, 0, &output, session_patience(session));
        if (more < 0)
            return session_fail(more, "output of job %" PRIu64, job.id);
        r = print_output(session->options, job, *offset, &output);
        *offset += output.size;
        gc_value_clear(&output);
        if (r < 0)
            return output_fail(r);
    }
    return STATUS_OK;
}

static json_t *result_json(gc_job job, const struct gc_result *result)
{
    json_t *object = json_pack("{s:I, s:s, s:s, s:i, s:s, s:I, s:I}", "job", (json_int_t)job.id, "state",
                               gc_job_state_name(result->state), "cause", gc_cause_name(result->cause),
                               "error", result->error, "text", result->text, "failures",
                               (json_int_t)result->attempt, "run", (json_int_t)result->run);

    if (object && json_set_bytes(object, "result", result->data, result->bytes) < 0) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static int print_result(struct session *session, gc_job job, const struct gc_result *result)
{
    uint64_t offset = 0;
    int r;

    if (!session->options->json && result->state == GC_JOB_DONE && !result->bytes)
        return copy_output(session, job, &offset);
    if (session->options->json)
        r = output_json(result_json(job, result));
    else if (result->state == GC_JOB_DONE)
        r = output_bytes(session->options, result->data, result->bytes);
    else
        r = 0;
    return r < 0 ? output_fail(r) : STATUS_OK;
}

/* "job 42 failed, cause error -2 (No such file or directory): no file x": why, for a person. */
static void tell_end(gc_job job, const struct gc_result *result)
{
    fprintf(stderr, "goctl: job %" PRIu64 " %s, cause %s", job.id, gc_job_state_name(result->state),
            gc_cause_name(result->cause));
    if (result->error)
        fprintf(stderr, " %d (%s)", result->error, strerror(abs(result->error)));
    if (*result->text)
        fprintf(stderr, ": %s", result->text);
    fprintf(stderr, "; `goctl logs %" PRIu64 "` shows its output\n", job.id);
}

static int status_of_end(const struct gc_result *result)
{
    return result->state == GC_JOB_DONE        ? STATUS_OK
           : result->state == GC_JOB_CANCELLED ? STATUS_CANCELLED
                                               : STATUS_JOB_FAILED;
}

/* A wait that ended before the job did. */
static int still_running(gc_job job, int error)
{
    char hint[80];

    snprintf(hint, sizeof hint, "it goes on; `goctl wait %" PRIu64 "` waits again", job.id);
    if (session_stopped())
        fprintf(stderr, "goctl: job %" PRIu64 ": %s\n", job.id, hint);
    if (error == -ENOENT)
        return session_fail(error, "job %" PRIu64, job.id);
    return session_fail_hint(error, hint, "job %" PRIu64, job.id);
}

int wait_job(struct session *session, gc_job job)
{
    struct gc_result result = {0};
    int r = gc_wait(session->client, job, &result, session_patience(session));
    int status;

    if (r < 0)
        return still_running(job, r);
    status = print_result(session, job, &result);
    if (status == STATUS_OK)
        status = status_of_end(&result);
    if (status_of_end(&result) != STATUS_OK)
        tell_end(job, &result);
    gc_result_clear(&result);
    return status;
}

int command_wait(const struct options *options)
{
    return for_each_job(options, wait_job);
}

enum { LOGS_PAUSE_MS = 200 }; /* how often --follow looks for new output while the job runs */

static int follow_output(struct session *session, gc_job job)
{
    uint64_t offset = 0;
    bool ended = false;

    session_watch_output();
    for (;;) {
        gc_until pause = gc_after_ms(LOGS_PAUSE_MS);
        int status = copy_output(session, job, &offset);
        int r;

        if (status != STATUS_OK || ended)
            return status;
        pause.ctx = session_patience(session).ctx;
        r = gc_wait(session->client, job, NULL, pause);
        if (r < 0 && r != -ETIMEDOUT)
            return session_fail(r, "output of job %" PRIu64, job.id);
        ended = r >= 0;
    }
}

static int show_output(struct session *session, gc_job job)
{
    uint64_t offset = 0;

    return session->options->follow ? follow_output(session, job) : copy_output(session, job, &offset);
}

int command_logs(const struct options *options)
{
    return for_each_job(options, show_output);
}

/* Whether the job had ended in another way before the cancel came. */
static bool ended_otherwise(struct session *session, gc_job job, struct gc_job_info *info)
{
    return gc_job_info(session->client, job, info, session_patience(session)) >= 0 &&
           info->state >= GC_JOB_DONE && info->state != GC_JOB_CANCELLED;
}

static int cancel_job(struct session *session, gc_job job)
{
    struct gc_job_info info = {0};
    int r = gc_job_cancel(session->client, job, session->options->cause, session_patience(session));
    bool late = r >= 0 && ended_otherwise(session, job, &info);
    enum gc_job_state state = info.state;

    gc_job_info_clear(&info);
    if (late)
        fprintf(stderr, "goctl: cancel job %" PRIu64 ": it has ended already: %s\n", job.id,
                gc_job_state_name(state));
    if (late)
        return STATUS_FAILURE;
    if (r < 0)
        return session_fail(r, "cancel job %" PRIu64, job.id);
    if (!session->options->json)
        return STATUS_OK;
    r = output_json(json_pack("{s:I, s:b}", "job", (json_int_t)job.id, "cancelling", 1));
    return r < 0 ? output_fail(r) : STATUS_OK;
}

int command_cancel(const struct options *options)
{
    return for_each_job(options, cancel_job);
}
