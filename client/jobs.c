/*
 * Jobs: submitted, waited for, looked at.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "cleanup.h"
#include "goclient_job.h"
#include "last.h"
#include "options.h"
#include "path.h"
#include "submit.h"

/* ---- names ---- */

static const char *const state_names[] = {
    [GC_JOB_NONE] = "none",     [GC_JOB_SCHEDULED] = "scheduled", [GC_JOB_BLOCKED] = "blocked",
    [GC_JOB_READY] = "ready",   [GC_JOB_RUNNING] = "running",     [GC_JOB_DONE] = "done",
    [GC_JOB_FAILED] = "failed", [GC_JOB_CANCELLED] = "cancelled", [GC_JOB_DEAD] = "dead",
};

static const char *const cause_names[] = {
    [GC_CAUSE_NONE] = "none",         [GC_CAUSE_ERROR] = "error",       [GC_CAUSE_PANIC] = "panic",
    [GC_CAUSE_CRASH] = "crash",       [GC_CAUSE_DEADLOCK] = "deadlock", [GC_CAUSE_TIMEOUT] = "timeout",
    [GC_CAUSE_CANCELED] = "canceled", [GC_CAUSE_RETURNED] = "returned",
};

static const char *name_of(const char *const *names, size_t n, unsigned number)
{
    return number < n ? names[number] : "unknown";
}

GC_API const char *gc_job_state_name(enum gc_job_state state)
{
    return name_of(state_names, sizeof state_names / sizeof *state_names, state);
}

GC_API const char *gc_cause_name(enum gc_cause cause)
{
    return name_of(cause_names, sizeof cause_names / sizeof *cause_names, cause);
}

/* ---- submit ---- */

struct request_submit request_submit_of(const struct gc_submit *what, struct bytes plugin)
{
    const struct gc_once none = {0}, *once = what->once ? what->once : &none;

    return (struct request_submit){.plugin = plugin,
                                   .function = text_bytes(what->function),
                                   .argument = {what->argument, what->argument_bytes},
                                   .queue = text_bytes(what->queue),
                                   .flags = what->flags,
                                   .attempts_max = what->attempts_max,
                                   .backoff_ns = what->backoff_ns,
                                   .backoff_max_ns = what->backoff_max_ns,
                                   .time_limit_ns = what->time_limit_ns,
                                   .grace_ns = what->grace_ns,
                                   .deadline_in_ns = what->deadline_in_ns,
                                   .delay_ns = what->delay_ns,
                                   .priority = what->priority,
                                   .key = text_bytes(what->key),
                                   .jitter = what->jitter,
                                   .delays_ns = what->delays_ns,
                                   .delays_ns_n = what->delays_n,
                                   .after = what->after,
                                   .after_n = what->after_n,
                                   .once_key = text_bytes(once->key),
                                   .once_scope = once->scope,
                                   .once_policy = once->policy,
                                   .once_ns = once->for_ns};
}

int submit_take(struct gc_submit *what, const struct gc_submit *given)
{
    if (options_take(what, sizeof *what, given) < 0)
        return last_failed(-EINVAL, "gc_submit: size is not set, or of a newer library", false);
    if (!what->function)
        return last_failed(-EINVAL, "gc_submit: the function must be named", false);
    return 0;
}

int submit_plugin(const char *name, char path[PATH_MAX], struct bytes *plugin)
{
    /* One file has one name at the daemon. What is not to be seen from here may be there: the daemon judges. */
    const char *real = name ? path_real(name, path) : NULL, *found = real ? real : name;
    if (found && found[0] != '/')
        return last_failed(-errno, "no such plugin file", false);
    *plugin = text_bytes(found);
    return 0;
}

GC_API int gc_submit(gc_client *g, const struct gc_submit *given, gc_job *out, gc_until until)
{
    struct gc_submit what;
    struct answer answer;
    struct bytes plugin = {0};
    char path[PATH_MAX];
    out->id = 0;
    int r = submit_take(&what, given);
    if (r == 0)
        r = submit_plugin(what.plugin, path, &plugin);
    if (r < 0)
        return r;
    struct request request = {.verb = VERB_SUBMIT, .submit = request_submit_of(&what, plugin)};
    r = call_run(g, &request, until, 0, &answer);
    if (r >= 0 || r == -EEXIST || r == -EBUSY)
        out->id = answer.result.handle;
    answer_end(&answer);
    return r;
}

GC_API int gc_job_cancel(gc_client *g, gc_job job, const char *cause, gc_until until)
{
    struct request request = {.verb = VERB_JOB_CANCEL, .job_cancel = {job.id, text_bytes(cause)}};
    int r = call_plain(g, &request, until);
    return r < 0 ? r : 0;
}

/* ---- results ---- */

static const char *text_of(struct bytes bytes)
{
    return bytes.size ? bytes.data : "";
}

void result_give(struct gc_result *to, const struct answer *answer)
{
    const struct job_info *from = answer->result.jobs;
    *to = (struct gc_result){.text = ""};
    if (!answer->result.jobs_n)
        return;
    result_ref(answer->block, 1);
    *to = (struct gc_result){.state = from->state,
                             .cause = from->cause,
                             .error = from->error,
                             .attempt = from->attempt,
                             .run = from->run,
                             .text = text_of(from->text),
                             .data = from->result.data,
                             .bytes = from->result.size,
                             .memory_ = answer->block};
}

GC_API int gc_wait(gc_client *g, gc_job job, struct gc_result *out, gc_until until)
{
    struct answer answer;
    struct gc_result result;
    int r = call_run(g, &(struct request){.verb = VERB_JOB_WAIT, .job_wait = {job.id}}, until, 0, &answer);
    result_give(&result, &answer);
    if (r >= 0)
        r = result.state == GC_JOB_DONE;
    answer_end(&answer);
    if (out)
        *out = result;
    else
        gc_result_clear(&result);
    return r;
}

GC_API void gc_result_clear(struct gc_result *result)
{
    result_unref(result->memory_);
    memset(result, 0, sizeof *result);
}

/* ---- information ---- */

/* Points into the answer's block. */
static void info_give(struct gc_job_info *to, const struct job_info *from)
{
    *to = (struct gc_job_info){.job = {from->id},
                               .run = from->run,
                               .state = from->state,
                               .cause = from->cause,
                               .error = from->error,
                               .attempt = from->attempt,
                               .attempts_max = from->attempts_max,
                               .crashes = from->crashes,
                               .uid = from->uid,
                               .plugin = text_of(from->plugin),
                               .function = text_of(from->function),
                               .queue = text_of(from->queue),
                               .text = text_of(from->text),
                               .progress = text_of(from->progress),
                               .fraction = from->fraction,
                               .created_us = from->created_us,
                               .started_us = from->started_us,
                               .ended_us = from->ended_us,
                               .due_us = from->due_us,
                               .output_bytes = from->output_bytes,
                               .data = from->result.data,
                               .bytes = from->result.size};
}

GC_API int gc_job_info(gc_client *g, gc_job job, struct gc_job_info *out, gc_until until)
{
    struct answer answer;
    memset(out, 0, sizeof *out);
    int r = call_run(g, &(struct request){.verb = VERB_JOB_INFO, .job_info = {job.id}}, until, 0, &answer);
    if (r >= 0 && answer.result.jobs_n) {
        info_give(out, answer.result.jobs);
        out->memory_ = answer.block;
        answer.block = NULL;
    }
    answer_end(&answer);
    return r < 0 ? r : 0;
}

GC_API void gc_job_info_clear(struct gc_job_info *info)
{
    result_unref(info->memory_);
    memset(info, 0, sizeof *info);
}

/* The page's rows, pointing into the answer's block, which becomes the page's. */
static int page_give(struct gc_job_page *out, struct answer *answer)
{
    size_t n = answer->result.jobs_n;
    if (n && !(out->items = calloc(n, sizeof *out->items)))
        return last_failed(-ENOMEM, NULL, false);
    for (; out->n < n; out->n++)
        info_give(&out->items[out->n], &answer->result.jobs[out->n]);
    out->more = answer->result.flags & RESULT_MORE;
    out->next = gc_job_of(answer->result.handle);
    out->memory_ = answer->block;
    answer->block = NULL;
    return (int)n;
}

GC_API int gc_jobs(gc_client *g, const struct gc_job_filter *filter, struct gc_job_page *out, gc_until until)
{
    struct gc_job_filter use;
    struct answer answer;
    memset(out, 0, sizeof *out);
    if (options_take(&use, sizeof use, filter) < 0)
        return last_failed(-EINVAL, "gc_job_filter: size is not set, or of a newer library", false);
    struct request request = {
        .verb = VERB_JOB_LIST,
        .job_list = {
            .states = use.states, .queue = text_bytes(use.queue), .after = use.after.id, .limit = use.limit}};
    int r = call_run(g, &request, until, 0, &answer);
    if (r >= 0)
        r = page_give(out, &answer);
    answer_end(&answer);
    return r;
}

GC_API void gc_job_page_clear(struct gc_job_page *page)
{
    free(page->items);
    result_unref(page->memory_);
    memset(page, 0, sizeof *page);
}

GC_API int gc_job_output(gc_client *g, gc_job job, uint64_t offset, uint32_t max, struct gc_value *out,
                         gc_until until)
{
    struct answer answer;
    struct request request = {.verb = VERB_JOB_OUTPUT, .job_output = {job.id, offset, max}};
    memset(out, 0, sizeof *out);
    int r = call_run(g, &request, until, 0, &answer);
    bool more = answer.result.flags & RESULT_MORE;
    if (r >= 0) {
        *out = (struct gc_value){
            .data = answer.result.output.data, .size = answer.result.output.size, .memory_ = answer.block};
        answer.block = NULL;
    }
    answer_end(&answer);
    return r < 0 ? r : more;
}

GC_API int gc_op_status(gc_client *g, const struct gc_op *op, gc_job *job, gc_until until)
{
    struct answer answer;
    struct request request = {.verb = VERB_OP_STATUS, .op_status = {.op = op->id}};
    memcpy(request.op_status.session.byte, op->session, sizeof op->session);
    int r = call_run(g, &request, until, 0, &answer);
    if (job)
        job->id = r > 0 ? answer.result.handle : 0;
    answer_end(&answer);
    return r;
}
