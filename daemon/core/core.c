/* One step: due timers, one input, the sweep, then whatever may leave. */
#include "core.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "kept.h"

#ifdef CORE_PLANT
int core_planted;
#endif

enum { OUTBOX_RETRY_NS = 1000000 };

static void *default_resize(void *context, void *p, size_t size)
{
    if (size)
        return realloc(p, size);
    free(p);
    return NULL;
}

struct core *core_new(const struct limits *limits, const struct allocator *memory, uint64_t node,
                      uint64_t incarnation, uint64_t seed)
{
    struct core head = {
        .limits = *limits,
        .memory = memory ? *memory : (struct allocator){default_resize, NULL, 0},
        .node = node,
        .incarnation = incarnation,
        .sweep_left = limits->sweep_per_turn,
        .timers_left = limits->sweep_per_turn,
    };
    struct core *core = core_alloc(&head, sizeof(*core));

    if (!core)
        return NULL;
    *core = head;
    core_seed(core, seed);
    list_init(&core->early);
    list_init(&core->session_list);
    list_init(&core->channel_list);
    list_init(&core->outbox);
    list_init(&core->held);
    list_init(&core->resolved);
    list_init(&core->released);
    list_init(&core->walked);
    list_init(&core->suspects);
    list_init(&core->dying);
    list_init(&core->ended_list);
    list_init(&core->deposits);
    list_init(&core->closings);
    contexts_init(core);
    contexts_turn(core);
    return topics_init(core) < 0 || kept_init(core) < 0 || jobs_init(core) < 0 ? core_delete(core) : core;
}

static void everything_ends(struct core *core)
{
    struct session *session, *after;
    struct channel *c, *next;

    list_each_safe (session, after, &core->session_list, link)
        session_end(core, session, -ECONNRESET);
    scopes_sweep(core, SIZE_MAX);
    list_each (c, &core->channel_list, link)
        channel_empty(core, c);
    cargo_sweep(core, SIZE_MAX);
    list_each_safe (c, next, &core->channel_list, link)
        channel_discard(core, c);
    jobs_feeds_free(core);
    kept_free(core);
    topics_free(core);
    commit_end(core);
    syncs_free(core);
    ended_free(core);
    jobs_fini(core);
    contexts_free(core); /* jobs are tied to them */
}

struct core *core_delete(struct core *core)
{
    struct effects out;
    struct allocator memory;

    if (!core)
        return NULL;
    effects_init(&out);
    list_splice(&out.list, &core->early);
    core->out = &out;
    everything_ends(core);
    assert(core->timers.count == 0 && "a timer ends with what it is of");
    effects_clear(core, &out);
    core->batch = batch_delete(core->batch);
    map_free(core, &core->accounts);
    map_free(core, &core->sessions);
    map_free(core, &core->peers);
    map_free(core, &core->links);
    map_free(core, &core->handles);
    map_free(core, &core->contexts.by_id);
    map_free(core, &core->contexts.by_name);
    map_free(core, &core->syncs);
    map_free(core, &core->holds);
    map_free(core, &core->channels);
    map_free(core, &core->fetches);
    map_free(core, &core->ended);
    core_free(core, core->timers.heap);
    core_keep_nothing(core);
    memory = core->memory;
    memory.resize(memory.context, core, 0);
    return NULL;
}

void core_allow_clock(struct core *core)
{
    core->clock_moves = true;
}

void core_set_owner(struct core *core, uint32_t uid)
{
    core->owner = uid;
}

void core_set_rights(struct core *core, const struct rights *rights)
{
    core->rights = rights;
}

int core_load(struct core *core, const struct job_row *row, const char **why)
{
    return jobs_load(core, row, why);
}

int core_load_schedule(struct core *core, const struct schedule_row *row, struct bytes argument,
                       const char **why)
{
    return jobs_load_schedule(core, row, argument, why);
}

int core_load_feed(struct core *core, const struct feed_row *row, const char **why)
{
    return jobs_load_feed(core, row, why);
}

static void input_tick(struct core *core, const struct input *in)
{
}

static void input_drain(struct core *core, const struct input *in)
{
    jobs_drain(core);
}

static void (*const inputs[])(struct core *core, const struct input *in) = {
    [IN_SESSION_UP] = input_session_up,
    [IN_SESSION_END] = input_session_end,
    [IN_FRAME] = input_frame,
    [IN_OP] = input_op,
    [IN_CONN_END] = input_conn_end,
    [IN_STORED] = commit_stored,
    [IN_FETCHED] = commit_fetched,
    [IN_PLUGIN] = jobs_plugin,
    [IN_HOST_UP] = jobs_host_up,
    [IN_HOST_END] = jobs_host_end,
    [IN_DRAIN] = input_drain,
    [IN_TICK] = input_tick,
    [IN_ZONE] = jobs_zone,
};

/* A turn of the shell has many inputs, and at its end one IN_TICK when something is left. */
static void turn(struct core *core, const struct input *in)
{
    if (in->kind != IN_TICK)
        return;
    core->sweep_left = core->timers_left = core->limits.sweep_per_turn;
    contexts_turn(core);
    topics_turn(core);
}

static void sweep(struct core *core, const struct input *in)
{
    core->sweep_left = cargo_sweep(core, scopes_sweep(core, resolved_sweep(core, core->sweep_left)));
    if (in->kind == IN_TICK)
        suspects_sweep(core);
}

/* Something is left that no input will bring back: come again at once, or when memory may be there. */
static int64_t wake_at(const struct core *core, bool flushed)
{
    int64_t next = timers_next(core);
    int64_t retry = time_after(core->now.mono_ns, OUTBOX_RETRY_NS);
    enum sweep_left contexts = contexts_left(core), readers = readers_left(core);

    if (!list_empty(&core->resolved) || !list_empty(&core->dying) || !list_empty(&core->released) ||
        !list_empty(&core->suspects) || contexts == SWEEP_NOW || topics_busy(core) || !lasts_may_set(core) ||
        readers == SWEEP_NOW)
        return core->now.mono_ns;
    return (flushed && contexts == SWEEP_NOTHING && readers == SWEEP_NOTHING) || next < retry ? next : retry;
}

void core_step(struct core *core, struct now now, const struct input *in, struct effects *out)
{
    core->now = now;
    core->out = out;
    list_splice(&out->list, &core->early);
    turn(core, in);
    core->timers_left = timers_run(core, core->timers_left);
    contexts_sweep(core); /* what has ended is told before anything that comes now (IP8) */
    inputs[in->kind](core, in);
    contexts_sweep(core);
    jobs_turn(core);
    topics_run(core);
    laters_run(core);
    lasts_run(core);
    readers_run(core);
    forgets_run(core);
    sweep(core, in);
    commit_step(core);
    out->wake_ns = wake_at(core, outbox_flush(core));
}
