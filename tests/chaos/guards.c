#include "guards.h"

#include <errno.h>
#include <string.h>

#include "victims.h"

static int take_lock(gc_client *g, uint64_t *token)
{
    uint64_t mine;
    int r = gc_lock(g, VICTIM_LOCK, &mine, 0, GC_NOW);

    if (r < 0)
        return r;
    if (mine <= *token)
        return -ESTALE;
    *token = mine;
    return r;
}

static int give_lock(gc_client *g, uint64_t token)
{
    return gc_unlock(g, VICTIM_LOCK, token, GC_CONSISTENT, GC_FOREVER);
}

static int take_write(gc_client *g, uint64_t *token)
{
    return gc_rwlock(g, VICTIM_READ, token, 0, GC_NOW);
}

static int give_write(gc_client *g, uint64_t token)
{
    return gc_rwunlock(g, VICTIM_READ, token, 0, GC_FOREVER);
}

static int take_units(gc_client *g, uint64_t *token)
{
    return gc_sem_acquire(g, VICTIM_UNITS, 2, 2, GC_NOW);
}

static int give_units(gc_client *g, uint64_t token)
{
    return gc_sem_release(g, VICTIM_UNITS, 2, GC_FOREVER);
}

static const struct guard guards[] = {
    {"lock", take_lock, give_lock, GC_OWNER_DIED, -EAGAIN, NULL},
    {"read", take_write, give_write, 0, -EAGAIN, NULL},
    {"units", take_units, give_units, 0, -EAGAIN, NULL},
};

const struct guard *guard_of(const char *act)
{
    for (size_t i = 0; i < sizeof(guards) / sizeof(*guards); i++)
        if (strcmp(act, guards[i].act) == 0)
            return &guards[i];
    for (const struct guard *guard = guards_sync; guard->act; guard++)
        if (strcmp(act, guard->act) == 0)
            return guard;
    return NULL;
}
