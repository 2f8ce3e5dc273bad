#include "crew.h"

#include <assert.h>
#include <errno.h>

#include "pool.h"

enum { DOUBLINGS_MAX = 20, TRIAL_DOUBLINGS_MAX = 10 };

void crew_init(struct crew *crew, struct generation *generation, struct pool *pool)
{
    crew->generation = generation;
    crew->pool = pool;
    list_init(&crew->link);
    list_init(&crew->pool_link);
    list_init(&crew->hosts);
}

static bool own(const struct crew *crew)
{
    return crew == &crew->generation->crew;
}

static bool wanted(const struct crew *crew)
{
    const struct plugin *plugin = crew->generation->plugin;
    const struct pool *pool = crew->pool;

    return pool && !pool->sum.drained &&
           pool_has_plugin(pool_part_list(&pool->sum, POOL_functions),
                           (struct bytes){plugin->path, plugin->path_size});
}

uint64_t crew_most(const struct crew *crew)
{
    if (crew->generation != crew->generation->plugin->newest)
        return 0;
    if (own(crew))
        return 1;
    return wanted(crew) ? crew->pool->sum.number[POOL_hosts] + PLANTED(CROWDED_POOL) : 0;
}

/* ---- whom a job goes to ---- */

static struct host *youngest(const struct crew *crew)
{
    return container_of(crew->hosts.prev, struct host, peers);
}

/* While suspects are told apart: there is a host younger than the death. */
static bool has_fresh(const struct crew *crew)
{
    return crew->hosts_n && youngest(crew)->number > crew->suspects_after;
}

/* Another one may be started now. The own crew of a generation waits for its host alone. */
static bool may_start(const struct core *core, const struct crew *crew)
{
    if (timer_armed(&crew->again) || crew->hosts_n >= crew_most(crew))
        return false;
    return own(crew) || crew->living < core->limits.pool_hosts_max;
}

static int64_t trial_ns(const struct crew *crew)
{
    uint32_t doublings = crew->unsolved > 0 ? crew->unsolved - 1 : 0;

    return TRIAL_NS << (doublings < TRIAL_DOUBLINGS_MAX ? doublings : TRIAL_DOUBLINGS_MAX);
}

/* Suspects are told apart: they go to fresh hosts where there can be any, and the last one there has not been alone for long
 * enough. */
static bool on_trial(struct core *core, const struct crew *crew, struct host *host)
{
    const struct run *last = container_of(host->runs.prev, struct run, link);

    if (!crew->trials || list_empty(&host->runs))
        return false;
    if (!last->told)
        return true;
    if (host->number <= crew->suspects_after && (has_fresh(crew) || may_start(core, crew)))
        return true;
    int64_t until_ns = time_after(last->told_ns, trial_ns(crew));
    if (until_ns <= core->now.mono_ns)
        return false;
    host_rest(core, host, until_ns);
    return true;
}

static bool full(const struct crew *crew, const struct host *host)
{
    return host->offered >= host->window ||
           (crew->pool && host->busy >= crew->pool->sum.number[POOL_goroutines] + PLANTED(FULL_HOST));
}

static bool takes(struct core *core, const struct crew *crew, struct host *host)
{
    if (host->state != HOST_SERVING || timer_armed(&host->timer) || full(crew, host) ||
        on_trial(core, crew, host))
        return false;
    if (host_listens(core, host))
        return true;
    host_drain(core, host, false); /* it takes its RESERVE back */
    return false;
}

struct host *crew_host(struct core *core, struct crew *crew, uint32_t uid)
{
    struct host *host, *after, *best = NULL;
    bool starting = false;

    list_each_safe (host, after, &crew->hosts, peers) {
        starting |= host->state == HOST_STARTING;
        if ((!best || host->busy < best->busy) && takes(core, crew, host))
            best = host;
    }
    if (!best && !starting)
        crew_fill(core, crew, crew->hosts_n + 1, uid);
    return best;
}

/* ---- how many there are ---- */

void crew_fill(struct core *core, struct crew *crew, uint64_t n, uint32_t uid)
{
    while (crew->hosts_n < n && may_start(core, crew))
        if (host_launch(core, crew, uid) < 0)
            return dispatch_soon(core);
}

static struct host *least_busy(const struct crew *crew)
{
    struct host *host, *least = NULL;

    list_each (host, &crew->hosts, peers)
        if (!least || host->busy < least->busy)
            least = host;
    return least;
}

void crew_shape(struct core *core, struct crew *crew)
{
    while (crew->hosts_n > crew_most(crew))
        host_drain(core, least_busy(crew), false);
    crew_settle(core, crew);
}

void crew_joins(struct core *core, struct crew *crew, struct host *host)
{
    host->crew = crew;
    host->generation = crew->generation;
    host->since_ns = core->now.mono_ns;
    list_append(&crew->hosts, &host->peers);
    crew->hosts_n++;
    crew->living++;
    crew->generation->hosts++;
    if (crew->pool)
        crew->pool->started++;
}

void crew_leaves(struct core *core, struct host *host)
{
    if (!list_linked(&host->peers))
        return;
    list_remove(&host->peers);
    host->crew->hosts_n--;
    pools_soon(core);
}

void crew_ended(struct core *core, struct host *host)
{
    struct crew *crew = host->crew;

    crew_leaves(core, host);
    crew->living--;
    crew->generation->hosts--;
    crew_settle(core, crew);
}

/* ---- deaths ---- */

static void again(struct core *core, struct timer *timer)
{
    pools_soon(core);
    dispatch_soon(core);
}

void crew_hold_off(struct core *core, struct crew *crew, bool proved)
{
    uint64_t doublings, ms = core->limits.host_restart_ms;

    crew->failures = proved ? 1 : crew->failures + 1;
    doublings = crew->failures - 1 < DOUBLINGS_MAX ? crew->failures - 1 : DOUBLINGS_MAX;
    ms <<= doublings;
    if (ms > core->limits.host_restart_max_ms)
        ms = core->limits.host_restart_max_ms;
    timer_arm(core, &crew->again, time_after(core->now.mono_ns, (int64_t)ms * 1000000), again);
    if (crew->pool)
        crew->pool->died++;
}

void crew_suspects(struct core *core, struct crew *crew, uint64_t runs)
{
    crew->trials = runs + 1; /* the last one is alone for a while, too */
    crew->suspects_after = core->jobs->host_last;
    crew->unsolved++;
}

/* ---- birth and death ---- */

struct crew *crew_get(struct core *core, struct pool *pool, struct generation *generation)
{
    struct crew *crew;

    list_each (crew, &pool->crews, pool_link)
        if (crew->generation == generation)
            return crew;
    crew = core_alloc(core, sizeof(*crew));
    if (!crew || timers_reserve(core) < 0) {
        core_free(core, crew);
        return NULL;
    }
    crew_init(crew, generation, pool);
    list_append(&generation->crews, &crew->link);
    list_append(&pool->crews, &crew->pool_link);
    return crew;
}

/* Tracks look it up again. */
static void forget(const struct crew *crew)
{
    const struct function *function;
    struct track *track;

    list_each (function, &crew->generation->plugin->functions, link)
        list_each (track, &function->tracks, function_link)
            if (track->crew == crew)
                track->crew = NULL;
}

static void crew_free(struct core *core, struct crew *crew)
{
    assert(crew->living == 0 && "a crew outlives its hosts");
    forget(crew);
    list_remove(&crew->link);
    list_remove(&crew->pool_link);
    timer_disarm(core, &crew->again);
    timers_unreserve(core);
    core_free(core, crew);
}

void crew_settle(struct core *core, struct crew *crew)
{
    bool needed = crew->pool && crew->generation == crew->generation->plugin->newest;

    if (!own(crew) && crew->living == 0 && !needed)
        crew_free(core, crew);
}

void crews_free(struct core *core, struct generation *generation)
{
    struct crew *crew, *after;

    list_each_safe (crew, after, &generation->crews, link)
        crew_free(core, crew);
}

void crews_retire(struct core *core, struct generation *generation)
{
    struct crew *crew, *after;

    crew_shape(core, &generation->crew);
    list_each_safe (crew, after, &generation->crews, link)
        crew_shape(core, crew);
}

/* ---- words ---- */

static bool all_full(const struct crew *crew)
{
    const struct host *host;

    list_each (host, &crew->hosts, peers)
        if (host->state != HOST_SERVING || !full(crew, host))
            return false;
    return crew->hosts_n > 0 && crew->hosts_n >= crew_most(crew);
}

static size_t pause_reason(const struct core *core, const struct crew *crew, char *to, size_t size)
{
    const struct host *host;
    int64_t at_ns = 0;

    list_each (host, &crew->hosts, peers) {
        if (host->state != HOST_SERVING || !timer_armed(&host->timer))
            return 0;
        at_ns = at_ns && at_ns < host->timer.at_ns ? at_ns : host->timer.at_ns;
    }
    return text_write(to, size, "its host takes the next job in %lld ms",
                      (long long)(at_ns - core->now.mono_ns) / 1000000);
}

size_t crew_reason(const struct core *core, const struct crew *crew, char *to, size_t size)
{
    const struct host *host;

    if (!crew->hosts_n && timer_armed(&crew->again))
        return text_write(to, size, "its host ended %llu times in a row; the next one starts in %lld ms",
                          (unsigned long long)crew->failures,
                          (long long)(crew->again.at_ns - core->now.mono_ns) / 1000000);
    if (crew->pool && all_full(crew))
        return text_write(to, size, "all %llu hosts of its pool %.*s are busy",
                          (unsigned long long)crew->hosts_n, (int)crew->pool->name_size, crew->pool->name);
    list_each (host, &crew->hosts, peers)
        if (host->state == HOST_SERVING)
            return pause_reason(core, crew, to, size);
    return text_write(to, size, "its host is being started");
}

/* ---- the invariants ---- */

void crew_check(const struct core *core, const struct crew *crew)
{
    const struct host *host;
    uint64_t n = 0;

    list_each (host, &crew->hosts, peers) {
        assert(host->crew == crew && host->state <= HOST_SERVING && "the hosts of a crew take jobs, or will");
        n++;
    }
    assert(n == crew->hosts_n && n <= crew->living && "a crew counts its hosts");
    assert(n <= crew_most(crew) && "a crew has no more hosts than it may have");
    assert((own(crew) || crew->living || crew->pool) && "what has no pool goes with its last host");
}
