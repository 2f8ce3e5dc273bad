/*
 * What a host says, and what it is asked. A is the host, which runs a job; what it has said is true of the job afterwards,
 * once. Its goroutines are told to a client: there A is the client, and the host stands still to make it wait.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cell.h"
#include "goclient_inspect.h"
#include "hosted.h"
#include "probe.h"

static void prepare_nothing(struct cell *cell)
{
}

/* ---- a job ---- */

static int end_of(struct cell *cell, const char *says)
{
    struct gc_result result = {0};
    int r = gc_wait(cell->g[WHO_B], cell->job[WHO_A], &result, GC_FOREVER);

    if (says)
        CELL_MUST(cell, r < 0 || (result.bytes == strlen(says) && !memcmp(result.data, says, result.bytes)));
    gc_result_clear(&result);
    return r;
}

static int echo_call(struct cell *cell, int who)
{
    cell->job[who] = hosted_submit("echo", cell->object);
    return end_of(cell, cell->object);
}

/* G4: it ran once, and nobody thinks that its host died. */
static void check_ran(struct cell *cell)
{
    struct gc_job_info info = {0};

    CELL_MUST(cell, cell->status[WHO_A] == 1);
    CELL_MUST(cell, gc_job_info(cell->g[WHO_B], cell->job[WHO_A], &info, GC_FOREVER) == 0);
    CELL_MUST(cell, info.attempt <= 1 && info.crashes == 0 && info.state == GC_JOB_DONE);
    gc_job_info_clear(&info);
}

/* What it takes, what it puts there and its own end are one: no fault makes two of it. */
static void prepare_relay(struct cell *cell)
{
    struct gc_chan_options options = {
        .size = sizeof(options), .flags = GC_CREATE | GC_DURABLE, .capacity = 4};
    gc_client *g = cell->g[WHO_B];
    gc_chan c;

    CELL_MUST(cell, gc_open(g, cell->object, &options, &c, GC_FOREVER) == 0);
    CELL_MUST(cell, gc_send(g, c, gc_string("first"), GC_FOREVER) == 0);
    CELL_MUST(cell, gc_drop(g, c) == 0);
}

static int relay_call(struct cell *cell, int who)
{
    cell->job[who] = hosted_submit("relay", cell->object);
    return end_of(cell, "first");
}

static void check_relayed(struct cell *cell)
{
    gc_client *g = cell->g[WHO_B];
    struct gc_value value = {0};
    gc_chan c;

    check_ran(cell);
    CELL_MUST(cell, gc_open(g, cell->object, NULL, &c, GC_FOREVER) == 0);
    CELL_MUST(cell, gc_recv(g, c, &value, 0, GC_NOW) == 1);
    CELL_MUST(cell, value.size == 7 && memcmp(value.data, "relayed", 7) == 0 && value.flags == 0);
    gc_value_clear(&value);
    CELL_MUST(cell, gc_recv(g, c, &value, 0, GC_NOW) == -EAGAIN);
    CELL_MUST(cell, gc_unlink(g, cell->object, GC_FOREVER) == 0);
    CELL_MUST(cell, gc_drop(g, c) == 0);
}

static int print_call(struct cell *cell, int who)
{
    cell->job[who] = hosted_submit("hello", cell->object);
    return end_of(cell, NULL);
}

static void check_printed(struct cell *cell)
{
    char line[96];
    struct gc_value out = {0};

    check_ran(cell);
    snprintf(line, sizeof(line), "Hello, %s!\n", cell->object);
    CELL_MUST(cell, gc_job_output(cell->g[WHO_B], cell->job[WHO_A], 0, 0, &out, GC_FOREVER) == 0);
    CELL_MUST(cell, out.size == strlen(line) && memcmp(out.data, line, out.size) == 0);
    gc_value_clear(&out);
}

/* What it says of itself while it runs: half of it is done. */
static double fraction(struct cell *cell, gc_job job)
{
    struct gc_job_info info = {0};

    CELL_MUST(cell, gc_job_info(cell->g[WHO_B], job, &info, GC_FOREVER) == 0);
    double done = strcmp(info.progress, "waiting") == 0 ? info.fraction : 0;
    gc_job_info_clear(&info);
    return done;
}

static int progress_call(struct cell *cell, int who)
{
    cell->job[who] = hosted_submit("wait", cell->object);
    while (fraction(cell, cell->job[who]) != 0.5)
        ;
    CELL_MUST(cell, gc_job_cancel(cell->g[WHO_B], cell->job[who], NULL, GC_FOREVER) == 0);
    return end_of(cell, NULL);
}

static void check_progressed(struct cell *cell)
{
    struct gc_job_info info = {0};

    CELL_MUST(cell, cell->status[WHO_A] == 0);
    CELL_MUST(cell, gc_job_info(cell->g[WHO_B], cell->job[WHO_A], &info, GC_FOREVER) == 0);
    CELL_MUST(cell, info.attempt <= 1 && info.crashes == 0 && info.state == GC_JOB_CANCELLED);
    gc_job_info_clear(&info);
}

/* ---- goroutines ---- */

/* Each is told of once. How many. */
static int count_goroutines(struct cell *cell, const char *text, size_t size)
{
    static const char head[] = "goroutine ";
    unsigned long long seen[64], id;
    int n = 0;

    for (size_t at = 0; at + sizeof(head) < size; at++) {
        bool begins = (at == 0 || text[at - 1] == '\n') && memcmp(text + at, head, sizeof(head) - 1) == 0;
        if (!begins || sscanf(text + at + sizeof(head) - 1, "%llu [", &id) != 1)
            continue;
        for (int i = 0; i < n; i++)
            CELL_MUST(cell, seen[i] != id);
        CELL_MUST(cell, n < 64);
        seen[n++] = id;
    }
    return n;
}

static int ask_goroutines(struct cell *cell, gc_client *g)
{
    struct gc_told all = {0};
    int r = gc_goroutines(g, 0, &all, GC_FOREVER);

    if (r == 0 && (all.pid != hosted_pid() || !count_goroutines(cell, all.text, all.bytes)))
        r = -EPROTO;
    gc_told_clear(&all);
    return r;
}

static int goroutines_call(struct cell *cell, int who)
{
    return ask_goroutines(cell, cell->g[who]);
}

/* The same, asked as one of many questions. */
static int inspect_call(struct cell *cell, int who)
{
    struct gc_question question = {.size = sizeof(question), .what = GC_ASK_FIGURES};
    struct gc_told told = {0};
    int r = gc_inspect(cell->g[who], &question, &told, GC_FOREVER);

    if (r == 0 && (told.pid != hosted_pid() || !told.bytes))
        r = -EPROTO;
    gc_told_clear(&told);
    return r;
}

static int dumped_call(struct cell *cell, int who)
{
    return ask_goroutines(cell, cell->g[WHO_B]);
}

/* A job that waits is there to be told of. */
static void prepare_working(struct cell *cell)
{
    cell->before = hosted_submit("wait", cell->object);
    while (fraction(cell, cell->before) != 0.5)
        ;
}

static void check_told(struct cell *cell)
{
    for (int who = 0; who < cell->calls; who++)
        CELL_MUST(cell, cell->status[who] == 0);
    CELL_MUST(cell, gc_job_cancel(cell->g[WHO_B], cell->before, NULL, GC_FOREVER) == 0);
    CELL_MUST(cell, gc_wait(cell->g[WHO_B], cell->before, NULL, GC_FOREVER) == 0);
}

static void prepare_stopped(struct cell *cell)
{
    prepare_working(cell);
    stranger_stop(hosted_pid());
}

static void let_it_go_on(struct cell *cell, int i)
{
    CELL_MUST(cell, kill(hosted_pid(), SIGCONT) == 0);
}

const struct scene scenes_host[] = {
    {"reserve", "job", VERB_RESERVE, prepare_nothing, echo_call, NULL, check_ran, false, IN_NEW_HOST},
    {"started", "job", VERB_STARTED, prepare_nothing, echo_call, NULL, check_ran, false, IN_HOST},
    {"done", "job", VERB_DONE, prepare_nothing, echo_call, NULL, check_ran, false, IN_HOST},
    {"transact", "relay", VERB_TRANSACT, prepare_relay, relay_call, NULL, check_relayed, false, IN_HOST},
    {"print", "line", VERB_PRINT, prepare_nothing, print_call, NULL, check_printed, false, IN_HOST},
    {"progress", "half", VERB_PROGRESS, prepare_nothing, progress_call, NULL, check_progressed, false,
     IN_HOST},
    {"dumped", "some", VERB_DUMPED, prepare_working, dumped_call, NULL, check_told, false, IN_HOST},
    {"goroutines", "stopped", VERB_GOROUTINES, prepare_stopped, goroutines_call, let_it_go_on, check_told,
     true, WITH_HOST},
    {"inspect", "stopped", VERB_INSPECT, prepare_stopped, inspect_call, let_it_go_on, check_told, true,
     WITH_HOST},
    {0},
};
