/*
 * Clients publish on kept topics, some of them messages with ids or with an expected sequence, some in transactions; purge and remove
 * topics, change what one keeps; and read from anywhere in the log, with one call at a time. What is drawn is of a generator of its
 * own.
 */
#include "keeps.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pattern.h"
#include "schedules.h"

enum { NO_SLOT = SLOTS /* as in loose.c: no channel of a slot */, KEYS = 3, TEXT = 96 };

static const char *const topics[KEEP_TOPICS] = {"keep.all", "keep.few", "keep.full", "keep.old.brief"};
static const char *const patterns[KEEP_PATTERNS] = {"keep.>", "keep.*", "keep.all", "keep.few"};
static const char *const keys[KEYS] = {"", "red", "blue"};
static const char *const headers[KEEP_HEADERS] = {"first", "of"};
static const char *const ids[KEEP_IDS + 1] = {"", "a", "b", "c", "d", "the end"};

static struct bytes text_of(const char *text)
{
    return (struct bytes){text, strlen(text)};
}

struct bytes keep_name(uint32_t topic)
{
    return text_of(topics[topic]);
}

struct bytes keep_pattern(uint32_t pattern)
{
    return text_of(patterns[pattern]);
}

bool keep_matches(uint32_t pattern, uint32_t topic)
{
    return pattern_match(keep_pattern(pattern), keep_name(topic));
}

struct bytes keep_key(uint64_t id)
{
    return text_of(keys[id % KEYS]);
}

size_t keep_headers(uint64_t id, struct keep_room *room)
{
    size_t n = id / KEYS % (KEEP_HEADERS + 1);

    room->id = id;
    for (size_t i = 0; i < n; i++)
        room->headers[i] = (struct header){text_of(headers[i]), {&room->id, i ? sizeof(room->id) : 0}};
    return n;
}

size_t keep_size(uint64_t id)
{
    return id % 4 ? KEEP_BODY : KEEP_BODY_LARGE;
}

/* ---- what the topics keep ---- */

struct keep_bounds keep_bounds(const struct sim *sim, uint32_t topic)
{
    switch (topic) {
    case KEEP_FEW:
        return (struct keep_bounds){.messages = sim->keeps->few, .dedup_s = 120};
    case KEEP_FULL:
        return (struct keep_bounds){.messages = sim->seed / 6 % 2 ? 12 : 48,
                                    .bytes = sim->seed / 6 % 2 ? 500 : 3000,
                                    .dedup_s = 120,
                                    .reject = true};
    case KEEP_BRIEF:
        return (struct keep_bounds){.bytes = 200 + sim->seed / 3 % 7 * 150, .age_s = 1, .dedup_s = 120};
    default:
        return (struct keep_bounds){.dedup_s = 1};
    }
}

void keeps_open(struct sim *sim)
{
    if (sim->seed % 3 || sim->ruled)
        return;
    sim->keeps = sim_alloc(sizeof(*sim->keeps));
    sim->keeps->dice = sim->seed ^ 0x6b656570;
    sim->keeps->few = sim->keeps->least = 6 + sim->seed / 3 % 4 * 25;
}

static void configure(struct sim *sim, struct core *core, uint32_t topic)
{
    const struct keep_bounds bounds = keep_bounds(sim, topic);
    struct topic_part part = {.set = 0};
    struct bytes wrong;
    char text[2 * TEXT];
    int n = snprintf(text, sizeof(text),
                     "durable=yes keep_messages=%llu keep_bytes=%llu keep_for=%llu full=%s dedup=%llu "
                     "message_bytes_max=%d",
                     (unsigned long long)bounds.messages, (unsigned long long)bounds.bytes,
                     (unsigned long long)bounds.age_s, bounds.reject ? "reject" : "drop-oldest",
                     (unsigned long long)bounds.dedup_s, KEEP_BODY_LARGE);

    if (topic_part_read(&part, (struct bytes){text, (size_t)n}, &wrong) < 0 ||
        core_set_topic(core, keep_name(topic), &part) < 0)
        abort();
}

void keeps_configure(struct sim *sim, struct core *core)
{
    for (uint32_t topic = 0; sim->keeps && topic < KEEP_TOPICS; topic++)
        configure(sim, core, topic);
}

static uint64_t draw(const struct sim *sim, uint64_t n)
{
    uint64_t *dice = &sim->keeps->dice;

    *dice = *dice * 6364136223846793005u + 1442695040888963407u;
    return (*dice >> 33) % n;
}

struct task *keep_task(struct client *client, enum verb verb)
{
    struct task *task = task_new(client, verb);

    task->slot = NO_SLOT;
    task->topical = true;
    return task;
}

/* ---- publishing ---- */

/* What the messages of a task point to. */
struct room {
    struct request_publish publishes[2];
    struct outgoing messages[KEEP_VECTOR];
    struct keep_room parts[KEEP_VECTOR];
    uint8_t bodies[KEEP_VECTOR][KEEP_BODY_LARGE];
};

/* The i-th of n messages of a task. */
static void fill(struct task *task, struct room *room, uint32_t i, const struct keep_message *message)
{
    uint64_t id = keep_message_new(task->client->sim, message);
    size_t n = keep_headers(id, &room->parts[i]);

    task->number = i ? task->number : id;
    memcpy(room->bodies[i], &id, sizeof(id));
    room->messages[i] = (struct outgoing){.value.body = {room->bodies[i], keep_size(id)},
                                          .key = keep_key(id),
                                          .headers = room->parts[i].headers,
                                          .headers_n = n,
                                          .once = text_of(ids[message->once])};
}

/* The last id is for the end. */
static uint32_t once_of(uint32_t first, uint32_t i)
{
    return !first || first == KEEP_IDS ? first : (first + i - 1) % (KEEP_IDS - 1) + 1;
}

/* The ids begin with `once`; 0: they have none. */
struct task *keep_publish(struct client *client, uint32_t topic, uint32_t n, uint32_t once)
{
    struct task *task = keep_task(client, VERB_PUBLISH);
    struct room *room = task->memory = sim_alloc(sizeof(*room));

    for (uint32_t i = 0; i < n; i++)
        fill(task, room, i,
             &(struct keep_message){.topic = topic, .once = once_of(once, i), .index = i, .n = n});
    task->op.request.publish =
        (struct request_publish){.topic = keep_name(topic), .messages = room->messages, .messages_n = n};
    return task;
}

/* The last one of the topic is the one that it has seen, or perhaps another. */
static void expect(struct task *task, uint32_t topic)
{
    struct sim *sim = task->client->sim;
    struct keep_message *first = &sim->keeps->messages[task->number];

    first->expects = task->op.request.publish.expects = true;
    first->expected = task->op.request.publish.expect_sequence = draw(sim, 6) ? keep_last(sim, topic) : 0;
}

static void do_publish(struct client *client)
{
    struct sim *sim = client->sim;
    uint32_t topic = (uint32_t)draw(sim, KEEP_TOPICS), n = 1 + (uint32_t)draw(sim, KEEP_VECTOR);
    uint64_t what = draw(sim, 6);
    struct task *task = keep_publish(client, topic, n, what < 2 ? 1 + (uint32_t)draw(sim, KEEP_IDS - 1) : 0);

    if (what == 2)
        expect(task, topic);
    task_start(task);
}

/* On two topics, perhaps. */
static void do_transact(struct client *client)
{
    struct sim *sim = client->sim;
    uint32_t n = 1 + (uint32_t)draw(sim, KEEP_VECTOR), first = 1 + (uint32_t)draw(sim, n);
    uint32_t topic[] = {(uint32_t)draw(sim, KEEP_TOPICS), (uint32_t)draw(sim, KEEP_TOPICS)};
    struct task *task = keep_task(client, VERB_TRANSACT);
    struct room *room = task->memory = sim_alloc(sizeof(*room));
    struct request_transact *what = &task->op.request.transact;

    for (uint32_t i = 0; i < n; i++)
        fill(task, room, i, &(struct keep_message){.topic = topic[i >= first], .index = i, .n = n});
    room->publishes[0] = (struct request_publish){
        .topic = keep_name(topic[0]), .messages = room->messages, .messages_n = first};
    room->publishes[1] = (struct request_publish){
        .topic = keep_name(topic[1]), .messages = room->messages + first, .messages_n = n - first};
    what->publishes = room->publishes;
    what->publishes_n = 1 + (n > first);
    task_start(task);
}

/* ---- less ---- */

struct task *keep_purge(struct client *client, uint32_t topic, uint64_t up_to, uint64_t keep)
{
    struct task *task = keep_task(client, VERB_TOPIC_PURGE);

    task->number = keep_purge_new(client->sim, topic);
    task->op.request.topic_purge = (struct request_topic_purge){keep_name(topic), up_to, keep};
    return task;
}

struct task *keep_remove(struct client *client, uint32_t topic)
{
    struct task *task = keep_task(client, VERB_TOPIC_REMOVE);

    task->number = keep_purge_new(client->sim, topic);
    task->op.request.topic_remove.topic = keep_name(topic);
    return task;
}

static void do_purge(struct client *client)
{
    struct sim *sim = client->sim;
    uint32_t topic = (uint32_t)(draw(sim, 2) ? KEEP_FULL : draw(sim, KEEP_TOPICS));
    uint64_t last = keep_last(sim, topic), what = draw(sim, 3);
    uint64_t back = last ? draw(sim, last < 20 ? last : 20) : 0;

    task_start(keep_purge(client, topic, what == 0 ? last - back : 0, what == 1 ? 1 + draw(sim, 6) : 0));
}

/* What a topic keeps, for all daemons to come. */
static void do_set(struct client *client)
{
    static const char *const texts[] = {"keep_messages=%llu", "keep_messages= full=drop-oldest"};
    struct sim *sim = client->sim;
    struct task *task = keep_task(client, VERB_TOPIC_SET);
    struct request_topic_set *set = &task->op.request.topic_set;
    uint64_t n = 2 + draw(sim, 30);

    task->text = sim_alloc(TEXT);
    set->pattern = keep_name(KEEP_FEW);
    if (draw(sim, 8) == 0)
        set->remove = true;
    else
        set->settings = (struct bytes){
            task->text, (size_t)snprintf(task->text, TEXT, texts[draw(sim, 4) == 0], (unsigned long long)n)};
    sim->keeps->least = n < sim->keeps->least ? n : sim->keeps->least;
    task_start(task);
}

/* ---- reading ---- */

struct task *keep_subscribe(struct client *client, uint32_t pattern, uint32_t from)
{
    struct sim *sim = client->sim;
    struct task *task = keep_task(client, VERB_SUBSCRIBE);
    struct keep_sub sub = {.who = client->who, .pattern = pattern, .from = from, .session = client->session};

    if (from == FROM_SEQUENCE)
        sub.from_sequence = draw(sim, sim->keeps->sequence + 4);
    if (from == FROM_TIME)
        sub.from_time_us = sim->keeps->time_us - (int64_t)draw(sim, 100000);
    if (draw(sim, 4) == 0)
        sub.value_bytes_max = KEEP_BODY;
    sub.started_ns = sim->now_ns;
    task->number = keep_sub_new(sim, &sub);
    task->op.request.subscribe = (struct request_subscribe){.pattern = keep_pattern(pattern),
                                                            .capacity = 1 + draw(sim, 5),
                                                            .from = from,
                                                            .from_sequence = sub.from_sequence,
                                                            .from_time_us = sub.from_time_us,
                                                            .value_bytes_max = sub.value_bytes_max};
    return task;
}

struct task *keep_receive(struct client *client, uint64_t number, uint32_t max)
{
    struct task *task = keep_task(client, VERB_RECV);

    task->number = number;
    task->op.request.recv = (struct request_recv){client->sim->keeps->subs[number].handle, max};
    return task;
}

struct task *keep_drop(struct client *client, uint64_t number)
{
    struct keep_sub *sub = &client->sim->keeps->subs[number];
    struct task *task = keep_task(client, VERB_CHAN_DROP);

    sub->closed = true;
    task->op.request.chan_drop.handle = sub->handle;
    return task;
}

static void do_subscribe(struct client *client, uint64_t *place)
{
    struct sim *sim = client->sim;
    struct task *task = keep_subscribe(client, (uint32_t)draw(sim, KEEP_PATTERNS),
                                       FROM_START + (uint32_t)draw(sim, FROM_LAST));

    *place = task->number;
    task_start(task);
}

static bool is_receiving(const struct client *client, uint64_t number)
{
    const struct task *task;

    list_each (task, &client->tasks, link)
        if (task->topical && task->op.request.verb == VERB_RECV && task->number == number &&
            !task->finished && !task->dropped)
            return true;
    return false;
}

static void do_receive(struct client *client, uint64_t number)
{
    struct sim *sim = client->sim;
    struct task *task = keep_receive(client, number, 1 + (uint32_t)draw(sim, KEEP_VECTOR));
    uint64_t until = draw(sim, 3);

    if (until == 0)
        task->op.deadline_ns = PROTOCOL_DEADLINE_NOW;
    else if (until == 1)
        task->op.deadline_ns = sim->now_ns + (int64_t)draw(sim, 10 * MS);
    task_start(task);
}

static void use_place(struct client *client, uint64_t *place)
{
    struct sim *sim = client->sim;
    const struct keep_sub *sub = *place ? &sim->keeps->subs[*place] : NULL;

    if (!sub || sub->session != client->session || sub->closed)
        return do_subscribe(client, place);
    if (!sub->known || is_receiving(client, *place))
        return;
    if (draw(sim, 8) == 0)
        task_start(keep_drop(client, *place));
    else
        do_receive(client, *place);
}

static void do_look(struct client *client)
{
    struct sim *sim = client->sim;
    bool list = draw(sim, 2);
    struct task *task = keep_task(client, list ? VERB_TOPIC_LIST : VERB_TOPIC_INFO);

    if (list)
        task->op.request.topic_list = (struct request_topic_list){.limit = 2};
    else
        task->op.request.topic_info.topic = keep_name((uint32_t)draw(sim, KEEP_TOPICS));
    task_start(task);
}

/* ---- what must be refused ---- */

static void publish_wrongly(struct client *client, uint64_t what)
{
    static const char big[512];
    struct task *task = keep_publish(client, KEEP_ALL, 1, 0);
    struct outgoing *message = &((struct room *)task->memory)->messages[0];

    if (what == 0)
        message->once = (struct bytes){big, 200};
    else if (what == 1)
        message->value.body = (struct bytes){big, sizeof(big)};
    else
        task->op.request.publish.topic = text_of("keep..all");
    task->mistaken = true;
    task_start(task);
}

static void transact_wrongly(struct client *client, uint64_t what)
{
    struct task *task = keep_publish(client, KEEP_ALL, 1, 0);
    struct room *room = task->memory;

    room->publishes[0] = task->op.request.publish;
    if (what == 0)
        room->messages[0].once = text_of(ids[1]);
    else if (what == 1)
        room->publishes[0].expects = true;
    else
        room->publishes[0].topic = text_of("live.only");
    task->op.request.verb = VERB_TRANSACT;
    task->op.request.transact = (struct request_transact){.publishes = room->publishes, .publishes_n = 1};
    task->mistaken = true;
    task_start(task);
}

static void ask_wrongly(struct client *client, uint64_t what)
{
    static const enum verb verbs[] = {VERB_TOPIC_PURGE, VERB_TOPIC_REMOVE, VERB_TOPIC_SET};
    struct task *task = keep_task(client, verbs[what]);

    if (what == 0)
        task->op.request.topic_purge = (struct request_topic_purge){keep_name(KEEP_ALL), 5, 5};
    else if (what == 1)
        task->op.request.topic_remove.topic = text_of("keep.none");
    else
        task->op.request.topic_set =
            (struct request_topic_set){text_of("keep.none"), text_of("keep_messages=many"), false};
    task->mistaken = true;
    task_start(task);
}

static void do_wrong(struct client *client)
{
    static void (*const deeds[])(struct client *, uint64_t) = {publish_wrongly, transact_wrongly,
                                                               ask_wrongly};
    uint64_t what = draw(client->sim, 9);

    deeds[what / 3](client, what % 3);
}

bool work_keep(struct client *client)
{
    struct sim *sim = client->sim;

    if (!sim->keeps || draw(sim, 3))
        return false;
    uint64_t *place = &sim->keeps->place[client->who][draw(sim, KEEP_PLACES)], what = draw(sim, 32);
    if (what < 11)
        do_publish(client);
    else if (what < 14)
        do_transact(client);
    else if (what == 14)
        do_purge(client);
    else if (what == 15)
        (draw(sim, 4) ? do_look : do_set)(client);
    else if (what == 16 && draw(sim, 3) == 0)
        task_start(keep_remove(client, (uint32_t)draw(sim, KEEP_TOPICS)));
    else if (what == 16)
        do_wrong(client);
    else
        use_place(client, place);
    return true;
}

/* ---- results ---- */

static void subscribed(struct task *task, const struct result *result)
{
    struct keep_sub *sub = &task->client->sim->keeps->subs[task->number];

    sub->known = result->status == 0;
    sub->closed |= result->status < 0;
    sub->handle = result->handle;
}

void keep_told(struct task *task, const struct result *result)
{
    if (!task->topical || !task->client->sim->keeps)
        return;
    if (result->status < 0)
        judge_keep_refused(task, result);
    if (task->op.request.verb == VERB_SUBSCRIBE)
        subscribed(task, result);
    else if (task->op.request.verb == VERB_RECV)
        judge_keep_given(task, result);
    else if (task->op.request.verb == VERB_TOPIC_INFO && task->scripted)
        judge_keep_info(task, result);
}
