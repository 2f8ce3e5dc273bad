/*
 * Queues made at run time: each of A and B makes and removes one of its own. No job is in them.
 */
#include <stdio.h>

#include "cell.h"
#include "goclient_queue.h"

enum { NAME_BYTES = 96 };

static int set_by(struct cell *cell, int by, int who)
{
    char name[NAME_BYTES];

    snprintf(name, sizeof(name), "%s.%d", cell->object, who);
    return gc_queue_set(cell->g[by], name, "weight=2", GC_FOREVER);
}

static int remove_by(struct cell *cell, int by, int who)
{
    char name[NAME_BYTES];

    snprintf(name, sizeof(name), "%s.%d", cell->object, who);
    return gc_queue_remove(cell->g[by], name, GC_FOREVER);
}

static int set_call(struct cell *cell, int who)
{
    return set_by(cell, who, who);
}

static int remove_call(struct cell *cell, int who)
{
    return remove_by(cell, who, who);
}

static int count(struct cell *cell)
{
    struct gc_stats stats = {0};
    int n = gc_queues(cell->g[WHO_B], cell->object, NULL, &stats, GC_FOREVER);

    gc_stats_clear(&stats);
    return n;
}

static void prepare_none(struct cell *cell)
{
}

static void prepare_both(struct cell *cell)
{
    for (int who = 0; who < WHO_N; who++)
        CELL_MUST(cell, set_by(cell, WHO_B, who) == 1);
}

/* G1: each is told that it made one, once; they go. */
static void check_made(struct cell *cell)
{
    CELL_MUST(cell, count(cell) == cell->calls);
    for (int who = 0; who < cell->calls; who++) {
        CELL_MUST(cell, cell->status[who] == 1);
        CELL_MUST(cell, remove_by(cell, WHO_B, who) == 0);
    }
}

static void check_removed(struct cell *cell)
{
    CELL_MUST(cell, count(cell) == WHO_N - cell->calls);
    for (int who = 0; who < WHO_N; who++) {
        CELL_MUST(cell, who >= cell->calls || cell->status[who] == 0);
        CELL_MUST(cell, who < cell->calls || remove_by(cell, WHO_B, who) == 0);
    }
}

const struct scene scenes_queue[] = {
    {"queue_set", "new", VERB_QUEUE_SET, prepare_none, set_call, NULL, check_made, true},
    {"queue_remove", "mine", VERB_QUEUE_REMOVE, prepare_both, remove_call, NULL, check_removed, true},
    {0},
};
