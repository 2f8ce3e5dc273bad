/*
 * What clients do with jobs and queues: they submit, under keys, in fair shares and after other jobs, wait, ask, cancel, let
 * dead jobs live again and purge them; and who may set what queues do sets it, pauses and purges them.
 */
#include <stdio.h>
#include <string.h>

#include "lives.h"

enum { SETTINGS_BYTES = 192 };

static const char *const plugins[] = {"/p/0.so", "/p/1.so", "/p/bad.so"};

uint64_t some_job(struct sim *sim)
{
    return sim->jobs_n ? sim->jobs[below(sim, sim->jobs_n)].id : 0;
}

/* Under a key: few there are, so that submits meet. */
static void draw_once(struct sim *sim, struct request_submit *submit)
{
    static const char *const keys[] = {"once", "twice", "thrice"};
    const char *key = keys[below(sim, 3)];

    submit->once_key = (struct bytes){key, strlen(key)};
    submit->once_scope = (uint32_t)below(sim, ONCE_ALL + 1);
    submit->once_policy = (uint32_t)below(sim, ONCE_JOIN + 1);
    if (chance(sim, 1, 4))
        submit->once_ns =
            chance(sim, 1, 2) ? ONCE_KEPT : between(sim, 1 * MS, sim->forgets ? 400 * MS : 60 * MS);
}

/* After some of the last jobs. */
static void draw_after(struct sim *sim, struct drawn *drawn)
{
    size_t n = 1 + below(sim, AFTER_MAX), recent = sim->jobs_n < 6 ? sim->jobs_n : 6;

    for (size_t i = 0; i < n; i++)
        drawn->after[i] = sim->jobs[sim->jobs_n - 1 - below(sim, recent)].id;
    drawn->submit.after = drawn->after;
    drawn->submit.after_n = n;
    if (chance(sim, 1, 2))
        drawn->submit.flags |= SUBMIT_AFTER_ANY;
}

void draw_submit(struct sim *sim, struct drawn *drawn)
{
    static const char deeds[] = "ooooofpcwhssrlllkkkyyybttttt";
    static const uint64_t delays[] = {3 * MS, 1 * MS};
    const char *plugin = plugins[chance(sim, 1, 20) ? 2 : below(sim, 2)];
    bool of_worker = chance(sim, 1, 4), walks = of_worker && chance(sim, 1, 3);

    bool long_argument = chance(sim, 1, 12); /* longer than some queues take */

    drawn->argument[0] = deeds[below(sim, sizeof(deeds) - 1)];
    if (sim_breaks(sim) && chance(sim, 1, 3))
        drawn->argument[0] = DEED_FAIL;
    drawn->submit = (struct request_submit){
        .plugin = {plugin, of_worker ? 0 : strlen(plugin)},
        .function = {walks ? "walk" : "run", walks ? 4 : 3},
        .argument = {drawn->argument, long_argument ? ARGUMENT_BYTES : 1},
        .flags = chance(sim, 1, 3) ? SUBMIT_DETACHED : 0,
        .queue = {"slow", chance(sim, 1, 3) ? 4 : 0},
        .key = {"key", chance(sim, 1, 2) ? 3 : 0},
        .attempts_max = (uint32_t)below(sim, 4), /* 0: the function's */
        .backoff_ns = between(sim, 1 * MS, 10 * MS),
        .backoff_max_ns = chance(sim, 3, 4) ? 20 * MS : 0,
        .time_limit_ns = chance(sim, 1, 3) ? between(sim, 5 * MS, 50 * MS) : 0,
        .grace_ns = GRACE,
        .delay_ns = chance(sim, 1, 6) ? between(sim, 1 * MS, 20 * MS) : 0,
        .deadline_in_ns = chance(sim, 1, 8) ? between(sim, 10 * MS, 100 * MS) : 0,
        .priority = (uint32_t)below(sim, 10),
        .jitter = chance(sim, 1, 4) ? 100 : 0,
        .delays_ns = delays,
        .delays_ns_n = chance(sim, 1, 6) ? 2 : 0,
    };
    if (chance(sim, 1, 3))
        draw_once(sim, &drawn->submit);
    if (sim->jobs_n && chance(sim, 1, 4))
        draw_after(sim, drawn);
}

/* No key and no transaction: those are judged by what the store has. */
static void draw_brief(struct drawn *drawn)
{
    drawn->submit.queue = queue_name(BRIEF);
    drawn->submit.once_key = (struct bytes){0};
    if (drawn->argument[0] == DEED_DEAL)
        drawn->argument[0] = DEED_OK;
}

void work_submit(struct client *client)
{
    struct task *task = task_new(client, VERB_SUBMIT);
    struct drawn *drawn = sim_alloc(sizeof(*drawn));

    task->memory = drawn;
    draw_submit(client->sim, drawn);
    if (chance(client->sim, 1, 8))
        draw_brief(drawn);
    task->op.request.submit = drawn->submit;
    context_draw(task);
    task_start(task);
}

void work_job(struct client *client)
{
    static const enum verb verbs[] = {VERB_JOB_WAIT, VERB_JOB_WAIT,   VERB_JOB_INFO,
                                      VERB_JOB_INFO, VERB_JOB_CANCEL, VERB_JOB_OUTPUT};
    struct sim *sim = client->sim;
    uint64_t job = some_job(sim);

    if (!job)
        return;
    struct task *task = task_new(client, verbs[below(sim, sizeof(verbs) / sizeof(*verbs))]);
    task->op.request.job_wait.job = job; /* the first member of each of these */
    if (task->op.request.verb == VERB_JOB_CANCEL)
        job_entry(sim, job)->cancelled = true;
    if (task->op.request.verb == VERB_JOB_WAIT)
        work_until(task);
    task_start(task);
}

void work_op_status(struct client *client)
{
    struct sim *sim = client->sim;

    if (!sim->submits_n)
        return;
    const struct entry_submit *submit = &sim->submits[below(sim, sim->submits_n)];
    struct task *task = task_new(client, VERB_OP_STATUS);
    task->op.request.op_status =
        (struct request_op_status){.session = sim->sessions[submit->session].secret, .op = submit->op};
    task->slot = (uint32_t)(submit - sim->submits);
    task_start(task);
}

/* ---- dead letters ---- */

static void retry(struct client *client)
{
    struct sim *sim = client->sim;
    struct task *task = task_new(client, VERB_JOB_RETRY);
    struct request_job_retry *what = &task->op.request.job_retry;

    if (chance(sim, 1, 2))
        what->job = some_job(sim);
    if (chance(sim, 1, 2))
        what->states = 1u << JOB_DEAD | 1u << JOB_FAILED;
    what->queue = (struct bytes){"slow", chance(sim, 1, 4) ? 4 : 0};
    what->after = chance(sim, 1, 3) ? some_job(sim) : 0;
    what->limit = (uint32_t)below(sim, 4);
    task_start(task);
}

static void purge_dead(struct client *client)
{
    struct sim *sim = client->sim;
    struct task *task = task_new(client, VERB_JOB_PURGE);
    struct request_job_purge *what = &task->op.request.job_purge;

    if (chance(sim, 1, 2))
        what->states = 1u << (JOB_DONE + below(sim, JOB_STATES - JOB_DONE));
    what->queue = (struct bytes){"slow", chance(sim, 1, 4) ? 4 : 0};
    what->older_ns = chance(sim, 1, 2) ? between(sim, 0, 20 * MS) : 0;
    what->limit = (uint32_t)below(sim, 4);
    task_start(task);
}

/* Of those that no job of theirs may be missing in the end, most. */
void work_dead(struct client *client)
{
    struct sim *sim = client->sim;

    (sim_purges(sim) && chance(sim, 1, 3) ? purge_dead : retry)(client);
}

/* ---- queues ---- */

static struct bytes some_queue(struct sim *sim)
{
    return queue_name((uint32_t)below(sim, QUEUES));
}

/* A value in the lower part of what may be set, and now and then none. Of what decides which job starts: the judges have no
 * model of the rest. */
static size_t write_setting(struct sim *sim, char *to, size_t size)
{
    static const char *const others[] = {"attempts=2 ",
                                         "delays_ms=1,2 ",
                                         "delays_ms=none ",
                                         "jitter=50 ",
                                         "backoff_ms=1 ",
                                         "time_limit_ms=20 ",
                                         "waiting_max=1 full=reject ",
                                         "waiting_max=1 full=drop-oldest ",
                                         "waiting_max=2 full=reject ",
                                         "waiting_max=1 full=block ",
                                         "delays_ms=1,x "};
    enum policy_field field = (enum policy_field)below(sim, POLICY_full + 1);
    const struct policy_row *row = &policy_rows[field];
    uint64_t most = row->most - row->least < 6 ? row->most - row->least : 6,
             value = row->least + below(sim, most + 1);
    char room[POLICY_TEXT_BYTES];
    struct queue_policy policy = {0};

    if (chance(sim, 1, 10))
        return (size_t)snprintf(to, size, "%s", others[below(sim, sizeof(others) / sizeof(*others))]);
    if (field == POLICY_waiting_bytes || field == POLICY_rate_ms)
        value = value ? value * 3 : row->least;
    *policy_value(&policy, field) = value;
    struct bytes word = policy_word(&policy, field, room);
    if (chance(sim, 1, 6))
        return (size_t)snprintf(to, size, "%s= ", row->name);
    if (word.size)
        return (size_t)snprintf(to, size, "%s=%.*s ", row->name, (int)word.size, (const char *)word.data);
    return (size_t)snprintf(to, size, "%s=%llu ", row->name, (unsigned long long)value);
}

/* Most by failures in a row, which are judged. */
static size_t write_breaker(struct sim *sim, char *to, size_t size)
{
    static const char *const breakers[] = {
        "breaker_failures=1 breaker_open_ms=5 ", "breaker_failures=2 breaker_open_ms=12 ",
        "breaker_failures=3 breaker_open_ms=3 ", "breaker_failures=2 breaker_window_ms=16 ",
        "breaker_failures= breaker_window_ms= ", "breaker_failures=0 breaker_share=0 ",
        "breaker_share=40 breaker_least=2 ",     "breaker_share= breaker_open_ms= "};

    return (size_t)snprintf(to, size, "%s", breakers[below(sim, sizeof(breakers) / sizeof(*breakers))]);
}

static void set_queue(struct client *client)
{
    struct sim *sim = client->sim;
    struct task *task = task_new(client, VERB_QUEUE_SET);
    struct request_queue_set *what = &task->op.request.queue_set;
    size_t n = 0;

    task->text = sim_alloc(SETTINGS_BYTES);
    for (uint64_t i = 0, fields = 1 + below(sim, 3); i < fields; i++)
        n += (sim_breaks(sim) && chance(sim, 1, 3) ? write_breaker : write_setting)(sim, task->text + n,
                                                                                    SETTINGS_BYTES - n);
    *what = (struct request_queue_set){some_queue(sim), {task->text, n}};
    if (chance(sim, 1, 12))
        what->settings = chance(sim, 1, 2) ? (struct bytes){"full=never", 10} : (struct bytes){"x=1", 3};
    if (chance(sim, 1, 24))
        what->settings = (struct bytes){"weight=0", 8};
    task_start(task);
}

static void pause_queue(struct client *client)
{
    struct sim *sim = client->sim;
    struct task *task = task_new(client, VERB_QUEUE_PAUSE);

    task->op.request.queue_pause = (struct request_queue_pause){
        .name = some_queue(sim),
        .what = PAUSE_BEGIN + (uint32_t)below(sim, 3),
        .for_ns = chance(sim, 3, 4) ? between(sim, 1 * MS, 20 * MS) : 0,
    };
    task_start(task);
}

static void purge_queue(struct client *client)
{
    struct task *task = task_new(client, VERB_QUEUE_PURGE);

    task->op.request.queue_purge.name = some_queue(client->sim);
    task_start(task);
}

static void look_at_queue(struct client *client)
{
    struct sim *sim = client->sim;
    struct task *task = task_new(client, chance(sim, 2, 3) ? VERB_QUEUE_INFO : VERB_QUEUE_LIST);

    if (task->op.request.verb == VERB_QUEUE_INFO)
        task->op.request.queue_info.name = chance(sim, 1, 12) ? (struct bytes){"nobody", 6} : some_queue(sim);
    else
        task->op.request.queue_list = (struct request_queue_list){
            .prefix = {"s", below(sim, 2)}, .after = {"e", below(sim, 2)}, .limit = (uint32_t)below(sim, 2)};
    task_start(task);
}

void work_queue(struct client *client)
{
    static void (*const deeds[])(struct client *) = {set_queue,   set_queue,     set_queue,    pause_queue,
                                                     pause_queue, look_at_queue, look_at_queue};
    struct sim *sim = client->sim;

    (chance(sim, 1, 12) ? purge_queue : deeds[below(sim, sizeof(deeds) / sizeof(*deeds))])(client);
}
