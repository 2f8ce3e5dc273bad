/*
 * A moment of a schedule has come. Of all that are due by now its policy says which have a run; whatever it decides, the
 * cursor goes past them in the record that says so.
 *
 * Nothing is decided while the daemon or the queue takes no jobs, or when a limit or memory is in the way: the moments stay
 * due, and are missed ones when that is over.
 */
#include <errno.h>
#include <string.h>

#include "job_admit.h"
#include "job_defaults.h"
#include "schedule.h"

/* The moments that are due. */
struct due {
    int64_t first, last;
};

static bool find_due(const struct core *core, const struct schedule *s, struct due *due)
{
    const struct zone *zone = s->place->zone;
    int64_t now = core->now.wall_ns;

    if (schedule_fault(s) || s->row.paused)
        return false;
    due->first = cron_next(&s->cron, zone, s->row.progress.cursor_ns);
    if (due->first < 0 || due->first > now)
        return false;
    due->last = cron_last(&s->cron, zone, due->first - 1, now);
    return true;
}

/* ---- whether ---- */

static bool last_run_goes_on(const struct core *core, const struct schedule *s)
{
    const struct job *job = job_find(core, s->row.progress.last_job);

    return job && !job_ended(job) && !PLANTED(OVERLAPPING_RUN);
}

/* Rights may have changed since it was set. */
static bool may_submit(const struct core *core, const struct schedule *s)
{
    struct right_want wants[RIGHT_WANTS_MAX];
    size_t n = rights_of_submit(s->row.queue, s->row.plugin, s->row.function, wants);

    for (size_t i = 0; i < n; i++)
        if (!account_may(core, s->account, &wants[i]))
            return false;
    return true;
}

static bool too_late(const struct core *core, const struct schedule *s, const struct due *due)
{
    int64_t late_ns = (int64_t)core->limits.schedule_late_s * 1000000000;

    return s->row.missed == MISSED_SKIP && core->now.wall_ns - due->last > late_ns;
}

/* Why that is not decided yet; NULL: it is. */
static const char *obstacle(const struct core *core, const struct schedule *s)
{
    if (jobs_closed(core))
        return "the daemon takes no job";
    return gate_takes(core, s->lane->queue) ? NULL : "its queue is paused and takes no job";
}

/* Why what is due has no run; NULL: it has. */
static const char *objection(const struct core *core, const struct schedule *s, const struct due *due)
{
    if (too_late(core, s, due))
        return "its last moment passed while it could not submit";
    if (s->row.overlap == OVERLAP_SKIP && last_run_goes_on(core, s))
        return "its last job had not ended when it was due again";
    return may_submit(core, s) ? NULL : "whoever set it may not submit this any more";
}

/* ---- which ---- */

/* The first moment of those that have a run of their own. */
static int64_t first_run(const struct core *core, const struct schedule *s, const struct due *due)
{
    uint64_t bound = core->limits.schedule_missed_max;
    uint64_t most = s->row.missed_most && s->row.missed_most < bound ? s->row.missed_most : bound;
    int64_t at = due->last;

    if (s->row.missed != MISSED_ALL || s->row.overlap == OVERLAP_SKIP)
        return at;
    for (uint64_t i = 1; i < most && at > due->first; i++)
        at = cron_last(&s->cron, s->place->zone, due->first - 1, at - 1);
    return at;
}

/* ---- the jobs ---- */

static struct job *new_job(struct core *core, const struct schedule *s)
{
    const struct schedule_row *row = &s->row;
    const struct terms *terms = terms_get(core, &(struct terms){.account = s->account,
                                                                .backoff_ns = row->backoff_ns,
                                                                .backoff_max_ns = row->backoff_max_ns,
                                                                .time_limit_ns = row->time_limit_ns,
                                                                .grace_ns = row->grace_ns,
                                                                .attempts_max = row->attempts_max});
    struct job *job = terms ? job_new(core, terms, s->lane) : NULL;

    terms_drop(core, terms); /* the job has a reference of its own */
    return job;
}

static int set_argument(struct core *core, struct job *job, const struct schedule *s)
{
    if (!s->argument_size)
        return 0;
    job->body = core_alloc(core, s->argument_size);
    if (!job->body)
        return -ENOMEM;
    memcpy(job->body, s->argument, s->argument_size);
    job->body_size = s->argument_size;
    return 0;
}

static int64_t from_now(const struct core *core, int64_t in_ns)
{
    return in_ns ? time_after(core->now.mono_ns, in_ns) : INT64_MAX;
}

static struct job *make_job(struct core *core, const struct schedule *s)
{
    struct job *job = new_job(core, s);
    int r = job ? set_argument(core, job, s) : -ENOMEM;

    if (r == 0)
        r = job_set_deadline(core, job, from_now(core, s->row.deadline_in_ns), 0);
    if (r == 0)
        r = job_set_delays(core, job, s->row.jitter, s->row.delays);
    if (r == 0)
        r = job_set_defaults(core, job);
    if (r < 0)
        return job_delete(core, job);
    job->due_ns = from_now(core, s->row.delay_ns);
    return job;
}

/* Its job for this moment and its cursor past that, in one record. Only the first of some may take the place of other jobs:
 * the news of their end would part the records of these. */
static int run_at(struct core *core, struct schedule *s, int64_t at_ns, uint64_t *batch)
{
    struct schedule_row moved = s->row;
    struct job *job = make_job(core, s);
    int r = job ? account_charge(core, s->account, SLOT_JOBS, 1) : -ENOMEM;

    if (r == 0) {
        job->charged = true;
        r = room_find(core, job, *batch == 0); /* last: it may drop jobs of others */
    }
    if (r == 0) {
        moved.progress.cursor_ns = moved.progress.last_ns = at_ns;
        moved.progress.runs++;
        r = job_admit_of(core, job, PLANTED(PARTED_RUN) ? NULL : &moved);
    }
    if (r < 0) {
        job_delete(core, job);
        return r;
    }
    s->row.progress = moved.progress;
    *batch = job->work->batch;
    core->jobs->schedules->runs++;
    return 0;
}

/* The file may have changed: the next run is of what it is now, if that is known in time. */
static void look_at_plugin(struct core *core, struct schedule *s)
{
    struct function *function = s->lane->function;

    if (plugin_stale(core, function->plugin, function))
        plugin_ask(core, function->plugin, s->account->uid); /* out of memory: the run after */
}

/* Something is in the way: the moments are looked at again. */
static void again(struct core *core, struct schedule *s, int64_t in_ns)
{
    timer_arm(core, &s->timer, time_after(core->now.mono_ns, in_ns), schedule_fire);
}

static void submit_from(struct core *core, struct schedule *s, int64_t at, int64_t last)
{
    uint64_t batch = 0;
    int r = 0;

    for (; r == 0 && at > 0 && at <= last; at = cron_next(&s->cron, s->place->zone, at))
        r = run_at(core, s, at, &batch);
    s->trouble[0] = 0;
    if (r < 0)
        schedule_say(s, "its job could not be submitted: %s", strerror(-r));
    if (!batch)
        return again(core, s, r == -ENOMEM ? RETRY_NS : SCHEDULE_AGAIN_NS);
    schedule_pend(core, s, batch); /* what is left comes when the store has that */
    look_at_plugin(core, s);
}

/* Nothing comes of what is due. */
static void pass_over(struct core *core, struct schedule *s, int64_t last, const char *why)
{
    struct schedule_row moved = s->row;

    moved.progress.cursor_ns = last;
    moved.progress.skipped++;
    if (!core_record_of(core, RECORD_SCHEDULE_MOVE, NULL, &moved, (struct bytes){0}))
        return again(core, s, RETRY_NS);
    s->row.progress = s->stored = moved.progress;
    core->jobs->schedules->skipped++;
    schedule_say(s, "%s", why);
    schedule_arm(core, s);
}

void schedule_fire(struct core *core, struct timer *timer)
{
    struct schedule *s = container_of(timer, struct schedule, timer);
    struct due due;

    if (!find_due(core, s, &due))
        return schedule_arm(core, s);
    const char *why = obstacle(core, s);
    if (why) {
        schedule_say(s, "%s", why);
        return again(core, s, SCHEDULE_AGAIN_NS);
    }
    why = objection(core, s, &due);
    if (why)
        return pass_over(core, s, due.last, why);
    submit_from(core, s, first_run(core, s, &due), due.last);
}
