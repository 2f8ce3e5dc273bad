/*
 * What is read from kept topics, and what is told of them in the end, against what the store has (judge_keeps.c):
 *
 *     a subscription has only what is stored, matches and lies behind where it begins, unflagged in order, as it was published,
 *     and nothing that was gone before it began
 *     at the end each topic has no more than it may; what is told of it is so; a subscription has had all that there is
 */
#include "keeps.h"
#include "schedules.h"

/* ---- subscriptions ---- */

/* Of those that were there when it began it has the last of each topic alone. */
static bool is_last_then(const struct sim *sim, const struct keep_sub *sub,
                         const struct keep_message *message)
{
    const struct keep_ledger *k = sim->keeps;

    for (uint64_t id = 1; id <= k->messages_n; id++)
        if (keep_is_of(&k->messages[id], message->topic, message->life) &&
            k->messages[id].sequence > message->sequence && k->messages[id].sequence <= sub->then)
            return false;
    return true;
}

/* It lies behind where the subscription begins. */
static bool begins_before(const struct sim *sim, const struct keep_sub *sub,
                          const struct keep_message *message)
{
    switch (sub->from) {
    case FROM_SEQUENCE:
        return message->sequence >= sub->from_sequence || message->sequence > sub->then;
    case FROM_TIME:
        return message->time_us >= sub->from_time_us;
    case FROM_LAST:
        return message->sequence > sub->then || is_last_then(sim, sub, message);
    default:
        return true;
    }
}

static bool is_for(const struct sim *sim, const struct keep_sub *sub, const struct keep_message *message)
{
    return message->life && keep_matches(sub->pattern, message->topic) && begins_before(sim, sub, message);
}

/* As it was published. */
static bool is_whole(uint64_t id, const struct value *value)
{
    const struct message *message = value->message;
    struct keep_room room;
    size_t n = keep_headers(id, &room);
    struct bytes key = keep_key(id);
    bool whole = value->body.size == keep_size(id) && bytes_are(message->key, key.data, key.size) &&
                 message->headers_n == n;

    for (size_t i = 0; whole && i < n; i++)
        whole = bytes_are(message->headers[i].name, room.headers[i].name.data, room.headers[i].name.size) &&
                bytes_are(message->headers[i].value, room.headers[i].value.data, room.headers[i].value.size);
    return whole && !message->of && !message->tries;
}

static bool is_again(const struct value *value)
{
    return value->flags & (VALUE_RETURNED | VALUE_REDELIVERED);
}

static const char *why_wrong(const struct sim *sim, const struct keep_sub *sub, uint64_t id,
                             const struct value *value)
{
    const struct keep_message *message = &sim->keeps->messages[id];
    struct bytes name = keep_name(message->topic);

    if (!message->life || value->message->sequence != message->sequence ||
        value->message->time_us != message->time_us)
        return "is not stored so";
    if (!is_for(sim, sub, message) || !bytes_are(value->message->topic, name.data, name.size))
        return "is not for its subscription";
    if (!is_whole(id, value))
        return "is not as it was published";
    if (sub->value_bytes_max && value->body.size > sub->value_bytes_max)
        return "is larger than its subscription takes";
    if (message->gone && message->gone_ns < sub->started_ns)
        return "was gone before its subscription began";
    if (!(value->flags & VALUE_LAST) != !(sub->from == FROM_LAST && message->sequence <= sub->then))
        return "is told wrongly to be what was there";
    return !is_again(value) && message->sequence <= sub->last ? "comes behind a later one" : NULL;
}

/* How many it has not had that lie between what it had last and this sequence; of those that are too large *large. */
static uint64_t passed_over(const struct sim *sim, const struct keep_sub *sub, uint64_t sequence,
                            uint64_t *large)
{
    const struct keep_ledger *k = sim->keeps;
    uint64_t n = 0;

    *large = 0;
    for (uint64_t id = 1; id <= k->messages_n; id++) {
        const struct keep_message *message = &k->messages[id];

        if (message->gone || !is_for(sim, sub, message) || message->sequence <= sub->last ||
            message->sequence >= sequence)
            continue;
        if (sub->value_bytes_max && keep_size(id) > sub->value_bytes_max)
            ++*large;
        else
            n++;
    }
    return n;
}

/* Of what the end receives nothing is given back, and nothing goes meanwhile. */
static void note_given(struct task *task, struct keep_sub *sub, const struct value *value)
{
    struct sim *sim = task->client->sim;
    uint64_t large, n = passed_over(sim, sub, value->message->sequence, &large);

    if (task->scripted && (n || large != value->message->lost))
        sim_fail(sim, "before sequence %llu %llu messages were passed over, and %llu of %llu told as lost",
                 (unsigned long long)value->message->sequence, (unsigned long long)n,
                 (unsigned long long)value->message->lost, (unsigned long long)large);
    if (!is_again(value))
        sub->last = value->message->sequence;
}

void judge_keep_given(struct task *task, const struct result *result)
{
    struct sim *sim = task->client->sim;
    struct keep_sub *sub = &sim->keeps->subs[task->number];

    for (size_t i = 0; i < result->values_n && !sim->failed; i++) {
        const struct value *value = &result->values[i];
        uint64_t id = value->message ? keep_id_of(sim, value->body) : 0;
        const char *why = id ? why_wrong(sim, sub, id, value) : NULL;

        if (!id)
            sim_fail(sim, "a subscription has a value that is no message");
        else if (why)
            keep_wrong(sim, id, why);
        else
            note_given(task, sub, value);
    }
}

/* ---- the end ---- */

/* Older than that and its share of a block, and the daemon has had time to see to it. */
static bool has_old(const struct sim *sim, uint32_t topic, int64_t age_us)
{
    const struct keep_ledger *k = sim->keeps;
    int64_t before_us = sim_wall_ns(sim) / 1000 - age_us - age_us / KEEP_BLOCK_SHARE - KEEP_US_PER_S / 5;

    for (uint64_t id = 1; id <= k->messages_n; id++)
        if (keep_is_there(sim, &k->messages[id], topic) && k->messages[id].time_us < before_us)
            return true;
    return false;
}

void judge_keep_bounds(struct sim *sim)
{
    for (uint32_t topic = 0; topic < KEEP_TOPICS && !sim->failed; topic++) {
        const struct keep_bounds bounds = keep_bounds(sim, topic);
        struct keep_sum sum = keep_sum(sim, topic, 0);

        if (bounds.age_s && has_old(sim, topic, (int64_t)bounds.age_s * KEEP_US_PER_S))
            keep_wrong_topic(sim, topic, "has messages that are too old", bounds.age_s);
        if (bounds.messages && sum.messages > bounds.messages)
            keep_wrong_topic(sim, topic, "has too many messages", sum.messages);
        if (bounds.bytes && sum.bytes > bounds.bytes)
            keep_wrong_topic(sim, topic, "has too many bytes", sum.bytes);
    }
}

void judge_keep_info(struct task *task, const struct result *result)
{
    struct sim *sim = task->client->sim;
    uint32_t topic = 0;

    while (topic < KEEP_TOPICS &&
           !bytes_are(task->op.request.topic_info.topic, keep_name(topic).data, keep_name(topic).size))
        topic++;
    if (topic == KEEP_TOPICS || result->status < 0)
        return;
    const struct topic_info *info = result->topics;
    struct keep_sum sum = keep_sum(sim, topic, 0);
    if (info->messages != sum.messages || info->bytes != sum.bytes || info->first_sequence != sum.first)
        sim_fail(sim,
                 "topic %u has %llu messages, %llu bytes from %llu on, and is told to have %llu, %llu, %llu",
                 topic, (unsigned long long)sum.messages, (unsigned long long)sum.bytes,
                 (unsigned long long)sum.first, (unsigned long long)info->messages,
                 (unsigned long long)info->bytes, (unsigned long long)info->first_sequence);
}

void judge_keep_replayed(struct sim *sim, uint64_t number)
{
    uint64_t large, n = passed_over(sim, &sim->keeps->subs[number], UINT64_MAX, &large);

    if (n)
        sim_fail(sim, "a subscription of the end has not had %llu messages", (unsigned long long)n);
}
