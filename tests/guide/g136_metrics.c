/*
 * G136 Three sources, stages that parse and enrich what they send, and a slow sink that adds it up; beside them somebody
 * who looks how much went in and came out, and how full the queues are.
 *
 * Pattern: pipeline with metrics. Counters are atomic; a depth is the length of a channel; a full queue makes those before
 * it wait, and nothing is dropped.
 */
#include "guide.h"

enum { SOURCES = 3, ITEMS = 100, CAPACITY = 10, STAGES = 2 };

struct item {
    int source, value, enriched;
};

struct pipeline {
    go_chan *raw, *parsed, *enriched;
    atomic_int in, out, dropped;
    struct gate sink_gate;
    long long sums[SOURCES]; /* the sink's */
};

struct source {
    struct pipeline *pipeline;
    int number;
};

static void run_source(void *arg)
{
    const struct source *me = arg;

    for (int i = 1; i <= ITEMS; i++) {
        struct item item = {me->number, i, 0};

        if (go_chan_send(me->pipeline->raw, &item, GO_FOREVER) == 0)
            atomic_fetch_add(&me->pipeline->in, 1);
        else
            atomic_fetch_add(&me->pipeline->dropped, 1);
    }
}

static void parse(void *arg)
{
    struct pipeline *pipeline = arg;
    struct item item;

    while (go_range(pipeline->raw, &item))
        must(go_chan_send(pipeline->parsed, &item, GO_FOREVER) == 0);
    go_chan_close(pipeline->parsed);
}

static void enrich(void *arg)
{
    struct pipeline *pipeline = arg;
    struct item item;

    while (go_range(pipeline->parsed, &item)) {
        item.enriched = 1000 * item.source + item.value;
        must(go_chan_send(pipeline->enriched, &item, GO_FOREVER) == 0);
    }
    go_chan_close(pipeline->enriched);
}

static void add_up(void *arg)
{
    struct pipeline *pipeline = arg;
    struct item item;

    gate_pass(&pipeline->sink_gate);
    while (go_range(pipeline->enriched, &item)) {
        pipeline->sums[item.source] += item.enriched;
        atomic_fetch_add(&pipeline->out, 1);
    }
}

/* What is shown to whoever watches. "depth never above the capacity" */
static void show_metrics(struct pipeline *pipeline)
{
    size_t raw = go_chan_len(pipeline->raw), parsed = go_chan_len(pipeline->parsed),
           enriched = go_chan_len(pipeline->enriched);

    say("in %d, out %d, dropped %d, queued %zu %zu %zu", atomic_load(&pipeline->in),
        atomic_load(&pipeline->out), atomic_load(&pipeline->dropped), raw, parsed, enriched);
    must(raw <= CAPACITY && parsed <= CAPACITY && enriched <= CAPACITY);
}

static void sink_held(struct pipeline *pipeline)
{
    until_parked(SOURCES + STAGES, "chan send");
    show_metrics(pipeline);
    /* "while the sink is held the sources wait: all queues are full, and 32 items are in" */
    must(said(LINES("in 32, out 0, dropped 0, queued 10 10 10")));
}

static void start(struct pipeline *pipeline, go_waitgroup *sources, go_waitgroup *stages)
{
    for (int number = 0; number < SOURCES; number++)
        must(go_waitgroup_go(sources, run_source, &((struct source){pipeline, number}),
                             sizeof(struct source)) == 0);
    must(go_waitgroup_go(stages, parse, pipeline, 0) == 0);
    must(go_waitgroup_go(stages, enrich, pipeline, 0) == 0);
    must(go_waitgroup_go(stages, add_up, pipeline, 0) == 0);
}

static void metrics(void)
{
    struct pipeline pipeline = {.raw = go_chan_new(sizeof(struct item), CAPACITY),
                                .parsed = go_chan_new(sizeof(struct item), CAPACITY),
                                .enriched = go_chan_new(sizeof(struct item), CAPACITY)};
    go_waitgroup sources = {0}, stages = {0};

    start(&pipeline, &sources, &stages);
    sink_held(&pipeline);
    gate_open(&pipeline.sink_gate);
    while (go_waitgroup_count(&sources) > 0) {
        show_metrics(&pipeline);
        go_yield();
    }
    go_waitgroup_wait(&sources);
    go_chan_close(pipeline.raw);
    go_waitgroup_wait(&stages);
    show_metrics(&pipeline);
    /* "in 300, out 300, dropped 0" */
    must(said_last("in 300, out 300, dropped 0, queued 0 0 0"));
    for (int number = 0; number < SOURCES; number++)
        /* "the sum of each source is exact: 5050, 105050, 205050" */
        must(pipeline.sums[number] == 5050 + 100000LL * number);
    go_chan_unref(pipeline.raw);
    go_chan_unref(pipeline.parsed);
    go_chan_unref(pipeline.enriched);
}

GUIDE_ROW(G136, metrics);
