/* What is told of waits. Nobody waits for the object of a cell, so there is nothing to tell of it. */
#include <errno.h>
#include <string.h>

#include "cell.h"
#include "goclient_inspect.h"

enum { CALLERS = 100 }; /* never so many at once: nothing is proven of this process */

static void prepare_channel(struct cell *cell)
{
    for (int who = 0; who < WHO_N; who++)
        CELL_MUST(cell, gc_make(cell->g[who], cell->object, 0, &cell->chan[who], GC_FOREVER) == 0);
}

static int dump_call(struct cell *cell, int who)
{
    struct gc_parked_filter filter = {.size = sizeof(filter), .object = cell->object};
    struct gc_parked_page page = {0};
    int r = gc_parked(cell->g[who], &filter, &page, GC_FOREVER);

    gc_parked_page_clear(&page);
    return r;
}

static int deadlocks_call(struct cell *cell, int who)
{
    struct gc_parked_page page = {0};
    int r = gc_deadlocks(cell->g[who], 0, &page, GC_FOREVER);

    gc_parked_page_clear(&page);
    return r;
}

/* The channel of the cell has handles, so it is no leak; those of cells before may be left. */
static int leaks_call(struct cell *cell, int who)
{
    struct gc_parked_page page = {0};
    int r = gc_leaks(cell->g[who], INT64_MAX, 0, &page, GC_FOREVER), found = 0;

    for (size_t i = 0; i < page.n; i++)
        found += strcmp(page.items[i].object, cell->object) == 0;
    gc_parked_page_clear(&page);
    return r < 0 ? r : found;
}

static int callers_call(struct cell *cell, int who)
{
    return gc_callers(cell->g[who], CALLERS, GC_FOREVER);
}

/* Of a drain that nobody has begun. */
static int drain_call(struct cell *cell, int who)
{
    return gc_drain(cell->g[who], GC_DRAIN_END, GC_FOREVER);
}

/* Of a daemon that keeps nothing on disk. */
static int backup_call(struct cell *cell, int who)
{
    char path[GC_PATH_BYTES];
    int r = gc_backup(cell->g[who], path, GC_FOREVER);

    return r == -EOPNOTSUPP ? 0 : -EIO;
}

static void check_none(struct cell *cell)
{
    for (int who = 0; who < cell->calls; who++)
        CELL_MUST(cell, cell->status[who] == 0);
}

const struct scene scenes_inspect[] = {
    {"dump", "none", VERB_DUMP, prepare_channel, dump_call, NULL, check_none, true},
    {"deadlocks", "none", VERB_DEADLOCKS, prepare_channel, deadlocks_call, NULL, check_none, true},
    {"leaks", "none", VERB_LEAKS, prepare_channel, leaks_call, NULL, check_none, true},
    {"drain", "end", VERB_DRAIN, prepare_channel, drain_call, NULL, check_none, true},
    {"backup", "none", VERB_BACKUP, prepare_channel, backup_call, NULL, check_none, true},
    {"callers", "many", VERB_CALLERS, prepare_channel, callers_call, NULL, check_none, true},
    {0},
};
