/*
 * G74 between processes: a pool under a context; a task that was accepted has a result, whatever happens.
 *
 * Pattern: pool under a context.
 */
#include "goclient_context.h"
#include "parts.h"

enum { TASKS = 10, WORKERS = 3, SCENES = 2, DONE_BEFORE = 4, HOUR_MS = 3600 * 1000 };

static const char *const scene_name[SCENES] = {"normal", "cancelled"};

static gc_chan chan_in(struct part *me, int scene, const char *name)
{
    char text[TEXT_BYTES];

    snprintf(text, sizeof text, "%s.%s", scene_name[scene], name);
    return chan_of(me, text);
}

/* Every task needs a turn; without one its result is the error of the context. */
static void work(struct part *me, int scene, gc_ctx *ctx)
{
    gc_chan tasks = chan_in(me, scene, "tasks"), results = chan_in(me, scene, "results"),
            turns = chan_in(me, scene, "turns");
    int task;

    while (recv_number(me, tasks, &task)) {
        struct gc_value v = {0};
        int r = gc_recv(me->g, turns, &v, 0, gc_with(ctx));

        gc_value_clear(&v);
        send_number(me, results, r == 1 ? 10 * task : r);
    }
}

static void worker(struct part *me)
{
    for (int scene = 0; scene < SCENES; scene++) {
        gc_ctx *ctx;

        step_wait(me, scene_name[scene]);
        must(gc_context_open(me->g, scene_name[scene], &ctx, GC_FOREVER) == 0);
        work(me, scene, ctx);
        gc_ctx_free(ctx);
        send_number(me, chan_of(me, "ended"), me->index);
    }
}

static void collect(struct part *me, int scene, int n)
{
    gc_chan results = chan_in(me, scene, "results");
    int result;

    for (int i = 0; i < n; i++) {
        must(recv_number(me, results, &result));
        if (result > 0)
            say(me, "%s: %d", scene_name[scene], result);
        else
            say(me, "%s: %s", scene_name[scene], error_words(result));
    }
}

/* Submits ten tasks, gives some of them their turn, and ends the context where not all have had one. */
static void run(struct part *me, int scene, int turns)
{
    gc_chan tasks = chan_in(me, scene, "tasks");
    int who;
    gc_ctx *ctx;
    struct gc_context_options options = {
        .size = sizeof options, .name = scene_name[scene], .timeout_ns = HOUR_MS * INT64_C(1000000)};

    must(gc_context_derive(me->g, NULL, &options, &ctx, GC_FOREVER) == 0);
    for (int task = 1; task <= TASKS; task++)
        send_number(me, tasks, task);
    step_done(me, scene_name[scene]);
    for (int i = 0; i < turns; i++) {
        send_text(me, chan_in(me, scene, "turns"), "go");
        collect(me, scene, 1);
    }
    if (turns < TASKS) {
        must(gc_context_cancel(ctx, 0, NULL, GC_FOREVER) == 1);
        /* "a submit afterwards returns an error" */
        must(gc_send(me->g, tasks, gc_string("11"), gc_with(ctx)) == -ECANCELED);
        collect(me, scene, TASKS - turns);
    }
    close_chan(me, tasks);
    for (int i = 0; i < WORKERS; i++)
        must(recv_number(me, chan_of(me, "ended"), &who));
    gc_ctx_free(ctx);
}

static void submitter(struct part *me)
{
    run(me, 0, TASKS);
    run(me, 1, DONE_BEFORE);
}

static void pool_under_context(void)
{
    /* "10 results, 10 to 100" */
    for (int task = 1; task <= TASKS; task++)
        must(said_times("normal: %d", 10 * task) == 1);
    /* "and the end, without waiting for the timeout": nobody has moved the clock */
    /* "cancelled: every task that was accepted has exactly one result, its own or the error of the context" */
    must(said_times("cancelled: context canceled") == TASKS - DONE_BEFORE);
    must(part_lines.n == SCENES * TASKS);
}

GUIDE_PARTS(G74, pool_under_context, .test_clock = true,
            .channels = {{"normal"},
                         {"cancelled"},
                         {"ended"},
                         {"normal.tasks", {.capacity = TASKS}},
                         {"normal.results"},
                         {"normal.turns"},
                         {"cancelled.tasks", {.capacity = TASKS}},
                         {"cancelled.results"},
                         {"cancelled.turns"}},
            .parts = {PARTS(WORKERS, worker), PART(submitter)});
