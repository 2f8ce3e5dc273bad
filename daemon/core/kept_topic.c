/*
 * Kept topics: found, made, bounded.
 *
 * Invariants: a topic is in both maps and in the list; its timer is armed while something of it will be too old.
 */
#include "kept.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

enum { ONCE_TOLD_EVERY = 256 };
#define US_PER_S 1000000ll

/* ---- finding ---- */

struct kept_topic *kept_topic_find(const struct core *core, struct bytes name)
{
    struct map_node *n = map_first(&core->kept_topics->by_name, core_hash(core, name.data, name.size));

    for (; n; n = map_next(n)) {
        struct kept_topic *topic = map_entry(n, struct kept_topic, by_name);
        if (bytes_are(name, topic->name, topic->name_size))
            return topic;
    }
    return NULL;
}

struct kept_topic *kept_topic_by_id(const struct core *core, uint64_t id)
{
    struct map_node *n = map_first(&core->kept_topics->by_id, core_hash_number(core, id));

    while (n && map_entry(n, struct kept_topic, by_id)->id != id)
        n = map_next(n);
    return n ? map_entry(n, struct kept_topic, by_id) : NULL;
}

/* ---- its life ---- */

static void enter(struct core *core, struct kept_topic *topic)
{
    struct kept_topics *kept = core->kept_topics;

    map_add(&kept->by_name, &topic->by_name, core_hash(core, topic->name, topic->name_size));
    map_add(&kept->by_id, &topic->by_id, core_hash_number(core, topic->id));
    topic->whole = kept_name(topic);
    name_tree_add(&kept->names, &topic->in_order, &topic->whole, topic->by_name.hash);
    list_append(&kept->topics, &topic->link);
    topic->account->used[SLOT_TOPICS]++;
}

struct kept_topic *kept_topic_new(struct core *core, struct account *account, const struct topic_row *row)
{
    struct kept_topic *topic;

    if (map_reserve(core, &core->kept_topics->by_name, 1) < 0 ||
        map_reserve(core, &core->kept_topics->by_id, 1) < 0 || timers_reserve(core) < 0)
        return NULL;
    topic = core_alloc(core, sizeof(*topic) + row->name.size);
    if (!topic) {
        timers_unreserve(core);
        return NULL;
    }
    topic->id = row->id;
    topic->flags = row->flags;
    topic->account = account_ref(account);
    topic->name_size = (uint8_t)row->name.size;
    memcpy(topic->name, row->name.data, row->name.size);
    list_init(&topic->trimming);
    list_init(&topic->laters);
    topic_log_init(&topic->log);
    once_window_init(&topic->once);
    enter(core, topic);
    return topic;
}

void kept_topic_delete(struct core *core, struct kept_topic *topic)
{
    struct kept_topics *kept = core->kept_topics;
    struct later *later, *after;

    list_each_safe (later, after, &topic->laters, in_topic)
        later_delete(core, later);
    map_remove(&kept->by_name, &topic->by_name);
    name_tree_remove(&kept->names, &topic->in_order);
    map_remove(&kept->by_id, &topic->by_id);
    list_remove(&topic->link);
    list_remove(&topic->trimming);
    timer_disarm(core, &topic->timer);
    timers_unreserve(core);
    topic_log_free(core, &topic->log);
    once_window_free(core, &topic->once);
    account_release(topic->account, SLOT_TOPICS, 1);
    account_drop(core, topic->account);
    core_free(core, topic);
}

/* ---- what it may keep ---- */

static struct topic_bounds bounds_of(const struct topic_policy *policy)
{
    return (struct topic_bounds){.messages = policy->keep_messages -
                                             (PLANTED(HASTY_TRIM) ? policy->keep_messages / 3 : 0),
                                 .bytes = policy->keep_bytes,
                                 .age_us = PLANTED(LONG_LOG) ? 0 : (int64_t)policy->keep_for * US_PER_S};
}

struct topic_bounds kept_bounds(const struct core *core, const struct kept_topic *topic)
{
    return bounds_of(topic_policy_of(core, kept_name(topic)));
}

uint64_t kept_record(struct core *core, struct record *record)
{
    struct list one;
    uint64_t batch;

    if (!record)
        return 0;
    list_init(&one);
    list_append(&one, &record->link);
    batch = core_record_all(core, &one);
    if (!batch)
        record_delete(record);
    return batch;
}

uint64_t kept_tell_gone(struct core *core, const struct kept_topic *topic, uint64_t sequence)
{
    struct message_row row = {
        .topic = topic->id, .sequence = sequence + 2 * PLANTED(FAR_PURGE), .flags = topic->flags};

    return kept_record(core, record_new_message(RECORD_MESSAGES_GONE, &row, (struct bytes){0}));
}

struct record *kept_block_record(const struct kept_topic *topic, const struct topic_block *block)
{
    const struct block_row row = {
        .topic = topic->id,
        .first = block->first,
        .last = block->last,
        .messages = block->messages,
        .bytes = block->bytes,
        .first_us = block->first_us,
        .last_us = block->last_us,
        .flags = topic->flags,
    };

    return record_new_block(&row);
}

/* While some of it is to be forgotten that would say more than is so: the store still has what its first block has not. */
static void tell_blocks(struct core *core, struct kept_topic *topic)
{
    const struct topic_block *block;

    while (!topic->forgettings && (block = topic_log_untold(&topic->log))) {
        if (!kept_record(core, kept_block_record(topic, block)))
            return;
        topic_log_tell(&topic->log);
    }
}

/* The store hears of ids that are forgotten now and then, and when none is left. */
static void forget_ids(struct core *core, struct kept_topic *topic, uint64_t dedup_s)
{
    struct message_row row = {.topic = topic->id, .flags = topic->flags};
    int64_t before_us = core->now.wall_ns / 1000 - (PLANTED(BRIEF_ID) ? 0 : (int64_t)dedup_s * US_PER_S);
    struct topic_once *oldest;

    while ((oldest = list_first(&topic->once.order, struct topic_once, link)) &&
           oldest->time_us < before_us && core_stored(core, oldest->batch)) {
        topic->once_gone = oldest->sequence;
        once_window_remove(core, &topic->once, oldest);
        core->kept_topics->ids--;
    }
    if (topic->once_gone == topic->once_told ||
        (oldest && topic->once_gone - topic->once_told < ONCE_TOLD_EVERY))
        return;
    row.sequence = topic->once_gone;
    if (kept_record(core, record_new_message(RECORD_ONCE_GONE, &row, (struct bytes){0})))
        topic->once_told = topic->once_gone;
}

static void trim_due(struct core *core, struct timer *timer)
{
    kept_trim(core, container_of(timer, struct kept_topic, timer));
}

static void set_time(struct core *core, struct kept_topic *topic, const struct topic_bounds *bounds,
                     uint64_t dedup_s)
{
    const struct topic_once *oldest = list_first(&topic->once.order, struct topic_once, link);
    int64_t due_us = topic_log_due_us(&topic->log, bounds);
    int64_t once_us = oldest ? oldest->time_us + (int64_t)dedup_s * US_PER_S + 1 : INT64_MAX;
    int64_t now_us = core->now.wall_ns / 1000, in_us;

    due_us = due_us < once_us ? due_us : once_us;
    timer_disarm(core, &topic->timer);
    if (due_us == INT64_MAX)
        return;
    in_us = due_us > now_us + US_PER_S / 10 ? due_us - now_us : US_PER_S / 10; /* not too often */
    if (in_us < INT64_MAX / 1000)
        timer_arm(core, &topic->timer, time_after(core->now.mono_ns, in_us * 1000), trim_due);
}

void kept_trim_soon(struct core *core, struct kept_topic *topic)
{
    timer_arm(core, &topic->timer, 0, trim_due);
}

/* The first n blocks. How many went: none, where memory is out. */
static size_t drop_blocks(struct core *core, struct kept_topic *topic, size_t n)
{
    struct kept_topics *kept = core->kept_topics;
    uint64_t messages = topic->log.messages, batch;

    if (!n || !(batch = kept_tell_gone(core, topic, topic_log_end_of(&topic->log, n))))
        return 0;
    topic->gone_batch = batch;
    readers_lose(core, topic, topic_log_end_of(&topic->log, n));
    topic->gone = topic_log_end_of(&topic->log, n);
    topic_log_drop(&topic->log, n);
    kept->may_forget -= (int64_t)(messages - topic->log.messages);
    return n;
}

/* The first blocks of these `excess`, as many as may go now; the others with the store's word. */
static void trim_part(struct core *core, struct kept_topic *topic, size_t excess)
{
    struct kept_topics *kept = core->kept_topics;
    size_t n = topic->forgettings ? 0 : topic_log_within(&topic->log, excess, kept->may_forget);

    list_remove(&topic->trimming);
    if (drop_blocks(core, topic, n) < excess)
        list_append(&kept->trimming, &topic->trimming);
}

void kept_trim(struct core *core, struct kept_topic *topic)
{
    const struct topic_policy *policy = topic_policy_of(core, kept_name(topic));
    struct topic_bounds bounds = bounds_of(policy);

    trim_part(core, topic, topic_log_excess(&topic->log, &bounds, core->now.wall_ns / 1000));
    tell_blocks(core, topic);
    forget_ids(core, topic, policy->dedup);
    set_time(core, topic, &bounds, policy->dedup);
}

void kept_rules_changed(struct core *core)
{
    struct lasts *lasts = &core->topics->lasts;
    uint64_t looks = core->kept_topics->by_name.count;
    struct kept_topic *topic;

    lasts->left -= looks < lasts->left ? looks : lasts->left;
    list_each (topic, &core->kept_topics->topics, link)
        kept_trim(core, topic);
}

/* ---- telling ---- */

uint64_t kept_unread(const struct core *core, struct bytes pattern, uint64_t sequence)
{
    const struct kept_topic *topic = pattern_is_exact(pattern) ? kept_topic_find(core, pattern) : NULL;
    uint64_t n = 0;

    if (pattern_is_exact(pattern))
        return topic ? topic_log_behind(&topic->log, sequence) : 0;
    list_each (topic, &core->kept_topics->topics, link)
        if (pattern_match(pattern, kept_name(topic)))
            n += topic_log_behind(&topic->log, sequence);
    return n;
}

uint64_t kept_unread_cost(const struct core *core, struct bytes pattern)
{
    return pattern_is_exact(pattern) ? 1 : 1 + core->kept_topics->by_name.count;
}

void kept_tell(const struct kept_topic *topic, struct topic_info *info)
{
    info->durable = true;
    info->published = topic->published > info->published ? topic->published : info->published;
    info->first_sequence = topic_log_first(&topic->log);
    info->last_sequence = topic->log.last;
    info->messages = topic->log.messages;
    info->bytes = topic->log.bytes;
    info->last_us = topic->last_us;
    info->delayed = topic->delayed;
}

/* ---- the whole ---- */

int kept_init(struct core *core)
{
    struct kept_topics *kept = core_alloc(core, sizeof(*kept));

    if (!kept || laters_init(core, &kept->laters) < 0) {
        core_free(core, kept);
        return -ENOMEM;
    }
    core->kept_topics = kept;
    list_init(&kept->topics);
    list_init(&kept->arriving);
    list_init(&kept->awake);
    list_init(&kept->forgettings);
    list_init(&kept->trimming);
    kept->may_forget = FORGET_MESSAGES;
    list_init(&kept->groups);
    topic_rules_init(&kept->rules);
    kept->standard = topic_standard();
    return 0;
}

void kept_free(struct core *core)
{
    struct kept_topics *kept = core->kept_topics;
    struct kept_topic *topic, *after;

    if (!kept)
        return;
    publishes_forget(core, &kept->arriving);
    list_each_safe (topic, after, &kept->topics, link)
        kept_topic_delete(core, topic);
    laters_free(core, &kept->laters);
    forgets_free(core);
    groups_free(core);
    cache_free(core, &kept->cache);
    trie_free(core, &kept->readers);
    topic_rules_free(core, &kept->rules);
    map_free(core, &kept->by_name);
    map_free(core, &kept->by_id);
    core_free(core, kept);
    core->kept_topics = NULL;
}

uint64_t kept_charged(const struct core *core, const struct account *account)
{
    const struct kept_topic *topic;
    uint64_t n = 0;

    list_each (topic, &core->kept_topics->topics, link)
        n += topic->account == account;
    return n;
}

void kept_check(const struct core *core)
{
    const struct kept_topic *topic;
    uint64_t id = 0;

    list_each (topic, &core->kept_topics->topics, link) {
        assert(topic->id > id && kept_topic_find(core, kept_name(topic)) == topic &&
               "a kept topic is known by its name");
        topic_log_check(&topic->log);
        id = topic->id;
    }
    laters_check(core);
}
