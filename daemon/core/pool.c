#include "pool.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

enum { PLUGIN_AGAIN_S = 5 };

struct pool *pool_find(const struct core *core, struct bytes name)
{
    struct pool *pool;

    list_each (pool, &core->jobs->pools, link)
        if (bytes_are(name, pool->name, pool->name_size))
            return pool;
    return NULL;
}

/* ---- whose job ---- */

static bool has(const struct pool *pool, const struct track *track)
{
    const struct queue *queue = track->queue;
    const struct function *function = track->function;

    return pool_has_queue(pool_part_list(&pool->sum, POOL_queues),
                          (struct bytes){queue->name, queue->name_size}) &&
           pool_has_function(pool_part_list(&pool->sum, POOL_functions),
                             (struct bytes){function->plugin->path, function->plugin->path_size},
                             (struct bytes){function->name, function->name_size});
}

struct pool *pool_of(const struct core *core, const struct track *track)
{
    struct pool *pool;

    if (!track->function->plugin->path_size)
        return NULL;
    list_each (pool, &core->jobs->pools, link)
        if (has(pool, track) && !(PLANTED(STRAY_JOB) && pool->link.prev == &core->jobs->pools))
            return pool;
    return NULL;
}

/* What pools have may be another now. */
static void bind_all(struct core *core)
{
    const struct queue *queue;
    struct track *track;

    list_each (queue, &core->jobs->queues, link)
        list_each (track, &queue->tracks, queue_link) {
            track->pool = pool_of(core, track);
            track->crew = NULL;
        }
    pools_soon(core);
    dispatch_soon(core);
}

static struct crew *crew_of(struct core *core, struct track *track)
{
    struct generation *newest = track->function->plugin->newest;

    if (!track->pool)
        return &newest->crew;
    if (!track->crew || track->crew->generation != newest)
        track->crew = crew_get(core, track->pool, newest);
    return track->crew;
}

struct host *pool_host(struct core *core, struct track *track, uint32_t uid)
{
    struct crew *crew;

    if (track->pool && track->pool->sum.drained)
        return NULL;
    crew = crew_of(core, track);
    if (crew)
        return crew_host(core, crew, uid);
    dispatch_soon(core); /* memory is out: the next input tries again */
    return NULL;
}

static const struct crew *crew_there(const struct track *track)
{
    const struct generation *newest = track->function->plugin->newest;
    const struct crew *crew;

    if (!track->pool)
        return &newest->crew;
    list_each (crew, &newest->crews, link)
        if (crew->pool == track->pool)
            return crew;
    return NULL;
}

size_t pool_reason(const struct core *core, const struct track *track, char *to, size_t size)
{
    const struct pool *pool = track->pool;
    const struct crew *crew = crew_there(track);

    if (pool && pool->sum.drained)
        return text_write(to, size, "its pool %.*s is drained", (int)pool->name_size, pool->name);
    return crew ? crew_reason(core, crew, to, size) : text_write(to, size, "its host is being started");
}

/* ---- birth, change, death ---- */

static void look_again(struct core *core, struct timer *timer)
{
    pools_soon(core);
}

/* In its place by name. */
static void stand(struct core *core, struct pool *pool)
{
    struct list *at = core->jobs->pools.next;

    while (at != &core->jobs->pools &&
           name_order(pool_name(container_of(at, struct pool, link)), pool_name(pool)) < 0)
        at = at->next;
    list_insert_before(at, &pool->link);
    core->jobs->pools_n++;
}

/* It stands nowhere yet. */
static struct pool *pool_new(struct core *core, struct bytes name)
{
    struct pool *pool = core_alloc(core, sizeof(*pool) + name.size);

    if (!pool || timers_reserve(core) < 0) {
        core_free(core, pool);
        return NULL;
    }
    list_init(&pool->link);
    list_init(&pool->crews);
    list_init(&pool->drainers);
    pool->name_size = (uint32_t)name.size;
    memcpy(pool->name, name.data, name.size);
    return pool;
}

static void pool_free(struct core *core, struct pool *pool)
{
    for (int i = 0; i < ORIGINS; i++)
        core_free(core, pool->text[i]);
    timer_disarm(core, &pool->again);
    timers_unreserve(core);
    core_free(core, pool);
}

static void reshape(struct core *core, struct pool *pool)
{
    struct crew *crew, *after;

    list_each_safe (crew, after, &pool->crews, pool_link)
        crew_shape(core, crew);
}

static char *copy(struct core *core, struct bytes text)
{
    char *to = core_alloc(core, text.size + 1);

    if (to && text.size)
        memcpy(to, text.data, text.size);
    return to;
}

bool pool_has_room(const struct core *core, struct bytes name)
{
    return core->jobs->pools_n < core->limits.pools_max || pool_find(core, name);
}

int pool_put(struct core *core, struct bytes name, enum policy_origin origin, struct bytes text,
             struct pool **out)
{
    struct pool *pool = pool_find(core, name);
    struct bytes wrong;

    char *kept = copy(core, text);
    struct pool *made = kept && !pool ? pool_new(core, name) : NULL;
    if (!kept || (!pool && !made)) {
        core_free(core, kept);
        return -ENOMEM;
    }
    if (made)
        stand(core, pool = made);
    core_free(core, pool->text[origin]);
    pool->text[origin] = kept;
    pool->parts[origin] = (struct pool_part){0};
    pool_part_read(&pool->parts[origin], (struct bytes){kept, text.size}, &wrong);
    pool_part_sum(pool->parts, &pool->sum, pool->origin);
    timer_disarm(core, &pool->again);
    bind_all(core);
    reshape(core, pool);
    *out = pool;
    return 0;
}

struct op *pool_drainer(struct core *core, struct pool *pool)
{
    struct waiter *w;

    while ((w = list_first(&pool->drainers, struct waiter, link))) {
        if (!op_gone(core, w->op))
            return w->op;
        list_remove(&w->link);
    }
    return NULL;
}

void pool_remove(struct core *core, struct pool *pool)
{
    struct crew *crew, *after;
    struct op *op;

    while ((op = pool_drainer(core, pool)))
        op_fail(core, op, -ENOENT, "pool %.*s was removed", (int)pool->name_size, pool->name);
    list_remove(&pool->link);
    core->jobs->pools_n--;
    bind_all(core);
    list_each_safe (crew, after, &pool->crews, pool_link) {
        list_remove(&crew->pool_link);
        crew->pool = NULL;
        crew_shape(core, crew);
    }
    pool_free(core, pool);
}

void pools_free(struct core *core)
{
    struct pool *pool, *after;

    list_each_safe (pool, after, &core->jobs->pools, link)
        pool_remove(core, pool);
}

/* ---- counting ---- */

void pool_run_begins(struct host *host)
{
    if (host->crew->pool)
        host->crew->pool->runs++;
}

void pool_run_ended(struct host *host)
{
    host->done++;
    if (host->crew->pool)
        host->crew->pool->ended++;
}

void pool_run_leaves(struct core *core, struct host *host)
{
    if (host->crew->pool && --host->crew->pool->runs == 0)
        pools_soon(core);
}

uint64_t pool_hosts(const struct pool *pool)
{
    const struct crew *crew;
    uint64_t n = 0;

    list_each (crew, &pool->crews, pool_link)
        n += crew->living;
    return n;
}

uint64_t pool_ready(const struct core *core, const struct pool *pool)
{
    const struct queue *queue;
    const struct track *track;
    uint64_t n = 0;

    list_each (queue, &core->jobs->queues, link)
        list_each (track, &queue->tracks, queue_link)
            n += track->pool == pool ? track->ready : 0;
    return n;
}

/* ---- turns ---- */

/* One that is not known is asked for; jobs_plugin looks here again. */
static struct generation *newest_of(struct core *core, const struct pool *pool, struct bytes path)
{
    const struct plugin *plugin = plugin_find(core, path);

    if (plugin && plugin->newest)
        return plugin->newest;
    return timer_armed(&pool->again) ? NULL : plugin_wanted(core, path, core->owner);
}

/* The hosts there always are, of one plugin. False: it cannot be used now. */
static bool keep_min(struct core *core, struct pool *pool, struct bytes path)
{
    struct generation *newest = newest_of(core, pool, path);
    struct crew *crew = newest ? crew_get(core, pool, newest) : NULL;

    if (crew)
        crew_fill(core, crew, pool->sum.number[POOL_min], core->owner);
    return crew != NULL;
}

static void fill(struct core *core, struct pool *pool)
{
    struct bytes words = pool_part_list(&pool->sum, POOL_functions), word;
    bool all = true;

    if (!pool->sum.number[POOL_min] || pool->sum.drained || jobs_closed(core))
        return;
    while (pool_word(&words, &word)) {
        struct bytes path = pool_plugin(word);
        all = (!path.size || keep_min(core, pool, path)) && all;
    }
    if (!all && !timer_armed(&pool->again))
        timer_arm(core, &pool->again, time_after(core->now.mono_ns, (int64_t)PLUGIN_AGAIN_S * 1000000000),
                  look_again);
}

void pools_turn(struct core *core)
{
    struct pool *pool;
    struct op *op;

    if (!core->jobs->pools_look)
        return;
    core->jobs->pools_look = false;
    list_each (pool, &core->jobs->pools, link) {
        while (pool->runs <= PLANTED(EARLY_DRAIN) && (op = pool_drainer(core, pool)))
            op_finish(core, op, 0);
        fill(core, pool);
    }
}

/* ---- the invariants ---- */

static void pool_check(const struct core *core, const struct pool *pool)
{
    const struct list *before = pool->link.prev;
    const struct crew *crew;
    const struct host *host;
    uint64_t runs = 0;

    assert((before == &core->jobs->pools ||
            name_order(pool_name(container_of(before, struct pool, link)), pool_name(pool)) < 0) &&
           "pools are in the order of names");
    assert(pool_stands(&pool->sum) && "a pool has queues or functions");
    list_each (crew, &pool->crews, pool_link)
        assert(crew->pool == pool && "a pool knows its crews");
    list_each (host, &core->jobs->hosts, link)
        runs += host->crew->pool == pool ? host->busy : 0;
    assert(runs == pool->runs && "a pool counts its runs");
}

static void generation_check(const struct core *core, const struct generation *generation)
{
    const struct crew *crew;

    crew_check(core, &generation->crew);
    list_each (crew, &generation->crews, link)
        crew_check(core, crew);
}

void pools_check(const struct core *core)
{
    const struct pool *pool;
    const struct plugin *plugin;
    const struct generation *generation;
    const struct queue *queue;
    const struct track *track;

    list_each (pool, &core->jobs->pools, link)
        pool_check(core, pool);
    list_each (plugin, &core->jobs->plugins, link)
        list_each (generation, &plugin->generations, link)
            generation_check(core, generation);
    list_each (queue, &core->jobs->queues, link)
        list_each (track, &queue->tracks, queue_link)
            assert(track->pool == pool_of(core, track) && "a track knows its pool");
}
