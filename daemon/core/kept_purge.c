/*
 * TOPIC_PURGE and TOPIC_REMOVE.
 *
 * A purge is up to a sequence. The index counts whole blocks; where it ends inside of one, the rows of that block are asked for
 * first, and counted. What is published meanwhile changes nothing of that.
 * Of a live topic both forget the last message, where that is remembered.
 */
#include <errno.h>

#include "kept.h"

enum { PURGE_ROWS = 256, PURGE_BYTES = 1 << 20 };

struct purge {
    uint64_t topic;
    uint64_t first; /* of the block where it ends */
    uint64_t up_to; /* with `left`: so far */
    uint64_t left;  /* messages of the block that still go, where their number is what was asked for */
    bool counts;    /* it is */
    uint64_t messages, bytes; /* that go, of the block */
    struct topic_rest rest;   /* `first` and `first_us` of what stays */
};

static struct kept_topic *find(struct core *core, struct op *op, struct bytes name, int *r)
{
    struct kept_topic *topic = kept_topic_find(core, name);

    *r = topic ? 0 : -ENOENT;
    if (!topic)
        op_fail(core, op, *r, "%.*s is no topic that is kept, and nothing of it is remembered",
                (int)name.size, (const char *)name.data);
    return topic;
}

/* ---- counting ---- */

/* True: this row and all behind it stay. */
static bool stays(struct purge *purge, const struct kept_message *message)
{
    const struct message_row *row = &message->row;
    bool goes = purge->counts ? purge->left > 0 : row->sequence <= purge->up_to;

    if (!goes) {
        purge->rest.first = row->sequence;
        purge->rest.first_us = row->time_us;
        return true;
    }
    purge->messages++;
    purge->bytes += kept_bytes(row->key.size, row->headers.size, message->body.size);
    if (purge->counts) {
        purge->left--;
        purge->up_to = row->sequence;
    }
    return false;
}

static int finish(struct core *core, struct op *op, struct purge *purge)
{
    struct kept_topic *topic = kept_topic_by_id(core, purge->topic);
    const struct topic_block *block = topic ? topic_log_block(&topic->log, purge->up_to) : NULL;

    if (!topic)
        return -ENOENT;
    if (block && block->first != purge->first)
        return -EAGAIN; /* another purge came first */
    if (block) {
        purge->rest.messages = block->messages - purge->messages;
        purge->rest.bytes = block->bytes - purge->bytes;
    }
    return kept_forget(core, op, topic, purge->up_to, &purge->rest, false);
}

static int ask(struct core *core, struct op *op, struct purge *purge, uint64_t behind);

static void counted(struct core *core, struct op *op, void *context, const struct input *in)
{
    struct purge *purge = context;
    bool whole = in->fetched.messages_n == 0;
    size_t i = 0;
    int r = op ? in->fetched.error : -ECANCELED;

    for (; r == 0 && !whole && i < in->fetched.messages_n; i++)
        whole = stays(purge, &in->fetched.messages[i]);
    if (r == 0 && !whole)
        r = ask(core, op, purge, in->fetched.messages[i - 1].row.sequence);
    else if (r == 0)
        r = finish(core, op, purge);
    if (r == 0 && !whole)
        return;
    core_free(core, purge);
    if (op && r < 0)
        op_finish(core, op, r);
}

static int ask(struct core *core, struct op *op, struct purge *purge, uint64_t behind)
{
    const struct fetch what = {.kind = FETCH_MESSAGES,
                               .offset = behind,
                               .last = core->kept_topics->stored,
                               .limit = PURGE_ROWS,
                               .bytes = PURGE_BYTES,
                               .topics = &purge->topic,
                               .topics_n = 1};

    return core_fetch(core, &what, counted, op, purge);
}

static int count(struct core *core, struct op *op, const struct purge *from)
{
    struct purge *purge = core_alloc(core, sizeof(*purge));
    int r;

    if (!purge)
        return -ENOMEM;
    *purge = *from;
    r = ask(core, op, purge, purge->first - 1);
    if (r < 0)
        core_free(core, purge);
    return r;
}

/* ---- live topics ---- */

/* The last message is forgotten, unless `keep`. Whether that is all: of a topic that is not kept and may have one. */
static bool forget_last(struct core *core, struct op *op, struct bytes name, uint64_t keep)
{
    struct last *last = last_find(core, name);
    bool known = last || (pattern_is_exact(name) && lasts_wanted(topic_policy_of(core, name)));

    if (last && !keep) {
        if (!PLANTED(UNTOUCHED_LAST))
            last_forget(core, last);
        op->handle = 1;
    }
    return known && !kept_topic_find(core, name);
}

/* ---- TOPIC_PURGE ---- */

static int purge_up_to(struct core *core, struct op *op, struct kept_topic *topic, uint64_t up_to)
{
    const struct topic_block *block = topic_log_block(&topic->log, up_to);
    struct purge purge = {.topic = topic->id, .up_to = up_to};

    if (!block)
        return kept_forget(core, op, topic, up_to, &purge.rest, false);
    purge.first = block->first;
    return count(core, op, &purge);
}

/* All but the last ones. */
static int purge_but(struct core *core, struct op *op, struct kept_topic *topic, uint64_t keep)
{
    struct purge purge = {.topic = topic->id, .counts = true};
    const struct topic_block *block;

    if (topic->log.messages <= keep && topic->forgettings) /* what was purged before goes first */
        return kept_forget(core, op, topic, topic->gone, &purge.rest, false);
    if (topic->log.messages <= keep) {
        op_depends(op, PLANTED(EARLY_PURGE) ? 0 : topic->gone_batch);
        return 0;
    }
    purge.left = topic->log.messages - keep;
    block = topic_log_nth(&topic->log, &purge.left);
    if (!purge.left)
        return kept_forget(core, op, topic, block->first - 1, &purge.rest, false);
    purge.first = block->first;
    return count(core, op, &purge);
}

int handle_topic_purge(struct core *core, struct op *op, const struct request *request)
{
    const struct request_topic_purge *what = &request->topic_purge;
    struct kept_topic *topic;
    int r;

    if (what->up_to && what->keep) {
        op_fail(core, op, -EINVAL, "a purge is up to a sequence, or leaves a number of messages");
        return -EINVAL;
    }
    if (!what->up_to && forget_last(core, op, what->topic, what->keep))
        return 0;
    topic = find(core, op, what->topic, &r);
    if (!topic)
        return r;
    if (what->keep)
        return purge_but(core, op, topic, what->keep);
    return purge_up_to(core, op, topic,
                       what->up_to && what->up_to < topic->log.last ? what->up_to : topic->log.last);
}

/* ---- TOPIC_REMOVE ---- */

int handle_topic_remove(struct core *core, struct op *op, const struct request *request)
{
    struct kept_topic *topic;
    int r;

    if (forget_last(core, op, request->topic_remove.topic, 0))
        return 0;
    topic = find(core, op, request->topic_remove.topic, &r);
    if (!topic)
        return r;
    if (topic->on_way) {
        op_fail(core, op, -EAGAIN, "%lu messages are on their way to the topic", topic->on_way);
        return -EAGAIN;
    }
    return kept_forget(core, op, topic, topic->log.last, &(struct topic_rest){0}, true);
}
