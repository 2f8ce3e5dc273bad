/* Jobs, selects over many channels, and locks of a goroutined. $BENCH_PLUGIN is a plugin whose `echo` gives its argument back. */
#include "ours.h"

#include "goclient_sync.h"

/* ---- a job submitted, run, and its result ---- */

static void ask_job(void)
{
    const struct gc_submit what = {.size = sizeof what,
                                   .plugin = getenv("BENCH_PLUGIN"),
                                   .function = "echo",
                                   .argument = value.data,
                                   .argument_bytes = value.size};
    struct gc_result result;
    gc_job job;

    check(gc_submit(g, &what, &job, GC_FOREVER), "submit");
    check(gc_wait(g, job, &result, GC_FOREVER), "wait");
    if (result.state != GC_JOB_DONE || result.bytes != value.size)
        errx(1, "the job has not given back its argument: %s", result.text);
    gc_result_clear(&result);
}

/* ---- there by one of many channels, and back ---- */

enum { CHANNELS = 8 };

static gc_chan many[CHANNELS], answers;

static void begin_select(const char *where, size_t bytes)
{
    static const char *const names[CHANNELS] = {"bench.0", "bench.1", "bench.2", "bench.3",
                                                "bench.4", "bench.5", "bench.6", "bench.7"};

    begin(where, bytes);
    for (int i = 0; i < CHANNELS; i++)
        many[i] = open_chan(run_name(names[i]), 1);
    answers = open_chan(run_name("bench.answers"), 1);
}

static void echo_select(const char *where, size_t bytes)
{
    struct gc_value v;
    struct gc_case cases[CHANNELS];

    begin_select(where, bytes);
    for (int i = 0; i < CHANNELS; i++)
        cases[i] = gc_case_recv(many[i], &v);
    ready();
    for (;;) {
        check(gc_select(g, cases, CHANNELS, 0, GC_FOREVER), "select");
        check(gc_send(g, answers, v, GC_FOREVER), "send back");
        gc_value_clear(&v);
    }
}

static void ask_select(void)
{
    static unsigned turn;
    struct gc_value v;

    check(gc_send(g, many[turn++ % CHANNELS], value, GC_FOREVER), "send");
    check(gc_recv(g, answers, &v, 0, GC_FOREVER), "receive");
    gc_value_clear(&v);
}

/* ---- one lock, wanted by many ---- */

static void lock_and_unlock(const char *where, size_t bytes)
{
    const char *name = run_name("bench.lock");
    uint64_t token;

    begin(where, bytes);
    ready();
    for (;;) {
        check(gc_lock(g, name, &token, 0, GC_FOREVER), "lock");
        ++*received; /* it is the only one */
        check(gc_unlock(g, name, token, 0, GC_FOREVER), "unlock");
    }
}

const struct peer job_run = {.name = "job", .begin = begin, .ask = ask_job};
const struct peer select_8 = {
    .name = "select", .echo = echo_select, .begin = begin_select, .ask = ask_select};
const struct peer lock_8 = {.name = "lock", .consume = lock_and_unlock};
