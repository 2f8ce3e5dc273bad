#include "shelf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "fetched.h"

static uint64_t digest(uint64_t before, const void *data, size_t n)
{
    return n ? XXH3_64bits_withSeed(data, n, before) : before + 1;
}

static uint64_t digest_bytes(uint64_t before, struct bytes bytes)
{
    return digest(before + bytes.size, bytes.data, bytes.size);
}

/* ---- shelves ---- */

static bool is_before(const struct slot *slot, uint64_t a, uint64_t b)
{
    return slot->a < a || (slot->a == a && slot->b < b);
}

/* Where (a, b) is, or would be. */
static uint64_t at(const struct kept_log *log, enum shelf_of of, uint64_t a, uint64_t b)
{
    uint64_t i = 0;

    while (i < log->shelf[of].n && is_before(&log->shelf[of].slot[i], a, b))
        i++;
    return i;
}

static struct slot *slot_of(struct kept_log *log, enum shelf_of of, uint64_t a, uint64_t b)
{
    uint64_t i = at(log, of, a, b);
    struct slot *slot = &log->shelf[of].slot[i];

    return i < log->shelf[of].n && slot->a == a && slot->b == b ? slot : NULL;
}

static void put(struct kept_log *log, enum shelf_of of, struct slot slot)
{
    uint64_t i = at(log, of, slot.a, slot.b), n = log->shelf[of].n;
    struct slot *place = &log->shelf[of].slot[i];

    if (!slot_of(log, of, slot.a, slot.b)) {
        if (n == SHELF_SLOTS)
            abort();
        memmove(place + 1, place, (n - i) * sizeof(*place));
        log->shelf[of].n++;
    }
    *place = slot;
}

/* All with this `a` and a `b` from `first` to `last`. */
static void drop(struct kept_log *log, enum shelf_of of, uint64_t a, uint64_t first, uint64_t last)
{
    struct slot *slot = log->shelf[of].slot;
    uint64_t kept = 0, n = log->shelf[of].n;

    for (uint64_t i = 0; i < n; i++)
        if (slot[i].a != a || slot[i].b < first || slot[i].b > last)
            slot[kept++] = slot[i];
    memset(&slot[kept], 0, (n - kept) * sizeof(*slot));
    log->shelf[of].n = kept;
}

/* Messages are by sequence: those of a topic are anywhere. The last one that went. */
static uint64_t drop_messages(struct kept_log *log, uint64_t topic, uint64_t sequence)
{
    struct slot *slot = log->shelf[SHELF_MESSAGES].slot;
    uint64_t kept = 0, n = log->shelf[SHELF_MESSAGES].n, last = 0;

    for (uint64_t i = 0; i < n; i++)
        if (slot[i].b == topic && slot[i].a <= sequence)
            last = slot[i].a;
        else
            slot[kept++] = slot[i];
    memset(&slot[kept], 0, (n - kept) * sizeof(*slot));
    log->shelf[SHELF_MESSAGES].n = kept;
    return last;
}

static void drop_laters(struct kept_log *log, uint64_t topic)
{
    for (uint64_t i = log->shelf[SHELF_LATERS].n; i-- > 0;) {
        struct slot slot = log->shelf[SHELF_LATERS].slot[i];
        if (slot.b == topic)
            drop(log, SHELF_LATERS, slot.a, slot.b, slot.b);
    }
}

const struct slot *shelf_slots(const struct kept_log *log, enum shelf_of of, uint64_t a, uint64_t *n)
{
    const struct slot *slot = &log->shelf[of].slot[at(log, of, a, 0)],
                      *end = log->shelf[of].slot + log->shelf[of].n;

    for (*n = 0; slot + *n < end && slot[*n].a == a;)
        ++*n;
    return slot;
}

static bool there(struct kept_log *log, enum shelf_of of, uint64_t a)
{
    uint64_t n;

    shelf_slots(log, of, a, &n);
    return n > 0;
}

/* ---- rows ---- */

static void put_rule(struct kept_log *log, struct bytes pattern, struct bytes kept)
{
    uint64_t a = digest_bytes(1, pattern);

    if (kept.size)
        put(log, SHELF_RULES, (struct slot){.a = a, .row = digest_bytes(a, kept)});
    else
        drop(log, SHELF_RULES, a, 0, 0);
}

static void put_topic(struct kept_log *log, const struct topic_row *row)
{
    const uint64_t numbers[] = {row->uid, row->flags};
    uint64_t hash = digest_bytes(digest(1, numbers, sizeof(numbers)), row->name);

    put(log, SHELF_TOPICS, (struct slot){.a = row->id, .more = row->last_sequence, .row = hash});
}

/* What does not change when a message that is to come does. */
static uint64_t content_of(const struct message_row *row, struct bytes body)
{
    const uint64_t numbers[] = {row->of, row->uid, row->flags};
    uint64_t hash = digest(1, numbers, sizeof(numbers));

    return digest_bytes(digest_bytes(digest_bytes(hash, row->key), row->headers), body);
}

static void put_message(struct kept_log *log, uint64_t topic, uint64_t sequence, int64_t time_us,
                        uint64_t content)
{
    put(log, SHELF_MESSAGES, (struct slot){sequence, topic, 0, digest(content, &time_us, sizeof(time_us))});
    if (log->sequence < sequence)
        log->sequence = sequence;
}

static void put_once(struct kept_log *log, uint64_t topic, uint64_t sequence, int64_t time_us, uint64_t once)
{
    put(log, SHELF_ONCES, (struct slot){topic, sequence, 0, digest(once, &time_us, sizeof(time_us))});
}

static void put_block(struct kept_log *log, const struct block_row *row)
{
    const int64_t numbers[] = {(int64_t)row->messages, (int64_t)row->bytes, row->first_us, row->last_us,
                               row->flags};

    put(log, SHELF_BLOCKS,
        (struct slot){row->topic, row->last, row->first, digest(1, numbers, sizeof(numbers))});
}

/* Its row is the digest of its once-id, which goes with the message; 0: it has none. */
static void put_later(struct kept_log *log, const struct later_row *row, struct bytes body)
{
    uint64_t once = row->message.once.size ? digest_bytes(1, row->message.once) : 0;

    put(log, SHELF_LATERS, (struct slot){row->id, row->message.topic, content_of(&row->message, body), once});
}

static void put_group(struct kept_log *log, const struct group_row *row)
{
    const uint64_t numbers[] = {row->mark, row->uid, row->paused};
    uint64_t hash = digest(1, numbers, sizeof(numbers));

    hash = digest_bytes(digest_bytes(digest_bytes(hash, row->name), row->pattern), row->text);
    put(log, SHELF_GROUPS, (struct slot){row->id, 0, row->floor, hash});
}

static void put_try(struct kept_log *log, const struct ack_row *row)
{
    const int64_t numbers[] = {row->tries, row->due_us};

    put(log, SHELF_TRIES, (struct slot){row->group, row->sequence, 0, digest(1, numbers, sizeof(numbers))});
}

static void put_feed(struct kept_log *log, const struct feed_row *row)
{
    const uint64_t numbers[] = {row->ahead, row->uid, row->argument, row->paused, (uint64_t)row->from_us};
    const struct bytes strings[] = {row->name, row->pattern, row->plugin, row->function, row->queue};
    uint64_t hash = digest(1, numbers, sizeof(numbers));

    for (size_t i = 0; i < sizeof(strings) / sizeof(*strings); i++)
        hash = digest_bytes(hash, strings[i]);
    put(log, SHELF_FEEDS, (struct slot){row->id, 0, digest(1, &row->progress, sizeof(row->progress)), hash});
}

/* ---- records ---- */

static void take_topic_gone(struct kept_log *log, uint64_t id)
{
    drop_messages(log, id, UINT64_MAX);
    drop_laters(log, id);
    drop(log, SHELF_BLOCKS, id, 0, UINT64_MAX);
    drop(log, SHELF_ONCES, id, 0, UINT64_MAX);
    drop(log, SHELF_TOPICS, id, 0, 0);
}

static void take_message(struct kept_log *log, const struct message_row *row, struct bytes body)
{
    if (!there(log, SHELF_TOPICS, row->topic))
        return;
    put_message(log, row->topic, row->sequence, row->time_us, content_of(row, body));
    if (row->once.size)
        put_once(log, row->topic, row->sequence, row->time_us, digest_bytes(1, row->once));
}

static void take_messages_gone(struct kept_log *log, uint64_t topic, uint64_t sequence)
{
    struct slot *slot = slot_of(log, SHELF_TOPICS, topic, 0);
    uint64_t last = drop_messages(log, topic, sequence);

    drop(log, SHELF_BLOCKS, topic, 0, sequence);
    if (slot && slot->more < last)
        slot->more = last;
}

static void take_later_due(struct kept_log *log, const struct later_row *row)
{
    uint64_t n, sequence = row->message.sequence;
    const struct slot *slot = shelf_slots(log, SHELF_LATERS, row->id, &n);
    const struct slot later = *slot;

    if (n == 0)
        return;
    put_message(log, later.b, sequence, row->message.time_us, later.more);
    if (later.row)
        put_once(log, later.b, sequence, row->message.time_us, later.row);
    drop(log, SHELF_LATERS, row->id, 0, UINT64_MAX);
}

static void drop_settled(struct kept_log *log, uint64_t group, uint64_t floor)
{
    drop(log, SHELF_ACKS, group, 0, floor);
    drop(log, SHELF_TRIES, group, 0, floor);
}

static void take_ack(struct kept_log *log, const struct ack_row *row)
{
    struct slot *group = slot_of(log, SHELF_GROUPS, row->group, 0);

    if (!group)
        return;
    if (group->more < row->floor)
        group->more = row->floor;
    drop_settled(log, row->group, group->more);
    drop(log, SHELF_TRIES, row->group, row->sequence, row->sequence);
    if (row->sequence > group->more)
        put(log, SHELF_ACKS, (struct slot){row->group, row->sequence, 0, 0});
}

static void take_try(struct kept_log *log, const struct ack_row *row)
{
    const struct slot *group = slot_of(log, SHELF_GROUPS, row->group, 0);

    drop(log, SHELF_TRIES, row->group, row->sequence, row->sequence);
    if (group && row->tries && row->sequence > group->more)
        put_try(log, row);
}

static void take_group(struct kept_log *log, const struct group_row *row)
{
    put_group(log, row);
    drop_settled(log, row->id, row->anew ? UINT64_MAX : row->floor);
}

static void take_feed(struct kept_log *log, const struct feed_row *row)
{
    const struct slot *slot = slot_of(log, SHELF_FEEDS, row->id, 0);
    uint64_t progress = slot ? slot->more : 0;

    put_feed(log, row);
    if (progress && !row->moves)
        slot_of(log, SHELF_FEEDS, row->id, 0)->more = progress;
}

void shelf_step(struct kept_log *log, const struct feed_step *step)
{
    struct slot *slot = slot_of(log, SHELF_FEEDS, step->feed, 0);

    if (slot)
        slot->more = digest(1, &step->to, sizeof(step->to));
}

bool shelf_has(const struct record *record)
{
    return record->kind >= RECORD_TOPIC_RULE;
}

static void take_of_topic(struct kept_log *log, const struct record *record)
{
    const struct message_row *row = &record->message;

    if (record->kind == RECORD_TOPIC_RULE)
        put_rule(log, record->job.queue, record->body);
    else if (record->kind == RECORD_TOPIC)
        put_topic(log, &record->topic);
    else if (record->kind == RECORD_TOPIC_GONE)
        take_topic_gone(log, record->topic.id);
    else if (record->kind == RECORD_MESSAGE || record->kind == RECORD_MESSAGE_JOINED)
        take_message(log, row, record->body);
    else if (record->kind == RECORD_MESSAGES_GONE)
        take_messages_gone(log, row->topic, row->sequence);
    else if (record->kind == RECORD_ONCE_GONE)
        drop(log, SHELF_ONCES, row->topic, 0, row->sequence);
    else if (record->kind == RECORD_SEQUENCE)
        log->sequence = log->sequence < row->sequence ? row->sequence : log->sequence;
    else if (record->kind == RECORD_BLOCK && there(log, SHELF_TOPICS, record->block.topic))
        put_block(log, &record->block);
}

void shelf_take(struct kept_log *log, const struct record *record)
{
    if (record->kind <= RECORD_BLOCK)
        take_of_topic(log, record);
    else if ((record->kind == RECORD_LATER || record->kind == RECORD_LATER_JOINED) &&
             there(log, SHELF_TOPICS, record->later.message.topic))
        put_later(log, &record->later, record->body);
    else if (record->kind == RECORD_LATER_DUE)
        take_later_due(log, &record->later);
    else if (record->kind == RECORD_LATER_GONE)
        drop(log, SHELF_LATERS, record->later.id, 0, UINT64_MAX);
    else if (record->kind == RECORD_GROUP)
        take_group(log, &record->group);
    else if (record->kind == RECORD_GROUP_GONE) {
        drop_settled(log, record->group.id, UINT64_MAX);
        drop(log, SHELF_GROUPS, record->group.id, 0, 0);
    } else if (record->kind == RECORD_GROUP_ACK)
        take_ack(log, &record->ack);
    else if (record->kind == RECORD_GROUP_TRY)
        take_try(log, &record->ack);
    else if (record->kind == RECORD_FEED)
        take_feed(log, &record->feed);
    else if (record->kind == RECORD_FEED_MOVE)
        shelf_step(log, &(struct feed_step){record->feed.id, record->feed.progress});
    else if (record->kind == RECORD_FEED_GONE)
        drop(log, SHELF_FEEDS, record->feed.id, 0, 0);
}

/* ---- what the store gives ---- */

static int find_sequence(void *context, uint64_t last)
{
    ((struct kept_log *)context)->sequence = last;
    return 0;
}

static int find_rule(void *context, struct bytes pattern, struct bytes kept)
{
    put_rule(context, pattern, kept);
    return 0;
}

static int find_topic(void *context, const struct topic_row *row)
{
    put_topic(context, row);
    return 0;
}

static int find_block(void *context, const struct block_row *row)
{
    put_block(context, row);
    return 0;
}

static int find_once(void *context, const struct message_row *row)
{
    put_once(context, row->topic, row->sequence, row->time_us, digest_bytes(1, row->once));
    return 0;
}

static int find_later(void *context, const struct later_row *row)
{
    put_later(context, row, (struct bytes){0});
    return 0;
}

static int find_group(void *context, const struct group_row *row)
{
    put_group(context, row);
    return 0;
}

static int find_ack(void *context, const struct ack_row *row)
{
    put(context, SHELF_ACKS, (struct slot){row->group, row->sequence, 0, 0});
    return 0;
}

static int find_try(void *context, const struct ack_row *row)
{
    put_try(context, row);
    return 0;
}

static int find_feed(void *context, const struct feed_row *row)
{
    put_feed(context, row);
    return 0;
}

static int no_job(void *context, const struct job_row *row)
{
    return 0;
}

/* Those of one topic, or of all, as they are fetched. */
static int fetch(struct kept_log *log, const struct store_ops *ops, struct store *store,
                 const uint64_t *topic)
{
    struct fetch what = {.kind = FETCH_MESSAGES,
                         .limit = 7,
                         .bytes = 10000,
                         .last = UINT64_MAX,
                         .topics = topic,
                         .topics_n = 1};
    struct fetched out;
    bool more = true;
    int r = 0;

    while (more && (r = ops->fetch(store, &what, &out)) == 0) {
        for (size_t i = 0; i < out.messages_n; i++) {
            const struct message_row *row = &out.messages[i].row;
            put_message(log, row->topic, row->sequence, row->time_us, content_of(row, out.messages[i].body));
        }
        what.offset = out.offset;
        more = out.more;
        fetched_clear(&out);
    }
    return r;
}

/* Fetched all at once and topic by topic, they are the same. */
static int find_messages(struct kept_log *log, const struct store_ops *ops, struct store *store)
{
    struct kept_log each = *log;
    int r = fetch(log, ops, store, NULL);

    for (uint64_t i = 0; r == 0 && i < log->shelf[SHELF_TOPICS].n; i++)
        r = fetch(&each, ops, store, &log->shelf[SHELF_TOPICS].slot[i].a);
    if (r == 0 && memcmp(log, &each, sizeof(each)))
        r = -EBADMSG;
    return r;
}

/* A message is loaded when no block tells of it, and only then. */
struct loaded {
    struct kept_log *log;
    uint64_t n;
};

static int find_tail(void *context, const struct message_row *row)
{
    struct loaded *loaded = context;
    uint64_t n;
    const struct slot *blocks = shelf_slots(loaded->log, SHELF_BLOCKS, row->topic, &n);

    loaded->n++;
    return (n && blocks[n - 1].b >= row->sequence) ||
                   !slot_of(loaded->log, SHELF_MESSAGES, row->sequence, row->topic)
               ? -EBADMSG
               : 0;
}

static uint64_t tails_of(const struct kept_log *log)
{
    uint64_t tails = 0, n;

    for (uint64_t i = 0; i < log->shelf[SHELF_MESSAGES].n; i++) {
        const struct slot *message = &log->shelf[SHELF_MESSAGES].slot[i];
        const struct slot *blocks = shelf_slots(log, SHELF_BLOCKS, message->b, &n);
        tails += n == 0 || blocks[n - 1].b < message->a;
    }
    return tails;
}

int shelf_find(struct kept_log *log, const struct store_ops *ops, struct store *store)
{
    const struct store_load load = {.context = log,
                                    .job = no_job,
                                    .sequence = find_sequence,
                                    .topic_rule = find_rule,
                                    .topic = find_topic,
                                    .block = find_block,
                                    .once = find_once,
                                    .later = find_later,
                                    .group = find_group,
                                    .group_ack = find_ack,
                                    .group_try = find_try,
                                    .feed = find_feed};
    struct loaded loaded = {.log = log};
    const struct store_load tails = {.context = &loaded, .job = no_job, .message = find_tail};
    char *why = NULL;
    int r = ops->load(store, &load, &why);

    if (r == 0)
        r = find_messages(log, ops, store);
    if (r == 0)
        r = ops->load(store, &tails, &why);
    free(why);
    return r == 0 && loaded.n != tails_of(log) ? -EBADMSG : r;
}

bool shelf_differs(const struct kept_log *found, const struct kept_log *kept)
{
    struct kept_log one = *kept;

    for (uint64_t i = 0; i < one.shelf[SHELF_LATERS].n; i++)
        one.shelf[SHELF_LATERS].slot[i].more = found->shelf[SHELF_LATERS].slot[i].more;
    return memcmp(found, &one, sizeof(one)) != 0;
}
