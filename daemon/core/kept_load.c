/* What the store has of kept topics, before the first step: sequence, topics, blocks, the messages behind these, ids. */
#include <errno.h>

#include "kept.h"

int core_load_sequence(struct core *core, uint64_t last)
{
    if (last > core->kept_topics->sequence)
        core->kept_topics->sequence = core->kept_topics->stored = core->kept_topics->cache.from = last;
    return 0;
}

int core_load_topic(struct core *core, const struct topic_row *row, const char **why)
{
    struct kept_topics *kept = core->kept_topics;
    struct kept_topic *topic;

    if (topic_check(row->name, why) < 0)
        return -EINVAL;
    *why = "its row cannot be that of a topic";
    if (row->id <= kept->last_id || kept_topic_find(core, row->name))
        return -EINVAL;
    *why = "out of memory";
    struct account *account = account_get(core, row->uid);
    topic = account ? kept_topic_new(core, account, row) : NULL;
    account_drop(core, account);
    if (!topic)
        return -ENOMEM;
    kept->last_id = row->id;
    topic->log.last = topic->last_sent = row->last_sequence;
    kept_trim_soon(core, topic);
    return core_load_sequence(core, row->last_sequence);
}

/* The time of a message or block that was loaded: none that comes has an earlier one. */
static void note_last(struct core *core, struct kept_topic *topic, uint64_t sequence, int64_t time_us)
{
    struct kept_topics *kept = core->kept_topics;

    if (sequence > topic->last_sent)
        topic->last_sent = sequence;
    topic->last_us = time_us;
    kept->time_us = time_us > kept->time_us ? time_us : kept->time_us;
    core_load_sequence(core, sequence);
}

int core_load_block(struct core *core, const struct block_row *row, const char **why)
{
    struct kept_topic *topic = kept_topic_by_id(core, row->topic);
    const struct topic_block block = {row->first, row->last,     row->messages,
                                      row->bytes, row->first_us, row->last_us};
    int r = topic ? topic_log_load(core, &topic->log, &block) : -EINVAL;

    *why = r == -ENOMEM ? "out of memory" : "it is of no topic, or not behind the one before it";
    if (r == 0)
        note_last(core, topic, row->last, row->last_us);
    return r;
}

int core_load_message(struct core *core, const struct message_row *row, const char **why)
{
    struct kept_topic *topic = kept_topic_by_id(core, row->topic);

    *why = "it is of no topic, or not behind the one before it";
    if (!topic || !topic_log_takes(&topic->log, row->sequence))
        return -EINVAL;
    struct topic_bounds bounds = kept_bounds(core, topic);
    topic_log_append(core, &topic->log, &bounds, row->sequence,
                     kept_bytes(row->key.size, row->headers.size, row->body_bytes), row->time_us);
    note_last(core, topic, row->sequence, row->time_us);
    return 0;
}

/* An id that was taken anew behind its time: the store may still have it as of the first time. */
static void forget_older(struct core *core, struct kept_topic *topic, struct bytes text)
{
    struct topic_once *older = once_window_find(core, &topic->once, text);

    if (!older)
        return;
    once_window_remove(core, &topic->once, older);
    core->kept_topics->ids--;
}

int core_load_once(struct core *core, const struct message_row *row, const char **why)
{
    struct kept_topic *topic = kept_topic_by_id(core, row->topic);
    struct topic_once *once;

    *why = "it is of no topic";
    if (!topic || !row->once.size || row->once.size > TOPIC_ONCE_BYTES_MAX)
        return -EINVAL;
    *why = "out of memory";
    once = topic_once_new(core, &topic->once, row->once);
    if (!once)
        return -ENOMEM;
    forget_older(core, topic, row->once);
    once->sequence = row->sequence;
    once->time_us = row->time_us;
    once_window_add(core, &topic->once, once);
    core->kept_topics->ids++;
    return 0;
}

int kept_load_hold(struct core *core, struct later *later, struct bytes once)
{
    if (!once.size)
        return 0;
    forget_older(core, later->topic, once);
    int r = later_hold(core, later, once);
    if (r == 0)
        later->once->batch = 0;
    return r;
}
