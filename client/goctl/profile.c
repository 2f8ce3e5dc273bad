/*
 * Commands that record what a running job does: profile, trace. What is not of one moment begins with one question and
 * ends with another; --for is the time between them, --start and --stop ask only one.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "jobs.h"
#include "observe.h"
#include "options.h"
#include "output.h"
#include "status.h"

#define FOR_DEFAULT_NS INT64_C(1000000000)

static const struct kind {
    const char *name;
    enum gc_ask start, stop; /* start 0: it is of one moment */
} kinds[] = {
    {"goroutines", 0, GC_ASK_GOROUTINES},
    {"cpu", GC_ASK_CPU_START, GC_ASK_CPU_STOP},
    {"alloc", GC_ASK_ALLOC_START, GC_ASK_ALLOC_STOP},
};

static const struct kind trace_kind = {"trace", GC_ASK_TRACE_START, GC_ASK_TRACE_STOP};

static const struct kind *kind; /* of the command */

static int begin(struct session *session, gc_job job)
{
    struct gc_question question = {.what = kind->start,
                                   .job = job,
                                   .value = session->options->rate,
                                   .detached = session->options->start};
    struct gc_told told;
    int status = ask_job(session, question, &told);

    gc_told_clear(&told);
    return status;
}

/* For the time that was asked for, or until the job ends. */
static int pass_time(struct session *session, gc_job job)
{
    int64_t ns = session->options->for_ns > 0 ? session->options->for_ns : FOR_DEFAULT_NS;
    gc_until until = gc_after_ms(ns / 1000000);
    int r;

    until.ctx = session_interrupt(session).ctx;
    r = gc_wait(session->client, job, NULL, until);
    return r == -ETIMEDOUT || r == -ECANCELED || r >= 0 ? STATUS_OK : session_fail(r, "job %" PRIu64, job.id);
}

static int write_file(const char *path, const struct gc_told *told)
{
    FILE *file = fopen(path, "we");
    size_t n = file ? fwrite(told->text, 1, told->bytes, file) : 0;
    int error = !file || n != told->bytes ? errno : 0;

    if (file && fclose(file) != 0 && !error)
        error = errno;
    return error ? session_fail_here(-error, "%s", path) : STATUS_OK;
}

static int finish(struct session *session, gc_job job)
{
    const struct options *options = session->options;
    struct gc_question question = {.what = kind->stop, .job = job, .pprof = options->pprof};
    struct gc_told told;
    int status = ask_job(session, question, &told), r = 0;

    if (status == STATUS_OK && options->output)
        status = write_file(options->output, &told);
    else if (status == STATUS_OK)
        r = say_told(options, job, &told, kind->name);
    gc_told_clear(&told);
    return r < 0 ? output_fail(r) : status;
}

static int record(struct session *session, gc_job job)
{
    const struct options *options = session->options;
    int status = STATUS_OK;

    if (kind->start && !options->stop)
        status = begin(session, job);
    if (kind->start && options->start)
        return status;
    if (status == STATUS_OK && kind->start && !options->stop)
        status = pass_time(session, job);
    return status == STATUS_OK ? finish(session, job) : status;
}

int command_profile(const struct options *options)
{
    struct options jobs = *options;

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, options->operands[0]) == 0)
            kind = &kinds[i];
    if (!kind) {
        fprintf(stderr, "goctl profile: there is no profile \"%s\"; there are goroutines, cpu and alloc\n",
                options->operands[0]);
        return STATUS_USAGE;
    }
    jobs.operands++;
    jobs.operands_n--;
    return for_each_job(&jobs, record);
}

int command_trace(const struct options *options)
{
    kind = &trace_kind;
    return for_each_job(options, record);
}
