/*
 * Clients publish and subscribe: exact topics and patterns, with all that a full subscription may do, little room, and deadlines.
 * Each receives from a subscription with one call at a time, and holds, gives back and abandons as with any channel. What is
 * drawn is of a generator of its own.
 */
#include "topics.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pattern.h"

enum {
    BODY_BYTES = 16,
    KEPT_TOPIC = 3,
    NO_SLOT = SLOTS /* as in loose.c: no channel of a slot */
};

const char *const topic_patterns[TOPIC_PATTERNS] = {"top.a", "top.b", "top.b.c", "top.d.c",
                                                    "top.*", "top.>", "top.*.c", ">"};

void topics_open(struct sim *sim)
{
    if (sim->seed % 3 != 1)
        return;
    sim->topics = sim_alloc(sizeof(*sim->topics));
    sim->topics->dice = sim->seed ^ 0x746f706963;
    sim->topics->waits = sim->seed / 3 % 2;
    sim->topics->lasts = sim->seed / 9 % 3;
}

static uint64_t draw(const struct sim *sim, uint64_t n)
{
    uint64_t *dice = &sim->topics->dice;

    *dice = *dice * 6364136223846793005u + 1442695040888963407u;
    return (*dice >> 33) % n;
}

static struct bytes pattern_text(uint32_t pattern)
{
    return (struct bytes){topic_patterns[pattern], strlen(topic_patterns[pattern])};
}

static struct task *topic_task(struct client *client, enum verb verb)
{
    struct task *task = task_new(client, verb);

    task->slot = NO_SLOT;
    task->topical = true;
    return task;
}

static void draw_until(struct task *task)
{
    struct sim *sim = task->client->sim;
    uint64_t what = draw(sim, 5);

    if (what == 0)
        task->op.deadline_ns = PROTOCOL_DEADLINE_NOW;
    else if (what == 1)
        task->op.deadline_ns = sim->now_ns + (int64_t)draw(sim, 10 * MS);
}

/* ---- deeds ---- */

static void do_publish(struct client *client)
{
    struct sim *sim = client->sim;
    struct task *task = topic_task(client, VERB_PUBLISH);
    uint32_t topic = (uint32_t)draw(sim, TOPICS), n = 1 + (uint32_t)draw(sim, TOPIC_VECTOR);
    struct outgoing *messages = sim_alloc(n * (sizeof(*messages) + BODY_BYTES));
    uint8_t *body = (uint8_t *)(messages + n);

    task->memory = messages;
    for (uint32_t i = 0; i < n; i++, body += BODY_BYTES) {
        uint64_t id = topic_message_new(sim, topic, i);

        task->number = i ? task->number : id;
        memcpy(body, &id, sizeof(id));
        messages[i] = (struct outgoing){.value.body = {body, BODY_BYTES}};
        if (sim->topics->lasts && draw(sim, 4) == 0)
            messages[i] = (struct outgoing){.key = {body, sizeof(id)}};
    }
    task->op.request.publish =
        (struct request_publish){.topic = pattern_text(topic), .messages = messages, .messages_n = n};
    draw_until(task);
    task_start(task);
}

/* One of them is that of half of all. */
static uint32_t draw_pattern(const struct sim *sim)
{
    return (uint32_t)(draw(sim, 2) ? sim->seed / 6 % TOPIC_PATTERNS : draw(sim, TOPIC_PATTERNS));
}

/* What is kept of a topic comes otherwise. */
static bool may_begin_with_lasts(const struct sim *sim, uint32_t pattern)
{
    return sim->topics->lasts &&
           !(sim->topics->waits && pattern_match(pattern_text(pattern), pattern_text(KEPT_TOPIC)));
}

static void do_subscribe(struct client *client, uint64_t *place, uint32_t pattern)
{
    struct sim *sim = client->sim;
    struct task *task = topic_task(client, VERB_SUBSCRIBE);
    uint32_t full = (uint32_t)draw(sim, sim->topics->waits ? 4 : 3);

    task->number = *place = topic_sub_new(client, pattern, full);
    task->op.request.subscribe = (struct request_subscribe){
        .pattern = pattern_text(pattern), .capacity = 1 + draw(sim, 6), .full = full};
    if (may_begin_with_lasts(sim, pattern) && draw(sim, 2)) {
        sim->topics->subs[*place].lasts = true;
        task->op.request.subscribe.from = FROM_LAST;
    }
    if (full == TOPIC_BLOCK)
        task->op.request.subscribe.block_ns = 5 * MS;
    task_start(task);
}

static bool is_receiving(const struct client *client, uint64_t sub)
{
    const struct task *task;

    list_each (task, &client->tasks, link)
        if (task->topical && task->op.request.verb == VERB_RECV && task->number == sub && !task->finished &&
            !task->dropped)
            return true;
    return false;
}

static void do_receive(struct client *client, uint64_t sub)
{
    struct sim *sim = client->sim;
    struct task *task = topic_task(client, VERB_RECV);

    task->number = sub;
    task->op.request.recv =
        (struct request_recv){sim->topics->subs[sub].handle, 1 + (uint32_t)draw(sim, TOPIC_VECTOR)};
    draw_until(task);
    task_start(task);
}

static void do_drop(struct client *client, uint64_t *place)
{
    struct topic_sub *sub = &client->sim->topics->subs[*place];
    struct task *task = topic_task(client, VERB_CHAN_DROP);

    sub->closed = true;
    task->op.request.chan_drop.handle = sub->handle;
    *place = 0;
    task_start(task);
}

/* Who subscribes behind it is not closed. */
static void do_close(struct client *client, uint64_t *place)
{
    struct sim *sim = client->sim;
    struct task *task = topic_task(client, VERB_TOPIC_CLOSE);
    uint32_t pattern = draw_pattern(sim);

    task->op.request.topic_close.topic = pattern_text(pattern);
    task_start(task);
    if (!*place || sim->topics->subs[*place].session != client->session)
        do_subscribe(client, place, pattern);
}

/* Where publishes wait, one topic is kept from some time on: its messages come when the store has them. */
static void do_keep(struct client *client)
{
    struct sim *sim = client->sim;
    struct task *task = topic_task(client, VERB_TOPIC_SET);

    task->op.request.topic_set =
        (struct request_topic_set){.pattern = pattern_text(KEPT_TOPIC), .settings = {"durable=yes", 11}};
    if (draw(sim, 2))
        task->op.request.topic_set.settings = (struct bytes){"durable=yes keep_messages=20", 28};
    task_start(task);
}

/* The last message of a topic is cleared; or its rule is another one for a while. */
static void do_clear(struct client *client)
{
    static const enum verb verbs[] = {VERB_TOPIC_PURGE, VERB_TOPIC_REMOVE, VERB_TOPIC_SET, VERB_TOPIC_SET};
    struct sim *sim = client->sim;
    struct task *task = topic_task(client, verbs[draw(sim, 4)]);
    struct bytes topic = pattern_text((uint32_t)draw(sim, TOPICS));

    if (task->op.request.verb == VERB_TOPIC_PURGE)
        task->op.request.topic_purge.topic = topic;
    else if (task->op.request.verb == VERB_TOPIC_REMOVE)
        task->op.request.topic_remove.topic = topic;
    else
        task->op.request.topic_set = (struct request_topic_set){
            .pattern = {LAST_PATTERN, sizeof(LAST_PATTERN) - 1},
            .settings = draw(sim, 2) ? (struct bytes){"last=yes", 8} : (struct bytes){"last=no", 7}};
    task_start(task);
}

static void do_look(struct client *client)
{
    struct sim *sim = client->sim;
    bool list = draw(sim, 2);
    struct task *task = topic_task(client, list ? VERB_TOPIC_LIST : VERB_TOPIC_INFO);
    struct bytes pattern = pattern_text((uint32_t)draw(sim, TOPIC_PATTERNS));

    if (list)
        task->op.request.topic_list = (struct request_topic_list){.pattern = pattern, .limit = 2};
    else
        task->op.request.topic_info.topic = pattern;
    task_start(task);
}

static void use_place(struct client *client, uint64_t *place)
{
    struct sim *sim = client->sim;
    const struct topic_sub *sub = *place ? &sim->topics->subs[*place] : NULL;

    if (!sub || sub->session != client->session || sub->closed)
        return do_subscribe(client, place, draw_pattern(sim));
    if (!sub->known || is_receiving(client, *place))
        return;
    if (draw(sim, 12) == 0)
        do_drop(client, place);
    else
        do_receive(client, *place);
}

bool work_topic(struct client *client)
{
    struct sim *sim = client->sim;

    if (!sim->topics || draw(sim, 4))
        return false;
    uint64_t *place = &sim->topics->place[client->who][draw(sim, TOPIC_PLACES)], what = draw(sim, 24);
    if (what < 8)
        for (uint64_t n = 1 + draw(sim, 3); n; n--) /* behind one another */
            do_publish(client);
    else if (what == 8)
        do_close(client, place);
    else if (what == 9 && sim->topics->waits && draw(sim, 3) == 0)
        do_keep(client);
    else if (what == 9 && sim->topics->lasts && draw(sim, 2))
        do_clear(client);
    else if (what == 9)
        do_look(client);
    else
        use_place(client, place);
    return true;
}

/* ---- results ---- */

static void subscribed(struct task *task, const struct result *result)
{
    struct topic_sub *sub = &task->client->sim->topics->subs[task->number];

    sub->known = result->status == 0;
    sub->closed |= result->status < 0;
    sub->handle = result->handle;
}

void topic_told(struct task *task, const struct result *result)
{
    if (!task->topical || !task->client->sim->topics)
        return;
    switch (task->op.request.verb) {
    case VERB_PUBLISH:
        return judge_published(task, result);
    case VERB_SUBSCRIBE:
        return subscribed(task, result);
    case VERB_RECV:
        if (result->flags & RESULT_CLOSED || result->status == -ENOBUFS)
            task->client->sim->topics->subs[task->number].closed = true;
        return judge_messages(task, result);
    default:
        return;
    }
}
