/*
 * Replays: subscriptions that begin in the past. They read the log as they have room, so nothing is dropped and nobody waits;
 * what is published later comes behind what was there. A replay is gone with its handle.
 * One that begins with the last messages has those of live topics too (topic_last.h), and leaves half its room to them.
 */
#include <errno.h>
#include <stdlib.h>

#include "kept.h"

struct replay {
    struct reader reader;
    struct subscription *sub;
    uint64_t *
        lasts; /* FROM_LAST: the last messages of topics, rising; of what was there then it has these alone */
    size_t lasts_n;
    struct account *account; /* charged for them */
    uint64_t then;           /* FROM_LAST: the last sequence there was */
    bool handing;            /* its receivers are seen to: that is no news to it */
};

static struct replay *replay_of(struct reader *reader)
{
    return container_of(reader, struct replay, reader);
}

static size_t room(struct core *core, struct reader *reader)
{
    const struct subscription *sub = replay_of(reader)->sub;
    const struct channel *c = sub->channel;
    uint64_t most = sub->audience ? (c->capacity + 1) / 2 : c->capacity;

    return c->closed || c->length >= most ? 0 : (size_t)(most - c->length);
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* It is not what the replay begins with. */
static bool is_before(const struct replay *replay, uint64_t sequence)
{
    return sequence <= replay->then &&
           !bsearch(&sequence, replay->lasts, replay->lasts_n, sizeof(sequence), compare);
}

static int take(struct core *core, struct reader *reader, const struct kept_topic *topic,
                struct letter *letter)
{
    struct subscription *sub = replay_of(reader)->sub;
    struct channel *c = sub->channel;
    struct item *item;

    if (is_before(replay_of(reader), letter->sequence) ||
        (PLANTED(SHORT_REPLAY) && c->length + 1 == c->capacity))
        return 0;
    if (sub->value_bytes_max && letter->body.size > sub->value_bytes_max) {
        c->dropped++;
        sub->lost++;
        return 0;
    }
    if (!subscription_fits(core, sub, &letter, 1)) {
        reader_later(core, reader); /* it is bytes, which its user may have in another channel */
        return -EAGAIN;
    }
    item = item_load_letter(core, c, letter);
    if (!item)
        return -ENOMEM;
    item->index = sub->lost < UINT32_MAX ? (uint32_t)sub->lost : UINT32_MAX;
    item->flags |= letter->sequence <= replay_of(reader)->then ? VALUE_LAST : 0;
    sub->lost = 0;
    channel_put(c, item);
    return 0;
}

static void forget_lasts(struct core *core, struct replay *replay);

/* Whoever waits receives. Its handle may be gone behind that, and it with it. */
static void done(struct core *core, struct reader *reader)
{
    struct replay *replay = replay_of(reader);
    struct channel *c = replay->sub->channel;
    uint64_t length = c->length;

    if (replay->lasts && reader->next >= replay->then)
        forget_lasts(core, replay);
    replay->handing = true;
    c->delivered_n++;
    channel_arrived(core, c);
    c->delivered_n--;
    replay->handing = false;
    if (c->length < length)
        replay_room(core, replay->sub);
    channel_settle(core, c);
}

static const struct reader_user replay_user = {room, take, done};

/* What lies before it was before that time. */
static uint64_t before_time(const struct core *core, struct bytes pattern, int64_t time_us)
{
    const struct kept_topic *topic;
    uint64_t first = core->kept_topics->stored + 1;

    list_each (topic, &core->kept_topics->topics, link) {
        uint64_t at = topic_log_at(&topic->log, time_us);
        if (at < first && pattern_match(pattern, kept_name(topic)))
            first = at;
    }
    return first - 1;
}

/* No further than what there is: a group tells the store where it is, and sequences go on behind all that it was told. */
static uint64_t before_sequence(const struct core *core, uint64_t sequence)
{
    uint64_t before = sequence ? sequence - 1 : 0;

    return before < core->kept_topics->stored ? before : core->kept_topics->stored;
}

uint64_t replay_begins_behind(const struct core *core, const struct request_subscribe *what)
{
    if (what->from == FROM_SEQUENCE)
        return before_sequence(core, what->from_sequence);
    return what->from == FROM_TIME ? before_time(core, what->pattern, what->from_time_us) : 0;
}

/* ---- the last messages ---- */

/* 0; -ENOBUFS, in words. */
static int charge_lasts(struct core *core, struct op *op, struct replay *replay, size_t n)
{
    struct account *account = op->scope->account;

    if (account_charge(core, account, SLOT_BYTES, n * sizeof(*replay->lasts)) < 0) {
        op_fail(core, op, -ENOBUFS, "to begin with the last messages of %zu topics: account_bytes_max is %lu",
                n, core->limits.account_bytes_max);
        return -ENOBUFS;
    }
    replay->account = account_ref(account);
    replay->lasts_n = n;
    return 0;
}

static void forget_lasts(struct core *core, struct replay *replay)
{
    if (replay->account) {
        account_release(replay->account, SLOT_BYTES, replay->lasts_n * sizeof(*replay->lasts));
        replay->account = account_drop(core, replay->account);
    }
    core_free(core, replay->lasts);
    replay->lasts = NULL;
    replay->lasts_n = 0;
}

/* 0, -ENOBUFS, -ENOMEM. */
static int note_lasts(struct core *core, struct op *op, struct replay *replay, struct bytes pattern)
{
    const struct kept_topics *kept = core->kept_topics;
    const struct kept_topic *topic;
    size_t n = 0;

    list_each (topic, &kept->topics, link)
        n += topic->log.messages && pattern_match(pattern, kept_name(topic));
    replay->lasts = core_alloc(core, (n + 1) * sizeof(*replay->lasts));
    if (!replay->lasts)
        return -ENOMEM;
    if (charge_lasts(core, op, replay, n) < 0)
        return -ENOBUFS;
    n = 0;
    list_each (topic, &kept->topics, link)
        if (topic->log.messages && pattern_match(pattern, kept_name(topic)))
            replay->lasts[n++] = topic->log.last;
    qsort(replay->lasts, n, sizeof(*replay->lasts), compare);
    replay->then = kept->stored;
    replay->reader.next = n ? replay->lasts[0] - 1 : kept->stored;
    return 0;
}

/* ---- its life ---- */

static void free_replay(struct core *core, struct replay *replay)
{
    forget_lasts(core, replay);
    core_free(core, replay);
}

int replay_begin(struct core *core, struct op *op, struct subscription *sub,
                 const struct request_subscribe *what)
{
    struct replay *replay = core_alloc(core, sizeof(*replay));
    int r;

    if (!replay)
        return -ENOMEM;
    replay->sub = sub;
    replay->reader.user = &replay_user;
    replay->reader.next = replay_begins_behind(core, what);
    replay->reader.from_us = what->from == FROM_TIME ? what->from_time_us : INT64_MIN;
    r = what->from == FROM_LAST ? note_lasts(core, op, replay, what->pattern) : 0;
    if (r == 0)
        r = reader_begin(core, &replay->reader, what->pattern);
    if (r < 0) {
        free_replay(core, replay);
        return r;
    }
    sub->replay = replay;
    return 0;
}

void replay_room(struct core *core, struct subscription *sub)
{
    if (sub->replay->reader.behind && !sub->replay->handing)
        reader_wake(core, &sub->replay->reader);
}

void replay_end(struct core *core, struct subscription *sub)
{
    reader_end(core, &sub->replay->reader);
}

struct bytes replay_pattern(const struct subscription *sub)
{
    return sub->replay ? reader_pattern(&sub->replay->reader) : (struct bytes){"", 0};
}

void replay_delete(struct core *core, struct subscription *sub)
{
    if (!sub->replay)
        return;
    replay_end(core, sub);
    free_replay(core, sub->replay);
    sub->replay = NULL;
}
