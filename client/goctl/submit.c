/* The command submit, of one job. */
#include "submit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "argument.h"
#include "commands.h"
#include "goclient_context.h"
#include "options.h"
#include "output.h"
#include "status.h"

static bool submit_numbers_fit(const struct options *options)
{
    if (options->priority > 9)
        fprintf(stderr, "goctl submit: --priority %" PRIu64 " is not 0 to 9\n", options->priority);
    else if (options->retries > UINT32_MAX)
        fprintf(stderr, "goctl submit: --retries %" PRIu64 " is out of range\n", options->retries);
    else if (options->jitter > 100)
        fprintf(stderr, "goctl submit: --jitter %" PRIu64 " is not 0 to 100\n", options->jitter);
    else
        return true;
    return false;
}

int how_parse(const struct options *options, struct how *how)
{
    int r = submit_numbers_fit(options) ? retry_parse(options, &how->retry) : -EINVAL;

    if (r == 0)
        r = once_key_parse(options, &how->once);
    return r < 0 ? r : after_parse(options, &how->after);
}

struct gc_submit submit_of(const struct options *options, const struct how *how)
{
    return (struct gc_submit){
        .size = sizeof(struct gc_submit),
        .queue = options->queue,
        .flags = (options->job_ctx ? 0 : GC_DETACHED) | (options->any ? GC_AFTER_ANY : 0),
        .after = how->after.jobs,
        .after_n = how->after.n,
        .attempts_max = how->retry.none ? 1 : (uint32_t)options->retries,
        .backoff_ns = options->backoff_ns,
        .time_limit_ns = options->time_limit_ns,
        .grace_ns = options->grace_ns,
        .deadline_in_ns = options->deadline_ns,
        .delay_ns = options->delay_ns,
        .priority = (uint32_t)options->priority,
        .key = options->key,
        .jitter = (uint32_t)options->jitter,
        .delays_ns = how->retry.delays_ns,
        .delays_n = how->retry.delays_n,
        .once = how->once.key ? &how->once : NULL,
    };
}

int print_job(const struct options *options, gc_job job)
{
    int r;

    if (options->json)
        r = output_json(json_pack("{s:I}", "job", (json_int_t)job.id));
    else {
        printf("%" PRIu64 "\n", job.id);
        r = output_flush();
    }
    return r < 0 ? output_fail(r) : STATUS_OK;
}

int submit_failed(int error, const char *what)
{
    char hint[160] = "";

    if (gc_in_doubt())
        snprintf(hint, sizeof hint, "the job may exist all the same: look at `goctl jobs`");
    return session_fail_hint(error, *hint ? hint : NULL, "submit %s", what);
}

int submit_begin(struct session *session, gc_until *until, gc_ctx **ctx)
{
    const char *name = session->options->job_ctx;
    int r;

    *until = session_patience(session);
    *ctx = NULL;
    r = name ? gc_context_open(session->client, name, ctx, *until) : 0;
    if (*ctx)
        until->ctx = *ctx;
    return r;
}

static int submit_with(struct session *session, const struct gc_submit *what, gc_job *job)
{
    gc_until until;
    gc_ctx *ctx;
    int r = submit_begin(session, &until, &ctx);

    if (r == 0)
        r = gc_submit(session->client, what, job, until);
    gc_ctx_free(ctx);
    return r;
}

static int submit(struct session *session, const char *plugin, const char *function, const struct how *how)
{
    const struct options *options = session->options;
    struct argument argument;
    struct gc_submit what;
    gc_job job;
    int r = argument_make(&argument, options->operands + 1, options->operands_n - 1);

    if (r < 0) {
        argument_release(&argument);
        return session_fail_here(r, "the argument");
    }
    what = submit_of(options, how);
    what.argument = argument.value.data;
    what.argument_bytes = argument.value.size;
    what.plugin = *plugin ? plugin : NULL;
    what.function = function;
    r = submit_with(session, &what, &job);
    argument_release(&argument);
    if (r < 0)
        return submit_failed(r, options->operands[0]);
    return options->wait ? wait_job(session, job) : print_job(options, job);
}

const char *function_of(const char *text)
{
    const char *colon = strrchr(text, ':');

    if (colon && colon[1])
        return colon + 1;
    fprintf(stderr,
            "goctl submit: \"%s\" is not PLUGIN.so:FUNCTION, such as ./wordcount.so:count, nor :FUNCTION\n",
            text);
    return NULL;
}

int command_submit(const struct options *options)
{
    const char *function;
    struct session session;
    struct how how;
    char *plugin;
    int status;

    if (options->bulk)
        return submit_bulk(options);
    if (options->then) {
        fputs("goctl submit: --then needs --bulk\n", stderr);
        return STATUS_USAGE;
    }
    if (!options->operands_n) {
        fputs("goctl submit: something is missing; usage: goctl submit PLUGIN.so:FUNCTION [ARG…|-]\n",
              stderr);
        return STATUS_USAGE;
    }
    function = function_of(options->operands[0]);
    if (!function || how_parse(options, &how) < 0)
        return STATUS_USAGE;
    plugin = strndup(options->operands[0], (size_t)(function - 1 - options->operands[0]));
    status = session_open(&session, options);
    if (status == STATUS_OK)
        status = session_close(&session, plugin ? submit(&session, plugin, function, &how)
                                                : session_fail_here(-ENOMEM, "submit"));
    free(plugin);
    return status;
}
