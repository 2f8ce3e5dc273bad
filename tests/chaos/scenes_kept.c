/*
 * Kept topics and groups. A topic, its rule and its group have the object's name; B makes them, and takes away what is left.
 * What was done twice would show: in how many messages went, in what comes again, in what is there no more.
 */
#include <errno.h>
#include <string.h>

#include "cell.h"
#include "goclient_topic.h"

enum { MESSAGES = 3 };

static void must_publish(struct cell *cell, int number)
{
    struct gc_published out;

    CELL_MUST(cell, gc_publish(cell->g[WHO_B], cell->object, gc_bytes(&number, sizeof(number)), NULL, &out,
                               GC_FOREVER) == 0);
    CELL_MUST(cell, out.sequence > 0);
}

static void prepare_topic(struct cell *cell)
{
    CELL_MUST(cell, gc_topic_set(cell->g[WHO_B], cell->object, "durable=yes", GC_FOREVER) == 0);
    for (int i = 0; i < MESSAGES; i++)
        must_publish(cell, i);
}

/* The rule, and the topic where it is still there. */
static void forget_topic(struct cell *cell, bool there)
{
    int64_t n = gc_topic_remove(cell->g[WHO_B], cell->object, GC_FOREVER);

    CELL_MUST(cell, there ? n >= 0 : n == -ENOENT);
    CELL_MUST(cell, gc_topic_unset(cell->g[WHO_B], cell->object, GC_FOREVER) == 0);
}

static void check_statuses(struct cell *cell, int status)
{
    for (int who = 0; who < cell->calls; who++)
        CELL_MUST(cell, cell->status[who] == status);
}

/* B was first where it has asked. */
static void check_only_one(struct cell *cell, int done, int too_late)
{
    bool rival = cell->calls == WHO_N;

    CELL_MUST(cell, cell->status[WHO_A] == (rival ? too_late : done));
    CELL_MUST(cell, !rival || cell->status[WHO_B] == done);
}

/* ---- topics ---- */

static void prepare_nothing(struct cell *cell)
{
}

static int set_call(struct cell *cell, int who)
{
    return gc_topic_set(cell->g[who], cell->object, "durable=yes keep_messages=2", GC_FOREVER);
}

static void check_set(struct cell *cell)
{
    struct gc_topic_page page = {0};

    check_statuses(cell, 0);
    for (int i = 0; i < MESSAGES; i++)
        must_publish(cell, i);
    CELL_MUST(cell, gc_topic_info(cell->g[WHO_B], cell->object, &page, GC_FOREVER) == 0);
    CELL_MUST(cell, page.n == 1 && page.items[0].durable && page.items[0].messages == 2);
    gc_topic_page_clear(&page);
    forget_topic(cell, true);
}

static int purge_call(struct cell *cell, int who)
{
    return (int)gc_topic_purge(cell->g[who], cell->object, 0, 1, GC_FOREVER);
}

static void check_purged(struct cell *cell)
{
    check_only_one(cell, MESSAGES - 1, 0);
    CELL_MUST(cell, gc_topic_purge(cell->g[WHO_B], cell->object, 0, 0, GC_FOREVER) == 1);
    forget_topic(cell, true);
}

static int remove_call(struct cell *cell, int who)
{
    return (int)gc_topic_remove(cell->g[who], cell->object, GC_FOREVER);
}

static void check_removed(struct cell *cell)
{
    check_only_one(cell, MESSAGES, -ENOENT);
    forget_topic(cell, false);
}

/* ---- a member ---- */

static void join(struct cell *cell, int who)
{
    const struct gc_subscribe_options options = {
        .size = sizeof(options), .from = GC_FROM_START, .capacity = MESSAGES, .group = cell->object};

    CELL_MUST(cell, gc_subscribe(cell->g[who], cell->object, &options, &cell->chan[who], GC_FOREVER) == 0);
}

/* The next one that `who` gets is this, for so many times. It is acknowledged. */
static void must_get(struct cell *cell, int who, int number, uint32_t tries)
{
    struct gc_value v;
    int got = -1;

    CELL_MUST(cell, gc_recv(cell->g[who], cell->chan[who], &v, 0, GC_FOREVER) == 1);
    CELL_MUST(cell, v.size == sizeof(got) && gc_message(&v) && gc_message(&v)->tries == tries);
    memcpy(&got, v.data, sizeof(got));
    CELL_MUST(cell, got == number);
    gc_value_clear(&v);
}

static void must_have_nothing(struct cell *cell, int who)
{
    struct gc_value v;

    CELL_MUST(cell, gc_recv(cell->g[who], cell->chan[who], &v, 0, GC_NOW) == -EAGAIN);
}

static void forget_group(struct cell *cell, bool there)
{
    CELL_MUST(cell, gc_durable_remove(cell->g[WHO_B], cell->object, GC_FOREVER) == (there ? 0 : -ENOENT));
    forget_topic(cell, true);
}

/* A has all, and holds the first. */
static void prepare_held(struct cell *cell)
{
    prepare_topic(cell);
    join(cell, WHO_A);
    CELL_MUST(cell, gc_recv(cell->g[WHO_A], cell->chan[WHO_A], &cell->held, GC_HOLD, GC_FOREVER) == 1);
}

static int settle(struct cell *cell, int who, enum gc_settle what)
{
    return gc_settle(cell->g[who], cell->chan[who], &cell->held, 1, what, 0, GC_FOREVER);
}

static int retry_call(struct cell *cell, int who)
{
    return settle(cell, who, GC_SETTLE_RETRY);
}

static int bury_call(struct cell *cell, int who)
{
    return settle(cell, who, GC_SETTLE_DEAD);
}

static uint64_t deaths_told(struct cell *cell)
{
    struct gc_durable_page page = {0};

    CELL_MUST(cell, gc_durables(cell->g[WHO_B], cell->object, NULL, 0, &page, GC_FOREVER) == 1);
    uint64_t dead = page.items[0].dead;
    gc_durable_page_clear(&page);
    return dead;
}

/* It was settled once, and the acknowledgement behind that changes nothing. */
static void check_settled(struct cell *cell)
{
    CELL_MUST(cell, cell->status[WHO_A] == 1);
    CELL_MUST(cell, gc_ack(cell->g[WHO_A], &cell->held) == 0);
    gc_value_clear(&cell->held);
}

static void check_retried(struct cell *cell)
{
    bool again = false;

    check_settled(cell);
    for (int i = 0; i < MESSAGES; i++) {
        struct gc_value v;
        CELL_MUST(cell, gc_recv(cell->g[WHO_A], cell->chan[WHO_A], &v, 0, GC_FOREVER) == 1);
        CELL_MUST(cell, gc_message(&v)->tries == 1 || (gc_message(&v)->tries == 2 && !again));
        again = again || gc_message(&v)->tries == 2;
        gc_value_clear(&v);
    }
    CELL_MUST(cell, again && deaths_told(cell) == 0);
    must_have_nothing(cell, WHO_A);
    forget_group(cell, true);
}

static void check_buried(struct cell *cell)
{
    check_settled(cell);
    for (int i = 1; i < MESSAGES; i++)
        must_get(cell, WHO_A, i, 1);
    CELL_MUST(cell, deaths_told(cell) == 1);
    must_have_nothing(cell, WHO_A);
    forget_group(cell, true);
}

/* ---- a group ---- */

/* Read to its end by B, which is still in it. */
static void prepare_read(struct cell *cell)
{
    prepare_topic(cell);
    join(cell, WHO_B);
    for (int i = 0; i < MESSAGES; i++)
        must_get(cell, WHO_B, i, 1);
}

static int go_back_call(struct cell *cell, int who)
{
    return gc_durable_set(cell->g[who], cell->object, "from=start tries=7", GC_FOREVER);
}

/* All comes again, once. */
static void check_gone_back(struct cell *cell)
{
    check_statuses(cell, 0);
    for (int i = 0; i < MESSAGES; i++)
        must_get(cell, WHO_B, i, 1);
    must_have_nothing(cell, WHO_B);
    forget_group(cell, true);
}

static int list_call(struct cell *cell, int who)
{
    struct gc_durable_page page = {0};
    int n = gc_durables(cell->g[who], cell->object, NULL, 0, &page, GC_FOREVER);

    if (n == 1 && (page.items[0].members != 1 || !page.items[0].settings_n))
        n = -ERANGE;
    gc_durable_page_clear(&page);
    return n;
}

static void check_listed(struct cell *cell)
{
    check_statuses(cell, 1);
    forget_group(cell, true);
}

static int forget_call(struct cell *cell, int who)
{
    return gc_durable_remove(cell->g[who], cell->object, GC_FOREVER);
}

/* Who is in it finds it closed. */
static void check_forgotten(struct cell *cell)
{
    struct gc_value v;

    check_only_one(cell, 0, -ENOENT);
    CELL_MUST(cell, gc_recv(cell->g[WHO_B], cell->chan[WHO_B], &v, 0, GC_FOREVER) == 0);
    forget_group(cell, false);
}

#define SCENE(verb, NAME, name, ...)                                                                         \
    {                                                                                                        \
#verb, name, VERB_##NAME, __VA_ARGS__                                                                \
    }

const struct scene scenes_kept[] = {
    SCENE(topic_set, TOPIC_SET, "rule", prepare_nothing, set_call, NULL, check_set, true),
    SCENE(topic_purge, TOPIC_PURGE, "last", prepare_topic, purge_call, NULL, check_purged, true),
    SCENE(topic_remove, TOPIC_REMOVE, "full", prepare_topic, remove_call, NULL, check_removed, true),
    SCENE(settle, SETTLE, "retry", prepare_held, retry_call, NULL, check_retried, false),
    SCENE(settle, SETTLE, "dead", prepare_held, bury_call, NULL, check_buried, false),
    SCENE(group_set, GROUP_SET, "back", prepare_read, go_back_call, NULL, check_gone_back, true),
    SCENE(group_list, GROUP_LIST, "one", prepare_read, list_call, NULL, check_listed, true),
    SCENE(group_remove, GROUP_REMOVE, "mine", prepare_read, forget_call, NULL, check_forgotten, true),
    {0},
};
