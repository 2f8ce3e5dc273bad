/*
 * How long ended jobs stay in the store: at most retained_jobs_max of them, at most retained_s. Memory keeps the id
 * and time of each, which also tells an ended job from one that never was. When there is no memory for one, the
 * next start finds it in the store.
 *
 * Invariant: every kept is in the list and in the map by id. The list is in the order of ends: the load comes by id
 * and is sorted once.
 */
#include <stdlib.h>

#include "jobs_internal.h"

enum { DELETES_PER_TURN = 256 };

struct kept {
    struct map_node node;
    struct list link;
    uint64_t id;
    int64_t ended_us;
    uint32_t uid;
};

void retention_add(struct core *core, uint64_t id, int64_t ended_us, uint32_t uid)
{
    struct retained *r = &core->jobs->retained;
    struct kept *kept = map_reserve(core, &r->map, 1) < 0 ? NULL : core_alloc(core, sizeof(*kept));

    if (!kept)
        return;
    kept->id = id;
    kept->ended_us = ended_us;
    kept->uid = uid;
    list_append(&r->list, &kept->link);
    map_add(&r->map, &kept->node, core_hash_number(core, id));
}

bool retention_has(const struct core *core, uint64_t id, uint32_t *uid)
{
    struct map_node *n = map_first(&core->jobs->retained.map, core_hash_number(core, id));

    while (n && map_entry(n, struct kept, node)->id != id)
        n = map_next(n);
    if (n)
        *uid = map_entry(n, struct kept, node)->uid;
    return n != NULL;
}

static void drop(struct core *core, struct kept *kept)
{
    map_remove(&core->jobs->retained.map, &kept->node);
    list_remove(&kept->link);
    core_free(core, kept);
}

static int by_end(const void *a, const void *b)
{
    int64_t left = (*(struct kept *const *)a)->ended_us, right = (*(struct kept *const *)b)->ended_us;

    return (left > right) - (left < right);
}

void retention_sort(struct core *core)
{
    struct retained *r = &core->jobs->retained;
    struct kept **array = core_alloc(core, r->map.count * sizeof(*array) + 1), *kept;
    size_t n = 0;

    if (!array)
        return; /* some go a little late */
    list_each (kept, &r->list, link)
        array[n++] = kept;
    qsort(array, n, sizeof(*array), by_end);
    list_init(&r->list);
    for (size_t i = 0; i < n; i++)
        list_append(&r->list, &array[i]->link);
    core_free(core, array);
}

static int64_t left_ns(const struct core *core, const struct kept *kept)
{
    int64_t age_us = core->now.wall_ns / 1000 - kept->ended_us;
    int64_t left_us = (int64_t)core->limits.retained_s * 1000000 - age_us;

    return left_us < INT64_MAX / 1000 ? left_us * 1000 : INT64_MAX;
}

static bool too_many(const struct core *core)
{
    return core->jobs->retained.map.count > core->limits.retained_jobs_max;
}

/* The turn that follows does the work. */
static void wake(struct core *core, struct timer *timer)
{
}

void retention_turn(struct core *core)
{
    struct retained *r = &core->jobs->retained;
    struct kept *oldest;
    int deletes = 0;

    while ((oldest = list_first(&r->list, struct kept, link)) && deletes++ < DELETES_PER_TURN) {
        struct job_row row = {.id = oldest->id};
        if (!too_many(core) && left_ns(core, oldest) > 0)
            break;
        if (core_record(core, RECORD_JOB_DELETE, &row, (struct bytes){0}) == 0)
            break;
        drop(core, oldest);
    }
    if (!oldest)
        return timer_disarm(core, &r->timer);
    int64_t left = too_many(core) ? 0 : left_ns(core, oldest);
    timer_arm(core, &r->timer, time_after(core->now.mono_ns, left > 0 ? left : 1), wake);
}

void retention_free(struct core *core)
{
    struct retained *r = &core->jobs->retained;
    struct kept *kept, *after;

    list_each_safe (kept, after, &r->list, link)
        drop(core, kept);
    map_free(core, &r->map);
    timer_disarm(core, &r->timer);
}
