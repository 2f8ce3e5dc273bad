/*
 * What the store forgets of kept topics, in pieces: between two of them others commit.
 *
 * A purge is done at once for all who read: the topic's index and its mark of what is gone say so. The store is told piece by piece,
 * from the oldest on, the next one when it has the one before. Who asked waits for the last; whoever goes meanwhile has purged all the
 * same. A daemon that dies in between was not told to say that it is done, and finds what is left, without a gap.
 * A topic that is to go is emptied so, from what it was to get later on, and goes with its last piece: until then its name and number
 * are taken.
 * What bounds let go is the same, but that the index keeps what the store has not been told of.
 */
#include <errno.h>

#include "kept.h"

struct forgetting {
    struct list link; /* of kept->forgettings */
    struct list ops;  /* struct waiter: who asked, or empty */
    uint64_t topic;
    uint64_t messages; /* that go */
    bool removes;      /* the topic too */
    struct topic_block
        cut; /* what is left of the block where it ends, when the store knows that; else without messages */
    size_t next, pieces;
    uint64_t end[]; /* sequences */
};

/* ---- the end of one ---- */

static void answer(struct core *core, struct forgetting *forgetting, uint64_t batch, int r)
{
    struct waiter *w = list_first(&forgetting->ops, struct waiter, link);

    if (!w)
        return;
    list_remove(&w->link);
    if (op_gone(core, w->op))
        return; /* the sweep ends it */
    op_depends(w->op, batch);
    w->op->handle = forgetting->messages;
    if (r == -EAGAIN)
        op_fail(core, w->op, r, "messages came to the topic while it was emptied: it is still there");
    else
        op_finish(core, w->op, r);
}

static void end(struct core *core, struct forgetting *forgetting, uint64_t batch, int r)
{
    answer(core, forgetting, batch, r);
    list_remove(&forgetting->link);
    core_free(core, forgetting);
}

/* ---- pieces ---- */

/* Its number does not come again (kept_publish.c): sequences go on behind it, also over a restart. */
static bool keep_number(struct core *core, const struct kept_topic *topic)
{
    const struct message_row row = {.sequence = topic->id};

    return topic->id <= core->kept_topics->stored || PLANTED(OLD_NUMBER) ||
           kept_record(core, record_new_message(RECORD_SEQUENCE, &row, (struct bytes){0}));
}

static uint64_t tell_removed(struct core *core, struct kept_topic *topic)
{
    struct topic_row row = {.id = topic->id, .flags = topic->flags};
    uint64_t batch =
        keep_number(core, topic) ? kept_record(core, record_new_topic(RECORD_TOPIC_GONE, &row)) : 0;

    if (!batch)
        return 0;
    cache_forget(core, topic);
    core->kept_topics->ids -= topic->once.ids.count;
    kept_topic_delete(core, topic);
    return batch;
}

/* The last piece, and what is left of the block where it ends: as one. The number of the batch; 0: out of memory. */
static uint64_t tell_last(struct core *core, const struct kept_topic *topic,
                          const struct forgetting *forgetting)
{
    const struct message_row row = {
        .topic = topic->id, .sequence = forgetting->end[forgetting->next], .flags = topic->flags};
    struct record *gone = record_new_message(RECORD_MESSAGES_GONE, &row, (struct bytes){0});
    struct record *block = kept_block_record(topic, &forgetting->cut);
    uint64_t batch = 0;
    struct list both;

    if (gone && block) {
        list_init(&both);
        list_append(&both, &gone->link);
        list_append(&both, &block->link);
        batch = core_record_all(core, &both);
    }
    if (!batch) {
        record_delete(gone);
        record_delete(block);
    }
    return batch;
}

/* False: memory is out. The forgetting may be gone. */
static bool tell_piece(struct core *core, struct forgetting *forgetting)
{
    struct kept_topic *topic = kept_topic_by_id(core, forgetting->topic);
    bool last = forgetting->next + 1 == forgetting->pieces;
    bool empty;

    if (!topic) {
        end(core, forgetting, 0, -ENOENT);
        return true;
    }
    if (forgetting->removes && laters_doomed(topic))
        return laters_forget(core, topic, FORGET_MESSAGES);
    empty = !topic->on_way && !topic->log.messages && list_empty(&topic->laters);
    if (last && forgetting->removes && empty) {
        uint64_t removed = tell_removed(core, topic);
        if (removed)
            end(core, forgetting, removed, 0);
        return removed;
    }
    uint64_t batch = last && forgetting->cut.messages
                         ? tell_last(core, topic, forgetting)
                         : kept_tell_gone(core, topic, forgetting->end[forgetting->next]);
    if (!batch)
        return false;
    topic->gone_batch = batch;
    forgetting->next++;
    if (!last)
        return true;
    topic->forgettings--;
    end(core, forgetting, batch, forgetting->removes ? -EAGAIN : 0);
    kept_trim(core, topic);
    return true;
}

static void go_on_trimming(struct core *core)
{
    struct kept_topic *topic, *after;
    struct list topics;

    list_init(&topics);
    list_splice(&topics, &core->kept_topics->trimming);
    list_each_safe (topic, after, &topics, trimming)
        kept_trim(core, topic);
}

void forgets_run(struct core *core)
{
    struct kept_topics *kept = core->kept_topics;
    struct forgetting *first = list_first(&kept->forgettings, struct forgetting, link);

    kept->forgets_late = false;
    if (!core_stored(core, kept->forgot))
        return;
    kept->may_forget = FORGET_MESSAGES;
    if (!first && list_empty(&kept->trimming))
        return;
    if (first)
        kept->forgets_late = !tell_piece(core, first);
    else
        go_on_trimming(core);
    kept->forgot = core->batch_last;
}

void forgets_free(struct core *core)
{
    struct forgetting *forgetting, *after;

    list_each_safe (forgetting, after, &core->kept_topics->forgettings, link)
        end(core, forgetting, 0, -ECANCELED);
}

/* ---- the beginning ---- */

static struct forgetting *forgetting_new(struct core *core, const struct kept_topic *topic, uint64_t up_to,
                                         bool removes)
{
    size_t pieces = topic_log_pieces(&topic->log, up_to, FORGET_MESSAGES, NULL);
    struct forgetting *forgetting = core_alloc(core, sizeof(*forgetting) + pieces * sizeof(*forgetting->end));

    if (!forgetting)
        return NULL;
    list_init(&forgetting->link);
    list_init(&forgetting->ops);
    forgetting->topic = topic->id;
    forgetting->removes = removes;
    forgetting->pieces = topic_log_pieces(&topic->log, up_to, FORGET_MESSAGES, forgetting->end);
    return forgetting;
}

/* It waits for nothing but the store, so it may whatever it has said. */
static int wait_for(struct core *core, struct op *op, struct forgetting *forgetting)
{
    if (op->state == OP_NEW) {
        if (account_charge(core, op->scope->account, SLOT_WAITERS, 1) < 0)
            return -ENOBUFS;
        op->charged = true;
        op_wait(core, op, WAIT_FETCH);
    }
    list_append(&forgetting->ops, &op->waiters[0].link);
    return 0;
}

int kept_forget(struct core *core, struct op *op, struct kept_topic *topic, uint64_t up_to,
                const struct topic_rest *rest, bool removes)
{
    struct kept_topics *kept = core->kept_topics;
    struct forgetting *forgetting = forgetting_new(core, topic, up_to, removes);
    const struct topic_block *cut;
    int r = forgetting ? wait_for(core, op, forgetting) : -ENOMEM;

    if (r < 0) {
        core_free(core, forgetting);
        return r;
    }
    forgetting->messages = topic->log.messages;
    readers_lose(core, topic, up_to);
    topic->gone = up_to > topic->gone ? up_to : topic->gone;
    cut = topic_log_cut(&topic->log, up_to, rest);
    if (cut && !PLANTED(OLD_BLOCK))
        forgetting->cut = *cut;
    forgetting->messages -= topic->log.messages;
    if (removes) {
        forgetting->messages += topic->delayed;
        topic->doomed = kept->laters.last_id;
    }
    topic->forgettings++;
    list_append(&kept->forgettings, &forgetting->link);
    return 0;
}
