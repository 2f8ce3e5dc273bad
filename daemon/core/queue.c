/*
 * The queues, what is set of each, and whose turn it is of those that have jobs to start: the one that has had least of
 * the hosts for its weight. A queue that comes back, after it had no job or a bound of its own kept it, has had as much as
 * the one that started last.
 *
 * Invariants: `turns` holds the queues with open lanes, by `pass`.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "jobs_internal.h"

enum { PASS = 1 << 20 }; /* of a queue of weight 1, for one job */

static uint64_t hash_of(const struct core *core, struct bytes name)
{
    return core_hash(core, name.data, name.size);
}

/* Also one that is removed. */
static struct queue *find_any(const struct core *core, struct bytes name)
{
    struct map_node *n = map_first(&core->jobs->queue_names, hash_of(core, name));

    for (; n; n = map_next(n)) {
        struct queue *queue = map_entry(n, struct queue, node);
        if (bytes_are(name, queue->name, queue->name_size))
            return queue;
    }
    return NULL;
}

struct queue *queue_find(const struct core *core, struct bytes name)
{
    struct queue *queue = find_any(core, name);

    return queue && !queue->removed ? queue : NULL;
}

/* Of the gate, and of what has ended. 0 or -ENOMEM. */
static int reserve_timers(struct core *core)
{
    if (timers_reserve(core) < 0)
        return -ENOMEM;
    if (timers_reserve(core) == 0)
        return 0;
    timers_unreserve(core);
    return -ENOMEM;
}

struct queue *queue_get(struct core *core, struct bytes name)
{
    struct queue *queue = find_any(core, name);

    if (queue) {
        queue->removed = false;
        return queue;
    }
    queue = map_reserve(core, &core->jobs->queue_names, 1) < 0 ? NULL
                                                               : core_alloc(core, sizeof(*queue) + name.size);
    if (!queue || reserve_timers(core) < 0) {
        core_free(core, queue);
        return NULL;
    }
    list_init(&queue->tracks);
    list_init(&queue->turn);
    list_init(&queue->waiting);
    list_init(&queue->feeds);
    list_init(&queue->submits);
    list_init(&queue->purge.ops);
    list_init(&queue->ended.list);
    list_init(&queue->dead.list);
    list_init(&queue->look);
    list_append(&core->jobs->queues, &queue->link);
    queue->name_size = (uint32_t)name.size;
    memcpy(queue->name, name.data, name.size);
    map_add(&core->jobs->queue_names, &queue->node, hash_of(core, name));
    queue_set(core, queue, ORIGIN_CONFIG, &(struct policy_part){0});
    return queue;
}

struct queue *queue_of_ended(struct core *core, struct bytes name)
{
    struct queue *queue = find_any(core, name);

    if (!queue && (queue = queue_get(core, name)))
        queue->removed = true;
    return queue;
}

/* The order of keys and lanes may be another now: all stand anew. */
static void stand_anew(struct core *core, struct queue *queue)
{
    struct map_node *n = NULL;

    while ((n = map_walk(&queue->keys, n)))
        key_close(map_entry(n, struct queue_key, node));
    while ((n = map_walk(&queue->keys, n)))
        key_settle_all(core, map_entry(n, struct queue_key, node));
}

/* Some defaults are limits of the daemon. */
static void take_limits(const struct core *core, struct queue *queue)
{
    if (queue->origin[POLICY_concurrency] == ORIGIN_DEFAULT)
        queue->policy.concurrency = core->limits.queue_concurrency;
    if (queue->origin[POLICY_retained_s] == ORIGIN_DEFAULT)
        queue->policy.retained_s = core->limits.retained_s;
    if (queue->origin[POLICY_dead_s] == ORIGIN_DEFAULT)
        queue->policy.dead_s = core->limits.dead_s;
    if (queue->policy.durability != DURABLE_NONE) /* what is in memory alone has a bound */
        return;
    if (queue->origin[POLICY_waiting_bytes] == ORIGIN_DEFAULT)
        queue->policy.waiting_bytes = core->limits.volatile_bytes_max;
    if (queue->origin[POLICY_retained_jobs] == ORIGIN_DEFAULT)
        queue->policy.retained_jobs = core->limits.volatile_jobs_max;
    if (queue->origin[POLICY_dead_jobs] == ORIGIN_DEFAULT)
        queue->policy.dead_jobs = core->limits.volatile_jobs_max;
}

/* What it has counted is worth nothing then. */
static bool breaks_otherwise(struct queue_policy before, struct queue_policy now)
{
    for (int i = POLICY_breaker_failures; i <= POLICY_breaker_window_ms; i++)
        if (*policy_value(&before, (enum policy_field)i) != *policy_value(&now, (enum policy_field)i))
            return true;
    return false;
}

void queue_set(struct core *core, struct queue *queue, enum policy_origin origin,
               const struct policy_part *part)
{
    const struct queue_policy before = queue->policy;

    queue->parts[origin] = *part;
    policy_sum(queue->parts, &queue->policy, queue->origin);
    take_limits(core, queue);
    gate_set(core, queue);
    if (breaks_otherwise(before, queue->policy))
        breaker_set(core, queue);
    core->jobs->room = true;
    retention_look(core, queue);
    stand_anew(core, queue);
    dispatch_soon(core);
}

void queue_delete(struct core *core, struct queue *queue)
{
    assert(list_empty(&queue->tracks) && "a queue outlives its lanes");
    list_remove(&queue->link);
    map_remove(&core->jobs->queue_names, &queue->node);
    map_free(core, &queue->keys);
    list_remove(&queue->look);
    timer_disarm(core, &queue->timer);
    timer_disarm(core, &queue->stay);
    timers_unreserve(core);
    timers_unreserve(core);
    core_free(core, queue);
}

void queues_free(struct core *core)
{
    struct queue *queue, *after;

    list_each_safe (queue, after, &core->jobs->queues, link)
        queue_delete(core, queue);
    map_free(core, &core->jobs->queue_names);
}

/* ---- turns ---- */

/* Behind those that have had less, from `at` on. */
static void stand(struct core *core, struct queue *queue, struct list *at)
{
    while (at != &core->jobs->turns && container_of(at, struct queue, turn)->pass <= queue->pass)
        at = at->next;
    list_insert_before(at, &queue->turn);
}

void queue_opens(struct core *core, struct queue *queue)
{
    if (queue->open++)
        return;
    if (queue->pass < core->jobs->pass)
        queue->pass = core->jobs->pass;
    stand(core, queue, core->jobs->turns.next);
}

void queue_closes(struct queue *queue)
{
    if (--queue->open == 0)
        list_remove(&queue->turn);
}

/* One job. 1: started; 0: none can start now; -ENOMEM. */
static int start_one(struct core *core, struct queue *queue)
{
    struct host *host;
    struct job *job = queue_best(core, queue, &host);
    int r = job ? run_start(core, job, host) : 0;

    if (!job || r < 0)
        return r;
    gate_count(core, queue);
    if (core->jobs->pass < queue->pass)
        core->jobs->pass = queue->pass;
    queue->pass += PASS / (PLANTED(NO_WEIGHT) ? 1 : queue->policy.weight);
    return 1;
}

/* What kept it was its own: it has saved up nothing. Gives where to go on. */
static struct list *come_back(struct core *core, struct queue *queue, struct list *next)
{
    queue->kept = false;
    if (queue->pass >= core->jobs->pass)
        return &queue->turn;
    queue->pass = core->jobs->pass;
    list_remove(&queue->turn);
    stand(core, queue, next);
    return queue->turn.next == next ? &queue->turn : next;
}

/* Who is in front of `at` can start nothing in this turn. */
void dispatch(struct core *core)
{
    struct list *at = core->jobs->turns.next;

    if (!core->jobs->dispatch || jobs_closed(core))
        return;
    core->jobs->dispatch = false;
    while (at != &core->jobs->turns) {
        struct queue *queue = container_of(at, struct queue, turn);
        struct list *next = at->next;
        if (!gate_passes(core, queue) || breaker_keeps(queue)) {
            queue->kept = true;
            at = next;
            continue;
        }
        if (queue->kept) {
            at = come_back(core, queue, next);
            continue;
        }
        int r = start_one(core, queue);
        if (r < 0)
            return dispatch_soon(core); /* memory is out: the next input tries again */
        if (r > 0 && list_linked(&queue->turn)) {
            list_remove(&queue->turn);
            stand(core, queue, next);
        }
        at = r > 0 && list_linked(&queue->turn) && queue->turn.next == next ? &queue->turn : next;
    }
}

/* ---- the invariants ---- */

static void turn_check(const struct core *core, const struct queue *queue)
{
    const struct list *before = queue->turn.prev;

    assert(list_linked(&queue->turn) == (queue->open > 0) && "a queue with open lanes has its turn");
    assert((!queue->open || before == &core->jobs->turns ||
            container_of(before, struct queue, turn)->pass <= queue->pass) &&
           "queues start by their weight");
}

void queue_check(const struct core *core)
{
    const struct queue *queue;
    const struct track *track;

    list_each (queue, &core->jobs->queues, link) {
        struct map_node *n = NULL;
        uint64_t ready = 0, broken = 0, breakers = 0;
        turn_check(core, queue);
        room_check(queue);
        retention_check(queue);
        list_each (track, &queue->tracks, queue_link) {
            track_check(track);
            broken += !breaker_lets(track);
            breakers += breaker_remembers(track);
        }
        assert(broken == queue->broken && breakers == queue->breakers &&
               "breakers that let no job start are counted");
        while ((n = map_walk(&queue->keys, n)))
            ready += key_check(map_entry(n, struct queue_key, node));
        assert(ready == queue->ready && "a queue knows how many are ready");
    }
}
