/* The objects of schedules: see schedule.h. */
#include "schedule.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* ---- birth and death ---- */

static int keep_argument(struct core *core, struct schedule *s, struct bytes argument)
{
    s->argument = argument.size ? core_alloc(core, argument.size) : NULL;
    if (argument.size && !s->argument)
        return -ENOMEM;
    if (argument.size)
        memcpy(s->argument, argument.data, argument.size);
    s->argument_size = (uint32_t)argument.size;
    return 0;
}

struct schedule *schedule_new(struct core *core, struct account *account, const struct schedule_row *row,
                              struct bytes argument)
{
    struct schedule *s = core_alloc(core, sizeof(*s) + schedule_row_bytes(row));

    if (!s)
        return NULL;
    if (keep_argument(core, s, argument) < 0 || timers_reserve(core) < 0) {
        core_free(core, s->argument);
        core_free(core, s);
        return NULL;
    }
    list_init(&s->link);
    s->account = account_ref(account);
    s->row = *row;
    s->stored = row->progress;
    schedule_row_keep(&s->row, (char *)(s + 1));
    return s;
}

struct schedule *schedule_delete(struct core *core, struct schedule *s)
{
    if (!s)
        return NULL;
    schedule_delete(core, s->replaced);
    list_remove(&s->link);
    timer_disarm(core, &s->timer);
    timers_unreserve(core);
    if (s->charged)
        account_release(s->account, SLOT_SCHEDULES, 1);
    if (s->lane)
        lane_drop(core, s->lane);
    if (s->place)
        zone_drop(core, s->place);
    account_drop(core, s->account);
    core_free(core, s->argument);
    core_free(core, s);
    return NULL;
}

/* ---- the table ---- */

static uint64_t hash_of(const struct core *core, struct bytes name)
{
    return core_hash(core, name.data, name.size);
}

struct schedule *schedule_find(const struct core *core, struct bytes name)
{
    struct map_node *n = map_first(&core->jobs->schedules->by_name, hash_of(core, name));

    while (n && name_order(map_entry(n, struct schedule, node)->row.name, name) != 0)
        n = map_next(n);
    return n ? map_entry(n, struct schedule, node) : NULL;
}

int schedule_reserve(struct core *core)
{
    return map_reserve(core, &core->jobs->schedules->by_name, 1);
}

void schedule_add(struct core *core, struct schedule *s)
{
    map_add(&core->jobs->schedules->by_name, &s->node, hash_of(core, s->row.name));
}

void schedule_remove(struct core *core, struct schedule *s)
{
    map_remove(&core->jobs->schedules->by_name, &s->node);
    timer_disarm(core, &s->timer);
}

void schedule_say(struct schedule *s, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    size_t n = text_writev(s->trouble, sizeof(s->trouble) - 1, format, arguments);
    va_end(arguments);
    s->trouble[n] = 0;
}

const char *schedule_fault(const struct schedule *s)
{
    if (s->unread)
        return "its text is no schedule of this version: set it anew";
    if (s->place->zone)
        return NULL;
    return s->place->error ? s->place->trouble : "its zone is being read";
}

/* ---- time ---- */

static int64_t anchor(const struct core *core)
{
    return core->now.wall_ns - core->now.mono_ns;
}

static int64_t due_ns(const struct schedule *s)
{
    int64_t next = schedule_fault(s) || s->row.paused
                       ? 0
                       : cron_next(&s->cron, s->place->zone, s->row.progress.cursor_ns);

    return next > 0 ? next : 0;
}

/* Moments that have been do not come again, unless the clock on the wall went so far back that its owner cannot have meant to
 * wait, while the daemon ran or while it did not. The store is told: what is missed from here on is made up for after a
 * restart. 0 or -ENOMEM. */
static int go_back(struct core *core, struct schedule *s)
{
    struct schedule_row moved = s->row;

    if (moved.progress.cursor_ns <= time_after(core->now.wall_ns, CLOCK_SET_BACK_NS))
        return 0;
    moved.progress.cursor_ns = core->now.wall_ns;
    if (!core_record_of(core, RECORD_SCHEDULE_MOVE, NULL, &moved, (struct bytes){0}))
        return -ENOMEM;
    s->row.progress.cursor_ns = s->stored.cursor_ns = core->now.wall_ns;
    return 0;
}

void schedule_arm(struct core *core, struct schedule *s)
{
    int64_t left;

    if (!s->pending && !s->shelved && !s->row.paused && go_back(core, s) < 0) {
        s->next_ns = 0;
        return timer_arm(core, &s->timer, time_after(core->now.mono_ns, RETRY_NS), schedule_fire);
    }
    s->next_ns = s->pending || s->shelved ? 0 : due_ns(s);
    if (!s->next_ns)
        return timer_disarm(core, &s->timer);
    left = s->next_ns - core->now.wall_ns;
    timer_arm(core, &s->timer, time_after(core->now.mono_ns, left > 0 ? left : 0), schedule_fire);
}

/* The clock on the wall was set: every timer stands elsewhere. */
static void clock_moved(struct core *core)
{
    struct schedules *all = core->jobs->schedules;
    struct map_node *n = NULL;

    all->anchor_ns = anchor(core);
    while ((n = map_walk(&all->by_name, n)))
        schedule_arm(core, map_entry(n, struct schedule, node));
}

/* Wakes the core, so that it sees the wall clock, and looks for zones that could not be read. */
static void look(struct core *core, struct timer *timer)
{
    struct schedules *all = core->jobs->schedules;
    struct zone_place *place;

    list_each (place, &all->zones, link)
        if (!place->zone)
            zone_ask(core, place); /* out of memory: the next time */
}

void schedules_turn(struct core *core)
{
    struct schedules *all = core->jobs->schedules;
    int64_t moved = anchor(core) - all->anchor_ns;

    if (!all->by_name.count)
        return timer_disarm(core, &all->look);
    if (moved > CLOCK_JUMP_NS || moved < -CLOCK_JUMP_NS)
        clock_moved(core);
    if (!timer_armed(&all->look))
        timer_arm(core, &all->look, time_after(core->now.mono_ns, SCHEDULE_LOOK_NS), look);
}

/* ---- the store ---- */

void schedule_pend(struct core *core, struct schedule *s, uint64_t batch)
{
    s->pending = batch;
    list_remove(&s->link);
    list_append(&core->jobs->schedules->pending, &s->link);
    schedule_arm(core, s);
}

/* Its SET never was: the one before is as it was. */
static void take_back(struct core *core, struct schedule *s)
{
    struct schedule *before = s->replaced;

    s->replaced = NULL;
    schedule_remove(core, s);
    if (before) {
        before->shelved = false;
        schedule_add(core, before); /* in the place that is free now */
        schedule_arm(core, before);
    }
    schedule_delete(core, s);
}

/* Its runs never were: the moments are still to come. */
static void run_again(struct core *core, struct schedule *s, int error)
{
    s->row.progress = PLANTED(LOST_MOMENT) ? s->row.progress : s->stored;
    schedule_say(s, "the store refused its last run: %s", strerror(-error));
    s->next_ns = s->shelved ? 0 : due_ns(s);
    if (s->next_ns)
        timer_arm(core, &s->timer, time_after(core->now.mono_ns, SCHEDULE_AGAIN_NS), schedule_fire);
}

static void settle(struct core *core, struct schedule *s)
{
    s->stored = s->row.progress;
    s->fresh = false;
    if (!s->charged) {
        s->charged = true; /* as the one before was */
        s->replaced->charged = false;
    }
    s->replaced = schedule_delete(core, s->replaced);
    schedule_arm(core, s);
}

void schedules_stored(struct core *core, uint64_t first, uint64_t last, int error)
{
    struct schedule *s, *after;

    list_each_safe (s, after, &core->jobs->schedules->pending, link) {
        bool failed = error && s->pending >= first;

        if (s->pending > last)
            break;
        list_remove(&s->link);
        s->pending = 0;
        if (failed && s->fresh)
            take_back(core, s);
        else if (failed)
            run_again(core, s, error);
        else
            settle(core, s);
    }
    schedules_go_on(core, NULL, 0, (struct bytes){0}); /* a SET may have waited for that */
}

/* ---- life of all ---- */

int schedules_init(struct core *core)
{
    struct schedules *all = core_alloc(core, sizeof(*all));

    if (!all)
        return -ENOMEM;
    core->jobs->schedules = all;
    list_init(&all->pending);
    list_init(&all->setting);
    list_init(&all->zones);
    return timers_reserve(core); /* for `look` */
}

void schedules_free(struct core *core)
{
    struct schedules *all = core->jobs->schedules;
    struct schedule *s;
    struct map_node *n;

    if (!all)
        return;
    while ((s = list_first(&all->setting, struct schedule, link)))
        schedule_delete(core, s);
    while ((n = map_walk(&all->by_name, NULL))) {
        s = map_entry(n, struct schedule, node);
        map_remove(&all->by_name, n);
        schedule_delete(core, s);
    }
    map_free(core, &all->by_name);
    timer_disarm(core, &all->look);
    core_free(core, all);
    core->jobs->schedules = NULL;
}

static const char *load_fault(const struct core *core, const struct schedule_row *row)
{
    if (name_check(row->name) < 0 || name_check(row->function) < 0 || name_check(row->queue) < 0)
        return "its name, function or queue is no name";
    if (row->zone.size > ZONE_NAME_BYTES_MAX || !row->plugin.size || row->priority >= PRIORITIES ||
        row->key.size > NAME_BYTES_MAX || row->jitter > 100 || row->delays.size % sizeof(uint64_t))
        return "its zone, plugin, priority, key, jitter or list of delays is out of range";
    return schedule_find(core, row->name) ? "another one has its name" : NULL;
}

static struct schedule *load_one(struct core *core, const struct schedule_row *row, struct bytes argument)
{
    struct account *account = schedule_reserve(core) < 0 ? NULL : account_get(core, row->uid);
    struct schedule *s = account ? schedule_new(core, account, row, argument) : NULL;

    account_drop(core, account);
    if (!s)
        return NULL;
    s->place = zone_get(core, row->zone);
    s->lane =
        s->place ? lane_load(core, row->queue, row->plugin, row->function, row->key, row->priority) : NULL;
    return s->lane ? s : schedule_delete(core, s);
}

int jobs_load_schedule(struct core *core, const struct schedule_row *row, struct bytes argument,
                       const char **why)
{
    char words[CRON_ERROR_BYTES];

    *why = load_fault(core, row);
    if (*why)
        return -EINVAL;
    *why = "out of memory";
    struct schedule *s = load_one(core, row, argument);
    if (!s)
        return -ENOMEM;
    s->account->used[SLOT_SCHEDULES]++; /* it was within the limit when it was set */
    s->charged = true;
    s->unread = cron_parse(s->row.spec, &s->cron, words) < 0;
    schedule_add(core, s);
    return 0;
}

void schedules_start(struct core *core)
{
    struct schedules *all = core->jobs->schedules;
    struct zone_place *place;
    struct map_node *n = NULL;

    all->anchor_ns = anchor(core);
    list_each (place, &all->zones, link)
        zone_ask(core, place); /* out of memory: `look` asks */
    while ((n = map_walk(&all->by_name, n)))
        schedule_arm(core, map_entry(n, struct schedule, node));
}

uint64_t schedules_charged(const struct core *core, const struct account *account)
{
    const struct schedules *all = core->jobs->schedules;
    const struct schedule *s;
    uint64_t used = 0;

    list_each (s, &all->setting, link)
        used += s->account == account && s->charged;
    for (struct map_node *n = map_walk(&all->by_name, NULL); n; n = map_walk(&all->by_name, n))
        for (s = map_entry(n, struct schedule, node); s; s = s->replaced)
            used += s->account == account && s->charged;
    return used;
}

static void schedule_check(const struct schedule *s)
{
    assert((s->pending != 0) == list_linked(&s->link) && (!s->fresh || s->pending) &&
           "a schedule waits for the store exactly while it has something there");
    assert((!timer_armed(&s->timer) || (!s->pending && !s->row.paused)) &&
           "no moment is looked at while the schedule is held or the last one not settled");
    assert(s->row.progress.cursor_ns >= s->stored.cursor_ns &&
           "a schedule is never behind what the store has of it");
}

void schedules_check(const struct core *core)
{
    const struct schedules *all = core->jobs->schedules;
    const struct zone_place *place;
    const struct schedule *s;
    uint64_t users = 0, found = 0;

    for (struct map_node *n = map_walk(&all->by_name, NULL); n; n = map_walk(&all->by_name, n)) {
        s = map_entry(n, struct schedule, node);
        schedule_check(s);
        found += s->replaced ? 2 : 1;
    }
    list_each (s, &all->setting, link)
        found++;
    list_each (place, &all->zones, link)
        users += place->users;
    assert(users == found && "a zone knows how many need it");
}

void schedules_stats(const struct core *core, void (*say)(void *context, const char *name, uint64_t value),
                     void *context)
{
    const struct schedules *all = core->jobs->schedules;

    say(context, "schedules", all->by_name.count);
    say(context, "schedules.runs", all->runs);
    say(context, "schedules.skipped", all->skipped);
}
