/*
 * The ledger of messages, and the rules of IP14 over it.
 *
 *     a subscription gets only messages that it asked for, and none that was answered as not published, or before it was made
 *     it gets no message twice without a flag
 *     where no publish waits, messages come in the order in which the core took them; else in that of each publisher and topic
 *     at the end each living subscription has, or was told that it lost, every message published since it was made: where the
 *     order is known, as many between two messages as the second one says
 *     one that keeps all loses none while it lives; one ends only by its client, TOPIC_CLOSE, or want of room
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pattern.h"
#include "topics.h"

enum { INDEX_BITS = 8 };

void judge_topics_free(struct sim *sim)
{
    struct topic_ledger *t = sim->topics;

    if (!t)
        return;
    for (size_t i = 1; i <= t->subs_n; i++)
        free(t->subs[i].copies);
    free(t->subs);
    free(t->messages);
    free(t);
}

/* Room for one more behind `n` rows, which grow by doubling. */
static void *grown(void *rows, size_t n, size_t size)
{
    if (n & (n + 1))
        return rows;
    rows = realloc(rows, 2 * (n + 2) * size);
    return rows ? rows : (abort(), NULL);
}

uint64_t topic_message_new(struct sim *sim, uint32_t topic, uint32_t index)
{
    struct topic_ledger *t = sim->topics;

    t->messages = grown(t->messages, t->messages_n, sizeof(*t->messages));
    t->messages[++t->messages_n] = (struct topic_message){.topic = topic, .index = index};
    return t->messages_n;
}

uint64_t topic_sub_new(struct client *client, uint32_t pattern, uint32_t full)
{
    struct topic_ledger *t = client->sim->topics;

    t->subs = grown(t->subs, t->subs_n, sizeof(*t->subs));
    t->subs[++t->subs_n] =
        (struct topic_sub){.who = client->who, .pattern = pattern, .full = full, .session = client->session};
    return t->subs_n;
}

uint64_t topic_message_id(struct bytes body, struct bytes key)
{
    uint64_t id = 0;
    struct bytes from = body.size ? body : key;

    if (from.size >= sizeof(id))
        memcpy(&id, from.data, sizeof(id));
    return id;
}

uint64_t topic_position(const struct topic_message *message)
{
    return message->came << INDEX_BITS | message->index;
}

static struct bytes text_of(uint32_t pattern)
{
    return (struct bytes){topic_patterns[pattern], strlen(topic_patterns[pattern])};
}

static bool matches(const struct topic_sub *sub, const struct topic_message *message)
{
    return pattern_match(text_of(sub->pattern), text_of(message->topic));
}

/* ---- what the core took ---- */

static void publish_came(struct sim *sim, uint64_t session, const struct request_publish *publish)
{
    struct topic_ledger *t = sim->topics;

    for (size_t i = 0; i < publish->messages_n; i++) {
        uint64_t id = topic_message_id(publish->messages[i].value.body, publish->messages[i].key);

        if (!id || id > t->messages_n || t->messages[id].came)
            continue;
        t->messages[id].came = t->order;
        t->messages[id].empty = !publish->messages[i].value.body.size;
        t->messages[id].session = session;
        t->messages[id].incarnation = sim->daemon.incarnation;
    }
}

void judge_topic_came(struct sim *sim, uint64_t session, const struct request *request, struct task *task)
{
    struct topic_ledger *t = sim->topics;

    if (!t)
        return;
    t->order++;
    if (request->verb == VERB_PUBLISH)
        publish_came(sim, session, &request->publish);
    if (request->verb == VERB_SUBSCRIBE && task && task->topical && !t->subs[task->number].came)
        t->subs[task->number].came = t->order;
    judge_last_came(sim, request, task);
    for (uint32_t i = 0; request->verb == VERB_TOPIC_CLOSE && i < TOPIC_PATTERNS; i++)
        if (bytes_are(request->topic_close.topic, topic_patterns[i], strlen(topic_patterns[i])))
            t->closed[i] = t->order;
}

void judge_topic_reply(struct sim *sim, const struct task *task, const struct result *result)
{
    const struct request *request = &task->op.request;

    judge_last_reply(sim, task, result);
    for (size_t i = 0;
         task->topical && sim->topics && request->verb == VERB_PUBLISH && i < request->publish.messages_n;
         i++)
        if (!sim->topics->messages[task->number + i].left)
            sim->topics->messages[task->number + i].left = sim->topics->order;
}

/* ---- what clients are told ---- */

static bool in_doubt(const struct result *result)
{
    return result->flags & RESULT_DOUBT || result->status == -ECONNRESET || result->status == -ENETRESET;
}

void judge_published(struct task *task, const struct result *result)
{
    struct sim *sim = task->client->sim;

    for (size_t i = 0; i < task->op.request.publish.messages_n; i++) {
        bool was = result->status > (int64_t)i;

        sim->topics->messages[task->number + i].fate = was                ? FATE_SENT
                                                       : in_doubt(result) ? FATE_DOUBT
                                                                          : FATE_NOT_SENT;
    }
}

static bool is_known(const struct topic_sub *sub, uint64_t message)
{
    for (size_t i = 0; i < sub->copies_n; i++)
        if (sub->copies[i].message == message)
            return true;
    return false;
}

static void note_copy(struct topic_sub *sub, uint64_t message, uint64_t lost)
{
    sub->copies = grown(sub->copies, sub->copies_n, sizeof(*sub->copies));
    sub->copies[sub->copies_n++] = (struct topic_copy){message, lost};
}

static const char *why_wrong(const struct sim *sim, const struct topic_sub *sub,
                             const struct topic_message *message, uint32_t flags)
{
    if (!message->came)
        return "was never asked for";
    if (!matches(sub, message))
        return "does not match";
    if (message->fate == FATE_NOT_SENT)
        return "was not published";
    if (!(flags & VALUE_LAST) && message->left && message->left < sub->came)
        return "is older than the subscription";
    if (message->incarnation != sim->sessions[sub->session].incarnation)
        return "outlived its daemon";
    return flags & VALUE_LAST ? judge_last(sim, sub, message, flags) : NULL;
}

static const char *why_unordered(const struct topic_ledger *t, const struct topic_sub *sub, uint64_t id)
{
    const struct topic_message *message = &t->messages[id];

    if (!t->waits && topic_position(message) <= sub->last)
        return "came behind a later one";
    for (int who = 0; who < CLIENTS; who++)
        if (sub->of[message->topic][who].session == message->session &&
            sub->of[message->topic][who].message >= id)
            return "came behind a later one of its publisher";
    return NULL;
}

static void note_order(struct sim *sim, struct topic_sub *sub, uint64_t id)
{
    const struct topic_message *message = &sim->topics->messages[id];
    uint32_t who = sim->sessions[message->session].who;

    sub->last = topic_position(message);
    sub->of[message->topic][who].session = message->session;
    sub->of[message->topic][who].message = id;
}

/* One message that a subscription has, or has waiting. */
static void judge_copy(struct sim *sim, uint64_t number, uint64_t id, uint64_t lost, uint32_t flags)
{
    struct topic_ledger *t = sim->topics;
    struct topic_sub *sub = &t->subs[number];
    const char *wrong =
        id && id <= t->messages_n ? why_wrong(sim, sub, &t->messages[id], flags) : "is nobody's";
    bool again = !wrong && is_known(sub, id);

    if (!wrong && again && !(flags & (VALUE_RETURNED | VALUE_REDELIVERED)))
        wrong = "comes twice";
    if (!wrong && !again && !flags)
        wrong = why_unordered(t, sub, id);
    if (wrong)
        sim_fail(sim, "message %llu on subscription %llu to %s %s", (unsigned long long)id,
                 (unsigned long long)number, topic_patterns[sub->pattern], wrong);
    if (wrong || again)
        return;
    note_copy(sub, id, lost);
    if (flags == VALUE_LAST)
        sub->greeted = topic_position(&t->messages[id]);
    if (!flags)
        note_order(sim, sub, id);
}

void judge_messages(struct task *task, const struct result *result)
{
    struct sim *sim = task->client->sim;

    for (size_t i = 0; i < result->values_n && !sim->failed; i++) {
        const struct value *value = &result->values[i];
        uint64_t id = value->message ? topic_message_id(value->body, value->message->key) : 0;

        if (!id) {
            sim_fail(sim, "a subscription has a value that is no message");
            return;
        }
        judge_copy(sim, task->number, id, value->message->lost, value->flags);
        if (!sim->failed && !bytes_are(value->message->topic, text_of(sim->topics->messages[id].topic).data,
                                       value->message->topic.size))
            sim_fail(sim, "message %llu tells of another topic", (unsigned long long)id);
    }
}

/* ---- the end ---- */

struct rest {
    struct sim *sim;
    uint64_t number;
};

static void still_there(void *context, struct bytes body, struct bytes key, uint64_t lost, uint32_t flags)
{
    struct rest *rest = context;

    judge_copy(rest->sim, rest->number, topic_message_id(body, key), lost,
               flags | VALUE_RETURNED); /* perhaps it was told of it */
}

static int by_position(const void *a, const void *b, void *context)
{
    const struct topic_ledger *t = context;
    uint64_t x = topic_position(&t->messages[((const struct topic_copy *)a)->message]),
             y = topic_position(&t->messages[((const struct topic_copy *)b)->message]);

    return (x > y) - (x < y);
}

/* It may have had this one, and dropped it: published behind it, perhaps by one that waited, or as the last one that was there. */
static bool may_have_had(const struct sim *sim, const struct topic_sub *sub,
                         const struct topic_message *message)
{
    return !why_wrong(sim, sub, message, 0) ||
           (sub->lasts && !why_wrong(sim, sub, message, VALUE_RETURNED | VALUE_LAST));
}

/* How many messages it should have had, of positions between these; *maybe: how many more it may have had. */
static uint64_t missing(const struct sim *sim, const struct topic_sub *sub, uint64_t from, uint64_t to,
                        uint64_t *maybe)
{
    const struct topic_ledger *t = sim->topics;
    uint64_t sure = 0;

    *maybe = 0;
    for (uint64_t id = 1; id <= t->messages_n; id++) {
        const struct topic_message *message = &t->messages[id];
        uint64_t at = topic_position(message);

        if (!may_have_had(sim, sub, message) || at <= from || at >= to || is_known(sub, id))
            continue;
        if (message->fate == FATE_SENT && message->came > (sub->lasts ? sub->left : sub->came))
            sure++;
        else
            ++*maybe;
    }
    return sure;
}

static void judge_gap(struct sim *sim, uint64_t number, uint64_t from, uint64_t to, uint64_t lost)
{
    const struct topic_sub *sub = &sim->topics->subs[number];
    uint64_t maybe, sure = missing(sim, sub, from, to, &maybe);

    if (sim->failed || (lost >= sure && lost <= sure + maybe))
        return;
    sim_fail(sim, "subscription %llu to %s lost %llu messages between %llx and %llx, and was told of %llu",
             (unsigned long long)number, topic_patterns[sub->pattern], (unsigned long long)sure,
             (unsigned long long)from, (unsigned long long)to, (unsigned long long)lost);
}

static void judge_gaps(struct sim *sim, uint64_t number, uint64_t trailing)
{
    struct topic_sub *sub = &sim->topics->subs[number];
    uint64_t from = 0, all = trailing;

    if (sub->copies_n)
        qsort_r(sub->copies, sub->copies_n, sizeof(*sub->copies), by_position, sim->topics);
    for (size_t i = 0; i < sub->copies_n; i++) {
        uint64_t at = topic_position(&sim->topics->messages[sub->copies[i].message]);

        if (!sim->topics->waits)
            judge_gap(sim, number, from, at, sub->copies[i].lost);
        from = at;
        all += sub->copies[i].lost;
    }
    if (!sim->topics->waits)
        judge_gap(sim, number, from, UINT64_MAX, trailing);
    judge_gap(sim, number, 0, UINT64_MAX, all);
    if ((sub->full == TOPIC_BLOCK || sub->full == TOPIC_DISCONNECT) && all)
        sim_fail(sim, "subscription %llu goes on and has lost %llu messages", (unsigned long long)number,
                 (unsigned long long)all);
}

static void judge_end_of(struct sim *sim, uint64_t number, const struct core_subscription *is)
{
    const struct topic_sub *sub = &sim->topics->subs[number];
    bool may_be_cut = sub->full == TOPIC_BLOCK || sub->full == TOPIC_DISCONNECT;

    if (is->cut ? !may_be_cut : sim->topics->closed[sub->pattern] < sub->came)
        sim_fail(sim, "subscription %llu to %s has ended, and nobody ended it", (unsigned long long)number,
                 topic_patterns[sub->pattern]);
}

void judge_topics_end(struct sim *sim)
{
    struct topic_ledger *t = sim->topics;
    struct core_subscription is;

    for (uint64_t number = 1; t && number <= t->subs_n && !sim->failed; number++) {
        const struct topic_sub *sub = &t->subs[number];
        struct rest rest = {sim, number};

        if (!sub->known || sub->session != sim->clients[sub->who].session ||
            !core_subscription(sim->daemon.core, &sim->sessions[sub->session].secret, sub->handle, &is,
                               still_there, &rest))
            continue;
        if (!is.lives)
            judge_end_of(sim, number, &is);
        else if (!sim->failed)
            judge_gaps(sim, number, is.trailing), judge_lasts_end(sim, sub);
    }
}
