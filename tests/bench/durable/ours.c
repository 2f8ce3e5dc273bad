/*
 * A goroutined that stores its jobs. WHERE is its endpoint; the plugin is that of $BENCH_PLUGIN. Who puts many at once is
 * one process in which a few goroutines submit BATCH jobs at a time.
 */
#include "durable.h"

#include <stdio.h>

#include "goclient_go.h"
#include "goclient_job.h"

enum { SUBMITTERS = 4, SUBMITTERS_OF_LIFE = 256, WAITING_S = 3600 };

static gc_client *g;
static const char *endpoint;
static int64_t left; /* jobs to be put */

static void check(int r, const char *what)
{
    if (r < 0)
        errx(1, "%s: %s (%s)", what, gc_strerror(r), gc_why());
}

static struct gc_options options_of(const char *where)
{
    return (struct gc_options){
        .size = sizeof(struct gc_options), .endpoint = where, .absent_ms = 60000, .answer_ms = 60000};
}

static void connect_ours(const char *where)
{
    struct gc_options options = options_of(where);
    char why[GC_WHY_BYTES];

    if (gc_connect(&options, &g, why) < 0)
        errx(1, "%s", why);
    check(gc_ping(g, GC_FOREVER), "ping");
}

static struct gc_submit submit_of(const char *function, int64_t delay_ns)
{
    static const char *plugin;

    plugin = plugin ? plugin : getenv("BENCH_PLUGIN");
    return (struct gc_submit){.size = sizeof(struct gc_submit),
                              .plugin = plugin,
                              .function = function,
                              .argument = argument,
                              .argument_bytes = ARGUMENT_BYTES,
                              .delay_ns = delay_ns};
}

static gc_job submit(const char *function, int64_t delay_ns)
{
    const struct gc_submit what = submit_of(function, delay_ns);
    gc_job job;

    check(gc_submit(g, &what, &job, GC_FOREVER), "submit");
    return job;
}

/* One that waits for longer than the measurement. */
static void put(void)
{
    submit("done", WAITING_S * 1000000000LL);
}

/* ---- many at once ---- */

static void spawn_all(void (*fn)(void *arg), int n)
{
    struct gc_options options = options_of(endpoint);
    char why[GC_WHY_BYTES];

    if (gc_go_connect(&options, &g, why) < 0)
        errx(1, "%s", why);
    submit("done", 0); /* the plugin is known from now on */
    ready();
    for (int i = 0; i < n; i++)
        check(go_spawn(fn, NULL, 0), "a goroutine");
}

static int put_many(const struct gc_submit *jobs, gc_job *ids)
{
    int n = gc_submit_many(g, jobs, BATCH, ids, NULL, GC_FOREVER);

    check(n, "submit");
    return n;
}

static void put_all(void *arg)
{
    struct gc_submit *jobs = calloc(BATCH, sizeof *jobs);
    gc_job *ids = calloc(BATCH, sizeof *ids);

    if (!jobs || !ids)
        errx(1, "no memory");
    for (int i = 0; i < BATCH; i++)
        jobs[i] = submit_of("done", WAITING_S * 1000000000LL);
    while (__atomic_fetch_sub(&left, BATCH, __ATOMIC_RELAXED) > 0)
        count(&tally->accepted, (uint64_t)put_many(jobs, ids));
    free(jobs);
    free(ids);
}

static int run_fill(void *arg)
{
    const uint64_t most = (uint64_t)left;

    spawn_all(put_all, SUBMITTERS);
    while (counted(&tally->accepted) < most)
        go_sleep(go_after_ms(10));
    gc_disconnect(g);
    return 0;
}

static void in_runtime(const char *where, int (*run)(void *arg))
{
    endpoint = where;
    check(go_main(run, NULL), "the runtime");
}

static void fill(const char *where, size_t most)
{
    left = most ? (int64_t)most : INT64_MAX;
    in_runtime(where, run_fill);
}

/* ---- the whole life ---- */

static void put_to_run(void *arg)
{
    for (;;) {
        while (counted(&tally->put) >= counted(&tally->ended) + AHEAD_MAX)
            go_sleep(go_after_ms(1));
        count(&tally->put, 1);
        submit("done", 0);
    }
}

/* Jobs that have ended well, as the daemon counts them. */
static uint64_t ended(void)
{
    struct gc_stats stats;
    uint64_t n = 0;

    check(gc_stats(g, "jobs.done", &stats, GC_FOREVER), "stats");
    if (stats.n)
        n = stats.items[0].value;
    gc_stats_clear(&stats);
    return n;
}

static int run_life(void *arg)
{
    spawn_all(put_to_run, SUBMITTERS_OF_LIFE);
    const uint64_t before = ended();
    while (go_sleep(go_after_ms(1)) == 0)
        __atomic_store_n(&tally->ended, ended() - before, __ATOMIC_RELAXED);
    return 0;
}

static void produce(const char *where, size_t number)
{
    in_runtime(where, run_life);
}

/* ---- one on an idle daemon ---- */

static int64_t ask(void)
{
    struct gc_result result;
    int64_t asked = clock_ns(), begun;

    check(gc_wait(g, submit("begun", 0), &result, GC_FOREVER), "wait");
    if (result.state != GC_JOB_DONE || result.bytes != sizeof begun)
        errx(1, "the job has not left its time: %s", result.text);
    memcpy(&begun, result.data, sizeof begun);
    gc_result_clear(&result);
    return begun - asked;
}

const struct peer ours = {.name = "ours",
                          .connect = connect_ours,
                          .put = put,
                          .fill = fill,
                          .produce = produce,
                          .producers = 1,
                          .ask = ask,
                          .send = ours_send,
                          .receive = ours_receive};
