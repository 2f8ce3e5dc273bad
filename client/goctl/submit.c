/* The command submit. */
#include "jobs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "goclient_context.h"
#include "lines.h"
#include "options.h"
#include "output.h"
#include "status.h"

/* The argument of a job: one operand as it is, several with zero bytes between them, or standard input. */
struct argument {
    struct lines input;
    char *joined;
    struct gc_value value;
};

static void argument_release(struct argument *argument)
{
    lines_release(&argument->input);
    free(argument->joined);
}

static int argument_join(struct argument *argument, char *const *operands, int n)
{
    size_t size = 0, at = 0;

    for (int i = 0; i < n; i++)
        size += strlen(operands[i]) + 1;
    argument->joined = malloc(size);
    if (!argument->joined)
        return -ENOMEM;
    for (int i = 0; i < n; i++) {
        size_t length = strlen(operands[i]) + 1;

        memcpy(argument->joined + at, operands[i], length);
        at += length;
    }
    argument->value = gc_bytes(argument->joined, size - 1);
    return 0;
}

static int argument_make(struct argument *argument, char *const *operands, int n)
{
    *argument = (struct argument){.input = {.fd = STDIN_FILENO, .stop_fd = session_stop_fd()}};
    if (n == 0)
        return 0;
    if (n == 1 && !strcmp(operands[0], "-"))
        return lines_rest(&argument->input, &argument->value);
    return argument_join(argument, operands, n);
}

static struct gc_submit submit_of(const struct options *options, const struct argument *argument)
{
    return (struct gc_submit){
        .size = sizeof(struct gc_submit),
        .argument = argument->value.data,
        .argument_bytes = argument->value.size,
        .queue = options->queue,
        .flags = options->job_ctx ? 0 : GC_DETACHED,
        .attempts_max = (uint32_t)options->retries,
        .backoff_ns = options->backoff_ns,
        .time_limit_ns = options->time_limit_ns,
        .grace_ns = options->grace_ns,
        .deadline_in_ns = options->deadline_ns,
        .delay_ns = options->delay_ns,
        .priority = (uint32_t)options->priority,
        .key = options->key,
    };
}

static int print_job(const struct options *options, gc_job job)
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

static int submit_failed(int error, const char *what)
{
    char hint[160] = "";

    if (gc_in_doubt())
        snprintf(hint, sizeof hint, "the job may exist all the same: look at `goctl jobs`");
    return session_fail_hint(error, *hint ? hint : NULL, "submit %s", what);
}

/* The job is bound to the context of --ctx itself, which outlives us. */
static int submit_with(struct session *session, const struct gc_submit *what, gc_job *job)
{
    gc_until until = session_patience(session);
    const char *name = session->options->job_ctx;
    gc_ctx *ctx = NULL;
    int r = name ? gc_context_open(session->client, name, &ctx, until) : 0;

    if (ctx)
        until.ctx = ctx;
    if (r == 0)
        r = gc_submit(session->client, what, job, until);
    gc_ctx_free(ctx);
    return r;
}

static int submit(struct session *session, const char *plugin, const char *function)
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
    what = submit_of(options, &argument);
    what.plugin = plugin;
    what.function = function;
    r = submit_with(session, &what, &job);
    argument_release(&argument);
    if (r < 0)
        return submit_failed(r, options->operands[0]);
    return options->wait ? wait_job(session, job) : print_job(options, job);
}

static bool submit_numbers_fit(const struct options *options)
{
    if (options->priority > 9)
        fprintf(stderr, "goctl submit: --priority %" PRIu64 " is not 0 to 9\n", options->priority);
    else if (options->retries > UINT32_MAX)
        fprintf(stderr, "goctl submit: --retries %" PRIu64 " is out of range\n", options->retries);
    else
        return true;
    return false;
}

int command_submit(const struct options *options)
{
    const char *colon = strrchr(options->operands[0], ':');
    struct session session;
    char *plugin;
    int status;

    if (!colon || colon == options->operands[0] || !colon[1]) {
        fprintf(stderr, "goctl submit: \"%s\" is not PLUGIN.so:FUNCTION, such as ./wordcount.so:count\n",
                options->operands[0]);
        return STATUS_USAGE;
    }
    if (!submit_numbers_fit(options))
        return STATUS_USAGE;
    plugin = strndup(options->operands[0], (size_t)(colon - options->operands[0]));
    status = session_open(&session, options);
    if (status == STATUS_OK)
        status = session_close(&session, plugin ? submit(&session, plugin, colon + 1)
                                                : session_fail_here(-ENOMEM, "submit"));
    free(plugin);
    return status;
}
