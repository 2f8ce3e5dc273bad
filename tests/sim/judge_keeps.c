/*
 * The log as the store has it, and the rules of IP15 over its records and over what is told.
 *
 *     sequences rise over all topics, and times do not fall behind what is there; no number of a topic is given twice
 *     what is published at once is stored at once, next to each other; what was refused never is
 *     an expected sequence was that of the last message of the topic; an id is not there twice within its time
 *     messages go only as a purge or a removal asked for, or as bounds say; a topic that refuses has never more than it may
 *     an answer comes when the store has what it says, or has forgotten what is to be gone, and tells true sequences
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "keeps.h"
#include "schedules.h"

enum { BLOCK_MOST = 256, FEW_MOST = 81 /* what KEEP_FEW keeps at any time */, HEADER_HEAD = 8 };

void judge_keeps_free(struct sim *sim)
{
    if (!sim->keeps)
        return;
    free(sim->keeps->purges);
    free(sim->keeps->subs);
    free(sim->keeps->messages);
    free(sim->keeps);
}

/* Room for one more behind `n` rows, which grow by doubling. */
static void *grown(void *rows, size_t n, size_t size)
{
    if (n & (n + 1))
        return rows;
    rows = realloc(rows, 2 * (n + 2) * size);
    return rows ? rows : (abort(), NULL);
}

uint64_t keep_message_new(struct sim *sim, const struct keep_message *message)
{
    struct keep_ledger *k = sim->keeps;

    k->messages = grown(k->messages, k->messages_n, sizeof(*k->messages));
    k->messages[++k->messages_n] = *message;
    return k->messages_n;
}

uint64_t keep_sub_new(struct sim *sim, const struct keep_sub *sub)
{
    struct keep_ledger *k = sim->keeps;

    k->subs = grown(k->subs, k->subs_n, sizeof(*k->subs));
    k->subs[++k->subs_n] = *sub;
    return k->subs_n;
}

uint64_t keep_purge_new(struct sim *sim, uint32_t topic)
{
    struct keep_ledger *k = sim->keeps;

    k->purges = grown(k->purges, k->purges_n, sizeof(*k->purges));
    k->purges[++k->purges_n] = (struct keep_purge){.topic = topic};
    return k->purges_n;
}

void keep_wrong(struct sim *sim, uint64_t id, const char *why)
{
    const struct keep_message *message = &sim->keeps->messages[id];
    struct bytes name = keep_name(message->topic);

    sim_fail(sim, "message %llu, sequence %llu, of %.*s %s", (unsigned long long)id,
             (unsigned long long)message->sequence, (int)name.size, (const char *)name.data, why);
}

void keep_wrong_topic(struct sim *sim, uint32_t topic, const char *why, uint64_t number)
{
    struct bytes name = keep_name(topic);

    sim_fail(sim, "topic %.*s %s: %llu", (int)name.size, (const char *)name.data, why,
             (unsigned long long)number);
}

/* The number in a body; 0: there is no such message. */
uint64_t keep_id_of(const struct sim *sim, struct bytes body)
{
    uint64_t id = 0;

    if (body.size >= sizeof(id))
        memcpy(&id, body.data, sizeof(id));
    return id <= sim->keeps->messages_n ? id : 0;
}

/* ---- what a topic has ---- */

bool keep_is_of(const struct keep_message *message, uint32_t topic, uint64_t life)
{
    return life && message->topic == topic && message->life == life;
}

bool keep_is_there(const struct sim *sim, const struct keep_message *message, uint32_t topic)
{
    return keep_is_of(message, topic, sim->keeps->topic[topic].life) && !message->gone;
}

uint64_t keep_last(const struct sim *sim, uint32_t topic)
{
    const struct keep_ledger *k = sim->keeps;
    uint64_t last = 0;

    for (uint64_t id = 1; id <= k->messages_n; id++)
        if (keep_is_of(&k->messages[id], topic, k->topic[topic].life) && k->messages[id].sequence > last)
            last = k->messages[id].sequence;
    return last;
}

static uint64_t bytes_of(uint64_t id)
{
    struct keep_room room;
    size_t n = keep_headers(id, &room);
    uint64_t bytes = keep_key(id).size + keep_size(id);

    for (size_t i = 0; i < n; i++)
        bytes += HEADER_HEAD + room.headers[i].name.size + room.headers[i].value.size;
    return bytes;
}

struct keep_sum keep_sum(const struct sim *sim, uint32_t topic, uint64_t sequence)
{
    const struct keep_ledger *k = sim->keeps;
    struct keep_sum sum = {0};

    for (uint64_t id = 1; id <= k->messages_n; id++) {
        const struct keep_message *message = &k->messages[id];

        if (!keep_is_there(sim, message, topic) || message->sequence <= sequence)
            continue;
        sum.messages++;
        sum.bytes += bytes_of(id);
        sum.first = !sum.first || message->sequence < sum.first ? message->sequence : sum.first;
        sum.last = message->sequence > sum.last ? message->sequence : sum.last;
    }
    return sum;
}

uint64_t keep_count(const struct sim *sim, uint32_t topic)
{
    return keep_sum(sim, topic, 0).messages;
}

/* ---- the store: topics ---- */

static uint32_t topic_of_life(const struct sim *sim, uint64_t life)
{
    uint32_t topic = 0;

    while (topic < KEEP_TOPICS && (!life || sim->keeps->topic[topic].life != life))
        topic++;
    return topic;
}

static void topic_stored(struct sim *sim, const struct topic_row *row)
{
    struct keep_ledger *k = sim->keeps;

    for (uint32_t topic = 0; topic < KEEP_TOPICS; topic++) {
        struct bytes name = keep_name(topic);

        if (!bytes_are(row->name, name.data, name.size) || k->topic[topic].life == row->id)
            continue;
        if (k->topic[topic].life || row->id <= k->life)
            keep_wrong_topic(sim, topic, "is made twice, or with an old number", row->id);
        k->life = k->topic[topic].life = row->id;
        k->topic[topic].may_go = 0;
    }
}

static void all_gone(struct sim *sim, uint32_t topic, uint64_t sequence)
{
    struct keep_ledger *k = sim->keeps;

    for (uint64_t id = 1; id <= k->messages_n; id++) {
        struct keep_message *message = &k->messages[id];

        if (!keep_is_there(sim, message, topic) || message->sequence > sequence)
            continue;
        message->gone = true;
        message->gone_ns = sim->now_ns;
    }
}

static void topic_gone(struct sim *sim, const struct topic_row *row)
{
    struct keep_ledger *k = sim->keeps;
    uint32_t topic = topic_of_life(sim, row->id);

    if (topic == KEEP_TOPICS)
        return;
    if (++k->topic[topic].end > k->topic[topic].removals)
        keep_wrong_topic(sim, topic, "goes, and nobody has removed it", row->id);
    all_gone(sim, topic, UINT64_MAX);
    k->topic[topic].life = 0;
}

/* ---- the store: messages ---- */

/* Within the time for which ids are remembered, by all that the clock on the wall has shown; when it was set back that is not
 * told by the times of messages. */
static bool has_id_twice(const struct sim *sim, const struct keep_message *message)
{
    const struct keep_ledger *k = sim->keeps;
    int64_t time_us = (int64_t)keep_bounds(sim, message->topic).dedup_s * KEEP_US_PER_S;
    int64_t latest_us = sim->lives->schedules->latest_ns / 1000;

    if (message->time_us > sim_wall_ns(sim) / 1000)
        return false;
    if (message->time_us > latest_us)
        latest_us = message->time_us;
    for (uint64_t id = 1; message->once && id <= k->messages_n; id++) {
        const struct keep_message *other = &k->messages[id];

        if (other != message && keep_is_of(other, message->topic, message->life) &&
            other->once == message->once && latest_us - other->time_us <= time_us)
            return true;
    }
    return false;
}

/* Of all that is there. */
static int64_t last_time(const struct sim *sim)
{
    const struct keep_ledger *k = sim->keeps;
    int64_t time_us = 0;

    for (uint64_t id = 1; id <= k->messages_n; id++)
        if (keep_is_there(sim, &k->messages[id], k->messages[id].topic) && k->messages[id].time_us > time_us)
            time_us = k->messages[id].time_us;
    return time_us;
}

static const char *why_not_so(const struct sim *sim, uint64_t id, uint64_t last)
{
    const struct keep_ledger *k = sim->keeps;
    const struct keep_message *message = &k->messages[id], *before = message - 1;
    const struct keep_bounds bounds = keep_bounds(sim, message->topic);
    /* What is purged does not count for a topic that refuses, also while the store still has it. */
    struct keep_sum sum = keep_sum(sim, message->topic, k->topic[message->topic].may_go);

    if (message->sequence <= k->sequence || message->time_us < last_time(sim))
        return "is not behind all others";
    if (message->index && !message->once &&
        (before->batch != message->batch || before->sequence + 1 != message->sequence))
        return "is not stored with the one before it";
    if (message->expects && message->expected != last)
        return "comes behind another one than its publisher said";
    if (has_id_twice(sim, message))
        return "has an id that is there already";
    if (bounds.reject && (sum.messages > bounds.messages || sum.bytes > bounds.bytes))
        return "is more than its topic takes";
    return NULL;
}

static void message_stored(struct sim *sim, const struct record *record)
{
    struct keep_ledger *k = sim->keeps;
    const struct message_row *row = &record->message;
    uint64_t id = keep_id_of(sim, record->body);
    struct keep_message *message = &k->messages[id];

    if (!id || message->life || topic_of_life(sim, row->topic) != message->topic) {
        sim_fail(sim, "message %llu is stored twice, or nobody's", (unsigned long long)id);
        return;
    }
    uint64_t last = keep_last(sim, message->topic);
    message->life = row->topic;
    message->sequence = row->sequence;
    message->time_us = row->time_us;
    message->batch = k->batch;
    const char *why = why_not_so(sim, id, last);
    if (why)
        keep_wrong(sim, id, why);
    k->sequence = row->sequence;
    k->time_us = row->time_us;
}

/* Those published with one that is stored are stored with it, or were there by their ids. */
static void batch_stored(struct sim *sim)
{
    const struct keep_ledger *k = sim->keeps;

    for (uint64_t id = 1; id < k->messages_n && !sim->failed; id++) {
        const struct keep_message *message = &k->messages[id], *next = message + 1;

        if (message->batch == k->batch && message->index + 1 < message->n && !next->once &&
            next->batch != k->batch)
            keep_wrong(sim, id, "is stored without the one behind it");
    }
}

/* ---- the store: what goes ---- */

/* The last one of those that are there up to a sequence. NULL: there is none. */
static const struct keep_message *newest_to(const struct sim *sim, uint32_t topic, uint64_t sequence)
{
    const struct keep_ledger *k = sim->keeps;
    const struct keep_message *newest = NULL;

    for (uint64_t id = 1; id <= k->messages_n; id++)
        if (keep_is_there(sim, &k->messages[id], topic) && k->messages[id].sequence <= sequence &&
            (!newest || k->messages[id].sequence > newest->sequence))
            newest = &k->messages[id];
    return newest;
}

static uint64_t share(uint64_t bound)
{
    return bound / KEEP_BLOCK_SHARE > 1 ? bound / KEEP_BLOCK_SHARE : 1;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Without memory blocks become larger. */
static bool bounds_let_go(const struct sim *sim, uint32_t topic, uint64_t sequence)
{
    const struct keep_bounds bounds = keep_bounds(sim, topic);
    uint64_t messages = topic == KEEP_FEW ? sim->keeps->least : bounds.messages;
    uint64_t block = sim->memory.refused ? BLOCK_MOST : share(larger(bounds.messages, FEW_MOST)),
             most = 2 * KEEP_BODY_LARGE + 30;
    struct keep_sum rest = keep_sum(sim, topic, sequence);

    if (bounds.age_s && newest_to(sim, topic, sequence)->time_us <
                            sim_wall_ns(sim) / 1000 - (int64_t)bounds.age_s * KEEP_US_PER_S)
        return true;
    if (messages && rest.messages + block > messages) /* one that refuses: a crash may undo a purge */
        return true;
    return bounds.bytes &&
           rest.bytes + (sim->memory.refused ? BLOCK_MOST * most : larger(share(bounds.bytes), most)) >
               bounds.bytes;
}

static void messages_gone(struct sim *sim, const struct message_row *row)
{
    uint32_t topic = topic_of_life(sim, row->topic);
    const struct keep_message *newest = topic < KEEP_TOPICS ? newest_to(sim, topic, row->sequence) : NULL;

    if (!newest)
        return;
    if (newest->sequence > sim->keeps->topic[topic].may_go && !bounds_let_go(sim, topic, row->sequence))
        keep_wrong_topic(sim, topic, "loses messages that it is to keep, up to sequence", newest->sequence);
    all_gone(sim, topic, row->sequence);
}

static void record_stored(struct sim *sim, const struct record *record)
{
    switch (record->kind) {
    case RECORD_TOPIC:
        return topic_stored(sim, &record->topic);
    case RECORD_TOPIC_GONE:
        return topic_gone(sim, &record->topic);
    case RECORD_MESSAGE:
    case RECORD_MESSAGE_JOINED:
        return message_stored(sim, record);
    case RECORD_MESSAGES_GONE:
        return messages_gone(sim, &record->message);
    default:
        return;
    }
}

void judge_keeps_stored(struct sim *sim, const struct list *batches)
{
    const struct batch *batch;
    const struct record *record;

    if (!sim->keeps)
        return;
    list_each (batch, batches, link) {
        sim->keeps->batch++;
        list_each (record, &batch->records, link)
            record_stored(sim, record);
        batch_stored(sim);
    }
}

/* ---- what the core took ---- */

/* The last sequence that a purge takes. */
static uint64_t end_of(const struct sim *sim, uint32_t topic, const struct request_topic_purge *purge)
{
    const struct keep_ledger *k = sim->keeps;
    uint64_t last = keep_last(sim, topic), end = 0;

    if (!purge->keep)
        return purge->up_to && purge->up_to < last ? purge->up_to : last;
    for (uint64_t id = 1; id <= k->messages_n; id++) {
        uint64_t sequence = k->messages[id].sequence;

        if (keep_is_there(sim, &k->messages[id], topic) &&
            keep_sum(sim, topic, sequence).messages >= purge->keep && sequence > end)
            end = sequence;
    }
    return end;
}

static void note_purge(struct sim *sim, uint32_t topic, uint64_t end, struct task *task)
{
    struct keep_topic *is = &sim->keeps->topic[topic];
    struct keep_purge *purge = task && task->topical ? &sim->keeps->purges[task->number] : NULL;

    is->may_go = end > is->may_go ? end : is->may_go;
    if (!purge || purge->came)
        return;
    purge->came = true;
    purge->life = is->life;
    purge->up_to = end;
}

void judge_keep_came(struct sim *sim, const struct request *request, struct task *task)
{
    struct keep_ledger *k = sim->keeps;

    for (uint32_t topic = 0; k && topic < KEEP_TOPICS; topic++) {
        struct bytes name = keep_name(topic);

        if (request->verb == VERB_TOPIC_PURGE && !(request->topic_purge.up_to && request->topic_purge.keep) &&
            bytes_are(request->topic_purge.topic, name.data, name.size))
            note_purge(sim, topic, end_of(sim, topic, &request->topic_purge), task);
        if (request->verb == VERB_TOPIC_REMOVE &&
            bytes_are(request->topic_remove.topic, name.data, name.size)) {
            k->topic[topic].removals++;
            note_purge(sim, topic, keep_last(sim, topic), task);
        }
    }
    if (k && task && task->topical && request->verb == VERB_SUBSCRIBE && !k->subs[task->number].then)
        k->subs[task->number].then = k->sequence;
}

/* ---- answers ---- */

/* Of an id: the message that was stored with it. */
static bool is_repeat(const struct sim *sim, const struct keep_message *message, uint64_t sequence)
{
    const struct keep_ledger *k = sim->keeps;

    for (uint64_t id = 1; message->once && id <= k->messages_n; id++)
        if (k->messages[id].topic == message->topic && k->messages[id].once == message->once &&
            k->messages[id].life && (!sequence || k->messages[id].sequence == sequence))
            return true;
    return false;
}

static void judge_published(struct sim *sim, const struct task *task, const struct result *result)
{
    const struct keep_ledger *k = sim->keeps;
    size_t n = task->op.request.publish.messages_n, repeated = 0;

    for (size_t i = 0; i < n && !sim->failed; i++) {
        const struct keep_message *message = &k->messages[task->number + i];
        uint64_t told = i + 1 == n ? result->published->sequence : 0;

        repeated += !message->life;
        if (message->life ? told && told != message->sequence : !is_repeat(sim, message, told))
            keep_wrong(sim, task->number + i, "is told as published, and is not there with that sequence");
    }
    if (!sim->failed && (result->status != (int64_t)n || result->published->repeated != repeated))
        sim_fail(sim, "%zu messages, %zu of them there before, are told as %d, %u of them", n, repeated,
                 result->status, result->published->repeated);
}

static void judge_dealt(struct sim *sim, const struct task *task)
{
    for (uint32_t i = 0; i < sim->keeps->messages[task->number].n && !sim->failed; i++)
        if (!sim->keeps->messages[task->number + i].life)
            keep_wrong(sim, task->number + i, "is of a transaction that happened, and is not there");
}

static void judge_purged(struct sim *sim, const struct task *task)
{
    const struct keep_ledger *k = sim->keeps;
    const struct keep_purge *purge = &k->purges[task->number];

    for (uint64_t id = 1; purge->came && id <= k->messages_n && !sim->failed; id++)
        if (keep_is_of(&k->messages[id], purge->topic, purge->life) && !k->messages[id].gone &&
            k->messages[id].sequence <= purge->up_to)
            keep_wrong(sim, id, "is there after its purge");
    if (task->op.request.verb == VERB_TOPIC_REMOVE && purge->came &&
        k->topic[purge->topic].life == purge->life)
        keep_wrong_topic(sim, purge->topic, "is there after its removal", purge->life);
}

void judge_keep_reply(struct sim *sim, const struct task *task, const struct result *result)
{
    if (!sim->keeps || !task->topical || result->status < 0)
        return;
    if (task->mistaken)
        sim_fail(sim, "what cannot be is answered with success, verb %d", task->op.request.verb);
    else if (task->op.request.verb == VERB_PUBLISH)
        judge_published(sim, task, result);
    else if (task->op.request.verb == VERB_TRANSACT)
        judge_dealt(sim, task);
    else if (task->op.request.verb == VERB_TOPIC_PURGE || task->op.request.verb == VERB_TOPIC_REMOVE)
        judge_purged(sim, task);
}

void judge_keep_refused(struct task *task, const struct result *result)
{
    struct sim *sim = task->client->sim;
    const struct keep_ledger *k = sim->keeps;
    bool publishes = task->op.request.verb == VERB_PUBLISH || task->op.request.verb == VERB_TRANSACT;
    bool doubt =
        result->flags & RESULT_DOUBT || result->status == -ECONNRESET || result->status == -ENETRESET;

    for (uint32_t i = 0; publishes && !doubt && i < k->messages[task->number].n && !sim->failed; i++)
        if (k->messages[task->number + i].life)
            keep_wrong(sim, task->number + i, "was not published, and is there");
}
