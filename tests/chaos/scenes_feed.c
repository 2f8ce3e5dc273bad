/* Feeds of topics where nothing is published. Each caller has one of his own, as two changes of one do not mix. */
#include <stdio.h>
#include <string.h>

#include "cell.h"
#include "goclient_feed.h"
#include "hosted.h"

enum { NAME_BYTES = 80 };

static const char *name_of(const struct cell *cell, int who, char name[static NAME_BYTES])
{
    snprintf(name, NAME_BYTES, "%s.%d", cell->object, who);
    return name;
}

static int set_by(struct cell *cell, int by, int who)
{
    char name[NAME_BYTES];
    struct gc_feed what = {.size = sizeof(what),
                           .name = name_of(cell, who, name),
                           .pattern = "nothing.>",
                           .plugin = cell->plugin,
                           .function = "echo"};

    return gc_feed_set(cell->g[by], &what, GC_FOREVER);
}

static int set_call(struct cell *cell, int who)
{
    return set_by(cell, who, who);
}

static int remove_by(struct cell *cell, int by, int who)
{
    char name[NAME_BYTES];

    return gc_feed_remove(cell->g[by], name_of(cell, who, name), GC_FOREVER);
}

static int remove_call(struct cell *cell, int who)
{
    return remove_by(cell, who, who);
}

static int pause_call(struct cell *cell, int who)
{
    char name[NAME_BYTES];

    return gc_feed_pause(cell->g[who], name_of(cell, who, name), GC_FOREVER);
}

/* How many of the cell there are; all of them have these flags. */
static int count(struct cell *cell, int who, unsigned flags)
{
    struct gc_feed_page page;
    int n = gc_feeds(cell->g[who], cell->object, NULL, 0, &page, GC_FOREVER);

    for (size_t i = 0; i < page.n; i++)
        CELL_MUST(cell, page.items[i].flags == flags);
    gc_feed_page_clear(&page);
    return n;
}

static int list_call(struct cell *cell, int who)
{
    return count(cell, who, 0);
}

static void prepare_none(struct cell *cell)
{
}

static void prepare_described(struct cell *cell)
{
    cell->plugin = hosted_new_plugin();
    hosted_hold();
}

static void describe(struct cell *cell, int i)
{
    hosted_release();
}

static void prepare_one(struct cell *cell)
{
    CELL_MUST(cell, set_by(cell, WHO_B, WHO_A) == 0);
}

static void prepare_both(struct cell *cell)
{
    prepare_one(cell);
    CELL_MUST(cell, set_by(cell, WHO_B, WHO_B) == 0);
}

static void check_statuses(struct cell *cell, int status)
{
    for (int who = 0; who < cell->calls; who++)
        CELL_MUST(cell, cell->status[who] == status);
}

/* G1: one for each. */
static void check_set(struct cell *cell)
{
    check_statuses(cell, 0);
    CELL_MUST(cell, count(cell, WHO_B, 0) == cell->calls);
    for (int who = 0; who < cell->calls; who++)
        CELL_MUST(cell, remove_by(cell, WHO_B, who) == 0);
}

static void check_removed(struct cell *cell)
{
    check_statuses(cell, 0);
    CELL_MUST(cell, count(cell, WHO_B, 0) == WHO_N - cell->calls);
    for (int who = cell->calls; who < WHO_N; who++)
        CELL_MUST(cell, remove_by(cell, WHO_B, who) == 0);
}

static void check_paused(struct cell *cell)
{
    check_statuses(cell, 0);
    for (int who = cell->calls; who < WHO_N; who++)
        CELL_MUST(cell, remove_by(cell, WHO_B, who) == 0);
    CELL_MUST(cell, count(cell, WHO_B, GC_FEED_PAUSED) == cell->calls);
    for (int who = 0; who < cell->calls; who++)
        CELL_MUST(cell, remove_by(cell, WHO_B, who) == 0);
}

static void check_listed(struct cell *cell)
{
    check_statuses(cell, 1);
    CELL_MUST(cell, remove_by(cell, WHO_B, WHO_A) == 0);
}

const struct scene scenes_feed[] = {
    {"feed_set", "plain", VERB_FEED_SET, prepare_none, set_call, NULL, check_set, true},
    {"feed_set", "described", VERB_FEED_SET, prepare_described, set_call, describe, check_set, true},
    {"feed_set", "held", VERB_FEED_SET, prepare_both, pause_call, NULL, check_paused, true},
    {"feed_remove", "mine", VERB_FEED_REMOVE, prepare_both, remove_call, NULL, check_removed, true},
    {"feed_list", "one", VERB_FEED_LIST, prepare_one, list_call, NULL, check_listed, true},
    {0},
};
