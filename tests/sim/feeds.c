/*
 * Clients make feeds of the messages that others publish, with few jobs ahead, to queues that are full, paused or take other jobs,
 * hold them, send them elsewhere in the log, list and remove them; now and then they ask for what cannot be. What is drawn is of a
 * generator of its own.
 *
 * Where clients are several users they set feeds that find no message.
 */
#include "feeds.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drain.h"
#include "lives.h"
#include "operator.h"

enum {
    NO_SLOT = SLOTS /* as in loose.c: no channel of a slot */,
    AHEAD = 8,
    BACK = 24,
    REST_MOST = 20,
    ROUNDS = 60
};

static const char *const names[FEEDS] = {"feed.0", "feed.1", "feed.2", "feed.3"};
static const char *const kept[FEED_PATTERNS] = {"keep.>", "keep.*", "keep.all", "keep.few"};
static const char *const grouped[FEED_PATTERNS] = {"log.>", "log.b", "say.>", "say.jobs.failed"};

static struct bytes text_of(const char *text)
{
    return (struct bytes){text, strlen(text)};
}

struct bytes feed_name(uint32_t feed)
{
    return text_of(names[feed]);
}

void feeds_open(struct sim *sim)
{
    if (sim->keeps || sim->groups ? sim->seed / 12 % 2 : !sim->ruled)
        return;
    sim->feeds = sim_alloc(sizeof(*sim->feeds));
    sim->feeds->dice = sim->seed ^ 0x66656564;
}

static uint64_t draw(const struct sim *sim, uint64_t n)
{
    uint64_t *dice = &sim->feeds->dice;

    *dice = *dice * 6364136223846793005u + 1442695040888963407u;
    return (*dice >> 33) % n;
}

static struct task *feed_task(struct client *client, enum verb verb)
{
    struct task *task = task_new(client, verb);

    task->slot = NO_SLOT;
    return task;
}

/* ---- SET ---- */

static void draw_place(const struct sim *sim, struct request_feed_set *set)
{
    const struct feed_ledger *f = sim->feeds;
    uint64_t back = draw(sim, BACK);

    set->from = (uint32_t)draw(sim, FEED_FROM_TIME + 1);
    if (f->messages_n <= back)
        return;
    const struct fed_message *message = &f->messages[f->messages_n - back - 1];
    set->from_sequence = message->sequence + (back ? 0 : draw(sim, 4));
    set->from_time_us = message->time_us + (int64_t)draw(sim, 2);
}

static void draw_function(const struct sim *sim, struct request_feed_set *set)
{
    static const char *const plugins[] = {"/p/0.so", "/p/1.so", "/p/0.so", ""};

    set->plugin = text_of(plugins[draw(sim, 4)]);
    set->function = text_of(set->plugin.size || draw(sim, 2) ? "run" : "walk");
}

static struct bytes draw_pattern(const struct sim *sim)
{
    return text_of((sim->keeps ? kept : grouped)[draw(sim, FEED_PATTERNS)]);
}

static struct bytes draw_queue(const struct sim *sim)
{
    return queue_name((uint32_t)draw(sim, QUEUES));
}

static void draw_all(const struct sim *sim, struct request_feed_set *set)
{
    set->pattern = draw_pattern(sim);
    draw_function(sim, set);
    set->queue = draw_queue(sim);
    set->ahead = draw(sim, 6) ? 1 + draw(sim, AHEAD) : 0;
    set->argument = (uint32_t)draw(sim, FEED_MESSAGE + 1);
    draw_place(sim, set);
}

/* Of one that is there; nothing, now and then. */
static void draw_some(const struct sim *sim, struct request_feed_set *set)
{
    if (draw(sim, 5) == 0)
        set->pattern = draw_pattern(sim);
    if (draw(sim, 4) == 0)
        draw_function(sim, set);
    if (draw(sim, 4) == 0)
        set->queue = draw_queue(sim);
    if (draw(sim, 3) == 0)
        set->ahead = 1 + draw(sim, AHEAD);
    if (draw(sim, 3) == 0)
        set->argument = 1 + (uint32_t)draw(sim, FEED_MESSAGE);
    if (draw(sim, 3) == 0)
        draw_place(sim, set);
    set->pause = (uint32_t)draw(sim, FEED_GO_ON + 1);
}

/* Nothing of this may be set. */
static void spoil(const struct sim *sim, struct request_feed_set *set)
{
    static const char long_name[300];

    switch (draw(sim, 8)) {
    case 0:
        set->name = text_of("white space");
        break;
    case 1:
        set->pattern = text_of("keep..all");
        break;
    case 2:
        set->ahead = FEED_AHEAD_MOST + 1;
        break;
    case 3:
        set->function = text_of("none");
        set->plugin = text_of("/p/0.so");
        break;
    case 4:
        set->function = text_of("run");
        set->plugin = text_of("relative.so");
        break;
    case 5:
        set->queue = text_of("nobody");
        break;
    case 6:
        set->function = text_of("run");
        set->plugin = text_of("/p/bad.so");
        break;
    default:
        set->name = (struct bytes){long_name, sizeof(long_name)};
        break;
    }
}

/* All jobs of feeds are known by one submit that is none. */
static void expect_jobs(struct client *client)
{
    struct sim *sim = client->sim;

    if (sim->feeds->asked)
        return;
    asked_new(sim, client->session, UINT64_MAX, &(struct request_submit){0})->closed = false;
    sim->feeds->asked = sim->lives->asked_n;
}

static struct task *set_task(struct client *client, uint32_t feed)
{
    struct task *task = feed_task(client, VERB_FEED_SET);

    expect_jobs(client);
    task->op.request.feed_set.name = feed_name(feed);
    return task;
}

static void do_set(struct client *client, uint32_t feed)
{
    struct sim *sim = client->sim;
    struct task *task = set_task(client, feed);
    struct request_feed_set *set = &task->op.request.feed_set;

    (sim->feeds->of[feed].there ? draw_some : draw_all)(sim, set);
    task->mistaken = draw(sim, 8) == 0;
    if (task->mistaken)
        spoil(sim, set);
    if (draw(sim, 6) == 0)
        task->op.deadline_ns = sim->now_ns + (int64_t)draw(sim, 6 * MS);
    task_start(task);
}

/* ---- the others ---- */

static struct task *remove_task(struct client *client, uint32_t feed)
{
    struct task *task = feed_task(client, VERB_FEED_REMOVE);

    task->op.request.feed_remove.name = feed_name(feed);
    return task;
}

static struct task *list_task(struct client *client, uint32_t limit)
{
    struct task *task = feed_task(client, VERB_FEED_LIST);

    task->op.request.feed_list = (struct request_feed_list){.prefix = {"feed.", 5}, .limit = limit};
    return task;
}

static void do_list(struct client *client)
{
    struct sim *sim = client->sim;
    struct task *task = list_task(client, (uint32_t)draw(sim, 3));

    if (draw(sim, 2))
        task->op.request.feed_list.after = feed_name((uint32_t)draw(sim, FEEDS));
    task_start(task);
}

/* Feeds come soon: most of what they do is to go on. */
bool work_feed(struct client *client)
{
    struct sim *sim = client->sim;

    if (!sim->feeds || !client->session || draw(sim, sim->feeds->last < 2 ? 4 : 20))
        return false;
    uint32_t feed = (uint32_t)draw(sim, FEEDS);
    uint64_t what = draw(sim, 8);
    if (what == 0 && draw(sim, 2))
        task_start(remove_task(client, feed));
    else if (what < 3)
        do_list(client);
    else
        do_set(client, feed);
    return true;
}

/* ---- jobs ---- */

enum deed feed_deed(struct bytes argument)
{
    static const char deeds[] = "oooooofpoooooofcooooooof";
    const uint8_t *byte = argument.data;
    size_t sum = 0;

    for (size_t i = 0; i < argument.size; i++)
        sum += byte[i];
    return (enum deed)deeds[sum % (sizeof(deeds) - 1)];
}

/* ---- the end ---- */

static struct reply expect(struct task *task, const char *what, int32_t status)
{
    struct sim *sim = task->client->sim;
    struct reply reply = ask(task);

    if (!sim->failed && reply.status != status && reply.status != -EBUSY)
        sim_fail(sim, "%s gives %d, not %d", what, reply.status, status);
    return reply;
}

/* Where somebody may have set them. */
static void let_queues_go_on(struct sim *sim)
{
    for (uint32_t queue = 0; queue < QUEUES && !sim->failed && sim->owned; queue++) {
        struct task *pause = task_new(&sim->clients[0], VERB_QUEUE_PAUSE);
        struct task *set = task_new(&sim->clients[0], VERB_QUEUE_SET);

        pause->op.request.queue_pause =
            (struct request_queue_pause){.name = queue_name(queue), .what = PAUSE_END};
        set->op.request.queue_set =
            (struct request_queue_set){queue_name(queue), text_of("waiting_max= waiting_bytes=")};
        ask(pause);
        if (!sim->failed)
            ask(set);
    }
    if (!sim->failed)
        ask(drain_task(&sim->clients[0], DRAIN_END));
}

/* Not all of a long log. */
static void go_on(struct sim *sim, uint32_t feed)
{
    struct task *task = set_task(&sim->clients[0], feed);
    const struct feed_ledger *f = sim->feeds;

    task->op.request.feed_set.pause = FEED_GO_ON;
    task->op.request.feed_set.queue = text_of("default");
    if (feed_rest(sim, feed) > REST_MOST) {
        task->op.request.feed_set.from = FEED_FROM_SEQUENCE;
        task->op.request.feed_set.from_sequence = f->messages[f->messages_n - REST_MOST].sequence;
    }
    expect(task, "a change of a feed", 0);
}

/* What holds up its queue ends. Jobs that end may be messages that are for it, also later. */
static void catch_up(struct sim *sim, uint32_t feed)
{
    for (int round = 0; round < (sim->ruled ? 2 : ROUNDS) && feed_rest(sim, feed) && !sim->failed; round++) {
        if (round)
            end_jobs(sim);
        if (!sim->failed)
            wait_for(sim, 300 * MS);
    }
    if (feed_rest(sim, feed) && !sim->ruled && !sim->failed) /* whose maker may have lost a right */
        sim_fail(sim, "feed %u has made no jobs of %llu messages", feed,
                 (unsigned long long)feed_rest(sim, feed));
    if (!sim->failed)
        wait_for(sim, 300 * MS); /* what is too old for it is read, too */
    if (!sim->failed)
        ask(list_task(&sim->clients[0], 0));
}

static void remove_all(struct sim *sim, uint32_t but)
{
    for (uint32_t feed = 0; feed < FEEDS && !sim->failed; feed++)
        if (feed != but && sim->feeds->of[feed].there)
            expect(remove_task(&sim->clients[0], feed), "the removal of a feed", 0);
}

void feeds_end(struct sim *sim)
{
    uint32_t last = FEEDS;

    if (!sim->feeds)
        return;
    for (uint32_t feed = 0; feed < FEEDS; feed++)
        if (sim->feeds->of[feed].there)
            last = feed;
    remove_all(sim, last);
    if (last < FEEDS && !sim->failed) {
        let_queues_go_on(sim);
        if (!sim->failed)
            go_on(sim, last);
        if (!sim->failed)
            catch_up(sim, last);
        if (!sim->failed)
            wait_for(sim, 300 * MS);
        if (!sim->failed)
            judge_feeds_passed(sim, false);
        remove_all(sim, FEEDS);
    }
}
