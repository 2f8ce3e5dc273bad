/*
 * Last messages of live topics (IP14.13), over the ledger of judge_topics.c:
 *
 *     a subscription that begins with them is given, flagged and before all others, messages of topics whose rule says so, one of each
 *     it is the newest of its topic: none took effect behind it before the subscription began, and nothing has cleared the topic since
 *     where the order is known they come in the order of their publishes
 *     at the end a subscription that lives has had the last message of each topic whose rule never changed
 */
#include <stdlib.h>
#include <string.h>

#include "pattern.h"
#include "topics.h"

/* An empty message clears one topic. From one on they have the rule of a pattern, which changes. */
enum { CLEARED = 1, CHANGING = 2, RULES = 3 };

static const struct {
    const char *pattern, *settings;
} rules[RULES] = {{"top.a", "last=yes"}, {"top.b", "last=until-empty"}, {LAST_PATTERN, "last=yes"}};

static struct bytes text_of(const char *text)
{
    return (struct bytes){text, strlen(text)};
}

static struct bytes topic_of(uint32_t topic)
{
    return text_of(topic_patterns[topic]);
}

void lasts_configure(struct sim *sim, struct core *core)
{
    for (int rule = 0; sim->topics && sim->topics->lasts && rule < RULES; rule++) {
        struct topic_part part = {.set = 0};
        struct bytes wrong;

        if (topic_part_read(&part, text_of(rules[rule].settings), &wrong) < 0 ||
            core_set_topic(core, text_of(rules[rule].pattern), &part) < 0)
            abort();
    }
}

/* ---- what clears a topic ---- */

static uint32_t topic_named(struct bytes name)
{
    uint32_t topic = 0;

    while (topic < TOPICS && !bytes_are(name, topic_of(topic).data, topic_of(topic).size))
        topic++;
    return topic;
}

/* Both name the topic first. */
static bool clears(const struct request *request)
{
    return request->verb == VERB_TOPIC_PURGE || request->verb == VERB_TOPIC_REMOVE;
}

static bool changes(const struct request *request)
{
    return request->verb == VERB_TOPIC_SET &&
           bytes_are(request->topic_set.pattern, LAST_PATTERN, strlen(LAST_PATTERN));
}

static bool turns_on(const struct request *request)
{
    return !bytes_are(request->topic_set.settings, "last=no", 7);
}

/* Whoever asked for it, and be he dead since. */
static void may_be_on(struct topic_ledger *t)
{
    t->on = t->order;
    for (uint32_t topic = CHANGING; topic < TOPICS; topic++)
        t->forgot[topic] = t->forgot[topic] == UINT64_MAX ? t->off : t->forgot[topic];
}

void judge_last_came(struct sim *sim, const struct request *request, struct task *task)
{
    struct topic_ledger *t = sim->topics;

    if (changes(request) && turns_on(request))
        may_be_on(t);
    if (clears(request))
        t->clears[topic_named(request->topic_purge.topic)] = t->order;
    if (!task || !task->topical)
        return;
    task->version = t->order;
    if (request->verb == VERB_SUBSCRIBE && !t->subs[task->number].left)
        memcpy(t->subs[task->number].forgot, t->forgot, sizeof(t->forgot));
}

void judge_last_reply(struct sim *sim, const struct task *task, const struct result *result)
{
    struct topic_ledger *t = sim->topics;
    const struct request *request = &task->op.request;
    uint32_t topic = TOPICS;

    if (!t || !task->topical || task->answered || result->status < 0)
        return;
    if (request->verb == VERB_SUBSCRIBE)
        t->subs[task->number].left = t->order;
    if (clears(request))
        topic = topic_named(request->topic_purge.topic);
    if (topic < TOPICS && t->forgot[topic] < task->version)
        t->forgot[topic] = task->version;
    if (!changes(request) || turns_on(request) || t->on >= task->version)
        return;
    t->off = task->version;
    for (topic = CHANGING; topic < TOPICS; topic++)
        t->forgot[topic] = UINT64_MAX;
}

/* ---- what a subscription begins with ---- */

/* a took effect before b, for sure. Publishes that wait have no order between each other. */
static bool is_before(const struct topic_ledger *t, const struct topic_message *a,
                      const struct topic_message *b)
{
    if (!t->waits || a->came == b->came)
        return topic_position(a) < topic_position(b);
    return a->left && a->left < b->came;
}

/* It took effect before the subscription began, for sure. */
static bool is_old(const struct topic_ledger *t, const struct topic_sub *sub,
                   const struct topic_message *message)
{
    return message->fate == FATE_SENT &&
           (t->waits ? message->left && message->left < sub->came : message->came < sub->came);
}

static bool was_cleared(const struct topic_sub *sub, const struct topic_message *message)
{
    uint64_t forgot = sub->forgot[message->topic];

    return forgot == UINT64_MAX || (message->left && message->left < forgot);
}

static const char *why_stale(const struct sim *sim, const struct topic_sub *sub,
                             const struct topic_message *message)
{
    const struct topic_ledger *t = sim->topics;

    if (was_cleared(sub, message))
        return "was cleared, and is there as the last one";
    for (uint64_t id = 1; id <= t->messages_n; id++) {
        const struct topic_message *other = &t->messages[id];

        if (other->topic == message->topic && is_old(t, sub, other) && is_before(t, message, other))
            return "is not the last one";
    }
    return NULL;
}

const char *judge_last(const struct sim *sim, const struct topic_sub *sub,
                       const struct topic_message *message, uint32_t flags)
{
    const struct topic_ledger *t = sim->topics;
    bool again = flags & (VALUE_RETURNED | VALUE_REDELIVERED);

    if (!sub->lasts || !t->lasts)
        return "is told as the last one of its topic";
    if (message->topic == CLEARED && message->empty)
        return "is empty, and there as the last one";
    if (sub->left && message->came > sub->left)
        return "came behind the subscription, and is there as the last one";
    if (!again && (sub->last || (!t->waits && topic_position(message) <= sub->greeted)))
        return "is a last one, and comes behind others";
    return why_stale(sim, sub, message);
}

/* ---- the end ---- */

/* The last message that it must have had of a topic; 0: there need not be one. */
static uint64_t last_before(const struct sim *sim, const struct topic_sub *sub, uint32_t topic)
{
    const struct topic_ledger *t = sim->topics;
    uint64_t last = 0;

    for (uint64_t id = 1; id <= t->messages_n; id++) {
        const struct topic_message *message = &t->messages[id];

        if (message->topic != topic || !message->came || message->fate == FATE_NOT_SENT ||
            message->incarnation != sim->sessions[sub->session].incarnation || message->came > sub->left)
            continue;
        if (!is_old(t, sub, message))
            return 0; /* it may have taken its place */
        if (!last || topic_position(message) > topic_position(&t->messages[last]))
            last = id;
    }
    return last;
}

/* What has it cleared after the subscription came may have done so before its turn to begin. */
static bool must_have(const struct sim *sim, const struct topic_sub *sub, uint32_t topic, uint64_t last)
{
    const struct topic_message *message = &sim->topics->messages[last];

    return last && pattern_match(topic_of(sub->pattern), topic_of(topic)) &&
           !(topic == CLEARED && message->empty) && sub->forgot[topic] < message->came &&
           sim->topics->clears[topic] < sub->came;
}

void judge_lasts_end(struct sim *sim, const struct topic_sub *sub)
{
    bool may_drop = sub->full == TOPIC_DROP_OLDEST;

    if (!sub->lasts || may_drop || sim->topics->waits || sim->crowded || sim->memory.refused)
        return;
    for (uint32_t topic = 0; topic < CHANGING && !sim->failed; topic++) {
        uint64_t last = last_before(sim, sub, topic);
        bool had = false;

        for (size_t i = 0; i < sub->copies_n; i++)
            had |= sub->copies[i].message == last;
        if (must_have(sim, sub, topic, last) && !had)
            sim_fail(sim,
                     "a subscription to %s that begins with last messages has not had %llu, the last of %s",
                     topic_patterns[sub->pattern], (unsigned long long)last, topic_patterns[topic]);
    }
}
