/*
 * What clients ask of schedules. A SET is checked and made, then waits in `setting` until its zone was read, its plugin looked
 * at, and the store has reported on the runs of the one before, which it goes on counting; it names its operation by session
 * and number, as an admission does (submit.c), and is dropped without it.
 * While another change of a schedule waits or is on its way to the store, who wants a further one is told to come back.
 */
#include <errno.h>
#include <string.h>

#include "name_page.h"
#include "schedule.h"
#include "submit.h"

/* ---- finding ---- */

static struct schedule *find_setting(const struct core *core, struct bytes name)
{
    struct schedule *s;

    list_each (s, &core->jobs->schedules->setting, link)
        if (name_order(s->row.name, name) == 0)
            return s;
    return NULL;
}

static bool may_touch(const struct core *core, const struct op *op, const struct schedule *s)
{
    const struct account *who = op->scope->account;

    return who == s->account || who->uid == 0 || who->uid == core->owner;
}

static int refuse_busy(struct core *core, struct op *op, struct bytes name)
{
    op_fail(core, op, -EBUSY, "another change of schedule %.*s is under way: try again", (int)name.size,
            (const char *)name.data);
    return -EBUSY;
}

/* The one of that name, to be changed; NULL in *out: there is none. 0, -EBUSY, -EPERM: the operation has failed. */
static int pick(struct core *core, struct op *op, struct bytes name, struct schedule **out)
{
    struct schedule *s = *out = schedule_find(core, name);

    if (find_setting(core, name) || (s && s->fresh))
        return refuse_busy(core, op, name);
    if (!s || may_touch(core, op, s))
        return 0;
    op_fail(core, op, -EPERM, "schedule %.*s is another user's", (int)name.size, (const char *)name.data);
    return -EPERM;
}

/* The same of one that must be there. */
static int pick_there(struct core *core, struct op *op, struct bytes name, struct schedule **out)
{
    int r = name_check(name);

    if (r < 0)
        return r;
    r = pick(core, op, name, out);
    if (r < 0 || *out)
        return r;
    op_fail(core, op, -ENOENT, "no schedule %.*s", (int)name.size, (const char *)name.data);
    return -ENOENT;
}

/* ---- SET: checks ---- */

static struct request_submit submit_of(const struct request_schedule_set *set)
{
    return (struct request_submit){
        .plugin = set->plugin,
        .function = set->function,
        .argument = set->argument,
        .queue = set->queue,
        .attempts_max = set->attempts_max,
        .backoff_ns = set->backoff_ns,
        .backoff_max_ns = set->backoff_max_ns,
        .time_limit_ns = set->time_limit_ns,
        .grace_ns = set->grace_ns,
        .deadline_in_ns = set->deadline_in_ns,
        .delay_ns = set->delay_ns,
        .priority = set->priority,
        .key = set->key,
        .jitter = set->jitter,
        .delays_ns = set->delays_ns,
        .delays_ns_n = set->delays_ns_n,
    };
}

static int check_sizes(struct core *core, struct op *op, const struct request_schedule_set *set)
{
    if (name_check(set->name) < 0) {
        op_fail(core, op, -EINVAL, "a schedule's name has 1 to %d bytes of A-Z a-z 0-9 _ . : / -",
                NAME_BYTES_MAX);
        return -EINVAL;
    }
    if (set->zone.size > ZONE_NAME_BYTES_MAX) {
        op_fail(core, op, -E2BIG, "a zone of %zu bytes: at most %d", set->zone.size, ZONE_NAME_BYTES_MAX);
        return -E2BIG;
    }
    if (set->argument.size <= core->limits.schedule_bytes_max)
        return 0;
    op_fail(core, op, -E2BIG, "an argument of %zu bytes: schedule_bytes_max is %llu", set->argument.size,
            (unsigned long long)core->limits.schedule_bytes_max);
    return -E2BIG;
}

static int check_policy(struct core *core, struct op *op, const struct request_schedule_set *set)
{
    if (set->missed <= MISSED_ALL && set->overlap <= OVERLAP_SKIP &&
        !(set->flags & ~(uint32_t)SCHEDULE_PAUSED) && set->missed_most <= core->limits.schedule_missed_max)
        return 0;
    op_fail(core, op, -EINVAL,
            "policies: missed is 0 to %d, overlap 0 to %d, flags %d or 0, missed_most at most %llu",
            MISSED_ALL, OVERLAP_SKIP, SCHEDULE_PAUSED, (unsigned long long)core->limits.schedule_missed_max);
    return -EINVAL;
}

static int check_spec(struct core *core, struct op *op, struct bytes spec, struct cron *cron)
{
    char words[CRON_ERROR_BYTES] = "";
    int r = cron_parse(spec, cron, words);

    if (r < 0)
        op_fail(core, op, r, "%s", words);
    return r;
}

/* A failed check has finished the operation. */
static int check(struct core *core, struct op *op, const struct request_schedule_set *set, struct cron *cron)
{
    struct request_submit submit = submit_of(set);
    int r = check_sizes(core, op, set);

    if (r == 0 && !set->plugin.size) {
        op_fail(core, op, -EINVAL, "a schedule names a plugin: jobs for workers have none");
        r = -EINVAL;
    }
    if (r == 0)
        r = check_policy(core, op, set);
    if (r == 0)
        r = check_spec(core, op, set->spec, cron);
    return r < 0 ? r : submit_check(core, op, &submit);
}

/* ---- SET: making ---- */

static struct schedule_row row_of(const struct core *core, const struct op *op,
                                  const struct request_schedule_set *set, const struct queue *queue,
                                  const struct schedule *before)
{
    struct schedule_row row = {
        .name = set->name,
        .spec = set->spec,
        .zone = set->zone.size ? set->zone : (struct bytes){"UTC", 3},
        .plugin = set->plugin,
        .function = set->function,
        .queue = {queue->name, queue->name_size},
        .key = set->key,
        .uid = op->scope->account->uid,
        .missed = set->missed,
        .missed_most = set->missed_most,
        .overlap = set->overlap,
        .paused = set->flags & SCHEDULE_PAUSED,
        .priority = set->priority,
        .attempts_max = set->attempts_max,
        .backoff_ns = set->backoff_ns,
        .backoff_max_ns = set->backoff_max_ns,
        .time_limit_ns = set->time_limit_ns,
        .grace_ns = set->grace_ns ? set->grace_ns : (int64_t)core->limits.grace_ms * 1000000,
        .deadline_in_ns = set->deadline_in_ns,
        .delay_ns = set->delay_ns,
        .jitter = set->jitter,
        .delays = {set->delays_ns, set->delays_ns_n * sizeof(*set->delays_ns)},
    };

    if (before)
        row.progress = before->row.progress;
    return row;
}

/* One that takes the place of another of this user is paid for already. */
static int charge(struct core *core, struct op *op, struct schedule *s, const struct schedule *before)
{
    if (before && before->account == s->account)
        return 0;
    int r = account_charge(core, s->account, SLOT_SCHEDULES, 1);
    s->charged = r == 0;
    if (r < 0)
        op_fail(core, op, r, "user %u has %llu schedules, as many as schedules_max allows", s->account->uid,
                (unsigned long long)s->account->used[SLOT_SCHEDULES]);
    return r;
}

/* Where its jobs will stand. */
static int set_lane(struct core *core, struct schedule *s, struct queue *queue,
                    const struct request_schedule_set *set)
{
    int r = -ENOMEM;
    struct plugin *plugin = plugin_get(core, set->plugin, &r);
    struct function *function = plugin ? function_get(core, plugin, set->function) : NULL;

    if (!function)
        return plugin ? -ENOMEM : r;
    s->lane = lane_get(core, queue, function, set->key, set->priority);
    if (s->lane)
        return 0;
    function_settle(core, function);
    return -ENOMEM;
}

static int make(struct core *core, struct op *op, const struct request_schedule_set *set, struct queue *queue,
                const struct schedule *before, struct schedule **out)
{
    struct schedule_row row = row_of(core, op, set, queue, before);
    struct schedule *s = schedule_new(core, op->scope->account, &row, set->argument);
    int r = s ? charge(core, op, s, before) : -ENOMEM;

    if (r == 0) {
        s->place = zone_get(core, row.zone);
        r = s->place ? set_lane(core, s, queue, set) : -ENOMEM;
    }
    if (r < 0) {
        schedule_delete(core, s);
        return r;
    }
    s->session = op->scope->session->secret;
    s->op = op->id;
    *out = s;
    return 0;
}

/* ---- SET: its end ---- */

/* What it leaves open is that of the function, as it is now; then that of the queue, as it is at each run. */
static void fill_policy(struct schedule *s)
{
    const struct function *function = s->lane->function;
    struct schedule_row *row = &s->row;

    if (!row->attempts_max && !row->delays.size)
        row->attempts_max = function->attempts_max;
    if (!row->backoff_ns && !row->delays.size)
        row->backoff_ns = function->backoff_ns;
    if (!row->time_limit_ns)
        row->time_limit_ns = function->time_limit_ns;
}

/* Into the table, in front of the one before. It is due after now. On failure nothing has happened. */
static int enter(struct core *core, struct op *op, struct schedule *s)
{
    struct schedule *before = schedule_find(core, s->row.name);

    if (before) /* it may have gone on meanwhile */
        s->row.progress = before->row.progress;
    s->row.progress.cursor_ns = core->now.wall_ns;
    s->stored = s->row.progress;
    fill_policy(s);
    if (schedule_reserve(core) < 0)
        return -ENOMEM;
    uint64_t batch = core_record_of(core, RECORD_SCHEDULE_SET, NULL, &s->row,
                                    (struct bytes){s->argument, s->argument_size});
    if (!batch)
        return -ENOMEM;
    if (before) {
        schedule_remove(core, before);
        before->shelved = true;
        s->replaced = before;
    }
    s->fresh = true;
    schedule_add(core, s);
    schedule_pend(core, s, batch);
    op_depends(op, batch);
    op_finish(core, op, 0);
    return 0;
}

static void refuse_set(struct core *core, struct op *op, const struct schedule *s, int error,
                       struct bytes text)
{
    const struct function *function = s->lane->function;

    if (error < 0)
        return op_fail(core, op, error, "%.*s", (int)text.size, (const char *)text.data);
    if (s->place->error < 0)
        return op_fail(core, op, s->place->error, "%s", s->place->trouble);
    op_fail(core, op, -ENOENT, "%.*s has no function %.*s", (int)function->plugin->path_size,
            function->plugin->path, (int)function->name_size, function->name);
}

/* Everything was looked at. It is in no list; whatever comes of it, it is not the caller's any more. */
static void conclude(struct core *core, struct op *op, struct schedule *s, int error, struct bytes text)
{
    bool good = error == 0 && s->place->error == 0 && s->lane->function->known;
    int r = 0;

    if (good && jobs_closed(core))
        submit_refuse_closed(core, op);
    else if (!good)
        refuse_set(core, op, s, error, text);
    else
        r = enter(core, op, s);
    if (r < 0)
        op_finish(core, op, r);
    if (!s->fresh)
        schedule_delete(core, s);
}

/* Zone and plugin were looked at, and what the one before has counted is settled. */
static bool may_go_on(const struct core *core, const struct schedule *s)
{
    const struct schedule *before = schedule_find(core, s->row.name);

    return !s->place->asked && !s->lane->function->plugin->asked && (!before || !before->pending);
}

/* Its operation, if that still waits. */
static struct op *setter(const struct core *core, const struct schedule *s)
{
    struct session *session = session_find(core, &s->session);
    struct op *op = session && !session->ended ? op_find(core, session, s->op) : NULL;

    return op && op->state == OP_PARKED && op->reason == WAIT_SCHEDULE && !op_gone(core, op) ? op : NULL;
}

void schedules_go_on(struct core *core, const struct plugin *plugin, int error, struct bytes text)
{
    struct schedule *s, *after;
    struct bytes none = {0};

    list_each_safe (s, after, &core->jobs->schedules->setting, link) {
        bool of_it = plugin && s->lane->function->plugin == plugin;
        bool failed = of_it && error < 0;
        struct op *op = setter(core, s);

        if (op && !failed && !may_go_on(core, s))
            continue;
        list_remove(&s->link);
        if (op)
            conclude(core, op, s, failed ? error : 0, failed ? text : none);
        else
            schedule_delete(core, s);
    }
}

/* Has zone and plugin looked at. On failure the schedule is gone. */
static int wait_for_looks(struct core *core, struct op *op, struct schedule *s)
{
    struct function *function = s->lane->function;
    int r = zone_ask(core, s->place);

    if (r == 0 && plugin_stale(core, function->plugin, function))
        r = plugin_ask(core, function->plugin, s->account->uid);
    if (r == 0 && may_go_on(core, s)) {
        conclude(core, op, s, 0, (struct bytes){0});
        return 0;
    }
    if (r == 0)
        r = op_park(core, op, WAIT_SCHEDULE);
    if (r < 0) {
        schedule_delete(core, s);
        return r;
    }
    list_append(&core->jobs->schedules->setting, &s->link);
    return 0;
}

int handle_schedule_set(struct core *core, struct op *op, const struct request *request)
{
    const struct request_schedule_set *set = &request->schedule_set;
    struct schedule *before = NULL, *s = NULL;
    struct cron cron;
    int r = check(core, op, set, &cron);

    if (r == 0)
        r = pick(core, op, set->name, &before);
    struct queue *queue = r == 0 ? submit_queue(core, op, set->queue) : NULL;
    if (!queue)
        return r;
    if (jobs_closed(core)) {
        submit_refuse_closed(core, op);
        return 0;
    }
    r = make(core, op, set, queue, before, &s);
    if (r < 0)
        return r;
    s->cron = cron;
    return wait_for_looks(core, op, s);
}

/* ---- the others ---- */

int handle_schedule_remove(struct core *core, struct op *op, const struct request *request)
{
    struct schedule *s;
    int r = pick_there(core, op, request->schedule_remove.name, &s);

    if (r < 0)
        return r;
    uint64_t batch = core_record_of(core, RECORD_SCHEDULE_DELETE, NULL, &s->row, (struct bytes){0});
    if (!batch)
        return -ENOMEM;
    schedule_remove(core, s);
    schedule_delete(core, s);
    op_depends(op, batch);
    return 0;
}

/* One that goes on has all moments up to now behind it. It has to wait for a run on its way to the store, which may refuse that:
 * no cursor on disk is ahead of a run that is not there. */
int handle_schedule_pause(struct core *core, struct op *op, const struct request *request)
{
    uint32_t paused = !request->schedule_pause.resume;
    struct schedule *s;
    int r = pick_there(core, op, request->schedule_pause.name, &s);

    if (r < 0 || s->row.paused == paused)
        return r;
    if (!paused && s->pending)
        return refuse_busy(core, op, s->row.name);
    struct schedule_row row = s->row;
    row.paused = paused;
    if (!paused && row.progress.cursor_ns < core->now.wall_ns)
        row.progress.cursor_ns = core->now.wall_ns;
    uint64_t batch = core_record_of(core, RECORD_SCHEDULE_PAUSE, NULL, &row, (struct bytes){0});
    if (!batch)
        return -ENOMEM;
    s->row.paused = paused;
    s->row.progress.cursor_ns = row.progress.cursor_ns;
    if (!paused)
        s->stored.cursor_ns = row.progress.cursor_ns;
    schedule_arm(core, s);
    op_depends(op, batch);
    return 1;
}

/* ---- LIST ---- */

static struct schedule_info info_of(const struct schedule *s)
{
    const struct schedule_row *row = &s->row;
    const char *fault = schedule_fault(s);
    const char *text = fault ? fault : s->trouble;

    return (struct schedule_info){
        .name = row->name,
        .spec = row->spec,
        .zone = row->zone,
        .missed = row->missed,
        .missed_most = row->missed_most,
        .overlap = row->overlap,
        .flags = (row->paused ? SCHEDULE_PAUSED : 0) | (fault ? SCHEDULE_BROKEN : 0),
        .uid = row->uid,
        .plugin = row->plugin,
        .function = row->function,
        .queue = row->queue,
        .text = {text, strlen(text)},
        .last_us = row->progress.last_ns / 1000,
        .next_us = s->next_ns / 1000,
        .runs = row->progress.runs,
        .skipped = row->progress.skipped,
        .last_job = row->progress.last_job,
    };
}

int handle_schedule_list(struct core *core, struct op *op, const struct request *request)
{
    const struct request_schedule_list *list = &request->schedule_list;
    struct name_page page;
    struct schedule_info *row;
    struct map_node *n = NULL;
    int r = name_page_new(core, &page, sizeof(*row), list->prefix, list->after, list->limit);

    if (r < 0)
        return r;
    while ((n = map_walk(&core->jobs->schedules->by_name, n))) {
        const struct schedule *s = map_entry(n, struct schedule, node);

        if (s->fresh)
            s = s->replaced; /* what is not stored yet is not told */
        row = s && may_touch(core, op, s) ? name_page_place(&page, s->row.name) : NULL;
        if (row)
            *row = info_of(s);
    }
    r = op_answer(
        core, op,
        &(struct result){.flags = name_page_flags(&page), .schedules = page.row, .schedules_n = page.n});
    core_free(core, page.row);
    return r;
}
