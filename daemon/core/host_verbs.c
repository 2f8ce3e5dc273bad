/* What hosts and workers say about their runs. Each names job and run; what is not the run of now is -ESTALE. */
#include <errno.h>
#include <string.h>

#include "jobs_internal.h"

static struct run *find(struct core *core, const struct op *op, uint64_t job, uint64_t number, int *error)
{
    const struct host *host = op->scope->session->host_part;

    *error = -ESTALE;
    return host ? run_find(core, host, job, number) : NULL;
}

int handle_started(struct core *core, struct op *op, const struct request *request)
{
    int r;
    struct run *run = find(core, op, request->started.job, request->started.run, &r);

    if (!run)
        return r;
    run_begin(core, run);
    return 0;
}

/* The host is through with a run that was given up: it is not busy with it any more. */
static void through(struct core *core, struct op *op, uint64_t number)
{
    struct host *host = op->scope->session->host_part;
    struct run *run;

    if (!host)
        return;
    list_each (run, &host->runs, link) {
        if (run->job || run->number != number)
            continue;
        run_forget(core, run);
        return;
    }
}

static int too_big(struct core *core, struct run *run, size_t size)
{
    char text[96];
    size_t n = text_write(text, sizeof(text), "its result has %zu bytes; result_bytes_max is %llu", size,
                          (unsigned long long)core->limits.result_bytes_max);

    return run_failed(core, run, CAUSE_ERROR, -E2BIG, (struct bytes){text, n});
}

/* The host cannot run it now: asked again at once it would say the same. */
static int hand_back(struct core *core, struct run *run)
{
    struct host *host = run->host;
    int r = run_returned(core, run);

    if (r == 0)
        host_pause(core, host);
    return r;
}

static int finish(struct core *core, struct run *run, const struct request_done *done)
{
    if (done->cause == CAUSE_RETURNED)
        return hand_back(core, run);
    run_begin(core, run); /* an overtaken STARTED */
    run->final = run->final || done->permanent;
    if (done->cause != CAUSE_NONE)
        return run_failed(core, run, done->cause, done->error, done->text);
    if (done->result.size > core->limits.result_bytes_max)
        return too_big(core, run, done->result.size);
    return run_succeeded(core, run, done->result);
}

int handle_done(struct core *core, struct op *op, const struct request *request)
{
    const struct request_done *done = &request->done;
    int r;
    struct run *run = find(core, op, done->job, done->run, &r);

    if (!run) {
        through(core, op, done->run);
        return r;
    }
    if (done->cause > CAUSE_RETURNED || done->cause == CAUSE_CRASH)
        return -EINVAL;
    struct job *job = run->job;
    r = finish(core, run, done);
    if (r < 0)
        return r;
    op->job = job->id;
    op_depends(op, job_work(job)->batch);
    return 0;
}

int handle_print(struct core *core, struct op *op, const struct request *request)
{
    const struct request_print *print = &request->print;
    int r;
    struct run *run = find(core, op, print->job, print->run, &r);

    if (!run)
        return r;
    struct job_work *work = run->job->work;
    uint64_t most = core->limits.output_bytes_max;
    uint64_t room = most > work->output_bytes ? most - work->output_bytes : 0; /* it may have been lowered */
    struct bytes body = {print->output.data, print->output.size < room ? print->output.size : (size_t)room};
    struct job_row row = {
        .id = run->job->id, .output_bytes = work->output_bytes, .flags = run->job->terms->flags};
    core->jobs->output_dropped += print->output.size - body.size;
    if (body.size && core_record(core, RECORD_JOB_OUTPUT, &row, body) == 0)
        return -ENOMEM;
    work->output_bytes += body.size;
    return body.size < print->output.size ? -ENOBUFS : 0;
}

int handle_progress(struct core *core, struct op *op, const struct request *request)
{
    const struct request_progress *progress = &request->progress;
    int r;
    struct run *run = find(core, op, progress->job, progress->run, &r);
    size_t size = progress->text.size;

    if (!run)
        return r;
    size = size < core->limits.text_bytes_max ? size : core->limits.text_bytes_max;
    char *text = size ? core_alloc(core, size) : NULL;
    if (size && !text)
        return -ENOMEM;
    if (size)
        memcpy(text, progress->text.data, size);
    core_free(core, run->progress);
    run->progress = text;
    run->progress_size = (uint32_t)size;
    run->fraction = progress->fraction;
    return 0;
}
