/*
 * What is set of queues, as a model has it that knows what was asked, in the order in which the core took it. Judged:
 *
 *     QUEUE_INFO tells what is set, and who has set it
 *     what was set and acknowledged is set after a restart, or what was set later
 *     a purge that is answered has left none of the jobs waiting that waited when it came
 *
 * What may start by these settings is judged in judge_starts.c.
 */
#include <stdlib.h>
#include <string.h>

#include "schedules.h"

static const struct bytes names[QUEUES] = {{"default", 7}, {"slow", 4}, {"brief", 5}};

static int64_t wall_us(const struct sim *sim)
{
    return sim_wall_ns(sim) / 1000;
}

struct bytes queue_name(uint32_t queue)
{
    return names[queue];
}

uint32_t queue_number(struct bytes name)
{
    return name.size == 4 ? 1 : name.size == 5 ? BRIEF : 0;
}

static struct queue_book *book_of(struct sim *sim, struct bytes name)
{
    for (uint32_t i = 0; i < QUEUES; i++)
        if (names[i].size == name.size && memcmp(names[i].data, name.data, name.size) == 0)
            return &sim->lives->queue[i];
    return NULL;
}

/* Of the queue that the request names. NULL: it names none. */
static struct queue_book *book_asked(struct sim *sim, const struct request *request)
{
    switch (request->verb) {
    case VERB_QUEUE_SET:
    case VERB_QUEUE_INFO:
    case VERB_QUEUE_PAUSE:
    case VERB_QUEUE_PURGE:
        return book_of(sim, request->queue_set.name); /* the first member of each */
    default:
        return NULL;
    }
}

static struct settings *last(struct queue_book *queue)
{
    return &queue->all[(queue->all_n - 1) % SETTINGS_KEPT];
}

const struct settings *queue_settings(const struct sim *sim, uint32_t queue)
{
    return last((struct queue_book *)&sim->lives->queue[queue]);
}

bool queue_paused(const struct sim *sim, uint32_t queue)
{
    return queue_settings(sim, queue)->paused_us > wall_us(sim);
}

static const struct policy_part *origin_of(const struct queue_book *queue, const struct settings *now,
                                           enum policy_field field, enum policy_origin *origin)
{
    *origin = now->part.set >> field & 1       ? ORIGIN_SET
              : queue->config.set >> field & 1 ? ORIGIN_CONFIG
                                               : ORIGIN_DEFAULT;
    return *origin == ORIGIN_SET ? &now->part : &queue->config;
}

static uint64_t value_of(const struct sim *sim, uint32_t queue, enum policy_field field,
                         enum policy_origin *origin)
{
    const struct policy_part *part =
        origin_of(&sim->lives->queue[queue], queue_settings(sim, queue), field, origin);
    struct queue_policy policy = part->policy;

    if (*origin != ORIGIN_DEFAULT)
        return *policy_value(&policy, field);
    if (field == POLICY_waiting_bytes && queue == BRIEF && brief_durability(sim->seed) == DURABLE_NONE)
        return daemon_volatile_bytes(sim);
    return field == POLICY_concurrency ? daemon_concurrency(sim) : policy_rows[field].value;
}

uint64_t queue_setting(const struct sim *sim, uint32_t queue, enum policy_field field)
{
    enum policy_origin origin;

    return value_of(sim, queue, field, &origin);
}

/* ---- the model ---- */

void judge_queues_start(struct sim *sim)
{
    sim->lives->queue[1].config = daemon_slow(sim->seed);
    sim->lives->queue[BRIEF].config = daemon_brief(sim->seed);
    for (uint32_t i = 0; i < QUEUES; i++)
        sim->lives->queue[i].all_n = 1;
}

static void add(struct sim *sim, struct queue_book *queue, const struct settings *now)
{
    queue->all_n++;
    *last(queue) = *now;
    queue->starts_n = 0;
    sim->lives->version++;
}

/* NAME=VALUE, or NAME= for what the configuration says. */
static void read_part(struct policy_part *part, struct bytes text)
{
    struct bytes name, value;

    while (policy_token(&text, &name, &value)) {
        int field = policy_field(name);
        if (field < 0)
            continue;
        if (!value.size || policy_set(part, (enum policy_field)field, value) < 0)
            part->set &= ~(UINT64_C(1) << field);
    }
}

static void pause_came(const struct sim *sim, struct settings *now, const struct request_queue_pause *pause)
{
    now->closed = pause->what == PAUSE_SUBMITS;
    now->paused_us = pause->what == PAUSE_END ? 0
                     : pause->for_ns          ? wall_us(sim) + pause->for_ns / 1000
                                              : INT64_MAX;
}

static void purge_came(struct sim *sim, uint64_t session, const struct request *request, uint32_t queue)
{
    struct lives *lives = sim->lives;

    lives->purges = realloc(lives->purges, sizeof(*lives->purges) * (lives->purges_n + 1));
    if (!lives->purges)
        abort();
    struct purge *purge = &lives->purges[lives->purges_n++];
    *purge = (struct purge){.session = session, .op = request->id};
    purge->jobs = sim_alloc(sizeof(*purge->jobs) * (lives->n + 1));
    for (size_t i = 0; i < lives->n; i++)
        if (lives->all[i].queue == queue && life_waits(&lives->all[i]))
            purge->jobs[purge->jobs_n++] =
                (struct waiting){lives->all[i].id, lives->all[i].run, lives->all[i].again};
}

void judge_queue_came(struct sim *sim, uint64_t session, const struct request *request)
{
    enum verb verb = request->verb;
    struct queue_book *queue = book_asked(sim, request);
    struct outcome how = {0};

    if (!queue || verb == VERB_QUEUE_INFO)
        return;
    bool done = core_outcome(sim->daemon.core, &sim->sessions[session].secret, request->id, &how);
    if (verb == VERB_QUEUE_PURGE && (!done || how.status >= 0))
        purge_came(sim, session, request, (uint32_t)(queue - sim->lives->queue));
    queue->doubt |= verb != VERB_QUEUE_PURGE && !done;
    if (verb == VERB_QUEUE_PURGE || !done || how.status < 0)
        return;
    struct settings now = *last(queue);
    if (verb == VERB_QUEUE_SET)
        read_part(&now.part, request->queue_set.settings);
    else
        pause_came(sim, &now, &request->queue_pause);
    add(sim, queue, &now);
}

/* ---- restarts ---- */

static void read_pause(struct settings *now, struct bytes text)
{
    struct bytes name, value;

    while (policy_token(&text, &name, &value)) {
        char number[32] = "";
        memcpy(number, value.data, value.size < sizeof(number) ? value.size : sizeof(number) - 1);
        if (name.size == 10 && memcmp(name.data, ".paused_us", 10) == 0)
            now->paused_us = strtoll(number, NULL, 10);
        if (name.size == 14 && memcmp(name.data, ".pause_submits", 14) == 0)
            now->closed = number[0] == '1';
    }
}

static bool same(const struct settings *a, const struct settings *b)
{
    struct queue_policy left = a->part.policy, right = b->part.policy;
    bool equal = a->part.set == b->part.set && llabs(a->paused_us - b->paused_us) <= 2 &&
                 (!a->paused_us || a->closed == b->closed);

    for (int i = 0; i < POLICY_FIELDS; i++)
        if (a->part.set >> i & 1)
            equal &=
                *policy_value(&left, (enum policy_field)i) == *policy_value(&right, (enum policy_field)i);
    return equal;
}

void judge_queue_loaded(struct sim *sim, struct bytes name, struct bytes kept)
{
    struct queue_book *queue = book_of(sim, name);
    struct settings now = {0};

    if (!queue)
        return;
    read_part(&now.part, kept);
    read_pause(&now, kept);
    add(sim, queue, &now);
    queue->loaded = true;
}

/* What is set now is what was acknowledged last, or came after that. */
static void judge_loaded(struct sim *sim, struct queue_book *queue)
{
    const struct settings none = {0};

    if (!queue->loaded)
        add(sim, queue, &none);
    queue->loaded = false;
    size_t known = queue->all_n - 1, first = queue->acknowledged;
    if (known > SETTINGS_KEPT - 1 && first < known - (SETTINGS_KEPT - 1))
        first = known - (SETTINGS_KEPT - 1);
    for (size_t i = first; i < known; i++)
        if (same(&queue->all[i % SETTINGS_KEPT], last(queue))) {
            queue->acknowledged = queue->all_n - 1;
            queue->doubt = false;
            return;
        }
    if (!queue->doubt)
        sim_fail(sim, "after a restart a queue is not set as it was");
    queue->acknowledged = queue->all_n - 1;
    queue->doubt = false;
}

void judge_queues_loaded(struct sim *sim)
{
    for (uint32_t i = 0; i < QUEUES && !sim->failed; i++)
        judge_loaded(sim, &sim->lives->queue[i]);
}

/* ---- answers ---- */

/* The settings in force after this operation; a restart since has made others of them. */
void judge_queue_asked(struct sim *sim, struct task *task, const struct request *request)
{
    const struct queue_book *queue = book_asked(sim, request);

    task->version = sim->lives->version;
    task->settings = queue ? queue->all_n - 1 : 0;
}

static void judge_purged(struct sim *sim, const struct task *task)
{
    for (size_t i = 0; i < sim->lives->purges_n; i++) {
        const struct purge *purge = &sim->lives->purges[i];
        if (purge->session != task->session || purge->op != task->op.request.id)
            continue;
        for (size_t n = 0; n < purge->jobs_n; n++) {
            const struct life *life = life_find(sim, purge->jobs[n].job);
            if (life && life_waits(life) && life->run == purge->jobs[n].run &&
                life->again == purge->jobs[n].again)
                sim_fail(sim, "job %llx waits, and its queue has been purged", (unsigned long long)life->id);
        }
    }
}

static bool says(struct bytes row, const char *origin, struct bytes *rest)
{
    size_t n = strlen(origin);
    const char *text = row.data;

    if (row.size <= n + 1 || memcmp(text, origin, n) != 0 || text[n] != '.')
        return false;
    *rest = (struct bytes){text + n + 1, row.size - n - 1};
    return true;
}

static void judge_row(struct sim *sim, uint32_t queue, const struct counter *row)
{
    static const char *const origins[ORIGINS] = {"default", "config", "set"};

    for (int i = 0; i < ORIGINS; i++) {
        struct bytes name;
        enum policy_origin origin;
        if (!says(row->name, origins[i], &name))
            continue;
        const char *equals = memchr(name.data, '=', name.size);
        name.size = equals ? (size_t)(equals - (const char *)name.data) : name.size;
        int field = policy_field(name);
        if (field >= 0 && (value_of(sim, queue, (enum policy_field)field, &origin) != row->value ||
                           origin != (enum policy_origin)i))
            sim_fail(sim, "a queue tells %.*s = %llu, and that is not what is set", (int)row->name.size,
                     (const char *)row->name.data, (unsigned long long)row->value);
    }
}

void judge_queue_reply(struct sim *sim, const struct task *task, const struct result *result)
{
    const struct request *request = &task->op.request;
    struct queue_book *queue = book_asked(sim, request);

    if (!queue || task->incarnation != sim->daemon.incarnation)
        return;
    if (request->verb == VERB_QUEUE_PURGE)
        judge_purged(sim, task);
    if ((request->verb == VERB_QUEUE_SET || request->verb == VERB_QUEUE_PAUSE) &&
        queue->acknowledged < task->settings)
        queue->acknowledged = task->settings;
    if (request->verb != VERB_QUEUE_INFO || queue->doubt || task->version != sim->lives->version)
        return;
    for (size_t i = 0; i < result->stats_n; i++)
        judge_row(sim, (uint32_t)(queue - sim->lives->queue), &result->stats[i]);
}
