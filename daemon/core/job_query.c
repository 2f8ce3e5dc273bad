/*
 * Asking about jobs. What has not ended is in memory, what has ended is in the store; an answer about both is put
 * together from a picture of memory taken when the question came and what the store says after it.
 */
#include <errno.h>
#include <string.h>

#include "job_after.h"
#include "worker.h"

enum { REASON_BYTES = 256, OUTPUT_PIECE_BYTES = 1 << 20 };

/* ---- rows ---- */

static struct job_info info_of_row(const struct job_row *row)
{
    return (struct job_info){
        .id = row->id,
        .run = row->run,
        .state = row->state,
        .cause = row->cause,
        .error = row->error,
        .attempt = row->attempt,
        .attempts_max = row->attempts_max,
        .crashes = row->crashes,
        .uid = row->uid,
        .plugin = row->plugin,
        .function = row->function,
        .queue = row->queue,
        .text = row->text,
        .created_us = row->created_us,
        .started_us = row->started_us,
        .ended_us = row->ended_us,
        .due_us = row->due_us,
        .output_bytes = row->output_bytes,
    };
}

static size_t reason(const struct core *core, const struct job *job, char *to, size_t size)
{
    size_t n;

    if (jobs_closed(core))
        return text_write(to, size, "the daemon is shutting down");
    if (!core_stored(core, job_work(job)->batch))
        return text_write(to, size, "the store has not yet confirmed it");
    n = breaker_reason(core, job->lane->track, to, size);
    if (n)
        return n;
    n = job->lane->function->plugin->path_size ? function_reason(core, job, to, size)
                                               : worker_reason(core, job, to, size);
    if (!n)
        n = key_reason(job->lane, to, size);
    return n ? n : gate_reason(core, job->lane->queue, to, size);
}

struct job_info job_info(const struct core *core, const struct job *job, char *text, size_t size)
{
    struct job_row row = job_row(job);
    struct job_info info = info_of_row(&row);

    if (job->state == JOB_READY && size && !info.text.size)
        info.text = (struct bytes){text, reason(core, job, text, size)};
    if (job->state == JOB_BLOCKED && size && !info.text.size)
        info.text = (struct bytes){text, after_words(job, text, size)};
    if (job_run(job)) {
        info.fraction = job_run(job)->fraction;
        info.progress = (struct bytes){job_run(job)->progress, job_run(job)->progress_size};
    }
    if (job_ended(job))
        info.result = (struct bytes){job->body, job->body_size};
    return info;
}

static int answer_info(struct core *core, struct op *op, const struct job_info *info)
{
    return op_answer(core, op, &(struct result){.handle = info->id, .jobs = info, .jobs_n = 1});
}

static int answer_job(struct core *core, struct op *op, const struct job *job)
{
    char text[REASON_BYTES];
    struct job_info info = job_info(core, job, text, sizeof(text));

    if (!job_allowed(op, job->terms->account->uid))
        return -EPERM;
    if (job_ended(job))
        op_depends(op, job_work(job)->batch);
    return answer_info(core, op, &info);
}

/* ---- one job, from the store ---- */

static void row_came(struct core *core, struct op *op, void *context, const struct input *in)
{
    const struct job_row *row = in->fetched.rows;
    int r = in->fetched.error;

    if (!op)
        return;
    if (r == 0 && (in->fetched.rows_n == 0 || row->state < JOB_DONE))
        r = -ENOENT; /* in the store but not in memory: its admission is being undone */
    if (r == 0 && !job_allowed(op, row->uid))
        r = -EPERM;
    if (r == 0) {
        struct job_info info = info_of_row(row);
        info.result = in->fetched.body;
        r = answer_info(core, op, &info);
    }
    if (r < 0)
        op_finish(core, op, r);
}

static int fetch_row(struct core *core, struct op *op, uint64_t id)
{
    struct fetch what = {.kind = FETCH_JOB, .job = id};

    op->try = false; /* the answer is known, only not here */
    return core_fetch(core, &what, row_came, op, NULL);
}

int handle_job_info(struct core *core, struct op *op, const struct request *request)
{
    const struct job *job = job_find(core, request->job_info.job);

    return job ? answer_job(core, op, job) : fetch_row(core, op, request->job_info.job);
}

/* ---- waiting ---- */

int handle_job_wait(struct core *core, struct op *op, const struct request *request)
{
    struct job *job = job_find(core, request->job_wait.job);

    if (!job)
        return fetch_row(core, op, request->job_wait.job);
    if (job_ended(job) || !job_allowed(op, job->terms->account->uid))
        return answer_job(core, op, job);
    int r = op_park(core, op, WAIT_JOB);
    if (r < 0)
        return r;
    op->job = job->id;
    waiter_create(core, op, 0, CASE_JOB, NULL);
    op->waiters[0].object = job->id;
    list_append(&job->waiters, &op->waiters[0].link);
    return 0;
}

static void tell_wait(struct core *core, struct op *op, const struct job *job)
{
    if (answer_job(core, op, job) < 0) {
        op_depends(op, job_work(job)->batch); /* memory is out: the end without its row */
        op->handle = job->id;
        op_finish(core, op, 0);
    }
}

void job_tell(struct core *core, struct job *job)
{
    struct list selects = LIST_INIT(selects);
    struct waiter *waiter;

    while ((waiter = list_first(&job->waiters, struct waiter, link))) {
        list_remove(&waiter->link);
        if (waiter->op->verb == VERB_SELECT)
            list_append(&selects, &waiter->link);
        else if (!op_gone(core, waiter->op))
            tell_wait(core, waiter->op, job);
    }
    waiters_job_ended(core, &selects, job_work(job)->batch);
}

void job_forget_waiters(struct core *core, struct job *job, int error)
{
    struct waiter *waiter;

    while ((waiter = list_first(&job->waiters, struct waiter, link))) {
        list_remove(&waiter->link);
        if (op_gone(core, waiter->op))
            continue;
        waiter->op->index = waiter->index;
        op_stop(core, waiter->op, error);
    }
}

int jobs_case_ready(struct core *core, uint64_t id, uint64_t *batch)
{
    const struct job *job = job_find(core, id);
    uint32_t uid;

    *batch = job ? job_work(job)->batch : 0;
    if (job)
        return job_ended(job);
    return retention_has(core, id, &uid) ? 1 : -ENOENT;
}

bool jobs_case_allowed(const struct core *core, const struct op *op, uint64_t id)
{
    const struct job *job = job_find(core, id);
    uint32_t uid;

    if (job)
        return job_allowed(op, job->terms->account->uid);
    return !retention_has(core, id, &uid) || job_allowed(op, uid);
}

struct answer *jobs_case_answer(struct core *core, struct op *op, uint64_t id)
{
    const struct job *job = job_find(core, id);

    if (!job || !job_allowed(op, job->terms->account->uid))
        return NULL;
    struct job_info info = job_info(core, job, NULL, 0);
    return answer_new(core, &(struct result){.handle = id, .jobs = &info, .jobs_n = 1});
}

struct list *jobs_case_waiters(struct core *core, uint64_t id)
{
    struct job *job = job_find(core, id);

    return job ? &job->waiters : NULL;
}

/* ---- cancel ---- */

static void ended_came(struct core *core, struct op *op, void *context, const struct input *in)
{
    int r = in->fetched.error;

    if (!op)
        return;
    if (r == 0 && !job_allowed(op, in->fetched.rows[0].uid))
        r = -EPERM;
    op_finish(core, op, r);
}

static int cancel_now(struct core *core, struct job *job, struct bytes cause)
{
    struct run *run = job_run(job);
    struct bytes none = {0};
    int r;

    job_say_bytes(core, job, cause);
    if (run && run->step != RUN_LOADING) {
        r = job_asked(core, job);
        return r < 0 ? r : run_cancel(core, run, CAUSE_CANCELED, false);
    }
    /* Nobody was told of it: it ends at once or, when memory is out, was not asked to. */
    r = job_end(core, job, JOB_CANCELLED, CAUSE_CANCELED, -ECANCELED, none);
    if (r == 0 && run)
        run_close(core, run);
    return r;
}

/* Whatever comes after this run, the job is not tried again: its deadline was that of its context. */
static int time_out(struct core *core, struct job *job, struct bytes words)
{
    struct bytes none = {0};

    job_say_bytes(core, job, words);
    job->parts->deadline_ns = core->now.mono_ns; /* it has parts: its bond */
    return job_run(job) ? run_cancel(core, job_run(job), CAUSE_TIMEOUT, true)
                        : job_end(core, job, JOB_FAILED, CAUSE_TIMEOUT, -ETIMEDOUT, none);
}

int jobs_context_ended(struct core *core, void *of, int status, struct bytes words)
{
    struct job *job = of;
    bool asked = job->cause == CAUSE_CANCELED && job->state != JOB_NONE;
    int r = 0;

    if (job->state != JOB_NONE && !asked) /* NONE: it goes with its submit, which ends too */
        r = status == -ETIMEDOUT ? time_out(core, job, words) : cancel_now(core, job, words);
    if (r == 0)
        job_unbind(core, job);
    return r;
}

int handle_job_cancel(struct core *core, struct op *op, const struct request *request)
{
    const struct request_job_cancel *cancel = &request->job_cancel;
    struct job *job = job_find(core, cancel->job);
    struct fetch what = {.kind = FETCH_JOB, .job = cancel->job};
    int r = 0;

    if (!job) {
        op->try = false;
        return core_fetch(core, &what, ended_came, op, NULL);
    }
    if (!job_allowed(op, job->terms->account->uid))
        return -EPERM;
    if (!job_ended(job) && job->cause != CAUSE_CANCELED)
        r = cancel_now(core, job, cancel->cause);
    op->job = job->id;
    op_depends(op, job_work(job)->batch);
    return r;
}

/* ---- lists ---- */

/* A list under way: the rows of memory, and the question. */
struct listing {
    struct answer *memory;
    uint32_t uid; /* who asks: he sees his own, root all */
    uint64_t end; /* ids up to here were looked at in memory */
    uint32_t limit;
    bool more; /* in memory */
    size_t queue_size;
    char queue[NAME_BYTES_MAX];
};

static void listing_free(struct core *core, struct listing *listing)
{
    answer_drop(core, listing->memory);
    core_free(core, listing);
}

static bool wanted(const struct listing *listing, uint32_t states, uint32_t state, struct bytes queue,
                   uint32_t uid)
{
    if ((states && !(states >> state & 1)) || (listing->uid && listing->uid != uid))
        return false;
    return !listing->queue_size || bytes_are(queue, listing->queue, listing->queue_size);
}

/* The rows of memory behind `after`, at most a page of them and at most a turn's worth of jobs looked at. */
static size_t look(struct core *core, struct listing *listing, const struct request_job_list *list,
                   struct job_info *rows)
{
    struct job *job;
    size_t n = 0, looked = 0;

    listing->end = UINT64_MAX;
    for (uint64_t after = list->after; (job = job_next(core, after)); after = job->id) {
        if (n == listing->limit || looked++ == core->limits.sweep_per_turn) {
            listing->more = true;
            listing->end = after;
            break;
        }
        struct bytes queue = {job->lane->queue->name, job->lane->queue->name_size};
        if (wanted(listing, list->states, job->state, queue, job->terms->account->uid))
            rows[n++] = job_info(core, job, NULL, 0);
    }
    return n;
}

static struct listing *listing_new(struct core *core, const struct op *op,
                                   const struct request_job_list *list)
{
    struct listing *listing = core_alloc(core, sizeof(*listing));
    uint64_t most = core->limits.list_page_max;

    if (!listing)
        return NULL;
    listing->limit = (uint32_t)(list->limit && list->limit < most ? list->limit : most);
    listing->uid = op->scope->account->uid;
    listing->queue_size = list->queue.size;
    if (list->queue.size)
        memcpy(listing->queue, list->queue.data, list->queue.size);
    struct job_info *rows = core_alloc(core, listing->limit * sizeof(*rows));
    size_t n = rows ? look(core, listing, list, rows) : 0;
    listing->memory = rows ? answer_new(core, &(struct result){.jobs = rows, .jobs_n = n}) : NULL;
    core_free(core, rows);
    if (listing->memory)
        return listing;
    listing_free(core, listing);
    return NULL;
}

/* Puts both in the order of ids into `out`. A job that ended meanwhile may be in both: the store knows better. */
static size_t merge(const struct listing *listing, const struct input *in, struct job_info *out, bool *more)
{
    const struct result *memory = &listing->memory->result;
    size_t n = 0, m = 0, s = 0, rows_n = in ? in->fetched.rows_n : 0;

    while (m < memory->jobs_n || s < rows_n) {
        const struct job_row *row = s < rows_n ? &in->fetched.rows[s] : NULL;
        bool stored = row && (m == memory->jobs_n || row->id <= memory->jobs[m].id);
        *more = n == listing->limit || (stored && row->id > listing->end);
        if (*more)
            break;
        if (!stored) {
            out[n++] = memory->jobs[m++];
            continue;
        }
        m += m < memory->jobs_n && memory->jobs[m].id == row->id;
        if (wanted(listing, 0, row->state, row->queue, row->uid))
            out[n++] = info_of_row(row);
        s++;
    }
    return n;
}

/* `handle` of the answer is the id to go on after: rows that did not fit the question were passed over too. */
static int answer_list(struct core *core, struct op *op, const struct listing *listing,
                       const struct input *in)
{
    struct job_info *rows = core_alloc(core, listing->limit * sizeof(*rows));
    bool cut = false;

    if (!rows)
        return -ENOMEM;
    size_t n = merge(listing, in, rows, &cut);
    struct result result = {.jobs = rows, .jobs_n = n, .handle = n ? rows[n - 1].id : 0};
    if (!cut && listing->more)
        result.handle = listing->end;
    if (!cut && in && in->fetched.more && in->fetched.rows[in->fetched.rows_n - 1].id < listing->end)
        result.handle = in->fetched.rows[in->fetched.rows_n - 1].id;
    if (cut || listing->more || (in && in->fetched.more))
        result.flags = RESULT_MORE;
    int r = op_answer(core, op, &result);
    core_free(core, rows);
    return r;
}

static void rows_came(struct core *core, struct op *op, void *context, const struct input *in)
{
    struct listing *listing = context;
    int r = in->fetched.error;

    if (op) {
        if (r == 0)
            r = answer_list(core, op, listing, in);
        if (r < 0)
            op_finish(core, op, r);
    }
    listing_free(core, listing);
}

int handle_job_list(struct core *core, struct op *op, const struct request *request)
{
    const struct request_job_list *list = &request->job_list;
    uint32_t ended = ~((1u << JOB_DONE) - 1) & ((1u << JOB_STATES) - 1);
    uint32_t states = list->states ? list->states & ended : ended;

    if (list->queue.size && name_check(list->queue) < 0)
        return -EINVAL;
    struct listing *listing = listing_new(core, op, list);
    if (!listing)
        return -ENOMEM;
    struct fetch what = {.kind = FETCH_JOBS, .job = list->after, .states = states, .limit = listing->limit};
    op->try = false;
    int r = states ? core_fetch(core, &what, rows_came, op, listing) : answer_list(core, op, listing, NULL);
    if (r < 0 || !states)
        listing_free(core, listing);
    return r;
}

/* ---- output ---- */

static void output_came(struct core *core, struct op *op, void *context, const struct input *in)
{
    struct result result = {.output = in->fetched.body,
                            .handle = in->fetched.offset + in->fetched.body.size,
                            .flags = in->fetched.more ? RESULT_MORE : 0};
    int r = in->fetched.error;

    if (!op)
        return;
    if (r == 0)
        r = op_answer(core, op, &result);
    if (r < 0)
        op_finish(core, op, r);
}

int handle_job_output(struct core *core, struct op *op, const struct request *request)
{
    const struct request_job_output *output = &request->job_output;
    const struct job *job = job_find(core, output->job);
    uint32_t uid = job ? job->terms->account->uid : 0;
    struct fetch what = {
        .kind = FETCH_OUTPUT, .job = output->job, .offset = output->offset, .limit = output->max};

    if (!job && !retention_has(core, output->job, &uid))
        return -ENOENT;
    if (!job_allowed(op, uid))
        return -EPERM;
    if (what.limit == 0 || what.limit > OUTPUT_PIECE_BYTES)
        what.limit = OUTPUT_PIECE_BYTES;
    op->try = false;
    return core_fetch(core, &what, output_came, op, NULL);
}
