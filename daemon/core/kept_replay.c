/*
 * Replays: subscriptions that begin in the past. They read the log as they have room, so nothing is dropped and nobody waits;
 * what is published later comes behind what was there. A replay is gone with its handle.
 */
#include <errno.h>

#include "kept.h"

struct replay {
    struct reader reader;
    struct subscription *sub;
    bool handing; /* its receivers are seen to: that is no news to it */
};

static struct replay *replay_of(struct reader *reader)
{
    return container_of(reader, struct replay, reader);
}

static size_t room(struct core *core, struct reader *reader)
{
    const struct channel *c = replay_of(reader)->sub->channel;

    return c->closed ? 0 : (size_t)(c->capacity - c->length);
}

static int take(struct core *core, struct reader *reader, const struct kept_topic *topic,
                struct letter *letter)
{
    struct subscription *sub = replay_of(reader)->sub;
    struct channel *c = sub->channel;
    struct item *item;

    if (sub->value_bytes_max && letter->body.size > sub->value_bytes_max) {
        c->dropped++;
        sub->lost++;
        return 0;
    }
    if (!subscription_fits(core, sub, &letter, 1))
        return -EAGAIN;
    item = item_load_letter(core, c, letter);
    if (!item)
        return -ENOMEM;
    item->index = sub->lost < UINT32_MAX ? (uint32_t)sub->lost : UINT32_MAX;
    sub->lost = 0;
    channel_put(c, item);
    return 0;
}

/* Whoever waits receives. Its handle may be gone behind that, and it with it. */
static void done(struct core *core, struct reader *reader)
{
    struct replay *replay = replay_of(reader);
    struct channel *c = replay->sub->channel;
    uint64_t length = c->length;

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

uint64_t replay_begins_behind(const struct core *core, const struct request_subscribe *what)
{
    if (what->from == FROM_SEQUENCE)
        return what->from_sequence ? what->from_sequence - 1 : 0;
    return what->from == FROM_TIME ? before_time(core, what->pattern, what->from_time_us) : 0;
}

int replay_begin(struct core *core, struct subscription *sub, const struct request_subscribe *what)
{
    struct replay *replay = core_alloc(core, sizeof(*replay));

    if (!replay)
        return -ENOMEM;
    replay->sub = sub;
    replay->reader.user = &replay_user;
    replay->reader.next = replay_begins_behind(core, what);
    replay->reader.from_us = what->from == FROM_TIME ? what->from_time_us : INT64_MIN;
    if (reader_begin(core, &replay->reader, what->pattern) < 0) {
        core_free(core, replay);
        return -ENOMEM;
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
    core_free(core, sub->replay);
    sub->replay = NULL;
}
