/*
 * Clients as workers: they reserve jobs that no plugin has, and do with each what a host would (plugins.c). Besides they extend
 * leases, watch for cancels, fall silent, die with jobs, and go on with runs that are theirs no more, whose end must then count
 * for nothing.
 */
#include "workers.h"

#include <errno.h>
#include <stdlib.h>

#include "lives.h"

enum { WORK_RUNS = 4 /* of one worker at once, before it asks for more */ };

/* ---- reserving ---- */

static bool reserves(const struct task *task)
{
    return task->op.request.verb == VERB_WORK_RESERVE && !task->surfaced && !task->dropped;
}

static size_t runs_of(const struct client *client)
{
    const struct run *run;
    size_t n = 0;

    list_each (run, &client->runs, link)
        n++;
    return n;
}

/* What must be refused, and one queue named often. */
static void reserve_wrongly(struct sim *sim, struct request_work_reserve *what)
{
    static const char many[] =
        "slow slow slow slow slow slow slow slow slow slow slow slow slow slow slow slow slow";

    switch (below(sim, 4)) {
    case 0:
        what->lease_ns = chance(sim, 1, 2) ? -1 : (LEASE_MAX_MS + 1) * MS;
        break;
    case 1:
        what->queues = (struct bytes){"slow nobody", 11};
        break;
    case 2:
        what->queues = (struct bytes){many, sizeof(many) - 1};
        break;
    default:
        what->queues = (struct bytes){many, 4 * sizeof("slow ") - 2};
        what->max = 1000;
        break;
    }
}

/* Of a session that is over, or all. */
static void end_sleepers(struct client *client, bool all)
{
    struct run *run, *after;

    list_each_safe (run, after, &client->runs, link)
        if (run->deed == DEED_WAIT && !run->ending && (all || run->session != client->session))
            run_end(run);
}

void work_worker(struct client *client)
{
    static const struct bytes queues[] = {{"", 0},
                                          {"default", 7},
                                          {"slow", 4},
                                          {"slow default", 12},
                                          {"brief slow", 10},
                                          {"default slow", 12}},
                              functions[] = {{"", 0}, {"", 0}, {"run", 3}, {"walk run", 8}, {"walk", 4}};
    struct sim *sim = client->sim;

    end_sleepers(client, false);
    if (client_has(client, reserves) || runs_of(client) >= WORK_RUNS)
        return;
    struct task *task = task_new(client, VERB_WORK_RESERVE);
    struct request_work_reserve *what = &task->op.request.work_reserve;
    *what = (struct request_work_reserve){
        .queues = queues[below(sim, 6)],
        .functions = functions[below(sim, 5)],
        .max = (uint32_t)below(sim, 4),
        .lease_ns = chance(sim, 1, 3) ? 0 : between(sim, 3 * MS, LEASE_MAX_MS * MS)};
    if (chance(sim, 1, 16))
        reserve_wrongly(sim, what);
    work_until(task);
    task_start(task);
}

static void take(struct client *client, const struct job_info *row)
{
    struct run *run = sim_alloc(sizeof(*run));

    *run = (struct run){.job = row->id, .run = row->run, .session = client->session};
    run->deed = deed_of(client->sim, row->id, row->argument);
    list_append(&client->runs, &run->link);
    run_later(client, run);
}

void worker_told(struct task *task, const struct result *result)
{
    if (task->op.request.verb != VERB_WORK_RESERVE)
        return;
    for (size_t i = 0; i < result->jobs_n; i++)
        take(task->client, &result->jobs[i]);
}

/* ---- while it works ---- */

static struct run *find(struct client *client, uint64_t number)
{
    struct run *run;

    list_each (run, &client->runs, link)
        if (run->run == number)
            return run;
    return NULL;
}

static bool watches(const struct client *client, uint64_t number)
{
    const struct task *task;

    list_each (task, &client->tasks, link)
        if (task->op.request.verb == VERB_WORK_WATCH && task->op.request.work_watch.run == number &&
            !task->surfaced)
            return true;
    return false;
}

static void extend(struct client *client, const struct run *run)
{
    struct sim *sim = client->sim;
    struct task *task = run_says(client, VERB_WORK_EXTEND, run);

    task->op.request.work_extend.lease_ns = chance(sim, 1, 2) ? 0 : between(sim, 1 * MS, LEASE_MAX_MS * MS);
    if (chance(sim, 1, 20))
        task->op.request.work_extend.lease_ns = -1;
    task_start(task);
}

static void watch(struct client *client, const struct run *run)
{
    struct task *task = run_says(client, VERB_WORK_WATCH, run);

    if (chance(client->sim, 1, 3))
        work_until(task);
    task_start(task);
}

/* Nobody hears of it any more. */
static void fall_silent(struct client *client, struct run *run)
{
    client->sim->faults[FAULT_SILENT_WORKER]++;
    deal_give_up(client, run);
    run_end(run);
}

static void die(struct client *client)
{
    client->sim->faults[FAULT_KILL_WORKER]++;
    client_kill(client);
}

/* What was reserved in a session that is over is another's by now. Some do not know that. */
static void outlive(struct client *client, struct run *run)
{
    if (client->session && chance(client->sim, 3, 4)) {
        struct task *task = run_says(client, VERB_DONE, run);
        task_start(task);
    }
    run_end(run);
}

/* Then it says how it ended, which may be news to somebody else's run. */
static void sleep_long(struct client *client, struct run *run)
{
    struct sim *sim = client->sim;

    sim->faults[FAULT_SILENT_WORKER]++;
    deal_give_up(client, run);
    run->stage++;
    schedule(sim, between(sim, LEASE_MS * MS, 8 * LEASE_MS * MS),
             (struct event){.kind = EVENT_RUN, .who = client->who, .a = client->life, .b = run->run});
}

bool worker_goes_on(struct client *client, struct run *run)
{
    struct sim *sim = client->sim;

    if (client->leaving) /* its session takes the runs with it */
        return false;
    if (run->session != client->session) {
        outlive(client, run);
        return false;
    }
    if (!sim->working && (run->deed == DEED_HANG || run->deed == DEED_WAIT || run->deed == DEED_CRASH)) {
        fall_silent(client, run);
        return false;
    }
    if (run->deed == DEED_CRASH && run->stage == 1) {
        die(client);
        return false;
    }
    if (run->deed == DEED_HANG && run->stage == 1) {
        sleep_long(client, run);
        return false;
    }
    if (run->deed == DEED_HANG && run->stage > 1) {
        outlive(client, run);
        return false;
    }
    if (chance(sim, 1, 3))
        extend(client, run);
    if (chance(sim, 1, 3) && !watches(client, run->run))
        watch(client, run);
    return true;
}

void workers_calm(struct client *client)
{
    end_sleepers(client, true);
}

/* It is to be ended: whoever waits for that goes on. */
static void cancelled(struct client *client, struct run *run)
{
    if (run->cancelled)
        return;
    run->cancelled = true;
    if (run->deed == DEED_WAIT && !run->ending)
        run_later(client, run);
}

static void ended(struct client *client, struct run *run)
{
    deal_give_up(client, run);
    run_end(run);
}

static bool is_about_run(const struct task *task)
{
    switch (task->op.request.verb) {
    case VERB_DONE:
    case VERB_PRINT:
    case VERB_PROGRESS:
    case VERB_WORK_EXTEND:
    case VERB_WORK_WATCH:
        return true;
    default:
        return task->run != 0;
    }
}

bool worker_surfaced(struct task *task)
{
    struct client *client = task->client;
    struct run *run = find(client, task->run ? task->run : task->op.request.started.run);
    enum verb verb = task->op.request.verb;

    if (!is_about_run(task))
        return false;
    if (verb == VERB_WORK_WATCH || verb == VERB_WORK_EXTEND) {
        if (run && task->status == (verb == VERB_WORK_WATCH ? 0 : -ECANCELED))
            cancelled(client, run);
        else if (run && task->status == -ESTALE && !run->ending)
            ended(client, run);
        return true;
    }
    host_task_ended(client, task);
    return true;
}
