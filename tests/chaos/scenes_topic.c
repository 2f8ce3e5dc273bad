/*
 * Topics. A message is its caller's number, so that each must come out once: of B's subscription, and of those that the calls
 * make.
 */
#include <errno.h>
#include <string.h>

#include "cell.h"
#include "goclient_topic.h"

enum { FILLER = 99 };

static int publish_number(struct cell *cell, int who, int number, struct gc_published *out)
{
    return gc_publish(cell->g[who], cell->object, gc_bytes(&number, sizeof(number)), NULL, out, GC_FOREVER);
}

static void subscribe_with(struct cell *cell, int who, const struct gc_subscribe_options *options)
{
    CELL_MUST(cell, gc_subscribe(cell->g[who], cell->object, options, &cell->chan[who], GC_FOREVER) == 0);
}

/* Notes what comes, but for the filler. 0: it is not there yet. */
static int take(struct cell *cell, int who, gc_until until)
{
    struct gc_value v;
    int number = -1, r = gc_recv(cell->g[who], cell->chan[who], &v, 0, until);

    if (r != 1)
        return r;
    CELL_MUST(cell, v.size == sizeof(number) && v.flags == 0 && gc_message(&v) && !gc_message(&v)->lost);
    CELL_MUST(cell, strcmp(gc_message(&v)->topic, cell->object) == 0);
    memcpy(&number, v.data, sizeof(number));
    gc_value_clear(&v);
    if (number != FILLER)
        cell_note(cell, number);
    return r;
}

static void check_statuses(struct cell *cell, int status)
{
    for (int who = 0; who < cell->calls; who++)
        CELL_MUST(cell, cell->status[who] == status);
}

/* ---- publish ---- */

static void prepare_room(struct cell *cell)
{
    subscribe_with(cell, WHO_B, NULL);
}

static void prepare_full(struct cell *cell)
{
    const struct gc_subscribe_options options = {
        .size = sizeof(options), .capacity = 1, .slow = GC_SLOW_BLOCKS, .block_ns = 60 * INT64_C(1000000000)};

    subscribe_with(cell, WHO_B, &options);
    CELL_MUST(cell, publish_number(cell, WHO_B, FILLER, NULL) == 0);
}

static int publish_call(struct cell *cell, int who)
{
    struct gc_published out;
    int r = publish_number(cell, who, who, &out);

    return r == 0 && (out.receivers != 1 || out.dropped) ? -ERANGE : r;
}

static void receive_one(struct cell *cell, int i)
{
    CELL_MUST(cell, take(cell, WHO_B, GC_FOREVER) == 1);
}

static void check_published(struct cell *cell)
{
    check_statuses(cell, 0);
    while (take(cell, WHO_B, GC_NOW) == 1)
        ;
    CELL_MUST(cell, cell->order_n == cell->calls);
    CELL_MUST(cell, cell->calls == 1 ? cell->order[0] == 0 : cell->order[0] + cell->order[1] == 1);
}

/* ---- subscribe, close, tell ---- */

static void prepare_nothing(struct cell *cell)
{
}

static void prepare_both(struct cell *cell)
{
    for (int who = 0; who < WHO_N; who++)
        subscribe_with(cell, who, NULL);
}

static int subscribe_call(struct cell *cell, int who)
{
    return gc_subscribe(cell->g[who], cell->object, NULL, &cell->chan[who], GC_FOREVER);
}

/* Each has made one, and no more. */
static void check_subscribed(struct cell *cell)
{
    struct gc_published out;

    check_statuses(cell, 0);
    CELL_MUST(cell, publish_number(cell, WHO_B, 1, &out) == 0 && out.receivers == (uint64_t)cell->calls);
    for (int who = 0; who < cell->calls; who++)
        CELL_MUST(cell, take(cell, who, GC_FOREVER) == 1);
}

static int close_call(struct cell *cell, int who)
{
    return gc_topic_close(cell->g[who], cell->object, GC_FOREVER);
}

/* They are closed once. */
static void check_closed(struct cell *cell)
{
    int closed = 0;

    for (int who = 0; who < cell->calls; who++)
        closed += cell->status[who];
    CELL_MUST(cell, closed == WHO_N);
    for (int who = 0; who < WHO_N; who++)
        CELL_MUST(cell, take(cell, who, GC_FOREVER) == 0);
}

static int list_call(struct cell *cell, int who)
{
    struct gc_topic_page page = {0};
    int n = gc_topics(cell->g[who], cell->object, NULL, 0, &page, GC_FOREVER);

    gc_topic_page_clear(&page);
    return n;
}

static int info_call(struct cell *cell, int who)
{
    struct gc_topic_page page = {0};
    int r = gc_topic_info(cell->g[who], cell->object, &page, GC_FOREVER);

    if (r >= 0 && (page.n != 1 || page.items[0].subscriptions != WHO_N))
        r = -ERANGE;
    gc_topic_page_clear(&page);
    return r < 0 ? r : 1;
}

static void check_told(struct cell *cell)
{
    check_statuses(cell, 1);
}

#define SCENE(verb, NAME, name, ...)                                                                         \
    {                                                                                                        \
#verb, name, VERB_##NAME, __VA_ARGS__                                                                \
    }

const struct scene scenes_topic[] = {
    SCENE(publish, PUBLISH, "room", prepare_room, publish_call, NULL, check_published, true),
    SCENE(publish, PUBLISH, "full", prepare_full, publish_call, receive_one, check_published, true),
    SCENE(subscribe, SUBSCRIBE, "new", prepare_nothing, subscribe_call, NULL, check_subscribed, true),
    SCENE(topic_close, TOPIC_CLOSE, "both", prepare_both, close_call, NULL, check_closed, true),
    SCENE(topic_list, TOPIC_LIST, "one", prepare_both, list_call, NULL, check_told, true),
    SCENE(topic_info, TOPIC_INFO, "one", prepare_both, info_call, NULL, check_told, true),
    {0},
};
