/*
 * Jobs: the table of their states, the one mover, and each way a life can go on.
 *
 * Order in every move: the record for the store first, because making it may fail; then the change, which cannot.
 * A record is not needed where the store could not tell the difference after a restart: a claim (running), a
 * return without an attempt, a due time that has come.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "jobs_internal.h"

#define TO(STATE) (1u << JOB_##STATE)

static const uint32_t moves[JOB_STATES] = {
    [JOB_NONE] = TO(SCHEDULED) | TO(BLOCKED) | TO(READY),
    [JOB_SCHEDULED] = TO(READY) | TO(CANCELLED) | TO(FAILED),
    [JOB_BLOCKED] = TO(READY) | TO(CANCELLED) | TO(FAILED),
    [JOB_READY] = TO(RUNNING) | TO(CANCELLED) | TO(FAILED),
    [JOB_RUNNING] = TO(READY) | TO(SCHEDULED) | TO(DONE) | TO(FAILED) | TO(CANCELLED) | TO(DEAD),
};

bool job_may(enum job_state from, enum job_state to)
{
    return moves[from] >> to & 1;
}

/* The one place that writes job->state. Counters follow the state. */
static void job_move(struct core *core, struct job *job, enum job_state to)
{
    struct jobs *jobs = core->jobs;

    assert(job_may(job->state, to) && "a move that the table of states allows");
    if (job->state != JOB_NONE)
        jobs->states[job->state]--;
    if (job->state == JOB_RUNNING) {
        job->lane->queue->running--;
        dispatch_soon(core);
    }
    job->state = (uint8_t)to;
    jobs->states[to]++;
    if (to == JOB_RUNNING)
        job->lane->queue->running++;
    if (job_ended(job))
        jobs->ended[to]++;
}

uint64_t job_id_next(struct core *core)
{
    int64_t ms = core->now.wall_ns / 1000000 - JOB_EPOCH_MS;
    uint64_t base = (uint64_t)(ms > 0 ? ms : 0) << JOB_MS_SHIFT | core->node << JOB_NODE_SHIFT;
    uint64_t next = core->jobs->id_last + 1;

    /* The sequence of a millisecond is used up: the next millisecond, as if it had come. */
    if ((next >> JOB_NODE_SHIFT & 1023) != core->node)
        next = ((next >> JOB_MS_SHIFT) + 1) << JOB_MS_SHIFT | core->node << JOB_NODE_SHIFT;
    core->jobs->id_last = base > next ? base : next;
    return core->jobs->id_last;
}

struct job *job_new(struct core *core, struct account *account, struct lane *lane, struct bytes key)
{
    struct job *job = core_alloc(core, sizeof(*job) + key.size);

    if (!job)
        return NULL;
    if (timers_reserve(core) < 0) {
        core_free(core, job);
        return NULL;
    }
    list_init(&job->link);
    list_init(&job->unborn);
    list_init(&job->unstored);
    list_init(&job->waiters);
    job->account = account_ref(account);
    job->lane = lane_ref(lane);
    job->due_ns = job->deadline_ns = INT64_MAX;
    job->key_size = (uint8_t)key.size;
    if (key.size)
        memcpy(job->key, key.data, key.size);
    return job;
}

struct job *job_delete(struct core *core, struct job *job)
{
    if (!job)
        return NULL;
    assert(!job->run && list_empty(&job->waiters));
    if (job->state != JOB_NONE) {
        core->jobs->states[job->state]--;
        job_index_remove(&core->jobs->index, job);
    }
    if (job->charged)
        account_release(job->account, SLOT_JOBS, 1);
    lane_take(core, job);
    list_remove(&job->unborn);
    list_remove(&job->unstored);
    timer_disarm(core, &job->timer);
    timers_unreserve(core);
    bond_drop(core, job->bond);
    lane_drop(core, job->lane);
    account_drop(core, job->account);
    core_free(core, job->text);
    core_free(core, job->body);
    core_free(core, job);
    return NULL;
}

struct job_row job_row(const struct job *job)
{
    const struct function *function = job->lane->function;

    return (struct job_row){
        .id = job->id,
        .run = job->run_last,
        .state = job->state,
        .cause = job->cause,
        .error = job->error,
        .attempt = job->attempt,
        .attempts_max = job->attempts_max,
        .crashes = job->crashes,
        .priority = job->priority,
        .flags = job->flags,
        .uid = job->account->uid,
        .created_us = job->created_us,
        .due_us = job->due_us,
        .started_us = job->started_us,
        .ended_us = job->ended_us,
        .deadline_us = job->deadline_us,
        .backoff_ns = job->backoff_ns,
        .backoff_max_ns = job->backoff_max_ns,
        .time_limit_ns = job->time_limit_ns,
        .grace_ns = job->grace_ns,
        .session = job->session,
        .op = job->op,
        .output_bytes = job->output_bytes,
        .plugin = {function->plugin->path, function->plugin->path_size},
        .function = {function->name, function->name_size},
        .queue = {job->lane->queue->name, job->lane->queue->name_size},
        .key = {job->key, job->key_size},
        .text = {job->text, job->text_size},
    };
}

void job_say_bytes(struct core *core, struct job *job, struct bytes text)
{
    size_t size = text.size < core->limits.text_bytes_max ? text.size : core->limits.text_bytes_max;
    char *copy = size ? core_alloc(core, size) : NULL;

    if (copy)
        memcpy(copy, text.data, size);
    core_free(core, job->text);
    job->text = copy;
    job->text_size = copy ? (uint32_t)size : 0;
}

void job_say(struct core *core, struct job *job, const char *format, ...)
{
    char text[512];
    va_list arguments;

    va_start(arguments, format);
    size_t size = text_writev(text, sizeof(text), format, arguments);
    va_end(arguments);
    job_say_bytes(core, job, (struct bytes){text, size});
}

/* ---- moves ---- */

static int64_t wall_us(const struct core *core, int64_t mono_ns)
{
    if (mono_ns == INT64_MAX)
        return 0;
    return (core->now.wall_ns + (mono_ns - core->now.mono_ns)) / 1000;
}

int job_admit(struct core *core, struct job *job)
{
    bool later = job->due_ns != INT64_MAX && job->due_ns > core->now.mono_ns;

    if (job_index_reserve(core, &core->jobs->index) < 0)
        return -ENOMEM;
    job->id = job_id_next(core);
    job->created_us = core->now.wall_ns / 1000;
    job->due_us = later ? wall_us(core, job->due_ns) : 0;
    job->deadline_us = wall_us(core, job->deadline_ns);
    struct job_row row = job_row(job);
    row.state = later ? JOB_SCHEDULED : JOB_READY;
    uint64_t batch = core_record(core, RECORD_JOB_NEW, &row, (struct bytes){job->body, job->body_size});
    if (!batch)
        return -ENOMEM;
    core_free(core, job->body);
    job->body = NULL;
    job->body_size = 0;
    job_restore(core, job, row.state);
    job->born = batch;
    list_append(&core->jobs->unborn, &job->unborn);
    job_depends(core, job, batch);
    job_arm(core, job);
    return 0;
}

void job_restore(struct core *core, struct job *job, enum job_state state)
{
    job_move(core, job, state);
    job_index_add(&core->jobs->index, job);
    job->ticket = ++core->jobs->ticket_last;
}

/* Keeps a copy for those who ask before the store has it. */
static int keep_result(struct core *core, struct job *job, struct bytes result)
{
    void *copy = result.size ? core_alloc(core, result.size) : NULL;

    if (result.size && !copy)
        return -ENOMEM;
    if (copy)
        memcpy(copy, result.data, result.size);
    core_free(core, job->body);
    job->body = copy;
    job->body_size = (uint32_t)result.size;
    return 0;
}

static int end(struct core *core, struct job *job, const struct job_row *row, struct bytes result)
{
    if (keep_result(core, job, result) < 0)
        return -ENOMEM;
    uint64_t batch = core_record(core, RECORD_JOB_END, row, result);
    if (!batch)
        return -ENOMEM;
    lane_take(core, job);
    timer_disarm(core, &job->timer);
    job_move(core, job, row->state);
    job->cause = (uint8_t)row->cause;
    job->error = row->error;
    job->attempt = row->attempt;
    job->crashes = row->crashes;
    job->ended_us = row->ended_us;
    job->charged = false;
    job->bond = bond_drop(core, job->bond);
    account_release(job->account, SLOT_JOBS, 1);
    job_depends(core, job, batch);
    job_tell(core, job);
    return 0;
}

int job_end(struct core *core, struct job *job, enum job_state state, enum job_cause cause, int error,
            struct bytes result)
{
    struct job_row row = job_row(job);

    row.state = state;
    row.cause = cause;
    row.error = error;
    row.ended_us = core->now.wall_ns / 1000;
    return end(core, job, &row, result);
}

static int64_t backoff_ns(const struct job *job, uint32_t attempt)
{
    int64_t delay = job->backoff_ns;

    for (uint32_t i = 1; i < attempt && delay < job->backoff_max_ns; i++)
        delay *= 2;
    return delay < job->backoff_max_ns ? delay : job->backoff_max_ns;
}

/* Records the failure with the time of the next attempt. */
static int schedule(struct core *core, struct job *job, struct job_row *row)
{
    int64_t due_ns = time_after(core->now.mono_ns, backoff_ns(job, row->attempt));

    row->state = JOB_SCHEDULED;
    row->due_us = wall_us(core, due_ns);
    uint64_t batch = core_record(core, RECORD_JOB_STATE, row, (struct bytes){0});
    if (!batch)
        return -ENOMEM;
    job_move(core, job, JOB_SCHEDULED);
    job->cause = (uint8_t)row->cause;
    job->error = row->error;
    job->attempt = row->attempt;
    job->crashes = row->crashes;
    job->due_ns = due_ns;
    job->due_us = row->due_us;
    job_depends(core, job, batch);
    job_arm(core, job);
    return 0;
}

int job_failed(struct core *core, struct job *job, enum job_cause cause, int error, bool final)
{
    struct job_row row = job_row(job);
    bool asked = job->cause == CAUSE_CANCELED;

    row.cause = asked ? CAUSE_CANCELED : cause;
    row.error = error;
    row.attempt++;
    row.crashes += cause == CAUSE_CRASH;
    bool quarantine = row.crashes >= core->limits.crashes_max;
    if (!asked && !final && !quarantine && row.attempt < job->attempts_max)
        return schedule(core, job, &row);
    row.state = asked ? JOB_CANCELLED : !final && job->attempts_max > 1 ? JOB_DEAD : JOB_FAILED;
    row.ended_us = core->now.wall_ns / 1000;
    return end(core, job, &row, (struct bytes){0});
}

void job_returned(struct core *core, struct job *job)
{
    job_move(core, job, JOB_READY);
    job_line_up(core, job);
}

void job_running(struct core *core, struct job *job)
{
    lane_take(core, job);
    job_move(core, job, JOB_RUNNING);
}

int job_asked(struct core *core, struct job *job)
{
    struct job_row row = job_row(job);

    row.cause = CAUSE_CANCELED;
    uint64_t batch = core_record(core, RECORD_JOB_STATE, &row, (struct bytes){0});
    if (!batch)
        return -ENOMEM;
    job->cause = CAUSE_CANCELED;
    job_depends(core, job, batch);
    return 0;
}

/* ---- time ---- */

static int deadline(struct core *core, struct job *job)
{
    if (job->run)
        return run_cancel(core, job->run, CAUSE_TIMEOUT, true);
    job_say(core, job, "its deadline passed before it was finished");
    return job_end(core, job, JOB_FAILED, CAUSE_TIMEOUT, -ETIMEDOUT, (struct bytes){0});
}

static void fire(struct core *core, struct timer *timer)
{
    struct job *job = container_of(timer, struct job, timer);

    if (job->deadline_ns <= core->now.mono_ns) {
        if (deadline(core, job) < 0)
            timer_arm(core, timer, core->now.mono_ns + RETRY_NS, fire);
        return;
    }
    if (job->state == JOB_SCHEDULED && job->due_ns <= core->now.mono_ns) {
        job_move(core, job, JOB_READY);
        job->ticket = ++core->jobs->ticket_last;
        job->due_us = 0;
        job_line_up(core, job);
    }
    job_arm(core, job);
}

void job_arm(struct core *core, struct job *job)
{
    int64_t at = job->deadline_ns;

    if (job->state == JOB_SCHEDULED && job->due_ns < at)
        at = job->due_ns;
    if (at != INT64_MAX)
        timer_arm(core, &job->timer, at, fire);
    else
        timer_disarm(core, &job->timer);
}

bool job_allowed(const struct op *op, uint32_t uid)
{
    return op->scope->account->uid == uid || op->scope->account->uid == 0;
}

void job_check(const struct core *core, const struct job *job)
{
    bool in_lane = list_linked(&job->link);

    assert(job->state > JOB_NONE && job->state < JOB_STATES);
    assert((job->run != NULL) == (job->state == JOB_RUNNING) && "a run exactly while running");
    assert((!in_lane || job->state == JOB_READY) && "only ready jobs stand in line");
    assert((!in_lane || core_stored(core, job->batch)) && "and only stored ones");
    assert((job->state != JOB_READY || in_lane || !core_stored(core, job->batch)) && "and all of those");
    assert((job->charged == !job_ended(job)) && "charged until it ends");
    assert(!job_ended(job) || (list_empty(&job->waiters) && !job->bond));
    assert(!job->run || job->run->job == job);
    assert(job->batch >= job->born);
}
