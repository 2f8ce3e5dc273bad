/* The part of the workload that has to do with the log of durable topics. Each batch is made from what the ledger has. */
#include <stdlib.h>
#include <string.h>

#include "disk.h"
#include "work.h"

enum { LONG_BYTES = 90000, SHORT_BYTES = 900, TOPICS = 4, GROUPS = 3, FEEDS = 3, FULL = 44, NOBODY = 999999 };

static uint64_t below(struct work *work, uint64_t n)
{
    return draw(&work->seed) % n;
}

static const struct kept_log *log_of(const struct work *work)
{
    return ledger_log(work->ledger);
}

static uint64_t count(const struct work *work, enum shelf_of of)
{
    return log_of(work)->shelf[of].n;
}

/* NULL: there is none. */
static const struct slot *any(struct work *work, enum shelf_of of)
{
    return count(work, of) ? &log_of(work)->shelf[of].slot[below(work, count(work, of))] : NULL;
}

static void append(struct batch *batch, struct record *record)
{
    if (!record)
        abort();
    batch_append(batch, record);
}

static struct bytes some_bytes(struct work *work)
{
    static unsigned char bytes[LONG_BYTES];
    uint64_t n = below(work, below(work, 16) ? SHORT_BYTES : LONG_BYTES);

    for (uint64_t i = 0; i < n; i++)
        bytes[i] = (unsigned char)(draw(&work->seed) >> 17);
    return (struct bytes){bytes, n};
}

static struct message_row row_of(struct work *work, uint64_t topic, uint64_t sequence)
{
    return (struct message_row){.topic = topic,
                                .sequence = sequence,
                                .time_us = (int64_t)sequence * 10,
                                .uid = 1000,
                                .key = {"key", below(work, 4)},
                                .once = {"once-id", below(work, 4) ? 0 : 7},
                                .headers = {"headers", below(work, 2) * 7}};
}

static void publish(struct work *work, struct batch *batch, uint64_t topic, uint64_t sequence)
{
    const struct message_row row = row_of(work, topic, sequence);
    enum record_kind kind = below(work, 3) ? RECORD_MESSAGE : RECORD_MESSAGE_JOINED;

    append(batch, record_new_message(kind, &row, some_bytes(work)));
}

static void make_topic(struct work *work, struct batch *batch)
{
    uint64_t id = log_of(work)->sequence + 1 + below(work, 3000);
    const struct topic_row row = {.id = id, .uid = 1000, .name = {(const char *)&id, sizeof(id)}};

    if (count(work, SHELF_TOPICS) == TOPICS)
        return;
    append(batch, record_new_topic(RECORD_TOPIC, &row));
    publish(work, batch, id, id);
}

static void publish_some(struct work *work, struct batch *batch)
{
    const struct slot *topic = any(work, SHELF_TOPICS);
    uint64_t next = log_of(work)->sequence;

    for (uint64_t n = 1 + below(work, 3); topic && n > 0; n--)
        publish(work, batch, topic->a, ++next);
    if (below(work, 4) == 0)
        publish(work, batch, NOBODY, ++next);
}

/* What a block of the topic's messages from `from` to `to` says. Without any, messages is 0. */
static struct block_row block_of(const struct work *work, uint64_t topic, uint64_t from, uint64_t to)
{
    const struct kept_log *log = log_of(work);
    struct block_row row = {.topic = topic, .bytes = from + to};

    for (uint64_t i = 0; i < log->shelf[SHELF_MESSAGES].n; i++) {
        const struct slot *message = &log->shelf[SHELF_MESSAGES].slot[i];
        if (message->b != topic || message->a < from || message->a > to)
            continue;
        row.first = row.messages++ ? row.first : message->a;
        row.last = message->a;
    }
    return row;
}

static void seal(struct work *work, struct batch *batch)
{
    const struct slot *topic = any(work, SHELF_TOPICS);
    uint64_t n = 0;
    const struct slot *blocks = topic ? shelf_slots(log_of(work), SHELF_BLOCKS, topic->a, &n) : NULL;

    if (!topic)
        return;
    const struct block_row row = block_of(work, topic->a, n ? blocks[n - 1].b + 1 : 0, UINT64_MAX);
    if (row.messages)
        append(batch, record_new_block(&row));
}

/* Up to a message that is there, or all of them; a block that this cuts is written anew. */
static void trim(struct work *work, struct batch *batch)
{
    const struct slot *message = any(work, SHELF_MESSAGES);
    bool all = below(work, 4) == 0;
    uint64_t n;

    if (!message)
        return;
    const struct message_row row = {.topic = message->b, .sequence = all ? UINT64_MAX : message->a};
    const struct slot *blocks = shelf_slots(log_of(work), SHELF_BLOCKS, message->b, &n);
    append(batch, record_new_message(RECORD_MESSAGES_GONE, &row, (struct bytes){0}));
    for (uint64_t i = 0; i < n && !all; i++)
        if (blocks[i].more <= message->a && message->a < blocks[i].b) {
            const struct block_row rest = block_of(work, message->b, message->a + 1, blocks[i].b);
            append(batch, record_new_block(&rest));
        }
}

static void forget_once(struct work *work, struct batch *batch)
{
    const struct slot *once = any(work, SHELF_ONCES);

    if (!once)
        return;
    const struct message_row row = {.topic = once->a, .sequence = once->b};
    append(batch, record_new_message(RECORD_ONCE_GONE, &row, (struct bytes){0}));
}

static void forget_topic(struct work *work, struct batch *batch)
{
    const struct slot *topic = any(work, SHELF_TOPICS);

    if (topic)
        append(batch, record_new_topic(RECORD_TOPIC_GONE, &(struct topic_row){.id = topic->a}));
}

/* One more is to come, or one that was is published, or given up. */
static void change_later(struct work *work, struct batch *batch)
{
    const struct slot *topic = any(work, SHELF_TOPICS), *later = any(work, SHELF_LATERS);
    uint64_t next = log_of(work)->sequence + 1, kind = below(work, 3);
    struct later_row row = {.id = later ? later->a : 1 + below(work, 50), .due_us = 5};

    row.message = row_of(work, topic ? topic->a : NOBODY, next);
    if (kind == 0 && count(work, SHELF_LATERS) < 8) {
        row.id = 1 + below(work, 1 << 20);
        append(batch,
               record_new_later(below(work, 3) ? RECORD_LATER : RECORD_LATER_JOINED, &row, some_bytes(work)));
    } else {
        enum record_kind what = kind == 1 ? RECORD_LATER_DUE : RECORD_LATER_GONE;
        append(batch, record_new_later(what, &row, (struct bytes){0}));
    }
}

static void set_rule(struct work *work, struct batch *batch)
{
    struct job_row row = {.queue = {"a.b.>", 1 + below(work, 5)}};
    struct record *record =
        record_new(RECORD_TOPIC_RULE, &row, (struct bytes){"keep=1", below(work, 3) ? 6 : 0});

    append(batch, record);
}

/* Made, changed or set back. */
static void set_group(struct work *work, struct batch *batch)
{
    uint64_t id = 1 + below(work, GROUPS), n;
    const struct slot *group = shelf_slots(log_of(work), SHELF_GROUPS, id, &n);
    struct group_row row = {.id = id,
                            .floor = n ? group->more : 0,
                            .uid = 1000,
                            .paused = below(work, 2),
                            .name = {&"abcd"[id], 1},
                            .pattern = {"a.>", 3},
                            .text = {"window=5", 8}};

    row.anew = n && below(work, 4) == 0;
    if (row.anew)
        row.floor = below(work, log_of(work)->sequence + 1);
    append(batch, record_new_group(RECORD_GROUP, &row));
}

/* Acknowledgements and tries, of a group that is there or not; the floor moves at times. */
static void settle(struct work *work, struct batch *batch)
{
    const struct slot *group = any(work, SHELF_GROUPS);
    uint64_t end = log_of(work)->sequence, floor = group ? group->more : 0;

    for (uint64_t i = 0; i < 3; i++) {
        struct ack_row row = {.group = group ? group->a : NOBODY,
                              .sequence = floor + below(work, end - floor + 1),
                              .floor = floor,
                              .tries = (uint32_t)below(work, 4),
                              .due_us = 9};
        bool acked = below(work, 2);
        if (acked && below(work, 2))
            row.floor = floor = row.sequence;
        if (count(work, SHELF_ACKS) + count(work, SHELF_TRIES) < SHELF_SLOTS / 2 || row.floor == end)
            append(batch, record_new_ack(acked ? RECORD_GROUP_ACK : RECORD_GROUP_TRY, &row));
    }
}

static void forget_group(struct work *work, struct batch *batch)
{
    const struct slot *group = any(work, SHELF_GROUPS);

    if (group)
        append(batch, record_new_group(RECORD_GROUP_GONE, &(struct group_row){.id = group->a}));
}

/* Of a place in the log that was given. */
static struct feed_progress progress_of(struct work *work)
{
    uint64_t jobs = below(work, 3);

    return (struct feed_progress){
        .cursor = below(work, log_of(work)->sequence + 1), .jobs = jobs, .last_job = jobs * 7};
}

static void set_feed(struct work *work, struct batch *batch)
{
    uint64_t id = 1 + below(work, FEEDS);
    const struct feed_row row = {.id = id,
                                 .ahead = 1 + below(work, 9),
                                 .uid = 1000,
                                 .argument = 1 + (uint32_t)below(work, 2),
                                 .paused = below(work, 2),
                                 .moves = below(work, 2),
                                 .progress = progress_of(work),
                                 .name = {&"abcd"[id], 1},
                                 .pattern = {"a.>", 3},
                                 .plugin = {"/p.so", below(work, 2) * 5},
                                 .function = {"f", 1},
                                 .queue = {"default", 7}};

    append(batch, record_new_feed(RECORD_FEED, &row));
}

static void move_feed(struct work *work, struct batch *batch)
{
    const struct feed_row row = {.id = 1 + below(work, FEEDS), .progress = progress_of(work)};

    append(batch, record_new_feed(below(work, 4) ? RECORD_FEED_MOVE : RECORD_FEED_GONE, &row));
}

struct feed_step work_on_feed(struct work *work)
{
    if (below(work, 2))
        return (struct feed_step){0};
    return (struct feed_step){.feed = 1 + below(work, FEEDS), .to = progress_of(work)};
}

static void use_sequences(struct work *work, struct batch *batch)
{
    const struct message_row row = {.sequence = log_of(work)->sequence + below(work, 100)};

    append(batch, record_new_message(RECORD_SEQUENCE, &row, (struct bytes){0}));
}

void work_on_log(struct work *work, struct batch *batch)
{
    static void (*const actions[])(struct work *, struct batch *) = {
        publish_some, publish_some,  publish_some, publish_some, make_topic,   make_topic,   seal,
        seal,         trim,          trim,         settle,       settle,       settle,       change_later,
        change_later, change_later,  set_group,    set_group,    forget_group, forget_topic, forget_once,
        set_rule,     use_sequences, set_feed,     set_feed,     move_feed};

    if (count(work, SHELF_MESSAGES) > FULL)
        return forget_topic(work, batch);
    if (count(work, SHELF_ONCES) > FULL)
        return forget_once(work, batch);
    actions[below(work, sizeof(actions) / sizeof(*actions))](work, batch);
}
