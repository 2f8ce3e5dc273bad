/* The seam to the engine: birth, load, turns and end of all that has to do with jobs. See jobs.h. */
#include <assert.h>
#include <errno.h>

#include "feeds.h"
#include "job_after.h"
#include "job_once.h"
#include "pool.h"
#include "schedules.h"
#include "submit.h"
#include "worker.h"

int jobs_init(struct core *core)
{
    struct jobs *jobs = core_alloc(core, sizeof(*jobs));

    if (!jobs)
        return -ENOMEM;
    core->jobs = jobs;
    slabs_init(&jobs->slabs, sizeof(struct job));
    list_init(&jobs->retained.ended.list);
    list_init(&jobs->retained.dead.list);
    list_init(&jobs->retained.keyed.list);
    list_init(&jobs->retained.queues);
    list_init(&jobs->queues);
    list_init(&jobs->turns);
    list_init(&jobs->plugins);
    list_init(&jobs->hosts);
    list_init(&jobs->workers);
    list_init(&jobs->reserves);
    list_init(&jobs->gathering);
    list_init(&jobs->unborn);
    list_init(&jobs->unstored);
    list_init(&jobs->closing);
    list_init(&jobs->drainers);
    list_init(&jobs->parting);
    list_init(&jobs->doomed);
    list_init(&jobs->pools);
    crew_init(&jobs->outside.crew, &jobs->outside, NULL);
    for (int i = 0; i < 3; i++) /* for retention, purges and what comes after */
        if (timers_reserve(core) < 0)
            return -ENOMEM;
    if (core_set_queue(core, (struct bytes){"default", 7}, &(struct policy_part){0}) < 0)
        return -ENOMEM;
    return feeds_init(core) < 0 ? -ENOMEM : schedules_init(core);
}

void jobs_fini(struct core *core)
{
    struct jobs *jobs = core->jobs;
    struct job *job;

    if (!jobs)
        return;
    hosts_free(core);
    workers_free(core);
    runs_turn(core);
    for (size_t at = 0; (job = job_walk(core, &at));) {
        list_init(&job->waiters); /* their operations are gone */
        job_delete(core, job);
    }
    schedules_free(core);
    pools_free(core);
    tracks_forget(core);
    plugins_free(core);
    retention_free(core);
    queues_free(core);
    timer_disarm(core, &jobs->purge);
    timer_disarm(core, &jobs->after_timer);
    map_free(core, &jobs->once);
    assert(jobs->terms.count == 0 && "terms go with their last job");
    map_free(core, &jobs->terms);
    slabs_free(core, &jobs->slabs);
    core_free(core, jobs->index.place);
    core_free(core, jobs);
    core->jobs = NULL;
}

int core_set_queue(struct core *core, struct bytes name, const struct policy_part *part)
{
    int r = name_check(name);
    struct queue *queue = r == 0 ? queue_get(core, name) : NULL;

    if (!queue)
        return r < 0 ? r : -ENOMEM;
    queue->configured = true;
    queue_set(core, queue, ORIGIN_CONFIG, part);
    return 0;
}

/* ---- load ---- */

int core_load_queue(struct core *core, struct bytes name, struct bytes text, const char **why)
{
    struct queue *queue = name_check(name) == 0 ? queue_get(core, name) : NULL;
    struct queue_kept kept = {0};
    struct bytes wrong;

    *why = name_check(name) < 0 ? "a queue has no name" : "out of memory";
    if (!queue)
        return name_check(name) < 0 ? -EINVAL : -ENOMEM;
    if (kept_read(&kept, text, &wrong) < 0)
        core_log(core, LOG_LEVEL_WARN, "event=setting_unknown queue=%.*s setting=%.*s", (int)name.size,
                 (const char *)name.data, (int)wrong.size, (const char *)wrong.data);
    queue_set(core, queue, ORIGIN_SET, &kept.part);
    queue->paused_us = kept.paused_us;
    queue->pause_submits = kept.pause_submits;
    queue->made = kept.made;
    return 0;
}

struct lane *lane_load(struct core *core, struct bytes queue_name, struct bytes path, struct bytes name,
                       struct bytes key, uint32_t priority)
{
    int error;
    struct queue *queue = queue_get(core, queue_name);
    struct plugin *plugin = queue ? plugin_get(core, path, &error) : NULL;
    struct function *function = plugin ? function_get(core, plugin, name) : NULL;
    struct lane *lane = function ? lane_get(core, queue, function, key, priority) : NULL;

    if (function && !lane)
        function_settle(core, function);
    return lane;
}

static const struct terms *load_terms(struct core *core, const struct job_row *row)
{
    struct terms terms = {.account = account_get(core, row->uid),
                          .backoff_ns = row->backoff_ns,
                          .backoff_max_ns = row->backoff_max_ns,
                          .time_limit_ns = row->time_limit_ns,
                          .grace_ns = row->grace_ns,
                          .attempts_max = row->attempts_max,
                          .flags = row->flags};
    const struct terms *shared = terms.account ? terms_get(core, &terms) : NULL;

    account_drop(core, terms.account);
    return shared;
}

/* One that only waits has none. */
static int load_work(struct core *core, struct job *job, const struct job_row *row)
{
    if (!row->run && !row->output_bytes && !row->text.size)
        return 0;
    if (!job_work_get(core, job))
        return -ENOMEM;
    job->work->run_last = row->run;
    job->work->error = row->error;
    job->work->attempt = row->attempt;
    job->work->crashes = row->crashes;
    job->work->started_us = row->started_us;
    job->work->output_bytes = row->output_bytes;
    job_say_bytes(core, job, row->text);
    return 0;
}

static int load_fields(struct core *core, struct job *job, const struct job_row *row)
{
    job->id = row->id;
    job->cause = (uint8_t)row->cause;
    job->created_us = row->created_us;
    job->due_us = row->due_us;
    job->argument_bytes = (uint32_t)row->argument_bytes;
    int r = load_work(core, job, row);
    if (r == 0)
        r = job_set_deadline(core, job, INT64_MAX, row->deadline_us);
    if (r == 0)
        r = job_set_delays(core, job, row->jitter, row->delays);
    if (r == 0)
        r = row->state == JOB_BLOCKED ? after_set(core, job, row->after) : after_count(core, job, row->after);
    if (r < 0 || !row->once.size)
        return r;
    if (!job_parts(core, job))
        return -ENOMEM;
    job->parts->once = once_of_row(core, row);
    return job->parts->once ? 0 : -ENOMEM;
}

static const char *load_fault(const struct core *core, const struct job_row *row)
{
    if (row->id <= core->jobs->id_last)
        return "its id is not greater than that of the job before";
    if (row->state == JOB_NONE || row->state == JOB_RUNNING || row->state >= JOB_STATES)
        return "its state cannot be stored";
    if (row->priority >= PRIORITIES || row->key.size > NAME_BYTES_MAX)
        return "its priority or key is out of range";
    if (row->delays.size % sizeof(uint64_t) || row->jitter > 100)
        return "its delays are not what this program wrote";
    if (row->after.size % sizeof(uint64_t) || (row->state == JOB_BLOCKED && !row->after.size))
        return "the jobs it comes after are not what this program wrote";
    return NULL;
}

struct job *job_of_row(struct core *core, const struct job_row *row)
{
    const struct terms *terms = load_terms(core, row);
    struct lane *lane =
        terms ? lane_load(core, row->queue, row->plugin, row->function, row->key, row->priority) : NULL;
    struct job *job = lane ? job_new(core, terms, lane) : NULL;

    if (lane)
        lane_drop(core, lane);
    terms_drop(core, terms);
    return job && load_fields(core, job, row) < 0 ? job_delete(core, job) : job;
}

int jobs_load(struct core *core, const struct job_row *row, const char **why)
{
    *why = load_fault(core, row);
    if (*why)
        return -EINVAL;
    core->jobs->id_last = row->id;
    if (row->state >= JOB_DONE) {
        retention_add(core, row);
        return 0;
    }
    *why = "out of memory";
    bool room = job_index_reserve(core, &core->jobs->index, 1) == 0 && once_reserve(core, 1) == 0;
    struct job *job = room ? job_of_row(core, row) : NULL;
    if (!job || after_reserve(core, job) < 0) {
        job_delete(core, job);
        return -ENOMEM;
    }
    if (job->parts && job->parts->once)
        once_take(core, &job->parts->once, job->id);
    job->terms->account->used[SLOT_JOBS]++; /* it was within the limit when it was admitted */
    job->charged = true;
    job_restore(core, job, row->state);
    after_link(core, job);
    return 0;
}

/* ---- turns ---- */

static int64_t mono_of(const struct core *core, int64_t wall_us)
{
    int64_t left_us = wall_us - core->now.wall_ns / 1000;

    return left_us > 0 ? time_after(core->now.mono_ns, left_us * 1000) : core->now.mono_ns;
}

/* How long it has waited counts on after a restart. */
static int64_t since(const struct core *core, const struct job *job)
{
    int64_t age_ns = core->now.wall_ns - job->created_us * 1000;

    return core->now.mono_ns - (age_ns > 0 ? age_ns : 0);
}

/* The first step is the first to know the time: what was loaded takes its place now. */
static void start(struct core *core)
{
    struct bytes none = {0};
    struct job *job;

    core->jobs->started = true;
    core->jobs->ticket_last = INT64_MIN;
    retention_sort(core);
    kept_start(core);
    pools_soon(core);
    for (size_t at = 0; (job = job_walk(core, &at));) {
        if (job->state == JOB_SCHEDULED || (job->state == JOB_BLOCKED && job->due_us))
            job->due_ns = mono_of(core, job->due_us);
        if (job->parts && job->parts->deadline_us)
            job->parts->deadline_ns = mono_of(core, job->parts->deadline_us);
        job_arm(core, job);
        job_stamp(core, job, since(core, job));
        if (job->cause == CAUSE_CANCELED &&
            job_end(core, job, JOB_CANCELLED, CAUSE_CANCELED, -ECANCELED, none) == 0)
            continue;
        if (job->state == JOB_BLOCKED && !after_blocks(job))
            job_unblock(core, job);
        else
            job_line_up(core, job);
    }
    schedules_start(core);
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

    core->jobs->draining = core->jobs->room = true;
    list_each_safe (host, after, &core->jobs->hosts, link)
        host_drain(core, host, false);
}

void jobs_turn(struct core *core)
{
    if (!core->jobs->started)
        start(core);
    schedules_turn(core);
    runs_turn(core);
    contexts_sweep(core); /* those of the runs that have just ended */
    after_turn(core);
    retention_turn(core);
    purge_turn(core);
    pools_turn(core);
    dispatch(core);
    workers_turn(core);
    rooms_turn(core);
    drain_turn(core);
    tell_drained(core);
}

/* A job outlives the scope that submitted it (IP4); none hangs on it. */
void jobs_scope_end(struct core *core, struct scope *scope)
{
    recordings_scope_end(core, scope);
}

static uint64_t broken(const struct jobs *jobs)
{
    const struct queue *queue;
    uint64_t n = 0;

    list_each (queue, &jobs->queues, link)
        n += queue->broken;
    return n;
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
        {"jobs.dead_kept", jobs->retained.dead.n},
        {"hosts.started", jobs->host_starts},
        {"hosts.crashed", jobs->crashes},
        {"hosts.out_of_memory", jobs->out_of_memory},
        {"plugins", jobs->plugins_n},
        {"workers", jobs->outside.hosts},
        {"breakers.open", broken(jobs)},
    };

    for (size_t i = 0; i < sizeof(stats) / sizeof(*stats); i++)
        say(context, stats[i].name, stats[i].value);
    schedules_stats(core, say, context);
    feeds_stats(core, say, context);
}

void jobs_check(const struct core *core)
{
    const struct job *job;
    uint64_t states[JOB_STATES] = {0}, running = 0, kept_bytes = 0;

    for (size_t at = 0; (job = job_walk(core, &at));) {
        job_check(core, job);
        states[job->state]++;
        running += job_run(job) != NULL;
        kept_bytes += job->kept ? job->body_size : 0;
    }
    for (int i = JOB_SCHEDULED; i < JOB_STATES; i++)
        assert(states[i] == core->jobs->states[i] && "jobs of each state are counted");
    assert(running == core->jobs->runs && "runs are counted");
    assert(kept_bytes == core->jobs->kept_bytes && kept_bytes <= core->limits.arguments_kept_bytes &&
           "arguments in memory are counted and limited");
    queue_check(core);
    host_check(core);
    workers_check(core);
    schedules_check(core);
    feeds_check(core);
    pools_check(core);
}
