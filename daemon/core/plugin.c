/*
 * Plugins: the files that are known, their functions, their generations.
 *
 * A file is looked at by the shell (EFFECT_PLUGIN, answered by IN_PLUGIN), at most once a second and whenever a
 * function is asked for that it is not known to have. What it is now is its newest generation; jobs start on that
 * one only. A function that only jobs name stays as long as they do, with the reason why they wait.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "feeds.h"
#include "pool.h"
#include "schedules.h"
#include "submit.h"
#include "worker.h"

enum { MISSES_MAX = 5 }; /* the wait between looks doubles that often: 32 s */

struct plugin *plugin_find(const struct core *core, struct bytes path)
{
    struct plugin *plugin;

    list_each (plugin, &core->jobs->plugins, link)
        if (bytes_are(path, plugin->path, plugin->path_size))
            return plugin;
    return NULL;
}

struct function *function_find(const struct plugin *plugin, struct bytes name)
{
    struct function *function;

    list_each (function, &plugin->functions, link)
        if (bytes_are(name, function->name, function->name_size))
            return function;
    return NULL;
}

/* ---- birth and death ---- */

static void function_free(struct core *core, struct function *function)
{
    list_remove(&function->link);
    core_free(core, function);
}

static void generation_free(struct core *core, struct generation *generation)
{
    assert(generation->hosts == 0 && "a generation outlives its hosts");
    crews_free(core, generation);
    list_remove(&generation->link);
    timer_disarm(core, &generation->crew.again);
    timers_unreserve(core);
    core_free(core, generation);
}

/* What workers do is of a plugin without a path, which takes no room of files. */
static bool is_file(const struct plugin *plugin)
{
    return plugin->path_size;
}

static void plugin_free(struct core *core, struct plugin *plugin)
{
    struct function *function, *next_function;
    struct generation *generation, *next_generation;

    admissions_free(core, plugin);
    list_each_safe (function, next_function, &plugin->functions, link)
        function_free(core, function);
    list_each_safe (generation, next_generation, &plugin->generations, link)
        generation_free(core, generation);
    timer_disarm(core, &plugin->again);
    timers_unreserve(core);
    list_remove(&plugin->link);
    core->jobs->plugins_n -= is_file(plugin);
    core_free(core, plugin->trouble);
    core_free(core, plugin);
}

static bool plugin_idle(const struct plugin *plugin)
{
    const struct function *function;
    const struct generation *generation;

    list_each (function, &plugin->functions, link)
        if (!list_empty(&function->tracks))
            return false;
    list_each (generation, &plugin->generations, link)
        if (generation->hosts)
            return false;
    return !plugin->asked && list_empty(&plugin->admissions);
}

/* Forgets one plugin that nothing needs, to make room. */
static bool make_room(struct core *core)
{
    struct plugin *plugin;

    list_each (plugin, &core->jobs->plugins, link) {
        if (!is_file(plugin) || !plugin_idle(plugin))
            continue;
        plugin_free(core, plugin);
        return true;
    }
    return false;
}

struct plugin *plugin_get(struct core *core, struct bytes path, int *error)
{
    struct jobs *jobs = core->jobs;
    struct plugin *plugin = plugin_find(core, path);

    if (plugin)
        return plugin;
    *error = -ENOBUFS;
    if (path.size && jobs->plugins_n >= core->limits.plugins_max && !make_room(core))
        return NULL;
    *error = -ENOMEM;
    plugin = core_alloc(core, sizeof(*plugin) + path.size);
    if (!plugin || timers_reserve(core) < 0) {
        core_free(core, plugin);
        return NULL;
    }
    list_init(&plugin->functions);
    list_init(&plugin->generations);
    list_init(&plugin->admissions);
    list_append(&jobs->plugins, &plugin->link);
    plugin->path_size = (uint32_t)path.size;
    jobs->plugins_n += is_file(plugin);
    if (path.size)
        memcpy(plugin->path, path.data, path.size);
    return plugin;
}

struct function *function_get(struct core *core, struct plugin *plugin, struct bytes name)
{
    struct function *function = function_find(plugin, name);

    if (function)
        return function;
    function = core_alloc(core, sizeof(*function) + name.size);
    if (!function)
        return NULL;
    list_init(&function->tracks);
    list_append(&plugin->functions, &function->link);
    function->plugin = plugin;
    function->name_size = (uint32_t)name.size;
    memcpy(function->name, name.data, name.size);
    return function;
}

void function_settle(struct core *core, struct function *function)
{
    if (!function->known && list_empty(&function->tracks))
        function_free(core, function);
}

void generation_settle(struct core *core, struct generation *generation)
{
    if (generation->hosts == 0 && generation->plugin->newest != generation)
        generation_free(core, generation);
}

void plugins_free(struct core *core)
{
    struct plugin *plugin, *after;

    list_each (plugin, &core->jobs->plugins, link)
        admissions_free(core, plugin); /* of bulks, whose jobs are of other plugins, too */
    list_each_safe (plugin, after, &core->jobs->plugins, link)
        plugin_free(core, plugin);
}

/* ---- looking at the file ---- */

int plugin_ask(struct core *core, struct plugin *plugin, uint32_t uid)
{
    if (plugin->asked)
        return 0;
    struct effect *effect = effect_new(core, EFFECT_PLUGIN, plugin->path_size);
    if (!effect)
        return -ENOMEM;
    effect->plugin.path = effect_text(effect, (struct bytes){plugin->path, plugin->path_size});
    effect->plugin.uid = uid;
    plugin->asked = true;
    timer_disarm(core, &plugin->again);
    return 0;
}

static bool fresh(const struct core *core, const struct plugin *plugin)
{
    return plugin->seen && core->now.mono_ns - plugin->seen_ns < PLUGIN_FRESH_NS;
}

bool plugin_stale(const struct core *core, const struct plugin *plugin, const struct function *function)
{
    bool known = plugin->newest && !plugin->broken && function && function->known;

    if (!plugin->path_size) /* what workers do needs no file */
        return false;

    return plugin->asked || !known || !fresh(core, plugin);
}

static void look_again(struct core *core, struct timer *timer)
{
    pools_soon(core);
    dispatch_soon(core); /* which asks when jobs still wait for it */
}

/* Jobs wait for a file that cannot be used, or that lacks their function: it is looked at again, less and less. */
static void watch(struct core *core, struct plugin *plugin, uint32_t uid)
{
    uint32_t doublings = plugin->misses < MISSES_MAX ? plugin->misses : MISSES_MAX;
    int64_t next = time_after(plugin->seen_ns, PLUGIN_FRESH_NS << doublings);

    if (plugin->asked)
        return;
    if (plugin->seen && next > core->now.mono_ns)
        return timer_arm(core, &plugin->again, next, look_again);
    if (plugin_ask(core, plugin, uid) == 0)
        plugin->misses++;
}

/* A file that has become unusable since stops nobody: hosts run the copy of the newest sound one. */
struct host *function_host(struct core *core, const struct job *job)
{
    const struct function *function = job->lane->function;

    if (!function->plugin->path_size)
        return worker_ready(core, job);
    if (function->plugin->newest && function->known)
        return pool_host(core, job->lane->track, job->terms->account->uid);
    watch(core, function->plugin, job->terms->account->uid);
    return NULL;
}

struct generation *plugin_wanted(struct core *core, struct bytes path, uint32_t uid)
{
    int error;
    struct plugin *plugin = plugin_get(core, path, &error);

    if (!plugin)
        return NULL;
    if (!plugin->newest)
        watch(core, plugin, uid);
    return plugin->newest;
}

/* ---- the answer ---- */

static struct generation *generation_find(const struct plugin *plugin, struct bytes name)
{
    struct generation *generation;

    list_each (generation, &plugin->generations, link)
        if (bytes_are(name, generation->name, generation->name_size))
            return generation;
    return NULL;
}

static struct generation *generation_get(struct core *core, struct plugin *plugin, struct bytes name)
{
    struct generation *generation = generation_find(plugin, name);

    if (generation)
        return generation;
    generation = core_alloc(core, sizeof(*generation) + name.size);
    if (!generation || timers_reserve(core) < 0) {
        core_free(core, generation);
        return NULL;
    }
    generation->plugin = plugin;
    list_init(&generation->crews);
    crew_init(&generation->crew, generation, NULL);
    generation->name_size = (uint32_t)name.size;
    memcpy(generation->name, name.data, name.size);
    list_append(&plugin->generations, &generation->link);
    return generation;
}

/* Makes what is missing; changes nothing that is there. */
static int functions_reserve(struct core *core, struct plugin *plugin, const struct plugin_function *from,
                             size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!function_get(core, plugin, from[i].name))
            return -ENOMEM;
    return 0;
}

static void functions_set(struct core *core, struct plugin *plugin, const struct plugin_function *from,
                          size_t n)
{
    struct function *function, *after;

    list_each (function, &plugin->functions, link)
        function->known = false;
    for (size_t i = 0; i < n; i++) {
        function = function_find(plugin, from[i].name);
        function->known = true;
        function->attempts_max = from[i].attempts_max;
        function->time_limit_ns = from[i].time_limit_ns;
        function->backoff_ns = from[i].backoff_ns;
    }
    list_each_safe (function, after, &plugin->functions, link)
        function_settle(core, function);
}

/* The file is sound. A generation of its own drains the one before. */
static int adopt(struct core *core, struct plugin *plugin, const struct input *in)
{
    struct generation *old = plugin->newest, *new = generation_get(core, plugin, in->plugin.generation);
    int r = new ? functions_reserve(core, plugin, in->plugin.functions, in->plugin.functions_n) : -ENOMEM;

    if (r < 0) {
        if (new)
            generation_settle(core, new);
        return r;
    }
    functions_set(core, plugin, in->plugin.functions, in->plugin.functions_n);
    if (old == new)
        return 0;
    plugin->newest = new;
    plugin->misses = 0;
    if (old)
        crews_retire(core, old);
    if (old)
        generation_settle(core, old);
    return 0;
}

static void set_trouble(struct core *core, struct plugin *plugin, struct bytes text)
{
    core_free(core, plugin->trouble);
    plugin->trouble = core_alloc(core, text.size + 1);
    if (plugin->trouble && text.size)
        memcpy(plugin->trouble, text.data, text.size);
}

void jobs_plugin(struct core *core, const struct input *in)
{
    struct plugin *plugin = plugin_find(core, in->plugin.path);
    int error = in->plugin.error;

    if (!plugin || !plugin->asked)
        return;
    plugin->asked = false;
    plugin->seen = true;
    plugin->seen_ns = core->now.mono_ns;
    if (error == 0)
        error = adopt(core, plugin, in);
    plugin->broken = error < 0;
    set_trouble(core, plugin, in->plugin.text);
    pools_soon(core);
    dispatch_soon(core);
    admissions_go_on(core, plugin, error, in->plugin.text);
    schedules_go_on(core, plugin, error, in->plugin.text);
    feeds_go_on(core, plugin, error, in->plugin.text);
    if (plugin_idle(plugin) && !plugin->newest)
        plugin_free(core, plugin); /* a path that never was a plugin takes no room */
}

size_t function_reason(const struct core *core, const struct job *job, char *to, size_t size)
{
    const struct function *function = job->lane->function;
    const struct plugin *plugin = function->plugin;

    if (!plugin->newest && plugin->broken)
        return text_write(to, size, "its plugin cannot be used: %s", plugin->trouble ? plugin->trouble : "");
    if (!plugin->newest)
        return text_write(to, size, "its plugin is being looked at");
    if (!function->known)
        return text_write(to, size, "the newest version of its plugin has no function of this name");
    return pool_reason(core, job->lane->track, to, size);
}
