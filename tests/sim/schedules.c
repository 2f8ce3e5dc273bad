/*
 * What clients do with schedules: they set them with policies of all kinds, hold them, let them go on, remove and list them; now and
 * then they ask for what cannot be.
 */
#include "schedules.h"
#include "cron.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drain.h"

enum { NAME_BYTES = 16, BIG = 70000 };

static const char big[BIG];

static struct bytes words(const char *text)
{
    return (struct bytes){text, strlen(text)};
}

static struct bytes name_of(struct task *task, uint32_t name)
{
    task->text = sim_alloc(NAME_BYTES);
    task->slot = name;
    return (struct bytes){task->text, (size_t)snprintf(task->text, NAME_BYTES, "cron.%u", name)};
}

/* ---- SET ---- */

static struct plan draw_plan(struct sim *sim, uint32_t name)
{
    return (struct plan){
        .tag = ++sim->lives->tags,
        .name = name,
        .spec = sim_is_long(sim) ? SPECS_SHORT + (uint32_t)below(sim, SPECS - SPECS_SHORT)
                                 : (uint32_t)below(sim, chance(sim, 1, 4) ? SPECS : SPECS_SHORT),
        .place = (uint32_t)below(sim, PLACES),
        .missed = (uint32_t)below(sim, MISSED_ALL + 1),
        .most = (uint32_t)below(sim, 4),
        .overlap = (uint32_t)below(sim, OVERLAP_SKIP + 1),
        .queue = (uint32_t)below(sim, BRIEF),
    };
}

static void keep_plan(struct sim *sim, const struct plan *plan)
{
    struct schedule_book *book = sim->lives->schedules;

    book->plans = realloc(book->plans, sizeof(*book->plans) * (book->plans_n + 1));
    if (!book->plans)
        abort();
    book->plans[book->plans_n++] = *plan;
}

static struct request_schedule_set set_of(struct sim *sim, const struct plan *plan)
{
    static const uint64_t delays[] = {3 * MS, 1 * MS};
    static const char deeds[] = "oooofpcwsb";

    return (struct request_schedule_set){
        .spec = spec_text(plan->spec),
        .zone = plan->place ? place_name(plan->place) : (struct bytes){0},
        .missed = plan->missed,
        .missed_most = plan->most,
        .overlap = plan->overlap,
        .flags = chance(sim, 1, 8) ? SCHEDULE_PAUSED : 0,
        .plugin = words(chance(sim, 1, 2) ? "/p/0.so" : "/p/1.so"),
        .function = words("run"),
        .argument = {&deeds[below(sim, sizeof(deeds) - 1)], 1},
        .queue = plan->queue ? queue_name(plan->queue) : (struct bytes){0},
        .attempts_max = (uint32_t)below(sim, 3),
        .backoff_ns = chance(sim, 1, 2) ? 5 * MS : 0,
        .backoff_max_ns = chance(sim, 1, 2) ? 20 * MS : 0,
        .time_limit_ns = between(sim, 5 * MS, 50 * MS),
        .grace_ns = GRACE + (int64_t)plan->tag,
        .deadline_in_ns = chance(sim, 1, 6) ? between(sim, 10 * MS, 10 * S) : 0,
        .delay_ns = chance(sim, 1, 6) ? between(sim, 1 * MS, 20 * S) : 0,
        .priority = (uint32_t)below(sim, 10),
        .key = {"key", chance(sim, 1, 2) ? 3 : 0},
        .jitter = chance(sim, 1, 4) ? 50 : 0,
        .delays_ns = delays,
        .delays_ns_n = chance(sim, 1, 4) ? 2 : 0,
    };
}

/* Nothing of this may be set. */
static void spoil(struct sim *sim, struct request_schedule_set *set)
{
    static const char *const specs[] = {
        "",           "* * * *",     "60 * * * *", "* * 30 2 *",       "@every 1ms",
        "@sometimes", "5-1 * * * *", "a * * * *",  "@every 99999999h", "*/0 * * * *",
        "@every",     "@daily x",    "@every 1.h", "@every .5s1",      "* ? * * *"};

    switch (below(sim, 14)) {
    case 0:
        set->plugin = (struct bytes){0};
        break;
    case 1:
        set->name = words("white space");
        break;
    case 2:
        set->zone = (struct bytes){big, ZONE_NAME_BYTES_MAX + 1};
        break;
    case 3:
        set->argument = (struct bytes){big, BIG};
        break;
    case 4:
        set->missed = MISSED_ALL + 1;
        break;
    case 5:
        set->queue = words("nobody");
        break;
    case 6:
        set->jitter = 101;
        break;
    case 7:
        set->zone = words("No/where");
        break;
    case 8:
        set->plugin = words("/p/bad.so");
        break;
    case 9:
        set->function = words("none");
        break;
    case 10:
        set->spec = (struct bytes){big, CRON_TEXT_BYTES_MAX + 1};
        break;
    default:
        set->spec = words(specs[below(sim, sizeof(specs) / sizeof(*specs))]);
        break;
    }
}

static void set_schedule(struct client *client, uint32_t name)
{
    struct sim *sim = client->sim;
    struct task *task = task_new(client, VERB_SCHEDULE_SET);
    struct plan plan = draw_plan(sim, name);
    struct request_schedule_set *set = &task->op.request.schedule_set;

    *set = set_of(sim, &plan);
    set->name = name_of(task, name);
    if (chance(sim, 1, 6))
        spoil(sim, set);
    else
        keep_plan(sim, &plan);
    work_until(task);
    task_start(task);
}

/* ---- the others ---- */

static struct task *remove_task(struct client *client, uint32_t name)
{
    struct task *task = task_new(client, VERB_SCHEDULE_REMOVE);

    task->op.request.schedule_remove.name = name_of(task, name);
    return task;
}

static void hold(struct client *client, uint32_t name)
{
    struct task *task = task_new(client, VERB_SCHEDULE_PAUSE);
    bool paused = client->sim->lives->schedules->of[name].paused;

    task->op.request.schedule_pause.name = name_of(task, name);
    task->op.request.schedule_pause.resume = paused ? chance(client->sim, 5, 6) : chance(client->sim, 1, 3);
    task_start(task);
}

static void list_some(struct client *client)
{
    struct sim *sim = client->sim;
    struct task *task = task_new(client, VERB_SCHEDULE_LIST);

    task->op.request.schedule_list =
        (struct request_schedule_list){.prefix = {"cron.1", below(sim, 7)},
                                       .after = {"cron.1", chance(sim, 1, 3) ? 6 : 0},
                                       .limit = (uint32_t)below(sim, 3)};
    task_start(task);
}

/* Most live for a while where time is long. */
void work_schedule(struct client *client)
{
    struct sim *sim = client->sim;
    uint32_t name = (uint32_t)below(sim, SCHEDULES);
    bool there = sim->lives->schedules->of[name].there;

    if (!there && chance(sim, 3, 4))
        set_schedule(client, name);
    else if (chance(sim, 1, 2))
        list_some(client);
    else if (chance(sim, 2, 3))
        hold(client, name);
    else if (!sim_is_long(sim) || chance(sim, 1, 4)) {
        if (chance(sim, 1, 3))
            task_start(remove_task(client, name));
        else
            set_schedule(client, name);
    }
}

/* ---- the end ---- */

/* Another change of it may be under way that somebody gave up waiting for. */
void schedules_end(struct sim *sim)
{
    for (uint32_t name = 0; name < SCHEDULES && !sim->failed; name++) {
        struct reply reply;
        do
            reply = ask(remove_task(&sim->clients[0], name));
        while (!sim->failed && reply.status == -EBUSY);
        if (!sim->failed && reply.status != 0 && reply.status != -ENOENT)
            sim_fail(sim, "removing schedule %u gives %d", name, reply.status);
        if (!sim->failed && sim->lives->schedules->of[name].there)
            sim_fail(sim, "schedule %u was removed and is there", name);
    }
}
