/* The log of durable topics in the store in memory: what a start needs of it, and fetches. */
#include "fetched.h"
#include "memory_log.h"

static int load_blocks(const struct memory_log *log, const struct store_load *load)
{
    const struct entry *topic;
    const struct record *block;
    int r = 0;

    list_each (topic, &log->topics.list, link)
        list_each (block, &topic->blocks, link)
            if (r == 0 && load->block)
                r = load->block(load->context, &block->block);
    return r;
}

static int load_messages(const struct memory_log *log, const struct store_load *load)
{
    const struct message_kept *kept;
    const struct entry *topic;
    int r = 0;

    list_each (topic, &log->topics.list, link) {
        bool sealed = !list_empty(&topic->blocks);
        uint64_t last = sealed ? container_of(topic->blocks.prev, struct record, link)->block.last : 0;
        list_each (kept, &topic->messages, in_topic) {
            struct message_row row = kept->record->message;
            row.once = (struct bytes){0};
            row.body_bytes = kept->record->body.size;
            if (r == 0 && load->message && row.sequence > last)
                r = load->message(load->context, &row);
        }
    }
    return r;
}

static int load_onces(const struct memory_log *log, const struct store_load *load)
{
    const struct message_kept *kept;
    const struct entry *topic;
    int r = 0;

    list_each (topic, &log->topics.list, link)
        list_each (kept, &topic->onces, in_once)
            if (r == 0 && load->once)
                r = load->once(load->context, &kept->record->message);
    return r;
}

static int load_laters(const struct memory_log *log, const struct store_load *load)
{
    const struct entry *later;
    int r = 0;

    list_each (later, &log->laters.list, link) {
        struct later_row row = later->row->later;
        row.message.body_bytes = later->row->body.size;
        if (r == 0 && load->later)
            r = load->later(load->context, &row);
    }
    return r;
}

static int load_acks(const struct memory_log *log, const struct store_load *load)
{
    const struct entry *group;
    const struct record *ack;
    int r = 0;

    list_each (group, &log->groups.list, link)
        if (r == 0 && load->group)
            r = load->group(load->context, &group->row->group);
    list_each (group, &log->groups.list, link)
        list_each (ack, &group->acks, link)
            if (r == 0 && load->group_ack)
                r = load->group_ack(load->context, &ack->ack);
    list_each (group, &log->groups.list, link)
        list_each (ack, &group->tries, link)
            if (r == 0 && load->group_try)
                r = load->group_try(load->context, &ack->ack);
    return r;
}

static int load_feeds(const struct memory_log *log, const struct store_load *load)
{
    const struct entry *feed;
    int r = 0;

    list_each (feed, &log->feeds.list, link)
        if (r == 0 && load->feed)
            r = load->feed(load->context, &feed->row->feed);
    return r;
}

/* The highest sequence that anything tells of. */
static uint64_t last_sequence(const struct memory_log *log)
{
    uint64_t last = log->sequence;
    const struct entry *entry;

    list_each (entry, &log->topics.list, link)
        last = entry->row->topic.last_sequence > last ? entry->row->topic.last_sequence : last;
    list_each (entry, &log->groups.list, link) {
        last = entry->row->group.floor > last ? entry->row->group.floor : last;
        last = entry->row->group.mark > last ? entry->row->group.mark : last;
    }
    list_each (entry, &log->feeds.list, link)
        last = entry->row->feed.progress.cursor > last ? entry->row->feed.progress.cursor : last;
    return last;
}

static int load_topics(const struct memory_log *log, const struct store_load *load)
{
    const struct record *rule;
    const struct entry *topic;
    int r = load->sequence ? load->sequence(load->context, last_sequence(log)) : 0;

    list_each (rule, &log->rules, link)
        if (r == 0 && load->topic_rule)
            r = load->topic_rule(load->context, rule->job.queue, rule->body);
    list_each (topic, &log->topics.list, link)
        if (r == 0 && load->topic)
            r = load->topic(load->context, &topic->row->topic);
    return r;
}

int memory_log_load(const struct memory_log *log, const struct store_load *load)
{
    static int (*const loads[])(const struct memory_log *, const struct store_load *) = {
        load_topics, load_blocks, load_messages, load_onces, load_laters, load_acks, load_feeds};
    int r = 0;

    for (size_t i = 0; r == 0 && i < sizeof(loads) / sizeof(*loads); i++)
        r = loads[i](log, load);
    return r;
}

/* ---- fetch ---- */

/* The link of the first message behind this sequence: a fetch mostly goes on where another one ended. */
static const struct list *behind(const struct memory_log *log, uint64_t sequence)
{
    const struct list *head = &log->messages, *at = head->next;
    struct message_kept *kept;

    HASH_FIND(by_sequence, log->by_sequence, &sequence, sizeof(sequence), kept);
    if (kept)
        return kept->in_log.next;
    if (sequence >= log->sequence)
        return head;
    while (at != head && container_of(at, struct message_kept, in_log)->sequence <= sequence)
        at = at->next;
    return at;
}

/* A message that is asked for. 1: it does not fit any more; 0, -ENOMEM. */
static int take(const struct fetch *what, const struct record *record, uint64_t *bytes, struct fetched *out)
{
    const struct message_row *row = &record->message;

    *bytes += row->key.size + row->headers.size + record->body.size;
    if (out->messages_n < what->limit && (out->messages_n == 0 || *bytes <= what->bytes))
        return fetched_message(out, row, record->body, what->limit);
    fetched_full(out);
    return 1;
}

static int fetch_messages(const struct memory_log *log, const struct fetch *what, struct fetched *out)
{
    const struct list *at = behind(log, what->offset), *head = &log->messages;
    uint64_t bytes = 0, end = what->last == UINT64_MAX ? log->sequence : what->last;
    int r = 0, looks = 0;

    out->offset = what->offset;
    for (; at != head; at = at->next) {
        const struct message_kept *kept = container_of(at, struct message_kept, in_log);
        if (kept->sequence > end)
            break;
        out->more = ++looks > FETCH_LOOKS;
        if (!out->more && fetch_wants(what, kept->record->message.topic))
            r = take(what, kept->record, &bytes, out);
        if (out->more || r != 0)
            return r < 0 ? r : 0;
        out->offset = kept->sequence;
    }
    if (end > out->offset)
        out->offset = end;
    return 0;
}

static int fetch_laters(const struct memory_log *log, const struct fetch *what, struct fetched *out)
{
    int r = 0;

    out->offset = what->last;
    for (size_t i = 0; r == 0 && i < what->topics_n; i++) {
        const struct entry *later = entry_find(&log->laters, what->topics[i]);

        if (!later)
            continue;
        struct message_row row = later->row->later.message;
        row.sequence = later->id;
        r = fetched_message(out, &row, later->row->body, what->topics_n);
    }
    return r;
}

int memory_log_fetch(const struct memory_log *log, const struct fetch *what, struct fetched *out)
{
    return (what->kind == FETCH_LATERS ? fetch_laters : fetch_messages)(log, what, out);
}
