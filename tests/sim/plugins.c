/*
 * Plugins and their hosts, as the supervisor and goroutined-host would show them: files that are described,
 * processes that start, reserve, run, crash and are killed. What a job does is the first byte of its argument.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "feeds.h"
#include "operator.h"
#include "plugins.h"
#include "schedules.h"
#include "workers.h"
#include "zone.h"

enum { HOST_WINDOW = 2, SEND_SLOT = 2, STAGES = 3 };

static const char *const generations[GENERATIONS] = {"generation-0", "generation-1", "generation-2"};
static const char big[RESULT_BYTES + 1];

/* ---- files ---- */

void plugin_look(struct sim *sim, struct bytes path)
{
    char *copy = sim_alloc(path.size + 1);

    memcpy(copy, path.data, path.size);
    schedule(sim, between(sim, 1 * MS, 5 * MS),
             (struct event){.kind = EVENT_PLUGIN, .a = sim->daemon.incarnation, .data = copy});
}

void event_plugin(struct sim *sim, struct event *event)
{
    static const struct plugin_function function = {.name = {"run", 3}, .help = {"does as it is told", 18}};
    const char *path = event->data;
    struct input in = {.kind = IN_PLUGIN};

    if (event->a != sim->daemon.incarnation)
        return;
    in.plugin.path = (struct bytes){path, strlen(path)};
    if (strcmp(path, "/p/bad.so") == 0) {
        in.plugin.error = -ENOEXEC;
        in.plugin.text = (struct bytes){"not a plugin", 12};
    } else {
        sim->replaced |= path[3] == '0' && chance(sim, 1, 8); /* somebody installs a newer one */
        const char *generation = generations[path[3] == '0' && sim->replaced ? 2 : path[3] - '0'];
        in.plugin.generation = (struct bytes){generation, strlen(generation)};
        in.plugin.name = (struct bytes){"sim", 3};
        in.plugin.version = (struct bytes){"1", 1};
        in.plugin.functions = &function;
        in.plugin.functions_n = !sim->faults_on || chance(sim, 11, 12);
    }
    daemon_input(sim, &in);
}

/* ---- zones ---- */

void zone_look(struct sim *sim, struct bytes name)
{
    char *copy = sim_alloc(name.size + 1);

    memcpy(copy, name.data, name.size);
    schedule(sim, between(sim, 1 * US, 1 * MS),
             (struct event){.kind = EVENT_ZONE, .a = sim->daemon.incarnation, .data = copy});
}

/* Those of moments.h are there; faults make none of any. */
void event_zone(struct sim *sim, struct event *event)
{
    const char *name = event->data;
    int place = place_of((struct bytes){name, strlen(name)});
    struct input in = {.kind = IN_ZONE, .zone.name = {name, strlen(name)}};

    if (event->a != sim->daemon.incarnation)
        return;
    if (place < 0 || (sim->faults_on && chance(sim, 1, 12))) {
        in.zone.error = -ENOENT;
        in.zone.text = (struct bytes){"no such zone", 12};
    } else {
        in.zone.zone = place_zone((uint32_t)place);
        if (zone_check(in.zone.zone) < 0)
            sim_fail(sim, "a zone of the simulator cannot be");
    }
    judge_zone(sim, in.zone.name, in.zone.zone);
    daemon_input(sim, &in);
}

/* ---- processes ---- */

static struct client *host_find(struct sim *sim, uint64_t host)
{
    for (uint32_t who = CLIENTS; who < ACTORS; who++)
        if (sim->clients[who].alive && sim->clients[who].host == host)
            return &sim->clients[who];
    return NULL;
}

void host_start(struct sim *sim, uint64_t host, struct bytes generation)
{
    uint32_t n = (uint32_t)(((const char *)generation.data)[generation.size - 1] - '0');

    schedule(sim, between(sim, 200 * US, 3 * MS),
             (struct event){.kind = EVENT_HOST_UP, .who = n, .a = sim->daemon.incarnation, .b = host});
}

void event_host_up(struct sim *sim, struct event *event)
{
    struct input in = {.kind = IN_HOST_UP, .host_up = {.host = event->b, .pid = (int32_t)event->b}};
    uint32_t who = CLIENTS;

    if (!sim->daemon.up || event->a != sim->daemon.incarnation)
        return;
    while (who < ACTORS && sim->clients[who].alive)
        who++;
    if (who == ACTORS || (sim->faults_on && chance(sim, 1, 10))) {
        sim->faults[FAULT_NO_HOST]++;
        in.host_up.error = -EAGAIN;
        daemon_input(sim, &in);
        return;
    }
    client_start(sim, who, 0);
    sim->clients[who].host = event->b;
    sim->clients[who].generation = event->who;
    daemon_input(sim, &in);
}

void host_kill(struct sim *sim, uint64_t host, int signal)
{
    schedule(sim, between(sim, 0, 1 * MS),
             (struct event){
                 .kind = EVENT_HOST_KILL, .who = (uint32_t)signal, .a = sim->daemon.incarnation, .b = host});
}

void event_host_kill(struct sim *sim, struct event *event)
{
    struct client *host = host_find(sim, event->b);

    if (host && event->a == sim->daemon.incarnation)
        host_died(sim, host, (int)event->who, 0);
}

/* The daemon hears of the end of the process and of its lifeline in either order. */
void host_died(struct sim *sim, struct client *host, int signal, uint64_t guilty_run)
{
    uint64_t *guilty = sim_alloc(sizeof(*guilty));

    *guilty = guilty_run;
    sim->faults[FAULT_HOST_LOCK_HELD] += locks_held(sim, host);
    schedule(sim, between(sim, 0, 5 * MS),
             (struct event){.kind = EVENT_HOST_END,
                            .who = (uint32_t)signal,
                            .a = sim->daemon.incarnation,
                            .b = host->host,
                            .data = guilty});
    client_kill(host);
}

void event_host_end(struct sim *sim, struct event *event)
{
    struct input in = {.kind = IN_HOST_END};

    if (event->a != sim->daemon.incarnation)
        return;
    in.host_end.host = event->b;
    in.host_end.signal = (int32_t)event->who;
    in.host_end.guilty_run = *(const uint64_t *)event->data;
    in.host_end.text = (struct bytes){"ended", chance(sim, 1, 2) ? 5 : 0};
    daemon_input(sim, &in);
}

void hosts_forget(struct client *host)
{
    struct run *run, *after;

    list_each_safe (run, after, &host->runs, link)
        free(run);
    list_init(&host->runs);
}

void host_connected(struct client *host)
{
    if (host->sim->faults_on && chance(host->sim, 1, 20)) {
        host->sim->faults[FAULT_MUTE_HOST]++;
        return;
    }
    struct task *task = task_new(host, VERB_RESERVE);
    const char *generation = generations[host->generation];

    task->op.request.reserve =
        (struct request_reserve){.generation = {generation, strlen(generation)}, .window = HOST_WINDOW};
    host->reserved = true;
    task_start(task);
    if (chance(host->sim, 1, 4)) /* plugin code has to call from its job */
        task_start(task_new(host, VERB_STATS));
}

void host_idle(struct client *host)
{
    const struct task *task;
    bool reserved = false;

    list_each (task, &host->tasks, link)
        reserved |= task->op.request.verb == VERB_RESERVE && !task->finished;
    if ((host->draining && list_empty(&host->runs)) || (host->session && !reserved && host->reserved))
        host_died(host->sim, host, 0, 0);
}

/* ---- runs ---- */

static struct run *run_find(struct client *host, uint64_t number)
{
    struct run *run;

    list_each (run, &host->runs, link)
        if (run->run == number)
            return run;
    return NULL;
}

void run_end(struct run *run)
{
    list_remove(&run->link);
    free(run);
}

void run_later(struct client *host, const struct run *run)
{
    schedule(host->sim, between(host->sim, 50 * US, 4 * MS),
             (struct event){.kind = EVENT_RUN, .who = host->who, .a = host->life, .b = run->run});
}

struct task *run_says(struct client *host, enum verb verb, const struct run *run)
{
    struct task *task = task_new(host, verb);

    task->op.request.started = (struct request_started){run->job, run->run}; /* the first members of each */
    return task;
}

static void report(struct client *host, enum verb verb, const struct run *run)
{
    struct task *task = run_says(host, verb, run);

    if (verb == VERB_PRINT)
        task->op.request.print.output = (struct bytes){"printed\n", 8};
    if (verb == VERB_PROGRESS) {
        task->op.request.progress.fraction = 0.5;
        task->op.request.progress.text = (struct bytes){"half", 4};
    }
    task_start(task);
}

enum deed deed_of(struct sim *sim, uint64_t job, struct bytes argument)
{
    if (feed_has_job(sim, life_find(sim, job)))
        return feed_deed(argument);
    if (argument.size)
        return *(const char *)argument.data;
    sim_fail(sim, "job %llx has no argument", (unsigned long long)job);
    return DEED_OK;
}

static void offer_run(struct client *host, const struct offer *offer)
{
    struct run *run = sim_alloc(sizeof(*run));

    *run = (struct run){.job = offer->job, .run = offer->run};
    run->deed = deed_of(host->sim, offer->job, offer->argument);
    list_append(&host->runs, &run->link);
    report(host, VERB_STARTED, run);
    run_later(host, run);
}

/* Runs inside a callback of the protocol: what ends the process has to wait. */
void host_offer(struct client *host, const struct offer *offer)
{
    struct run *run = run_find(host, offer->run);

    sim_note(host->sim, "host %u is offered kind %u, job %llx run %llx", host->who, offer->kind,
             (unsigned long long)offer->job, (unsigned long long)offer->run);
    switch (offer->kind) {
    case OFFER_RUN:
        if (!host->sim->faults_on || chance(host->sim, 29, 30)) /* else it was not heard */
            offer_run(host, offer);
        break;
    case OFFER_DUMP:
        host_tells(host, offer);
        break;
    case OFFER_CANCEL:
        if (run && run->deed != DEED_HANG && !run->cancelled) {
            run->cancelled = true;
            run_later(host, run);
        }
        break;
    case OFFER_SCOPE_END:
        if (run && run->deed != DEED_HANG)
            run_end(run);
        break;
    case OFFER_DRAIN:
        host->draining = true;
        schedule(host->sim, between(host->sim, 0, 1 * MS),
                 (struct event){.kind = EVENT_ACT, .who = host->who, .a = host->life});
        break;
    default:
        sim_fail(host->sim, "offer of kind %u", offer->kind);
    }
}

static uint32_t cause_of(const struct run *run)
{
    switch (run->deed) {
    case DEED_OK:
    case DEED_SEND:
    case DEED_LOCK:
    case DEED_KEEP:
    case DEED_BIG:
    case DEED_OBJECT:
    case DEED_DEAL:
        return CAUSE_NONE;
    case DEED_PANIC:
        return CAUSE_PANIC;
    case DEED_RETURN:
        return CAUSE_RETURNED;
    default:
        return run->deed == DEED_WAIT ? CAUSE_CANCELED : CAUSE_ERROR;
    }
}

void run_done(struct client *host, struct run *run)
{
    uint32_t cause = cause_of(run);
    size_t result = run->deed == DEED_BIG ? sizeof(big) : cause == CAUSE_NONE ? 6 : 0;
    int again = chance(host->sim, 1, 10) ? 2 : 1; /* a second report of one run must count for nothing */

    host->sim->faults[FAULT_RUN_LOCK_HELD] += lock_held(host->sim, host->session, run->run) != NULL;
    run->ending = true;
    for (int i = 0; i < again; i++) {
        struct task *task = task_new(host, VERB_DONE);
        task->run = chance(host->sim, 1, 4) ? run->run : 0;
        task->op.request.done = (struct request_done){.job = run->job,
                                                      .run = run->run,
                                                      .cause = cause,
                                                      .error = cause == CAUSE_ERROR ? -EIO : 0,
                                                      .result = {big, result}};
        task_start(task);
    }
}

/* Opens a channel in the scope of the run; the value goes when the handle has come (host_task_ended). */
static void run_open(struct client *host, const struct run *run)
{
    struct task *task = work_open(host, SEND_SLOT, OPEN_CREATE);

    task->run = run->run;
    task_start(task);
}

static void run_step(struct client *host, struct run *run)
{
    struct sim *sim = host->sim;

    if (chance(sim, 1, 3))
        report(host, chance(sim, 1, 2) ? VERB_PRINT : VERB_PROGRESS, run);
    if (chance(sim, 1, 40)) { /* a host is no worker */
        struct task *task = task_new(host, VERB_WORK_RESERVE);
        task->run = run->run;
        task->op.deadline_ns = PROTOCOL_DEADLINE_NOW;
        task_start(task);
    }
    if (run->deed == DEED_SEND && run->stage == 0)
        run_open(host, run);
    if ((run->deed == DEED_LOCK || run->deed == DEED_KEEP) && run->stage == 0)
        work_lock(host, run->run);
    if (run->deed == DEED_LOCK && run->stage > 0)
        work_unlock(host, run->run);
    if (run->deed == DEED_OBJECT && !(run->stage && work_object_back(host, run->run)))
        work_object(host, run->run);
    if (run->deed == DEED_DEAL)
        deal_step(host, run);
    run->stage++;
    if (run->stage < STAGES || ((run->deed == DEED_WAIT || run->deed == DEED_HANG) && !run->cancelled)) {
        if (run->stage < STAGES)
            run_later(host, run);
        return;
    }
    (run->deed == DEED_DEAL ? deal_ask : run_done)(host, run);
}

void event_run(struct sim *sim, struct event *event)
{
    struct client *host = &sim->clients[event->who];

    if (!host->alive || host->life != event->a)
        return;
    struct run *run = run_find(host, event->b);
    if (!run || run->ending)
        return;
    if (!host->host) {
        if (worker_goes_on(host, run))
            run_step(host, run);
        if (host->alive && host->life == event->a)
            client_pump(host);
        return;
    }
    if (run->deed == DEED_CRASH && run->stage == 1) {
        sim->faults[FAULT_CRASH_HOST]++;
        host_died(sim, host, SIGSEGV, run->run);
        return;
    }
    run_step(host, run);
    client_pump(host);
}

void host_task_ended(struct client *host, struct task *task)
{
    struct run *run = run_find(host, task->run ? task->run : task->op.request.started.run);

    if (task->of_deal) {
        deal_surfaced(task, run);
        return;
    }
    switch (task->op.request.verb) {
    case VERB_CHAN_OPEN:
        if (run && task->status >= 0) {
            struct task *send = work_send(host, SEND_SLOT, task->handle, 1);
            send->run = run->run;
            send->op.deadline_ns = host->sim->now_ns + 20 * MS;
            task_start(send);
        }
        break;
    case VERB_STARTED:
        if (run && task->status < 0)
            run_end(run);
        break;
    case VERB_DONE:
        if (run && task->status == -ENOMEM)
            run_done(host, run);
        else if (run)
            run_end(run);
        break;
    default:
        break;
    }
}
