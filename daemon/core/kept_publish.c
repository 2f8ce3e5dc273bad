/*
 * Publishing on a kept topic.
 *
 * All that may fail is done before the store is told: the topic is there, ids of repeats are remembered, records are made. What
 * is remembered too early is the last of its window, and goes again when something fails.
 */
#include "kept.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

enum { HEADERS_ROOM = 512 };

uint64_t kept_bytes(size_t key, size_t headers, size_t body)
{
    return key + headers + body;
}

uint64_t kept_letter_bytes(const struct letter *letter)
{
    return kept_bytes(letter->key.size, headers_size(letter->headers, letter->headers_n), letter->body.size);
}

/* There is no answer with numbers then. */
int kept_refuse(struct core *core, struct op *op, const char *what, const char *bound, uint64_t value)
{
    op->answer = answer_drop(core, op->answer);
    op_fail(core, op, -ENOBUFS, "%s: %s is %lu", what, bound, value);
    return -ENOBUFS;
}

/* ---- the topic ---- */

/* No topic has had it, nor will one: none that the store has a message of has a number above the sequences that were given, and
 * one that goes sees to it that these go on behind its own. */
static uint64_t number_for(const struct kept_topics *kept)
{
    return (kept->last_id > kept->sequence || PLANTED(OLD_NUMBER) ? kept->last_id : kept->sequence) + 1;
}

/* 0, -ENOBUFS, -ENOMEM. */
static int make(struct core *core, struct account *account, struct bytes name,
                const struct topic_policy *policy, struct kept_topic **out)
{
    struct topic_row row = {
        .id = number_for(core->kept_topics),
        .uid = account->uid,
        .flags = (uint32_t)policy->durability << DURABILITY_SHIFT,
        .name = name,
    };

    if (!account_has_room(core, account, SLOT_TOPICS, 1))
        return -ENOBUFS;
    *out = kept_topic_new(core, account, &row);
    if (!*out)
        return -ENOMEM;
    (*out)->gone_batch = kept_record(core, record_new_topic(RECORD_TOPIC, &row));
    if (!(*out)->gone_batch) {
        kept_topic_delete(core, *out);
        return -ENOMEM;
    }
    core->kept_topics->last_id = row.id;
    return 0;
}

int kept_topic_get(struct core *core, struct account *account, struct bytes name,
                   const struct topic_policy *policy, struct kept_topic **out)
{
    *out = kept_topic_find(core, name);
    return *out ? 0 : make(core, account, name, policy, out);
}

int kept_topic_for(struct core *core, struct op *op, struct bytes name, const struct topic_policy *policy,
                   struct kept_topic **out)
{
    int r = kept_topic_get(core, op->scope->account, name, policy, out);

    if (r == -ENOBUFS)
        kept_refuse(core, op, "there are no more kept topics", "topics_max", core->limits.topics_max);
    return r;
}

/* ---- what is asked ---- */

int kept_check_size(struct core *core, struct op *op, size_t size, const struct topic_policy *policy)
{
    if (size <= policy->message_bytes_max)
        return 0;
    op_fail(core, op, -E2BIG, "a message of %zu bytes: message_bytes_max of the topic is %lu", size,
            policy->message_bytes_max);
    return -E2BIG;
}

static int check_messages(struct core *core, struct op *op, const struct request_publish *asked,
                          const struct topic_policy *policy)
{
    for (size_t i = 0; i < asked->messages_n; i++) {
        const struct outgoing *message = &asked->messages[i];

        if (kept_check_size(core, op, message->value.body.size, policy) < 0)
            return -EINVAL;
        if (message->once.size && !policy->dedup)
            op_fail(core, op, -EINVAL, "a message that is taken once, and dedup of the topic is 0");
        else if (message->once.size > core->limits.message_once_bytes ||
                 message->once.size > TOPIC_ONCE_BYTES_MAX)
            op_fail(core, op, -E2BIG, "an id of %zu bytes: message_once_bytes is %lu", message->once.size,
                    core->limits.message_once_bytes);
        if (op->state != OP_NEW)
            return -EINVAL;
    }
    return 0;
}

static int wish_refused(struct core *core, struct op *op, const char *why)
{
    op_fail(core, op, -EINVAL, "%s", why);
    return -EINVAL;
}

int kept_check_delay(struct core *core, struct op *op, const struct request_publish *asked)
{
    if (asked->delay_ns < 0 || asked->at_us < 0)
        return wish_refused(core, op, "a delay cannot be negative");
    if (asked->delay_ns && asked->at_us)
        return wish_refused(core, op, "a delay and a time both say when: give one of them");
    return 0;
}

static int check_wishes(struct core *core, struct op *op, const struct request_publish *asked)
{
    const struct kept_topic *topic = kept_topic_find(core, asked->topic);
    uint64_t last = topic ? topic->last_sent : 0;

    if (kept_check_delay(core, op, asked) < 0)
        return -EINVAL;
    if ((asked->delay_ns || asked->at_us) && asked->expects)
        return wish_refused(core, op, "an expected sequence is that of now: a delayed message has none");
    if (!asked->expects || asked->expect_sequence == last || PLANTED(ANY_LAST))
        return 0;
    op_fail(core, op, -ESTALE, "the last message of the topic is %lu, not %lu", last, asked->expect_sequence);
    return -ESTALE;
}

/* ---- once ---- */

/* The last n ids of the window are forgotten. */
static void unremember(struct core *core, struct kept_topic *topic, size_t n)
{
    for (; n; n--) {
        struct topic_once *last = container_of(topic->once.order.prev, struct topic_once, link);
        once_window_remove(core, &topic->once, last);
        core->kept_topics->ids--;
    }
}

static int remember(struct core *core, struct kept_topic *topic, struct bytes text, uint64_t sequence)
{
    struct topic_once *once;

    if (core->kept_topics->ids >= core->limits.dedup_max)
        return -ENOBUFS;
    once = topic_once_new(core, &topic->once, text);
    if (!once)
        return -ENOMEM;
    once->sequence = sequence;
    once->time_us = core->kept_topics->time_us;
    once->batch = UINT64_MAX;
    once_window_add(core, &topic->once, once);
    core->kept_topics->ids++;
    return 0;
}

void kept_repeat(const struct core *core, struct kept_repeats *repeats, struct published *told,
                 const struct topic_once *once)
{
    told->repeated++;
    told->sequence = once->sequence;
    if (once->batch == UINT64_MAX || core_stored(core, once->batch))
        return;
    repeats->apart |= repeats->batch && repeats->batch != once->batch;
    repeats->batch = once->batch;
}

int kept_check_repeats(struct core *core, struct op *op, const struct kept_repeats *repeats, size_t more)
{
    if (!repeats->batch || (!more && !repeats->apart) || PLANTED(SHARED_DOUBT)) {
        op_depends(op, repeats->batch);
        return 0;
    }
    op->answer = answer_drop(core, op->answer);
    op_fail(core, op, -EAGAIN,
            "a message with the id of another that is on its way: publish it alone, or later");
    return -EAGAIN;
}

/* ---- records ---- */

/* NULL: out of memory. */
struct record *kept_record_of(struct core *core, enum record_kind kind, const struct kept_topic *topic,
                              const struct letter *letter, uint32_t uid, struct bytes once)
{
    size_t size = headers_size(letter->headers, letter->headers_n);
    char *text = core_take(core, size + 1);
    struct message_row row = {
        .topic = topic->id,
        .sequence = letter->sequence,
        .time_us = letter->time_us,
        .of = letter->of,
        .uid = uid,
        .flags = topic->flags,
        .key = letter->key,
        .once = once,
        .headers = {text, size},
    };
    struct record *record = NULL;

    if (!text)
        return NULL;
    headers_write(letter->headers, letter->headers_n, text);
    record = record_new_message(kind, &row, letter->body);
    core_give(core, text, size + 1);
    return record;
}

void kept_drop_records(struct list *records)
{
    struct record *record, *after;

    list_each_safe (record, after, records, link) {
        list_remove(&record->link);
        record_delete(record);
    }
}

/* What one operation has made ready. */
struct ready {
    struct kept_topic *topic;
    struct list records;
    size_t fresh; /* ids that were remembered: the last ones of the window */
    uint64_t bytes;
    struct kept_repeats repeats;
};

/* The i-th message is to be the n-th that is published. 0, -ENOBUFS, -ENOMEM. */
static int ready_one(struct core *core, struct op *op, struct ready *ready, struct bytes once, size_t i,
                     size_t n)
{
    struct publish *p = op->publish;
    struct letter *letter = p->letter[i];
    struct record *record;
    int r = 0;

    letter->sequence = core->kept_topics->sequence + n + 1;
    letter->time_us = core->kept_topics->time_us;
    p->letter[i] = NULL;
    p->letter[n] = letter;
    if (once.size && (r = remember(core, ready->topic, once, letter->sequence)) < 0)
        return r;
    ready->fresh += once.size > 0;
    record = kept_record_of(core, RECORD_MESSAGE, ready->topic, letter, op->scope->account->uid, once);
    if (!record)
        return -ENOMEM;
    list_append(&ready->records, &record->link);
    ready->bytes += kept_letter_bytes(letter);
    p->told.sequence = letter->sequence;
    return 0;
}

/* Sorts out what is there already, and makes the others ready. 0, -ENOBUFS, -ENOMEM. */
static int ready_all(struct core *core, struct op *op, struct ready *ready,
                     const struct request_publish *asked)
{
    struct publish *p = op->publish;
    size_t n = 0;
    int r = 0;

    for (size_t i = 0; r == 0 && i < asked->messages_n; i++) {
        struct bytes once = asked->messages[i].once;
        const struct topic_once *there = once.size ? once_window_find(core, &ready->topic->once, once) : NULL;

        if (there) {
            kept_repeat(core, &ready->repeats, &p->told, there);
            p->letter[i] = letter_drop(core, p->letter[i]);
        } else {
            r = ready_one(core, op, ready, once, i, n++);
        }
    }
    if (r == 0)
        p->n = n;
    return r;
}

/* With what is on its way, and what is to come. */
static bool messages_fit(const struct kept_topic *topic, const struct topic_bounds *bounds, uint64_t messages)
{
    messages += topic->log.messages + topic->on_way + topic->delayed;
    return !bounds->messages || messages <= bounds->messages;
}

static bool bytes_fit(const struct kept_topic *topic, const struct topic_bounds *bounds, uint64_t bytes)
{
    bytes += topic->log.bytes + topic->on_way_bytes + topic->delayed_bytes;
    return !bounds->bytes || bytes <= bounds->bytes;
}

bool kept_has_room(const struct core *core, const struct kept_topic *topic, const struct letter *letter)
{
    struct topic_bounds bounds = kept_bounds(core, topic);

    return topic_policy_of(core, kept_name(topic))->full != LOG_REJECT ||
           (messages_fit(topic, &bounds, 1) && bytes_fit(topic, &bounds, kept_letter_bytes(letter)));
}

int kept_check_room(struct core *core, struct op *op, const struct kept_topic *topic,
                    const struct topic_policy *policy, uint64_t messages, uint64_t bytes)
{
    struct topic_bounds bounds = kept_bounds(core, topic);

    if (policy->full != LOG_REJECT)
        return 0;
    if (!messages_fit(topic, &bounds, messages))
        return kept_refuse(core, op, "the topic is full", "keep_messages", bounds.messages);
    if (!bytes_fit(topic, &bounds, bytes))
        return kept_refuse(core, op, "the topic is full", "keep_bytes", bounds.bytes);
    return 0;
}

/* ---- on its way ---- */

int64_t kept_time(struct core *core)
{
    struct kept_topics *kept = core->kept_topics;
    int64_t wall_us = core->now.wall_ns / 1000;

    if (kept->time_us < wall_us)
        kept->time_us = wall_us;
    return kept->time_us;
}

static void last_ids_go_with(struct kept_topic *topic, size_t n, uint64_t batch)
{
    struct list *at = &topic->once.order;

    for (; n; n--) {
        at = at->prev;
        container_of(at, struct topic_once, link)->batch = batch;
    }
}

/* The store has been told. */
static void set_out(struct core *core, struct publish *p, const struct ready *ready, uint64_t batch)
{
    struct kept_topics *kept = core->kept_topics;
    struct kept_topic *topic = ready->topic;

    kept->sequence += p->n;
    topic->last_sent = kept->sequence;
    topic->on_way += p->n;
    topic->on_way_bytes += ready->bytes;
    last_ids_go_with(topic, ready->fresh, batch);
    p->topic = topic;
    p->batch = batch;
    p->bytes = ready->bytes;
    list_append(&kept->arriving, &p->link);
}

/* Nothing of it is new. */
static int all_repeated(struct op *op)
{
    return (int)op->publish->told.repeated;
}

static int send(struct core *core, struct op *op, struct ready *ready)
{
    uint64_t batch = core_record_all(core, &ready->records);

    if (!batch)
        return -ENOMEM;
    set_out(core, op->publish, ready, batch);
    op_wait(core, op, WAIT_PUBLISH);
    return 0;
}

int kept_check_publish(struct core *core, struct op *op, const struct request_publish *asked,
                       const struct topic_policy *policy)
{
    int r = check_messages(core, op, asked, policy);

    return r < 0 ? r : check_wishes(core, op, asked);
}

int kept_publish(struct core *core, struct op *op, const struct request_publish *asked,
                 const struct topic_policy *policy)
{
    struct ready ready = {.fresh = 0};
    int r = kept_topic_for(core, op, asked->topic, policy, &ready.topic);

    if (r < 0)
        return r;
    kept_time(core);
    kept_trim(core, ready.topic); /* ids that are too old are not asked */
    list_init(&ready.records);
    r = ready_all(core, op, &ready, asked);
    if (r == 0)
        r = kept_check_repeats(core, op, &ready.repeats, op->publish->n);
    if (r == 0 && op->publish->n)
        r = kept_check_room(core, op, ready.topic, policy, op->publish->n, ready.bytes);
    if (r == 0)
        r = op->publish->n ? send(core, op, &ready) : all_repeated(op);
    kept_drop_records(&ready.records);
    if (r < 0)
        unremember(core, ready.topic, ready.fresh);
    return r;
}

/* ---- what the daemon publishes itself ---- */

void kept_sent(struct core *core, struct publish *p, struct kept_topic *topic, uint64_t batch)
{
    const struct ready ready = {.topic = topic, .bytes = kept_letter_bytes(p->letter[0])};

    set_out(core, p, &ready, batch);
}

void kept_send(struct core *core, struct publish *p, struct kept_topic *topic, struct note *note)
{
    struct message_row *row = &note->record->message;

    row->sequence = p->letter[0]->sequence = core->kept_topics->sequence + 1;
    row->time_us = p->letter[0]->time_us = kept_time(core);
    kept_sent(core, p, topic, note_write(core, note));
}

static int post(struct core *core, struct publish *p, struct kept_topic *topic)
{
    struct note *note = note_new(core, kept_record_of(core, RECORD_MESSAGE_JOINED, topic, p->letter[0],
                                                      p->account->uid, (struct bytes){0}));

    if (!note)
        return -ENOMEM;
    kept_send(core, p, topic, note);
    return 0;
}

int kept_post(struct core *core, struct account *account, struct bytes name, const struct letter *from)
{
    const struct outgoing message = {
        .value.body = from->body, .key = from->key, .headers = from->headers, .headers_n = from->headers_n};
    struct kept_topic *topic;
    int r = kept_topic_get(core, account, name, topic_policy_of(core, name), &topic);
    struct publish *p = r == 0 ? publish_alone(core, account, name, &message) : NULL;

    if (r == 0)
        r = p ? 0 : -ENOMEM;
    if (r < 0)
        return r;
    p->letter[0]->of = from->sequence;
    r = post(core, p, topic);
    if (r < 0)
        publish_free(core, p);
    return r;
}

/* ---- the store's word ---- */

static void forget_batch(struct core *core, struct kept_topic *topic, uint64_t batch)
{
    struct topic_once *once, *after;

    list_each_safe (once, after, &topic->once.order, link) {
        if (once->batch != batch)
            continue;
        once_window_remove(core, &topic->once, once);
        core->kept_topics->ids--;
    }
}

/* None of it is there. Of the topic what was there before is the last, unless more is on its way behind it. */
static void refused(struct core *core, struct publish *p, int error)
{
    struct kept_topic *topic = p->topic;
    struct op *op = p->op;

    forget_batch(core, topic, p->batch);
    if (!topic->on_way)
        topic->last_sent = topic->log.last;
    publish_detach(p);
    publish_free(core, p);
    if (op && !op->scope->ended)
        op_finish(core, op, error);
}

static void arrived(struct core *core, struct publish *p)
{
    struct kept_topic *topic = p->topic;
    struct topic_bounds bounds = kept_bounds(core, topic);

    for (size_t i = 0; i < p->n; i++)
        topic_log_append(core, &topic->log, &bounds, p->letter[i]->sequence, kept_letter_bytes(p->letter[i]),
                         p->letter[i]->time_us);
    topic->last_us = p->letter[p->n - 1]->time_us;
    topic->published += p->n;
    core->kept_topics->may_forget +=
        2 * (int64_t)p->n; /* however many come, those that are too many become fewer */
    kept_trim(core, topic);
    readers_arrived(core, p);
    if (p->op && p->op->scope->ended)
        publish_detach(p);
    list_append(&core->topics->queue, &p->link);
}

void kept_stored(struct core *core, uint64_t last, int error)
{
    struct publish *p, *after;

    list_each_safe (p, after, &core->kept_topics->arriving, link) {
        if (!core_stored(core, p->batch))
            break;
        list_remove(&p->link);
        p->topic->on_way -= p->n;
        p->topic->on_way_bytes -= p->bytes;
        if (error)
            refused(core, p, error);
        else
            arrived(core, p);
    }
    laters_stored(core, error);
}
