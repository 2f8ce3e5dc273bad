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

#include "job_admit.h"
#include "job_after.h"
#include "job_once.h"
#include "job_states.h"

#define TO(STATE) (1u << JOB_##STATE)

static const uint32_t moves[JOB_STATES] = {
    [JOB_NONE] = TO(SCHEDULED) | TO(BLOCKED) | TO(READY),
    [JOB_SCHEDULED] = TO(READY) | TO(CANCELLED) | TO(FAILED),
    [JOB_BLOCKED] = TO(READY) | TO(SCHEDULED) | TO(CANCELLED) | TO(FAILED),
    [JOB_READY] = TO(RUNNING) | TO(CANCELLED) | TO(FAILED),
    [JOB_RUNNING] = TO(READY) | TO(SCHEDULED) | TO(DONE) | TO(FAILED) | TO(CANCELLED) | TO(DEAD),
    [JOB_FAILED] = TO(READY),
    [JOB_DEAD] = TO(READY),
};

bool job_may(enum job_state from, enum job_state to)
{
    return moves[from] >> to & 1;
}

static bool waits(enum job_state state)
{
    return state == JOB_SCHEDULED || state == JOB_BLOCKED || state == JOB_READY;
}

/* The one place that writes job->state. Counters follow the state. */
static void job_move(struct core *core, struct job *job, enum job_state to)
{
    struct jobs *jobs = core->jobs;

    assert(job_may(job->state, to) && "a job moves as its table allows");
    if (job->state != JOB_NONE)
        jobs->states[job->state]--;
    if (job->state == JOB_RUNNING) {
        job->lane->queue->running--;
        key_ended(core, job->lane->key);
        dispatch_soon(core);
    }
    if (!waits(to))
        room_give(core, job);
    else if (!waits(job->state))
        room_take(job, job->state == JOB_RUNNING && to == JOB_READY);
    job->state = (uint8_t)to;
    jobs->states[to]++;
    if (to == JOB_RUNNING) {
        job->lane->queue->running++;
        key_started(core, job->lane->key);
    }
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

/* Out of memory: the next job asks. */
void job_id_keep(struct core *core, uint64_t id)
{
    const struct job_row row = {.id = id + ((uint64_t)JOB_KEEP_MS << JOB_MS_SHIFT)};

    if (id > core->jobs->id_kept && core_record(core, RECORD_JOB_IDS, &row, (struct bytes){0}))
        core->jobs->id_kept = row.id;
}

void core_load_job_ids(struct core *core, uint64_t last)
{
    if (PLANTED(SAME_ID))
        return;
    if (core->jobs->id_last < last)
        core->jobs->id_last = last;
    core->jobs->id_kept = last;
}

struct job *job_new(struct core *core, const struct terms *terms, struct lane *lane)
{
    struct job *job = slabs_take(core, &core->jobs->slabs);

    if (!job)
        return NULL;
    if (timers_reserve(core) < 0) {
        slabs_give(core, &core->jobs->slabs, job);
        return NULL;
    }
    list_init(&job->link);
    list_init(&job->waiters);
    list_init(&job->waits);
    job->terms = terms_ref(terms);
    job->lane = lane_ref(lane);
    job->due_ns = INT64_MAX;
    job->priority = lane->priority;
    return job;
}

struct job *job_delete(struct core *core, struct job *job)
{
    if (!job)
        return NULL;
    assert(!job_run(job) && list_empty(&job->waiters) && "a job that goes is used by nobody");
    if (job->state != JOB_NONE) {
        core->jobs->states[job->state]--;
        job_index_remove(&core->jobs->index, job);
    }
    if (job->charged)
        account_release(job->terms->account, SLOT_JOBS, 1);
    room_give(core, job);
    lane_take(core, job);
    timer_disarm(core, &job->timer);
    timers_unreserve(core);
    lane_drop(core, job->lane);
    job_parts_free(core, job);
    job_work_free(core, job);
    terms_drop(core, job->terms);
    job_forget_argument(core, job);
    core_free(core, job->body);
    slabs_give(core, &core->jobs->slabs, job);
    return NULL;
}

struct job_row job_row(const struct job *job)
{
    const struct function *function = job->lane->function;
    const struct job_parts none = {0}, *parts = job->parts ? job->parts : &none;
    const struct job_work *work = job_work(job);

    return (struct job_row){
        .id = job->id,
        .run = work->run_last,
        .state = job->state,
        .cause = job->cause,
        .error = work->error,
        .attempt = work->attempt,
        .attempts_max = job->terms->attempts_max,
        .crashes = work->crashes,
        .priority = job->priority,
        .flags = job->terms->flags,
        .uid = job->terms->account->uid,
        .created_us = job->created_us,
        .due_us = job->due_us,
        .started_us = work->started_us,
        .ended_us = work->ended_us,
        .deadline_us = parts->deadline_us,
        .backoff_ns = job->terms->backoff_ns,
        .backoff_max_ns = job->terms->backoff_max_ns,
        .time_limit_ns = job->terms->time_limit_ns,
        .grace_ns = job->terms->grace_ns,
        .session = work->session,
        .op = work->op,
        .output_bytes = work->output_bytes,
        .plugin = {function->plugin->path, function->plugin->path_size},
        .function = {function->name, function->name_size},
        .queue = {job->lane->queue->name, job->lane->queue->name_size},
        .key = key_text(job->lane->key),
        .text = {work->text, work->text_size},
        .once = parts->once ? (struct bytes){parts->once->key, parts->once->size} : (struct bytes){0},
        .after = after_row(job),
        .once_until_us = parts->once ? parts->once->until_us : 0,
        .jitter = parts->jitter,
        .delays = {parts->delays_ns, parts->delays_n * sizeof(*parts->delays_ns)},
    };
}

/* ---- moves ---- */

void job_forget_argument(struct core *core, struct job *job)
{
    if (!job->kept)
        return;
    core->jobs->kept_bytes -= job->body_size;
    job->kept = false;
    core_free(core, job->body);
    job->body = NULL;
    job->body_size = 0;
}

void job_unblock(struct core *core, struct job *job)
{
    bool later = job->due_ns != INT64_MAX && job->due_ns > core->now.mono_ns;

    state_tell_to(core, job, later ? JOB_SCHEDULED : JOB_READY);
    after_drop(core, job);
    job_move(core, job, later ? JOB_SCHEDULED : JOB_READY);
    job->due_us = later ? job->due_us : 0;
    job_stamp(core, job, core->now.mono_ns);
    job_line_up(core, job);
    job_arm(core, job);
}

void job_restore(struct core *core, struct job *job, enum job_state state)
{
    job_move(core, job, state);
    job_index_add(&core->jobs->index, job);
    job_stamp(core, job, core->now.mono_ns);
}

void job_stamp(struct core *core, struct job *job, int64_t at_ns)
{
    int64_t least = core->jobs->ticket_last + 1;

    core->jobs->ticket_last = at_ns > least ? at_ns : least;
    job->ticket = PLANTED(OUT_OF_TURN) ? -core->jobs->ticket_last : core->jobs->ticket_last;
}

/* Its time has not passed, and no other job has it meanwhile. The time first: the look deletes a key that it finds passed,
 * and that may be this one. */
static bool key_is_free(struct core *core, const struct job *job)
{
    const struct job_once *mine = job->parts ? job->parts->once : NULL;

    if (!mine)
        return true;
    if (!once_holds(core, mine))
        return false;
    const struct job_once *holder = once_holder(core, mine);
    return !holder || holder->job == job->id;
}

static void take_key(struct core *core, struct job *job, bool free)
{
    if (!job->parts || !job->parts->once)
        return;
    if (free)
        once_take(core, &job->parts->once, job->id);
    else
        job->parts->once = once_delete(core, job->parts->once);
}

/* A deadline that has passed would end it at once: it has none any more. */
static struct job_row row_of_new_life(struct core *core, const struct job *job)
{
    struct job_row row = job_row(job);

    row.state = PLANTED(BRIEF_LIFE) ? JOB_DEAD : JOB_READY;
    row.cause = CAUSE_NONE;
    row.error = 0;
    row.attempt = row.crashes = 0;
    row.due_us = row.started_us = row.ended_us = 0;
    row.text = (struct bytes){0};
    if (row.deadline_us <= core->now.wall_ns / 1000)
        row.deadline_us = 0;
    if (!key_is_free(core, job))
        row.once = (struct bytes){0};
    return row;
}

static void begin_again(struct core *core, struct job *job, const struct job_row *row)
{
    job_say_bytes(core, job, (struct bytes){0});
    job->cause = CAUSE_NONE;
    job->work->error = 0;
    job->work->attempt = job->work->crashes = 0;
    job->due_us = job->work->started_us = job->work->ended_us = 0;
    job->due_ns = INT64_MAX;
    if (job->parts)
        job->parts->deadline_us = row->deadline_us;
    if (job->parts)
        job->parts->deadline_ns =
            row->deadline_us ? time_after(core->now.mono_ns, row->deadline_us * 1000 - core->now.wall_ns)
                             : INT64_MAX;
    job->charged = true;
}

int job_again(struct core *core, struct job *job)
{
    struct job_row row = row_of_new_life(core, job);
    bool stored = job->state == JOB_NONE;
    int r = account_charge(core, job->terms->account, SLOT_JOBS, 1);

    if (r < 0)
        return r;
    struct notice *told = NULL;
    uint64_t batch = job_index_reserve(core, &core->jobs->index, 1) < 0 || once_reserve(core, 1) < 0 ||
                             state_ready(core, job, &row, &told) < 0
                         ? 0
                         : job_record(core, job, RECORD_JOB_STATE, &row, (struct bytes){0});
    if (!batch) {
        notice_delete(core, told);
        account_release(job->terms->account, SLOT_JOBS, 1);
        return -ENOMEM;
    }
    state_tell(core, job, told, batch);
    begin_again(core, job, &row);
    job_move(core, job, JOB_READY);
    if (stored)
        job_index_put(&core->jobs->index, job);
    job_stamp(core, job, core->now.mono_ns);
    retention_remove(core, job->id);
    take_key(core, job, row.once.size);
    if (job->parts)
        list_remove(&job->parts->link); /* who comes after it waits for its new end */
    job_depends(core, job, batch);
    job_arm(core, job);
    return 0;
}

/* Keeps a copy for those who ask before the store has it. */
static int keep_result(struct core *core, struct job *job, struct bytes result)
{
    void *copy = result.size ? core_alloc(core, result.size) : NULL;

    if (result.size && !copy)
        return -ENOMEM;
    if (copy)
        memcpy(copy, result.data, result.size);
    job_forget_argument(core, job);
    core_free(core, job->body);
    job->body = copy;
    job->body_size = (uint32_t)result.size;
    return 0;
}

/* What the store is told of an end: a key that holds until then is free. */
static struct job_row row_of_end(const struct job *job, const struct job_row *from)
{
    struct job_row row = *from;

    if (job->parts && job->parts->once && job->parts->once->until_us == 0)
        row.once = (struct bytes){0};
    return row;
}

void job_ends(struct core *core, struct job *job, const struct job_row *row, uint64_t batch)
{
    lane_take(core, job);
    timer_disarm(core, &job->timer);
    job_move(core, job, row->state);
    job->cause = (uint8_t)row->cause;
    job->work->error = row->error;
    job->work->attempt = row->attempt;
    job->work->crashes = row->crashes;
    job->work->ended_us = row->ended_us;
    job->charged = false;
    job_unbind(core, job);
    after_drop(core, job);
    if (job->parts && job->parts->once && job->parts->once->until_us == 0)
        job->parts->once = once_delete(core, job->parts->once);
    account_release(job->terms->account, SLOT_JOBS, 1);
    job_depends(core, job, batch);
    job_tell(core, job);
}

static int end(struct core *core, struct job *job, const struct job_row *row, struct bytes result)
{
    struct job_row stored = row_of_end(job, row);
    uint64_t batch = 0;
    struct notice *told;

    if (state_ready(core, job, row, &told) == 0 && keep_result(core, job, result) == 0)
        batch = job_record(core, job, RECORD_JOB_END, &stored, result);
    if (!batch) {
        notice_delete(core, told);
        return -ENOMEM;
    }
    state_tell(core, job, told, batch);
    job_ends(core, job, row, batch);
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

/* The batch; 0: out of memory. */
static uint64_t record_told(struct core *core, struct job *job, const struct job_row *row)
{
    struct notice *told;
    uint64_t batch = state_ready(core, job, row, &told) < 0
                         ? 0
                         : job_record(core, job, RECORD_JOB_STATE, row, (struct bytes){0});

    if (batch)
        state_tell(core, job, told, batch);
    else
        notice_delete(core, told);
    return batch;
}

/* Records the failure with the time of the next attempt. */
static int schedule(struct core *core, struct job *job, struct job_row *row)
{
    int64_t due_ns = time_after(core->now.mono_ns, job_delay_ns(core, job, row->attempt + row->crashes));

    row->state = JOB_SCHEDULED;
    row->due_us = job_wall_us(core, due_ns);
    uint64_t batch = record_told(core, job, row);
    if (!batch)
        return -ENOMEM;
    job_move(core, job, JOB_SCHEDULED);
    job->cause = (uint8_t)row->cause;
    job->work->error = row->error;
    job->work->attempt = row->attempt;
    job->work->crashes = row->crashes;
    job->due_ns = due_ns;
    job->due_us = row->due_us;
    job_depends(core, job, batch);
    job_arm(core, job);
    return 0;
}

/* A crash is no failure and counted apart; who may fail but once may crash but once, too. */
static bool used_up(const struct core *core, const struct job *job, const struct job_row *row)
{
    uint64_t attempts = job->terms->attempts_max, crashes = core->limits.crashes_max;

    if (row->cause == CAUSE_CRASH)
        return row->crashes >= (crashes < attempts ? crashes : attempts);
    return row->attempt >= attempts;
}

static int fail(struct core *core, struct job *job, enum job_cause cause, int error, bool final)
{
    struct job_row row = job_row(job);
    bool asked = job->cause == CAUSE_CANCELED, crashed = cause == CAUSE_CRASH;

    row.cause = asked ? CAUSE_CANCELED : cause;
    row.error = error;
    row.attempt += !crashed;
    row.crashes += crashed;
    if (!asked && !final && !used_up(core, job, &row)) {
        if (cause == CAUSE_CANCELED) /* of a job that lives on it would say that somebody wants its end */
            row.cause = CAUSE_ERROR;
        return schedule(core, job, &row);
    }
    row.state = asked ? JOB_CANCELLED : !final && job->terms->attempts_max > 1 ? JOB_DEAD : JOB_FAILED;
    row.ended_us = core->now.wall_ns / 1000;
    if (row.state == JOB_DEAD && crashed) {
        if (job_say_quarantined(core, job, row.crashes) < 0)
            return -ENOMEM;
        row.text = (struct bytes){job->work->text, job->work->text_size};
    }
    return end(core, job, &row, (struct bytes){0});
}

int job_failed(struct core *core, struct job *job, enum job_cause cause, int error, bool final)
{
    bool own =
        job->cause == CAUSE_CANCELED || (final && cause == CAUSE_ERROR); /* says nothing of its function */
    int r = fail(core, job, cause, error, final);

    if (r == 0 && !own)
        breaker_judge(core, job_run(job), true);
    return r;
}

int job_returned(struct core *core, struct job *job)
{
    struct notice *told;

    if (state_ready_to(core, job, JOB_READY, 0, &told) < 0)
        return -ENOMEM;
    job_move(core, job, JOB_READY);
    state_tell(core, job, told, job_work(job)->batch);
    job_line_up(core, job);
    return 0;
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
    uint64_t batch = job_record(core, job, RECORD_JOB_STATE, &row, (struct bytes){0});
    if (!batch)
        return -ENOMEM;
    job->cause = CAUSE_CANCELED;
    job_depends(core, job, batch);
    return 0;
}

/* ---- time ---- */

static int deadline(struct core *core, struct job *job)
{
    if (job_run(job))
        return run_cancel(core, job_run(job), CAUSE_TIMEOUT, true);
    job_say(core, job, "its deadline passed before it was finished");
    return job_end(core, job, JOB_FAILED, CAUSE_TIMEOUT, -ETIMEDOUT, (struct bytes){0});
}

static int due(struct core *core, struct job *job)
{
    struct notice *told;

    if (state_ready_to(core, job, JOB_READY, 0, &told) < 0)
        return -ENOMEM;
    job_move(core, job, JOB_READY);
    state_tell(core, job, told, job_work(job)->batch);
    job_stamp(core, job, core->now.mono_ns);
    job->due_us = 0;
    job_line_up(core, job);
    job_arm(core, job);
    return 0;
}

/* When its state changes by itself; INT64_MAX: it does not. */
static int64_t due_ns(const struct job *job)
{
    return job->state == JOB_SCHEDULED && !job_is_unborn(job) ? job->due_ns : INT64_MAX;
}

static void fire(struct core *core, struct timer *timer)
{
    struct job *job = container_of(timer, struct job, timer);
    int r = 0;

    if (job_deadline_ns(job) <= core->now.mono_ns)
        r = deadline(core, job);
    else if (due_ns(job) <= core->now.mono_ns)
        r = due(core, job);
    else
        job_arm(core, job);
    if (r < 0)
        timer_arm(core, timer, core->now.mono_ns + RETRY_NS, fire);
}

void job_arm(struct core *core, struct job *job)
{
    int64_t at = job_deadline_ns(job);

    if (due_ns(job) < at)
        at = due_ns(job);
    if (at != INT64_MAX)
        timer_arm(core, &job->timer, at, fire);
    else
        timer_disarm(core, &job->timer);
}

void job_is_born(struct core *core, struct job *job)
{
    if (job->state == JOB_SCHEDULED)
        job_arm(core, job);
    else if (job->state == JOB_BLOCKED && !after_blocks(job))
        job_unblock(core, job);
}

bool job_allowed(const struct op *op, uint32_t uid)
{
    return op->scope->account->uid == uid || op->scope->account->uid == 0;
}

void job_check(const struct core *core, const struct job *job)
{
    bool in_lane = list_linked(&job->link);

    after_check(job);
    assert(job->state > JOB_NONE && job->state < JOB_STATES && "a job in the index has a state");
    assert((job_run(job) != NULL) == (job->state == JOB_RUNNING) && "a run exactly while running");
    assert((!in_lane || job->state == JOB_READY) && "only ready jobs stand in line");
    assert((!in_lane || core_stored(core, job_work(job)->batch)) && "only stored jobs stand in line");
    assert((job->state != JOB_READY || in_lane || !core_stored(core, job_work(job)->batch)) &&
           "every job that is ready and stored stands in line");
    assert((!job->kept || job->state == JOB_READY) && "an argument is kept for a job that is ready");
    assert((job->charged == !job_ended(job)) && "a job is charged until it ends");
    assert((!job_ended(job) || (list_empty(&job->waiters) && !job_bond(job))) &&
           "nobody waits for a job that has ended");
    assert((!job_run(job) || job_run(job)->job == job) && "a job knows its run");
    assert((!job->parts || !job->parts->once || job->parts->once->owner == &job->parts->once) &&
           "a job that was admitted holds the key it has");
    assert(job_work(job)->batch >= job_work(job)->born && "no news of a job is older than itself");
}
