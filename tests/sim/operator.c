/*
 * INSPECT and DRAIN. Judged:
 *
 *     what a host tells reaches who asked whole, in order, and is about what was asked: that job's run, or all of that host
 *     only the daemon's own user is told of whole hosts, and drains
 *     a SUBMIT that comes while the daemon is drained makes no job
 *     once a DRAIN was told that no job runs, none starts and none ends, until the drain does
 */
#include "operator.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "inspect.h"

enum { PIECES = 3, PIECE_BYTES = 64, TOLD_BYTES = PIECES * PIECE_BYTES };

/* ---- asking hosts ---- */

/* A job that runs, as some host knows, or 0. */
static uint64_t job_that_runs(struct sim *sim)
{
    uint64_t first = below(sim, HOST_SLOTS);

    for (uint64_t i = 0; i < HOST_SLOTS; i++) {
        const struct client *host = &sim->clients[CLIENTS + (first + i) % HOST_SLOTS];
        const struct run *run = host->alive ? list_first(&host->runs, struct run, link) : NULL;
        if (run)
            return run->job;
    }
    return 0;
}

static void inspect(struct client *client)
{
    struct sim *sim = client->sim;
    struct task *task = task_new(client, VERB_INSPECT);

    task->op.request.inspect = (struct request_inspect){
        .what = INSPECT_STACKS + (uint32_t)below(sim, chance(sim, 1, 2) ? INSPECT_STATS : INSPECT_TRACE_STOP),
        .job = chance(sim, 5, 6) ? job_that_runs(sim) : 0,
        .after = chance(sim, 1, 4) ? below(sim, HOST_SLOTS) : 0,
        .value = below(sim, 3),
        .format = (uint32_t)below(sim, 2),
        .detached = chance(sim, 1, 3),
    };
    work_until(task);
    task_start(task);
}

/* ---- answering ---- */

/* One of so many pieces of an answer. */
struct piece {
    unsigned number, of, what;
    unsigned long long host, run;
};

static size_t piece_write(char text[PIECE_BYTES], const struct piece *piece)
{
    return (size_t)snprintf(text, PIECE_BYTES, "%u/%u: host %llu, %u of run %llu\n", piece->number, piece->of,
                            piece->host, piece->what, piece->run);
}

static void tell(struct client *host, uint64_t dump, struct bytes text, bool last, int32_t error)
{
    struct task *task = task_new(host, VERB_DUMPED);

    task->text = sim_alloc(text.size + 1);
    memcpy(task->text, text.data, text.size);
    task->op.request.dumped = (struct request_dumped){dump, {task->text, text.size}, last, error};
    task_start(task);
}

void host_tells(struct client *host, const struct offer *offer)
{
    struct sim *sim = host->sim;
    struct piece piece = {
        .of = 1 + (unsigned)below(sim, PIECES), .what = offer->what, .host = host->host, .run = offer->run};
    char text[PIECE_BYTES];

    if (offer->what > INSPECT_WHAT_MAX) /* an order about what it records */
        return;
    if (chance(sim, 1, 8)) {
        tell(host, offer->job, (struct bytes){"busy", 4}, true, -EBUSY);
        return;
    }
    while (piece.number++ < piece.of) {
        struct bytes words = {text, piece_write(text, &piece)};
        tell(host, offer->job, words, piece.number == piece.of, 0);
    }
    if (chance(sim, 1, 4)) /* for a question that is answered */
        tell(host, offer->job, (struct bytes){"late\n", 5}, true, 0);
}

/* ---- what was told ---- */

/* Whether it is all pieces of one answer; `out` is the first of them. */
static bool is_whole(struct bytes told, struct piece *out)
{
    char text[TOLD_BYTES + 1] = {0}, whole[TOLD_BYTES + 1];
    size_t size = 0;

    if (told.size > TOLD_BYTES)
        return false;
    memcpy(text, told.data, told.size);
    if (sscanf(text, "%u/%u: host %llu, %u of run %llu", &out->number, &out->of, &out->host, &out->what,
               &out->run) != 5 ||
        out->of > PIECES)
        return false;
    struct piece piece = *out;
    for (piece.number = 1; piece.number <= piece.of; piece.number++)
        size += piece_write(whole + size, &piece);
    return size == told.size && memcmp(text, whole, size) == 0;
}

static bool ran(struct sim *sim, uint64_t job, uint64_t run)
{
    const struct entry_job *entry = job_entry(sim, job);

    for (size_t i = 0; i < entry->runs_n; i++)
        if (entry->runs[i] == run)
            return true;
    return false;
}

/* Pieces may be missing: cut, or the core had no memory for them. */
static bool may_lack(const struct sim *sim, uint32_t what)
{
    return sim->memory.refused || (sim->crowded && what == INSPECT_STACKS);
}

static void judge_answer(const struct task *task, const struct result *result, uint32_t what, uint64_t job)
{
    struct sim *sim = task->client->sim;
    struct piece piece;

    if (!sim->owned && (!job || what > INSPECT_STATS))
        sim_fail(sim, "somebody is told of all that a host runs, and is not the daemon's own user");
    if (may_lack(sim, what))
        return;
    if (!is_whole(result->output, &piece))
        sim_fail(sim, "what a host told arrives as %zu bytes: %.*s", result->output.size,
                 (int)result->output.size, (const char *)result->output.data);
    else if (piece.host != result->handle || piece.what != what ||
             (job ? !ran(sim, job, piece.run) : piece.run))
        sim_fail(sim, "asked host %llu for %u of job %llx, told by host %llu of %u of run %llx",
                 (unsigned long long)result->handle, what, (unsigned long long)job, piece.host, piece.what,
                 piece.run);
}

void judge_told(const struct task *task, const struct result *result)
{
    const struct request *request = &task->op.request;

    if (result->status < 0)
        return;
    if (request->verb == VERB_INSPECT)
        judge_answer(task, result, request->inspect.what, request->inspect.job);
    if (request->verb == VERB_GOROUTINES)
        judge_answer(task, result, INSPECT_STACKS, 0);
}

/* ---- draining ---- */

struct task *drain_task(struct client *client, enum drain_what what)
{
    struct task *task = task_new(client, VERB_DRAIN);

    task->op.request.drain.what = what;
    return task;
}

static void drain(struct client *client)
{
    struct task *task = drain_task(client, chance(client->sim, 1, 3) ? DRAIN_FORCE : DRAIN_BEGIN);

    work_until(task);
    task_start(task);
}

bool operator_relents(struct client *client)
{
    if (!client->sim->drain.begun || !chance(client->sim, 1, 40))
        return false;
    task_start(drain_task(client, DRAIN_END));
    return true;
}

/* Where a drain may succeed it does in a few seeds only: jobs have to run, too. */
void work_operator(struct client *client)
{
    struct sim *sim = client->sim;
    bool may_drain = !sim->owned || sim->seed % 6 == 5;

    (may_drain && chance(sim, 1, 3) ? drain : inspect)(client);
}

/* ---- what a drain promises ---- */

static void drain_ends(struct sim *sim)
{
    sim->drain.ends++;
    sim->drain.begun = sim->drain.empty = false;
}

void judge_drain_start(struct sim *sim)
{
    drain_ends(sim);
}

/* One that does not wait for the end of the jobs has begun, too. */
static void drain_came(struct sim *sim, uint64_t session, const struct request *request, struct task *task)
{
    struct outcome how = {0};
    const struct secret *secret = &sim->sessions[session].secret;
    bool known = core_look(sim->daemon.core, secret, request->id) == CORE_OPERATION;

    if (known)
        core_outcome(sim->daemon.core, secret, request->id, &how);
    if (request->drain.what == DRAIN_END && how.status >= 0)
        drain_ends(sim);
    else if (known && (how.status >= 0 || how.status == -EAGAIN))
        sim->drain.begun = true;
    if (task)
        task->drain_ends = sim->drain.ends;
}

void judge_drain_came(struct sim *sim, uint64_t conn, const struct request *request)
{
    struct task *task = task_of_op(sim, conn, request->id);

    if (request->verb == VERB_DRAIN)
        drain_came(sim, sim->conns[conn].session, request, task);
    else if (task && request->verb == VERB_SUBMIT)
        task->while_drained = sim->drain.begun;
    else if (task && (request->verb == VERB_STARTED || request->verb == VERB_DONE))
        task->while_drained = sim->drain.empty;
}

void judge_drain_reply(struct sim *sim, const struct task *task)
{
    const struct request *request = &task->op.request;

    if (task->while_drained)
        sim_fail(sim, "verb %d of client %u succeeds, though it came when the daemon was drained",
                 request->verb, task->client->who);
    if (request->verb != VERB_DRAIN)
        return;
    if (!sim->owned)
        sim_fail(sim, "somebody drains the daemon, and is not its own user");
    if (request->drain.what != DRAIN_END && task->drain_ends == sim->drain.ends)
        sim->drain.empty = sim->drain.begun;
}
