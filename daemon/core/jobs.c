/* The seam to the engine: birth, load, turns and end of all that has to do with jobs. See jobs.h. */
#include <assert.h>
#include <errno.h>

#include "jobs_internal.h"

int jobs_init(struct core *core)
{
    struct jobs *jobs = core_alloc(core, sizeof(*jobs));

    if (!jobs)
        return -ENOMEM;
    core->jobs = jobs;
    list_init(&jobs->retained.list);
    list_init(&jobs->queues);
    list_init(&jobs->plugins);
    list_init(&jobs->hosts);
    list_init(&jobs->unborn);
    list_init(&jobs->unstored);
    list_init(&jobs->closing);
    if (timers_reserve(core) < 0 || /* for retention */
        !queue_get(core, (struct bytes){"default", 7}, core->limits.queue_concurrency))
        return -ENOMEM;
    return 0;
}

void jobs_fini(struct core *core)
{
    struct jobs *jobs = core->jobs;
    struct job *job;

    if (!jobs)
        return;
    hosts_free(core);
    runs_turn(core);
    while ((job = job_next(core, 0))) {
        list_init(&job->waiters); /* their operations are gone */
        job_delete(core, job);
    }
    plugins_free(core);
    queues_free(core);
    retention_free(core);
    core_free(core, jobs->index.place);
    core_free(core, jobs);
    core->jobs = NULL;
}

int core_add_queue(struct core *core, struct bytes name, uint64_t concurrency)
{
    int r = name_check(name);

    if (r < 0 || concurrency == 0)
        return r < 0 ? r : -EINVAL;
    struct queue *queue = queue_get(core, name, concurrency);
    if (!queue)
        return -ENOMEM;
    queue->concurrency = concurrency;
    return 0;
}

/* ---- load ---- */

static struct lane *load_lane(struct core *core, const struct job_row *row)
{
    int error;
    struct queue *queue = queue_get(core, row->queue, core->limits.queue_concurrency);
    struct plugin *plugin = queue ? plugin_get(core, row->plugin, &error) : NULL;
    struct function *function = plugin ? function_get(core, plugin, row->function) : NULL;
    struct lane *lane = function ? lane_get(core, queue, function) : NULL;

    if (function && !lane)
        function_settle(core, function);
    return lane;
}

static void load_fields(struct core *core, struct job *job, const struct job_row *row)
{
    job->id = row->id;
    job->run_last = row->run;
    job->cause = (uint8_t)row->cause;
    job->error = row->error;
    job->attempt = row->attempt;
    job->attempts_max = row->attempts_max;
    job->crashes = row->crashes;
    job->priority = (uint8_t)row->priority;
    job->flags = row->flags;
    job->created_us = row->created_us;
    job->due_us = row->due_us;
    job->started_us = row->started_us;
    job->deadline_us = row->deadline_us;
    job->backoff_ns = row->backoff_ns;
    job->backoff_max_ns = row->backoff_max_ns;
    job->time_limit_ns = row->time_limit_ns;
    job->grace_ns = row->grace_ns;
    job->session = row->session;
    job->op = row->op;
    job->output_bytes = row->output_bytes;
    job_say_bytes(core, job, row->text);
}

static const char *load_fault(const struct core *core, const struct job_row *row)
{
    if (row->id <= core->jobs->id_last)
        return "its id is not greater than that of the job before";
    if (row->state == JOB_NONE || row->state == JOB_RUNNING || row->state >= JOB_STATES)
        return "its state cannot be stored";
    if (row->priority >= PRIORITIES || row->key.size > NAME_BYTES_MAX)
        return "its priority or key is out of range";
    return NULL;
}

static struct job *load_job(struct core *core, const struct job_row *row)
{
    struct account *account = account_get(core, row->uid);
    struct lane *lane = account ? load_lane(core, row) : NULL;
    struct job *job = lane ? job_new(core, account, lane, row->key) : NULL;

    if (lane)
        lane_drop(core, lane);
    account_drop(core, account);
    return job;
}

int jobs_load(struct core *core, const struct job_row *row, const char **why)
{
    *why = load_fault(core, row);
    if (*why)
        return -EINVAL;
    core->jobs->id_last = row->id;
    if (row->state >= JOB_DONE) {
        retention_add(core, row->id, row->ended_us, row->uid);
        return 0;
    }
    *why = "out of memory";
    struct job *job = job_index_reserve(core, &core->jobs->index) < 0 ? NULL : load_job(core, row);
    if (!job)
        return -ENOMEM;
    load_fields(core, job, row);
    job->account->used[SLOT_JOBS]++; /* it was within the limit when it was admitted */
    job->charged = true;
    job_restore(core, job, row->state);
    return 0;
}

/* ---- turns ---- */

static int64_t mono_of(const struct core *core, int64_t wall_us)
{
    int64_t left_us = wall_us - core->now.wall_ns / 1000;

    return left_us > 0 ? time_after(core->now.mono_ns, left_us * 1000) : core->now.mono_ns;
}

/* The first step is the first to know the time: what was loaded takes its place now. */
static void start(struct core *core)
{
    struct bytes none = {0};
    struct job *job;

    core->jobs->started = true;
    retention_sort(core);
    for (uint64_t after = 0; (job = job_next(core, after)); after = job->id) {
        if (job->state == JOB_SCHEDULED)
            job->due_ns = mono_of(core, job->due_us);
        if (job->deadline_us)
            job->deadline_ns = mono_of(core, job->deadline_us);
        job_arm(core, job);
        if (job->cause != CAUSE_CANCELED ||
            job_end(core, job, JOB_CANCELLED, CAUSE_CANCELED, -ECANCELED, none) < 0)
            job_line_up(core, job);
    }
}

static void tell_drained(struct core *core)
{
    struct jobs *jobs = core->jobs;

    if (!jobs->draining || jobs->drained || jobs->runs || core->batch ||
        core->batch_stored < core->batch_last)
        return;
    jobs->drained = effect_new(core, EFFECT_DRAINED, 0) != NULL;
}

void jobs_drain(struct core *core)
{
    struct host *host, *after;

    core->jobs->draining = true;
    list_each_safe (host, after, &core->jobs->hosts, link)
        host_drain(core, host, false);
}

void jobs_turn(struct core *core)
{
    if (!core->jobs->started)
        start(core);
    runs_turn(core);
    contexts_sweep(core); /* those of the runs that have just ended */
    retention_turn(core);
    dispatch(core);
    tell_drained(core);
}

/* A job outlives the scope that submitted it (IP4); none hangs on it. */
void jobs_scope_end(struct core *core, struct scope *scope)
{
}

void jobs_stats(const struct core *core, void (*say)(void *context, const char *name, uint64_t value),
                void *context)
{
    const struct jobs *jobs = core->jobs;
    const struct {
        const char *name;
        uint64_t value;
    } stats[] = {
        {"jobs.scheduled", jobs->states[JOB_SCHEDULED]},
        {"jobs.blocked", jobs->states[JOB_BLOCKED]},
        {"jobs.ready", jobs->states[JOB_READY]},
        {"jobs.running", jobs->states[JOB_RUNNING]},
        {"jobs.done", jobs->ended[JOB_DONE]},
        {"jobs.failed", jobs->ended[JOB_FAILED]},
        {"jobs.cancelled", jobs->ended[JOB_CANCELLED]},
        {"jobs.dead", jobs->ended[JOB_DEAD]},
        {"jobs.dispatched", jobs->dispatched},
        {"jobs.output_dropped", jobs->output_dropped},
        {"jobs.retained", jobs->retained.map.count},
        {"hosts.started", jobs->host_starts},
        {"hosts.crashed", jobs->crashes},
        {"plugins", jobs->plugins_n},
    };

    for (size_t i = 0; i < sizeof(stats) / sizeof(*stats); i++)
        say(context, stats[i].name, stats[i].value);
}

void jobs_check(const struct core *core)
{
    const struct job *job;
    uint64_t states[JOB_STATES] = {0}, running = 0;

    for (uint64_t after = 0; (job = job_next(core, after)); after = job->id) {
        job_check(core, job);
        states[job->state]++;
        running += job->run != NULL;
    }
    for (int i = JOB_SCHEDULED; i < JOB_STATES; i++)
        assert(states[i] == core->jobs->states[i]);
    assert(running == core->jobs->runs);
    queue_check(core);
    host_check(core);
}
