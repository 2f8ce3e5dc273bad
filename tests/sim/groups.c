/*
 * Clients publish on kept topics and are members of groups: with little room, for a while, and with all that may be done with a
 * message. Each receives from a membership with one call at a time, and holds, gives back and abandons as with any channel.
 * What is drawn is of a generator of its own.
 */
#include "groups.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drain.h"
#include "pattern.h"
#include "schedules.h"

enum {
    BODY_BYTES = 16,
    KEYS = 3,
    NO_SLOT = SLOTS /* as in loose.c: no channel of a slot */,
    END_ROOM = 16,
    SETTINGS_BYTES = 64
};

static const struct {
    const char *name, *pattern, *settings;
} groups[GROUPS + 1] = {{"g.all", "log.>", "ack_wait=20"},
                        {"g.row", "log.*", "ack_wait=20 ordered=yes window=8"},
                        {"g.few", "log.>", "ack_wait=20 tries=2 dead=dead.few window=16"},
                        {"g.far", "log.*", "ack_wait=20"},
                        {"", "log.>", ""}};

static const char *const topics[GROUP_TOPICS] = {"log.a", "log.b", "log.b.c"};
static const char *const keys[KEYS] = {"", "red", "blue"};

static struct bytes text_of(const char *text)
{
    return (struct bytes){text, strlen(text)};
}

struct bytes group_name_of(uint32_t group)
{
    return text_of(groups[group].name);
}

struct bytes group_topic(uint32_t topic)
{
    return text_of(topics[topic]);
}

bool group_reads(uint32_t group, uint32_t topic)
{
    return pattern_match(text_of(groups[group].pattern), group_topic(topic));
}

void groups_open(struct sim *sim)
{
    if (sim->seed % 3 != 2 || sim->ruled || sim_is_long(sim)) /* what nobody receives has a time of its own */
        return;
    sim->groups = sim_alloc(sizeof(*sim->groups));
    sim->groups->dice = sim->seed ^ 0x67726f7570;
}

void groups_configure(struct sim *sim, struct core *core)
{
    struct topic_part part = {.policy.durable = 1, .set = UINT32_C(1) << TOPIC_durable};

    if (sim->groups && (core_set_topic(core, text_of("log.>"), &part) < 0 ||
                        core_set_topic(core, text_of("dead.>"), &part) < 0))
        abort();
}

static uint64_t draw(const struct sim *sim, uint64_t n)
{
    uint64_t *dice = &sim->groups->dice;

    *dice = *dice * 6364136223846793005u + 1442695040888963407u;
    return (*dice >> 33) % n;
}

static struct task *group_task(struct client *client, enum verb verb)
{
    struct task *task = task_new(client, verb);

    task->slot = NO_SLOT;
    task->topical = true;
    return task;
}

/* ---- deeds ---- */

static void do_publish(struct client *client)
{
    struct sim *sim = client->sim;
    struct task *task = group_task(client, VERB_PUBLISH);
    uint32_t topic = (uint32_t)draw(sim, GROUP_TOPICS), n = 1 + (uint32_t)draw(sim, GROUP_VECTOR);
    struct outgoing *messages = sim_alloc(n * (sizeof(*messages) + BODY_BYTES));
    uint8_t *body = (uint8_t *)(messages + n);

    task->memory = messages;
    for (uint32_t i = 0; i < n; i++, body += BODY_BYTES) {
        uint32_t key = (uint32_t)draw(sim, KEYS);
        uint64_t id = posted_new(sim, topic, key);

        task->number = i ? task->number : id;
        memcpy(body, &id, sizeof(id));
        messages[i] = (struct outgoing){.value.body = {body, BODY_BYTES}, .key = text_of(keys[key])};
    }
    task->op.request.publish =
        (struct request_publish){.topic = group_topic(topic), .messages = messages, .messages_n = n};
    task_start(task);
}

static struct task *join(struct client *client, uint32_t group, uint64_t capacity)
{
    struct task *task = group_task(client, VERB_SUBSCRIBE);

    task->number = membership_new(client, group);
    task->op.request.subscribe = (struct request_subscribe){.pattern = text_of(groups[group].pattern),
                                                            .capacity = capacity,
                                                            .from = FROM_START,
                                                            .group = group_name_of(group),
                                                            .settings = text_of(groups[group].settings)};
    return task;
}

static void do_join(struct client *client, uint64_t *place)
{
    struct sim *sim = client->sim;
    struct task *task = join(client, (uint32_t)draw(sim, GROUPS + 1), 1 + draw(sim, 4));

    *place = task->number;
    task_start(task);
}

static bool is_receiving(const struct client *client, uint64_t member)
{
    const struct task *task;

    list_each (task, &client->tasks, link)
        if (task->topical && task->op.request.verb == VERB_RECV && task->number == member &&
            !task->finished && !task->dropped)
            return true;
    return false;
}

static struct task *receive(struct client *client, uint64_t member, uint32_t max)
{
    struct task *task = group_task(client, VERB_RECV);

    task->number = member;
    task->op.request.recv = (struct request_recv){client->sim->groups->members[member].handle, max};
    return task;
}

static void do_receive(struct client *client, uint64_t member)
{
    struct sim *sim = client->sim;
    struct task *task = receive(client, member, 1 + (uint32_t)draw(sim, GROUP_VECTOR));
    uint64_t until = draw(sim, 4);

    if (until == 0)
        task->op.deadline_ns = PROTOCOL_DEADLINE_NOW;
    else if (until == 1)
        task->op.deadline_ns = sim->now_ns + (int64_t)draw(sim, 10 * MS);
    task_start(task);
}

static struct task *drop(struct client *client, uint64_t member)
{
    struct membership *is = &client->sim->groups->members[member];
    struct task *task = group_task(client, VERB_CHAN_DROP);

    is->closed = true;
    task->op.request.chan_drop.handle = is->handle;
    return task;
}

static void do_look(struct client *client)
{
    struct sim *sim = client->sim;
    uint32_t group = (uint32_t)draw(sim, GROUPS);
    struct task *task = group_task(client, VERB_GROUP_LIST);

    task->number = group == GROUP_FAR ? 0 : sim->groups->of[group].floor;
    task->op.request.group_list = (struct request_group_list){.prefix = group_name_of(group), .limit = 1};
    task_start(task);
}

/* ---- what is set ---- */

static struct task *set(struct client *client, uint32_t group, struct bytes settings)
{
    struct task *task = group_task(client, VERB_GROUP_SET);

    task->op.request.group_set = (struct request_group_set){group_name_of(group), settings};
    return task;
}

static void do_set(struct client *client)
{
    static const char *const settings[] = {"paused=yes",    "paused=no",      "paused= from=start",
                                           "from=new",      "from=%llu",      "from=@%llu",
                                           "window=4",      "window= tries=", "tries=3",
                                           "dead=dead.far", "dead=",          "ordered=yes"};
    struct sim *sim = client->sim;
    uint64_t n = draw(sim, sim->groups->messages_n + 2);
    struct task *task = set(client, GROUP_FAR, (struct bytes){0});

    task->text = sim_alloc(SETTINGS_BYTES);
    int size = snprintf(task->text, SETTINGS_BYTES, settings[draw(sim, sizeof(settings) / sizeof(*settings))],
                        (unsigned long long)n);
    task->op.request.group_set.settings = (struct bytes){task->text, (size_t)size};
    task_start(task);
}

static void do_remove(struct client *client)
{
    struct task *task = group_task(client, VERB_GROUP_REMOVE);

    task->op.request.group_remove.group = group_name_of(GROUP_FAR);
    task_start(task);
}

/* What cannot be: said of a group that is set so, or is made so. */
static void do_wrong(struct client *client)
{
    static const char *const settings[] = {"window=many", "dead=log.a", "dead=..", "from=somewhere",
                                           "none=1"};
    struct sim *sim = client->sim;
    struct bytes text = text_of(settings[draw(sim, 5)]);
    uint64_t what = draw(sim, 4);
    struct task *task =
        what ? set(client, what == 1 ? REPLAY : GROUP_ORDERED, text) : group_task(client, VERB_SUBSCRIBE);

    if (!what)
        task->op.request.subscribe = (struct request_subscribe){
            .pattern = text_of("log.>"), .group = text_of("g.none"), .settings = text};
    task->mistaken = true;
    task_start(task);
}

/* ---- what is held ---- */

static struct task *held_by(const struct client *client)
{
    struct task *task;

    list_each (task, &client->tasks, link)
        if (task->topical && task->op.request.verb == VERB_RECV && task->surfaced && !task->dropped &&
            task->op.phase == OP_HELD && task->held_n < task->got_n)
            return task;
    return NULL;
}

/* Of the last message of a receive. */
static bool do_settle(struct client *client)
{
    struct sim *sim = client->sim;
    const struct task *held = held_by(client);

    if (!held || sim->groups->members[held->number].group == REPLAY)
        return false;
    const struct membership *member = &sim->groups->members[held->number];
    struct posted *message = &sim->groups->messages[held->got[held->got_n - 1]];
    struct task *task = group_task(client, VERB_SETTLE);
    uint64_t *sequence = task->memory = sim_alloc(sizeof(*sequence));

    *sequence = message->sequence;
    task->op.request.settle = (struct request_settle){.handle = member->handle,
                                                      .sequences = sequence,
                                                      .sequences_n = 1,
                                                      .what = SETTLE_RETRY + (uint32_t)draw(sim, 3),
                                                      .delay_ns = (int64_t)draw(sim, 2) * 3 * MS};
    message->of[member->group].settled = true;
    message->of[member->group].op = 0;
    if (task->op.request.settle.what == SETTLE_DEAD)
        message->of[member->group].acked = true;
    task_start(task);
    return true;
}

static void use_place(struct client *client, uint64_t *place)
{
    struct sim *sim = client->sim;
    const struct membership *member = *place ? &sim->groups->members[*place] : NULL;

    if (!member || member->session != client->session || member->closed)
        return do_join(client, place);
    if (!member->known || is_receiving(client, *place))
        return;
    if (draw(sim, 16) == 0)
        task_start(drop(client, *place));
    else
        do_receive(client, *place);
}

bool work_group(struct client *client)
{
    struct sim *sim = client->sim;

    if (!sim->groups || draw(sim, 3))
        return false;
    uint64_t *place = &sim->groups->place[client->who][draw(sim, GROUP_PLACES)], what = draw(sim, 24);
    if (what < 6)
        do_publish(client);
    else if (what == 6)
        (draw(sim, 3) ? do_look : draw(sim, 6) ? do_set : draw(sim, 2) ? do_remove : do_wrong)(client);
    else if (what > 15 || !do_settle(client))
        use_place(client, place);
    return true;
}

/* ---- results ---- */

static void joined(struct task *task, const struct result *result)
{
    struct membership *member = &task->client->sim->groups->members[task->number];

    member->known = result->status == 0;
    member->closed |= result->status < 0;
    member->handle = result->handle;
}

void group_told(struct task *task, const struct result *result)
{
    if (!task->topical || !task->client->sim->groups)
        return;
    if (task->mistaken) {
        if (result->status >= 0)
            sim_fail(task->client->sim, "what cannot be of a group is answered with success");
        return;
    }
    switch (task->op.request.verb) {
    case VERB_PUBLISH:
        return judge_posted(task, result);
    case VERB_SUBSCRIBE:
        return joined(task, result);
    case VERB_RECV:
        return judge_given(task, result);
    case VERB_GROUP_LIST:
        return judge_group_row(task, result);
    default:
        return;
    }
}

/* ---- the end ---- */

static void leave_all(struct sim *sim)
{
    struct group_ledger *g = sim->groups;

    for (uint64_t number = 1; number <= g->members_n && !sim->failed; number++) {
        const struct membership *member = &g->members[number];
        struct client *client = &sim->clients[member->who];

        if (member->known && !member->closed && member->session == client->session)
            ask(drop(client, number));
    }
}

/* It begins anew, and nothing is given as long as it is paused. */
static void send_back(struct sim *sim)
{
    struct client *client = &sim->clients[0];
    struct task *task = join(client, GROUP_FAR, END_ROOM);
    uint64_t number = task->number;
    struct reply reply = ask(task);

    if (!sim->failed && reply.status == 0)
        reply = ask(set(client, GROUP_FAR,
                        text_of("from=start paused=yes ack_wait=200 tries= dead= ordered= window=")));
    if (!sim->failed && reply.status < 0)
        sim_fail(sim, "a group that is sent to the start gives %d", reply.status);
    if (sim->failed)
        return;
    judge_far_begins(sim);
    sim->groups->paused = true;
    task = receive(client, number, END_ROOM);
    task->op.deadline_ns = sim->now_ns + 50 * MS;
    reply = ask(task);
    task = group_task(client, VERB_GROUP_LIST);
    task->op.request.group_list = (struct request_group_list){.prefix = group_name_of(GROUP_FAR), .limit = 1};
    if (!sim->failed)
        ask(task);
    sim->groups->paused = false;
    if (!sim->failed)
        ask(drop(client, number));
    if (!sim->failed)
        ask(set(client, GROUP_FAR, text_of("paused=no")));
}

static void empty(struct sim *sim, uint32_t group)
{
    struct client *client = &sim->clients[0];
    struct task *task = join(client, group, END_ROOM);
    uint64_t number = task->number;
    struct reply reply = ask(task);

    if (!sim->failed && reply.status < 0)
        sim_fail(sim, "joining group %s gives %d", groups[group].name, reply.status);
    while (!sim->failed && reply.status >= 0) {
        task = receive(client, number, END_ROOM);
        task->op.deadline_ns = sim->now_ns + 1 * S;
        reply = ask(task);
    }
    if (!sim->failed)
        wait_for(sim, 100 * MS);
    if (!sim->failed && group == REPLAY)
        judge_replay_end(sim, number);
    if (!sim->failed)
        ask(drop(client, number));
}

void groups_end(struct sim *sim)
{
    if (!sim->groups)
        return;
    leave_all(sim);
    if (!sim->failed)
        send_back(sim);
    for (uint32_t group = 0; group <= REPLAY && !sim->failed; group++)
        empty(sim, group);
    if (!sim->failed)
        judge_groups_end(sim);
}
