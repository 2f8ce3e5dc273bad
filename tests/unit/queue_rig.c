#include "queue_rig.h"

#include <stdlib.h>
#include <string.h>

#include "job_admit.h"
#include "queue_settings.h"

static struct queue_rig *the_rig; /* the seams below have no context */

struct host *__wrap_function_host(struct core *core, const struct job *job);
int __wrap_run_start(struct core *core, struct job *job, struct host *host);

struct host *__wrap_function_host(struct core *core, const struct job *job)
{
    static struct host host;

    for (int i = 0; i < RIG_FUNCTIONS; i++)
        if (the_rig->function[i] == job->lane->function && the_rig->absent[i])
            return NULL;
    return the_rig->room ? &host : NULL;
}

int __wrap_run_start(struct core *core, struct job *job, struct host *host)
{
    struct queue_rig *rig = the_rig;

    if (rig->started_n == rig->size) {
        rig->size = rig->size ? 2 * rig->size : 64;
        rig->started = realloc(rig->started, rig->size * sizeof(*rig->started));
    }
    rig->started[rig->started_n++] = job;
    rig->room--;
    job_running(core, job);
    return 0;
}

/* Tells the core something, and the store says yes to all it wants kept. */
static void step(struct queue_rig *rig, const struct input *in)
{
    struct batch *batch;

    core_step(rig->core, rig->now, in, &rig->out);
    if (!rig->unchecked)
        queue_check(rig->core);
    while ((batch = list_first(&rig->out.batches, struct batch, link))) {
        struct input stored = {.kind = IN_STORED, .stored = {.batch = batch->number}};
        batch_delete(batch);
        core_step(rig->core, rig->now, &stored, &rig->out);
        if (!rig->unchecked)
            queue_check(rig->core);
    }
    effects_clear(rig->core, &rig->out);
}

void rig_go(struct queue_rig *rig)
{
    step(rig, &(struct input){.kind = IN_TICK});
}

void rig_after(struct queue_rig *rig, int64_t ms)
{
    rig->now.mono_ns += ms * 1000000;
    rig->now.wall_ns += ms * 1000000;
    rig_go(rig);
}

static struct bytes text(const char *words)
{
    return (struct bytes){words, words ? strlen(words) : 0};
}

void rig_queue(struct queue_rig *rig, const char *name, const char *settings)
{
    struct policy_part part = queue_settings(settings);

    assert_int_equal(core_set_queue(rig->core, text(name), &part), 0);
    if (!rig->unchecked)
        queue_check(rig->core);
}

struct job *rig_submit(struct queue_rig *rig, struct rig_job what)
{
    struct core *core = rig->core;
    struct queue *queue = queue_find(core, text(what.queue ? what.queue : "default"));
    struct lane *lane = lane_get(core, queue, rig->function[what.function], text(what.key), what.priority);
    struct account *account = account_get(core, 1000);
    const struct terms *terms = terms_get(core, &(struct terms){.account = account, .attempts_max = 1});
    struct job *job = job_new(core, terms, lane);

    lane_drop(core, lane);
    terms_drop(core, terms);
    assert_int_equal(account_charge(core, account, SLOT_JOBS, 1), 0);
    job->charged = true;
    account_drop(core, account);
    assert_int_equal(job_admit(core, job), 0);
    size_t room = rig->room; /* nothing starts of it yet */
    rig->room = 0;
    rig_go(rig);
    rig->room = room;
    dispatch_soon(core);
    return job;
}

void rig_end(struct queue_rig *rig, size_t started)
{
    struct job *job = rig->started[started];

    rig->started[started] = NULL;
    rig->room++;
    assert_int_equal(job_end(rig->core, job, JOB_DONE, CAUSE_NONE, 0, (struct bytes){0}), 0);
}

void rig_return(struct queue_rig *rig, size_t started)
{
    struct job *job = rig->started[started];

    rig->started[started] = NULL;
    rig->room++;
    job_returned(rig->core, job);
}

void rig_run_dry(struct queue_rig *rig)
{
    size_t before;

    rig_go(rig);
    do {
        before = rig->started_n;
        for (size_t i = 0; i < before; i++)
            if (rig->started[i])
                rig_end(rig, i);
        rig_go(rig);
    } while (rig->started_n > before);
}

static void *resize(void *context, void *p, size_t size)
{
    if (size)
        return realloc(p, size);
    free(p);
    return NULL;
}

int rig_set_up(void **state)
{
    struct queue_rig *rig = calloc(1, sizeof(*rig));
    struct limits limits = LIMITS_DEFAULT;
    int error;

    limits.retained_jobs_max = 1;
    the_rig = rig;
    rig->room = SIZE_MAX / 2;
    rig->now = (struct now){.mono_ns = 1000000000, .wall_ns = INT64_C(1700000000000000000)};
    rig->core = core_new(&limits, &(struct allocator){resize, rig, 0}, 1, 1, 42);
    effects_init(&rig->out);
    struct plugin *plugin = plugin_get(rig->core, text("/p/x.so"), &error);
    for (int i = 0; i < RIG_FUNCTIONS; i++) {
        rig->function[i] = function_get(rig->core, plugin, (struct bytes){&"abcd"[i], 1});
        rig->function[i]->known = true;
    }
    rig_go(rig);
    *state = rig;
    return 0;
}

int rig_tear_down(void **state)
{
    struct queue_rig *rig = *state;

    core_delete(rig->core);
    free(rig->started);
    free(rig);
    return 0;
}
