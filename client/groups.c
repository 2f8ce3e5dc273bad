/*
 * What is counted and waited for by name: wait groups, counters, barriers, error groups.
 */
#include <errno.h>

#include "last.h"
#include "taking.h"

/* ---- wait groups ---- */

GC_API int gc_wg_add(gc_client *g, const char *name, uint64_t units, unsigned flags, uint64_t *round,
                     gc_until until)
{
    struct request request = add_of(SYNC_WAITGROUP, name, units > INT64_MAX ? INT64_MAX : (int64_t)units);

    request.sync_add.flags = flags & GC_DETACHED_UNITS ? ADD_DETACHED : 0;
    return sync_ask(g, &request, round, until);
}

GC_API int gc_wg_claim(gc_client *g, const char *name, uint64_t units, gc_until until)
{
    struct request request = take_of(SYNC_WAITGROUP, name);

    request.sync_take.units = units;
    return sync_take(g, &request, NULL, until);
}

GC_API int gc_wg_done(gc_client *g, const char *name, uint64_t units, gc_until until)
{
    struct request request = give_of(SYNC_WAITGROUP, name);

    request.sync_give.units = units;
    return sync_give(g, &request, until);
}

GC_API int gc_wg_wait(gc_client *g, const char *name, uint64_t round, uint64_t *dead, gc_until until)
{
    struct request request = wait_of(SYNC_WAITGROUP, name);
    uint64_t handle;

    request.sync_wait.round = round;
    int r = sync_ask(g, &request, &handle, until);
    if (dead)
        *dead = r == -EOWNERDEAD ? handle : 0;
    return r;
}

/* ---- counters ---- */

GC_API int gc_counter_add(gc_client *g, const char *name, int64_t delta, int64_t *value, gc_until until)
{
    struct request request = add_of(SYNC_COUNTER, name, delta);
    uint64_t handle;
    int r = sync_ask(g, &request, &handle, until);

    if (r >= 0 && value)
        *value = (int64_t)handle;
    return r;
}

GC_API int gc_counter_wait(gc_client *g, const char *name, int64_t least, int64_t *value, gc_until until)
{
    struct request request = wait_of(SYNC_COUNTER, name);
    uint64_t handle;

    request.sync_wait.value = least;
    int r = sync_ask(g, &request, &handle, until);
    if (r >= 0 && value)
        *value = (int64_t)handle;
    return r;
}

/* ---- barriers ---- */

GC_API int gc_barrier_wait(gc_client *g, const char *name, uint32_t parties, gc_until until)
{
    struct request request = wait_of(SYNC_BARRIER, name);

    request.sync_wait.value = parties;
    return sync_ask(g, &request, NULL, until);
}

/* ---- error groups ---- */

GC_API int gc_group_start(gc_client *g, const char *name, int64_t members_max, gc_until until)
{
    struct request request = take_of(SYNC_ERRGROUP, name);

    if (members_max == 0)
        return last_failed(-EAGAIN, "a limit of 0 members", false);
    request.sync_take.size = members_max < 0 ? 0 : (uint64_t)members_max;
    return sync_take(g, &request, NULL, until);
}

GC_API int gc_group_end(gc_client *g, const char *name, int error, gc_until until)
{
    struct request request = give_of(SYNC_ERRGROUP, name);

    request.sync_give.error = error;
    return sync_give(g, &request, until);
}

GC_API int gc_group_wait(gc_client *g, const char *name, int *error, gc_until until)
{
    struct request request = wait_of(SYNC_ERRGROUP, name);
    uint64_t handle;
    int r = sync_ask(g, &request, &handle, until);

    if (error)
        *error = r == GC_MEMBER_FAILED ? -(int)handle : 0;
    return r;
}
