/*
 * Pools of hosts: each of A and B sets, looks at, drains and removes one of its own. No job is for them.
 */
#include <stdio.h>

#include "cell.h"
#include "goclient_pool.h"

enum { NAME_BYTES = 96 };

static const char *name_of(const struct cell *cell, int who, char name[NAME_BYTES])
{
    snprintf(name, NAME_BYTES, "%s.%d", cell->object, who);
    return name;
}

static int set_by(struct cell *cell, int by, int who)
{
    char name[NAME_BYTES], settings[NAME_BYTES + 32];

    snprintf(settings, sizeof(settings), "queues=%s hosts=2", cell->object);
    return gc_pool_set(cell->g[by], name_of(cell, who, name), settings, GC_FOREVER);
}

static int remove_by(struct cell *cell, int by, int who)
{
    char name[NAME_BYTES];

    return gc_pool_remove(cell->g[by], name_of(cell, who, name), GC_FOREVER);
}

static int set_call(struct cell *cell, int who)
{
    return set_by(cell, who, who);
}

static int remove_call(struct cell *cell, int who)
{
    return remove_by(cell, who, who);
}

/* Of a pool that nobody drains. */
static int drain_call(struct cell *cell, int who)
{
    char name[NAME_BYTES];

    return gc_pool_drain(cell->g[who], name_of(cell, who, name), GC_POOL_DRAIN_END, GC_FOREVER);
}

static int info_call(struct cell *cell, int who)
{
    struct gc_stats stats = {0};
    char name[NAME_BYTES];
    int n = gc_pool_info(cell->g[who], name_of(cell, who, name), &stats, GC_FOREVER);

    gc_stats_clear(&stats);
    return n < 0 ? n : 0;
}

static int count(struct cell *cell, int by)
{
    struct gc_stats stats = {0};
    int n = gc_pools(cell->g[by], cell->object, NULL, &stats, GC_FOREVER);

    gc_stats_clear(&stats);
    return n;
}

static void prepare_none(struct cell *cell)
{
}

static void prepare_both(struct cell *cell)
{
    for (int who = 0; who < WHO_N; who++)
        CELL_MUST(cell, set_by(cell, WHO_B, who) == 0);
}

/* G1: one for each; they go. */
static void check_set(struct cell *cell)
{
    CELL_MUST(cell, count(cell, WHO_B) == cell->calls);
    for (int who = 0; who < cell->calls; who++) {
        CELL_MUST(cell, cell->status[who] == 0);
        CELL_MUST(cell, remove_by(cell, WHO_B, who) == 0);
    }
}

static void check_removed(struct cell *cell)
{
    CELL_MUST(cell, count(cell, WHO_B) == WHO_N - cell->calls);
    for (int who = 0; who < WHO_N; who++) {
        CELL_MUST(cell, who >= cell->calls || cell->status[who] == 0);
        CELL_MUST(cell, who < cell->calls || remove_by(cell, WHO_B, who) == 0);
    }
}

static void check_status(struct cell *cell, int status)
{
    for (int who = 0; who < WHO_N; who++) {
        CELL_MUST(cell, who >= cell->calls || cell->status[who] == status);
        CELL_MUST(cell, remove_by(cell, WHO_B, who) == 0);
    }
}

static void check_there(struct cell *cell)
{
    check_status(cell, 0);
}

static int list_call(struct cell *cell, int who)
{
    return count(cell, who);
}

static void check_listed(struct cell *cell)
{
    check_status(cell, WHO_N);
}

const struct scene scenes_pool[] = {
    {"pool_set", "hosts", VERB_POOL_SET, prepare_none, set_call, NULL, check_set, true},
    {"pool_info", "mine", VERB_POOL_INFO, prepare_both, info_call, NULL, check_there, true},
    {"pool_list", "both", VERB_POOL_LIST, prepare_both, list_call, NULL, check_listed, true},
    {"pool_drain", "end", VERB_POOL_DRAIN, prepare_both, drain_call, NULL, check_there, true},
    {"pool_remove", "mine", VERB_POOL_REMOVE, prepare_both, remove_call, NULL, check_removed, true},
    {0},
};
