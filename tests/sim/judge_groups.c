/*
 * The ledger of what groups give, and the rules of IP15.2, IP15.6 and IP16 over it.
 *
 *     a member gets only what the store has, of topics that its group reads, under the sequence that it has there
 *     no two calls return with it unflagged
 *     what the daemon is known to have seen acknowledged, or the store has so, is in no receive that begins later
 *     nothing is acknowledged in the store, or behind the floor, that nobody acknowledged; the floor never goes back
 *     a dead letter and its acknowledgement are stored as one, once; nothing is given more often than the group tries
 *     what is sent back to the start gives nothing while it is paused, and then everything anew
 *     where a group keeps order, a message comes when all before it with its key are acknowledged
 *     a replay has what is stored in order, and at the end all of it
 *     what was confirmed is stored, what failed is not; at the end all that is stored has been acknowledged, and nothing is open
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "groups.h"
#include "states.h"

void judge_groups_free(struct sim *sim)
{
    if (!sim->groups)
        return;
    free(sim->groups->members);
    free(sim->groups->messages);
    free(sim->groups);
}

/* Room for one more behind `n` rows, which grow by doubling. */
static void *grown(void *rows, size_t n, size_t size)
{
    if (n & (n + 1))
        return rows;
    rows = realloc(rows, 2 * (n + 2) * size);
    return rows ? rows : (abort(), NULL);
}

uint64_t posted_new(struct sim *sim, uint32_t topic, uint32_t key)
{
    struct group_ledger *g = sim->groups;

    g->messages = grown(g->messages, g->messages_n, sizeof(*g->messages));
    g->messages[++g->messages_n] = (struct posted){.topic = topic, .key = key};
    return g->messages_n;
}

uint64_t membership_new(struct client *client, uint32_t group)
{
    struct group_ledger *g = client->sim->groups;

    g->members = grown(g->members, g->members_n, sizeof(*g->members));
    g->members[++g->members_n] =
        (struct membership){.who = client->who, .group = group, .session = client->session};
    return g->members_n;
}

static void wrong(struct sim *sim, uint32_t group, uint64_t id, const char *why)
{
    struct bytes name = group_name_of(group);

    sim_fail(sim, "message %llu, sequence %llu, of group %.*s %s", (unsigned long long)id,
             (unsigned long long)sim->groups->messages[id].sequence, (int)name.size, (const char *)name.data,
             why);
}

/* The id in a body; 0: there is no such message. */
static uint64_t id_of(const struct sim *sim, struct bytes body)
{
    uint64_t id = 0;

    if (body.size >= sizeof(id))
        memcpy(&id, body.data, sizeof(id));
    return id <= sim->groups->messages_n ? id : 0;
}

/* ---- the store ---- */

static void message_stored(struct sim *sim, const struct record *record)
{
    uint64_t id = id_of(sim, record->body);

    if (states_has(record))
        return;
    if (!id || sim->groups->messages[id].sequence)
        sim_fail(sim, "message %llu is stored twice, or nobody's", (unsigned long long)id);
    else
        sim->groups->messages[id].sequence = record->message.sequence;
}

/* Nobody sends it elsewhere. */
static bool is_judged(const struct sim *sim, uint32_t group)
{
    return group != GROUP_FAR || sim->groups->far;
}

static void floor_stored(struct sim *sim, uint32_t group, uint64_t floor)
{
    uint64_t *last = &sim->groups->of[group].floor;

    if (floor < *last && is_judged(sim, group))
        sim_fail(sim, "the floor of a group goes back from %llu to %llu", (unsigned long long)*last,
                 (unsigned long long)floor);
    *last = floor;
}

/* This one, and all up to the floor. */
static void acks_stored(struct sim *sim, uint32_t group, uint64_t sequence)
{
    struct group_ledger *g = sim->groups;

    for (uint64_t id = 1; id <= g->messages_n && !sim->failed; id++) {
        struct posted *message = &g->messages[id];
        struct group_fate *fate = &message->of[group];

        if (!is_judged(sim, group) || !message->sequence || !group_reads(group, message->topic) ||
            fate->stored_ns || (message->sequence != sequence && message->sequence > g->of[group].floor))
            continue;
        fate->stored_ns = sim->now_ns;
        if (!fate->acked)
            wrong(sim, group, id, "is acknowledged in the store, and nobody did that");
    }
}

static void group_stored(struct sim *sim, const struct group_row *row)
{
    for (uint32_t group = 0; group < GROUPS; group++) {
        struct bytes name = group_name_of(group);

        if (!bytes_are(row->name, name.data, name.size))
            continue;
        sim->groups->of[group].id = row->id;
        floor_stored(sim, group, row->floor);
        acks_stored(sim, group, 0);
    }
}

static void ack_stored(struct sim *sim, const struct ack_row *row)
{
    for (uint32_t group = 0; group < GROUPS; group++) {
        if (sim->groups->of[group].id != row->group)
            continue;
        if (row->floor > sim->groups->of[group].floor)
            floor_stored(sim, group, row->floor);
        acks_stored(sim, group, row->sequence);
    }
}

/* Of a message that was given as often as may be, or of which a member said so. */
static void letter_stored(struct sim *sim, const struct record *record)
{
    struct group_ledger *g = sim->groups;
    uint64_t id = id_of(sim, record->body);
    struct posted *message;

    if (!record->message.of || record->message.topic != g->letters)
        return;
    message = id ? &g->messages[id] : NULL;
    if (!message || message->sequence != record->message.of || message->dead)
        return sim_fail(sim, "the dead letter %llu is of no message, or comes twice", (unsigned long long)id);
    message->dead = g->batch;
    message->of[GROUP_FEW].acked = true;
}

/* A dead letter and the acknowledgement of its message are as one. */
static void batch_stored(struct sim *sim)
{
    const struct group_ledger *g = sim->groups;

    for (uint64_t id = 1; id <= g->messages_n && !sim->failed; id++)
        if (g->messages[id].dead == g->batch && !g->messages[id].of[GROUP_FEW].stored_ns)
            wrong(sim, GROUP_FEW, id, "is dead in the store, and not acknowledged");
}

static void topic_stored(struct sim *sim, const struct topic_row *row)
{
    if (bytes_are(row->name, "dead.few", 8))
        sim->groups->letters = row->id;
}

static void record_stored(struct sim *sim, const struct record *record)
{
    switch (record->kind) {
    case RECORD_MESSAGE:
        return message_stored(sim, record);
    case RECORD_MESSAGE_JOINED:
        return letter_stored(sim, record);
    case RECORD_TOPIC:
        return topic_stored(sim, &record->topic);
    case RECORD_GROUP:
        return group_stored(sim, &record->group);
    case RECORD_GROUP_ACK:
        return ack_stored(sim, &record->ack);
    default:
        return;
    }
}

void judge_groups_stored(struct sim *sim, const struct list *batches)
{
    const struct batch *batch;
    const struct record *record;

    if (!sim->groups)
        return;
    list_each (batch, batches, link) {
        sim->groups->batch++;
        list_each (record, &batch->records, link)
            record_stored(sim, record);
        batch_stored(sim);
    }
}

/* ---- what clients are told ---- */

static bool in_doubt(const struct result *result)
{
    return result->flags & RESULT_DOUBT || result->status == -ECONNRESET || result->status == -ENETRESET;
}

void judge_posted(struct task *task, const struct result *result)
{
    struct sim *sim = task->client->sim;
    size_t n = task->op.request.publish.messages_n;

    for (size_t i = 0; i < n; i++) {
        struct posted *message = &sim->groups->messages[task->number + i];
        bool was = result->status > (int64_t)i;

        message->fate = was ? FATE_SENT : in_doubt(result) ? FATE_DOUBT : FATE_NOT_SENT;
        if (message->fate != FATE_DOUBT && was != (message->sequence > 0))
            sim_fail(sim, "message %llu was %s, and is %s", (unsigned long long)(task->number + i),
                     was ? "published" : "not published", was ? "not stored" : "stored");
    }
    if (result->status == (int64_t)n && result->published &&
        result->published->sequence != sim->groups->messages[task->number + n - 1].sequence)
        sim_fail(sim, "message %llu is told with another sequence",
                 (unsigned long long)(task->number + n - 1));
}

/* All before it with its key are acknowledged. */
static bool is_in_order(const struct group_ledger *g, const struct posted *message)
{
    for (uint64_t id = 1; message->key && id <= g->messages_n; id++) {
        const struct posted *other = &g->messages[id];

        if (other->key == message->key && other->sequence && other->sequence < message->sequence &&
            group_reads(GROUP_ORDERED, other->topic) && !other->of[GROUP_ORDERED].acked)
            return false;
    }
    return true;
}

static bool is_over(const struct sim *sim, const struct task *task, const struct group_fate *fate)
{
    bool known = fate->known_in == sim->sessions[task->session].incarnation;

    return (known && task->started_ns > fate->known_ns) ||
           (fate->stored_ns && task->started_ns > fate->stored_ns);
}

static const char *why_wrong(const struct sim *sim, const struct task *task, uint64_t id,
                             const struct value *value)
{
    const struct group_ledger *g = sim->groups;
    const struct posted *message = &g->messages[id];
    uint32_t group = g->members[task->number].group;
    struct bytes topic = group_topic(message->topic);

    if (!message->sequence || message->fate == FATE_NOT_SENT)
        return "is not stored";
    if (value->message->sequence != message->sequence)
        return "is told with another sequence";
    if (!group_reads(group, message->topic) || !bytes_are(value->message->topic, topic.data, topic.size))
        return "is of another topic";
    if (group == REPLAY)
        return !value->flags && value->message->sequence <= g->members[task->number].last
                   ? "comes behind a later one"
                   : NULL;
    if (!is_judged(sim, group))
        return NULL;
    if (group == GROUP_FAR && g->paused)
        return "is given, and the group is paused";
    if (group == GROUP_FAR && value->flags)
        return "is not given anew";
    if (group == GROUP_FEW && value->message->tries > GROUP_TRIES)
        return "is given more often than the group tries";
    if (is_over(sim, task, &message->of[group]))
        return "comes after its acknowledgement";
    if (group == GROUP_ORDERED && !is_in_order(g, message))
        return "comes before one of its key is acknowledged";
    if (!value->message->tries || (!value->flags && value->message->tries > 1))
        return "is told with a wrong number of tries";
    return NULL;
}

/* Of what the drain receives nothing is given back: it passes over nothing. */
static void note_replayed(const struct task *task, struct membership *member, const struct value *value)
{
    struct sim *sim = task->client->sim;
    const struct group_ledger *g = sim->groups;
    uint64_t sequence = value->message->sequence;

    for (uint64_t id = 1; task->scripted && !value->flags && id <= g->messages_n && !sim->failed; id++)
        if (g->messages[id].sequence > member->last && g->messages[id].sequence < sequence)
            wrong(sim, REPLAY, id, "is passed over");
    if (!value->flags)
        member->last = sequence;
}

void judge_given(struct task *task, const struct result *result)
{
    struct sim *sim = task->client->sim;
    struct membership *member = &sim->groups->members[task->number];

    member->closed |= (result->flags & RESULT_CLOSED) != 0;
    for (size_t i = 0; i < result->values_n && !sim->failed; i++) {
        const struct value *value = &result->values[i];
        uint64_t id = value->message ? id_of(sim, value->body) : 0;
        const char *why = id ? why_wrong(sim, task, id, value) : NULL;

        if (!id)
            sim_fail(sim, "a member has a value that is no message");
        else if (why)
            wrong(sim, member->group, id, why);
        else if (member->group == REPLAY)
            note_replayed(task, member, value);
    }
}

void judge_group_row(struct task *task, const struct result *result)
{
    struct sim *sim = task->client->sim;

    if (task->scripted && (!result->groups_n || result->groups[0].paused != sim->groups->paused ||
                           !result->groups[0].settings_n))
        sim_fail(sim, "a group is not told as it was set");

    if (result->groups_n && result->groups[0].floor < task->number)
        sim_fail(sim, "the floor of a group is told as %llu, and was %llu in the store",
                 (unsigned long long)result->groups[0].floor, (unsigned long long)task->number);
}

/* ---- turns of a receive ---- */

static bool is_receive(const struct task *task)
{
    const struct group_ledger *g = task->client->sim->groups;

    return task->topical && g && task->op.request.verb == VERB_RECV &&
           g->members[task->number].group != REPLAY;
}

static struct group_fate *fate_of(const struct task *task, size_t i)
{
    struct group_ledger *g = task->client->sim->groups;

    return &g->messages[task->got[i]].of[g->members[task->number].group];
}

static void ack(const struct task *task, size_t i)
{
    const struct membership *member = &task->client->sim->groups->members[task->number];
    struct group_fate *fate = fate_of(task, i);

    fate->acked = true;
    if (member->closed || fate->settled || !is_judged(task->client->sim, member->group))
        return;
    fate->session = task->session;
    fate->op = task->op.request.id;
}

void judge_group_surfaced(struct task *task, bool hold)
{
    struct sim *sim = task->client->sim;

    for (size_t i = 0; is_receive(task) && i < task->got_n && !sim->failed; i++) {
        struct group_fate *fate = fate_of(task, i);

        uint32_t group = sim->groups->members[task->number].group;

        if (fate->fresh && !task->got_flags[i] && is_judged(sim, group))
            wrong(sim, group, task->got[i], "comes again without a flag");
        sim->redelivered += fate->seen;
        sim->surfaced++;
        fate->seen = true;
        fate->fresh |= !task->got_flags[i];
        if (!hold)
            ack(task, i);
    }
}

void judge_group_settled(struct task *task, uint64_t n)
{
    for (size_t i = task->held_n; is_receive(task) && i < n && i < task->got_n; i++)
        ack(task, i);
}

void judge_group_confirmed(struct task *task)
{
    struct sim *sim = task->client->sim;
    bool over = task->client->protocol->state == PROTOCOL_VOID;

    if (!is_receive(task) || over || !task->session || sim->sessions[task->session].ended)
        return;
    for (size_t i = 0; i < task->got_n; i++) {
        struct group_fate *fate = fate_of(task, i);

        if (fate->op != task->op.request.id || fate->session != task->session)
            continue;
        fate->known_in = sim->sessions[task->session].incarnation;
        fate->known_ns = sim->now_ns;
    }
}

/* ---- the end ---- */

void judge_far_begins(struct sim *sim)
{
    struct group_ledger *g = sim->groups;

    for (uint64_t id = 1; id <= g->messages_n; id++)
        g->messages[id].of[GROUP_FAR] = (struct group_fate){0};
    g->far = true;
    g->of[GROUP_FAR].floor = 0;
}

void judge_groups_end(struct sim *sim)
{
    const struct group_ledger *g = sim->groups;

    for (uint64_t id = 1; id <= g->messages_n; id++)
        for (uint32_t group = 0; group < GROUPS && !sim->failed; group++) {
            const struct posted *message = &g->messages[id];

            if (!message->sequence || !group_reads(group, message->topic))
                continue;
            if (!message->of[group].acked)
                wrong(sim, group, id, "was never given");
            else if (!message->of[group].stored_ns)
                wrong(sim, group, id, "is acknowledged, and not in the store");
        }
}

void judge_replay_end(struct sim *sim, uint64_t number)
{
    const struct group_ledger *g = sim->groups;

    for (uint64_t id = 1; id <= g->messages_n && !sim->failed; id++)
        if (g->messages[id].sequence > g->members[number].last)
            wrong(sim, REPLAY, id, "was not replayed");
}
