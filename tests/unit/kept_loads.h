/* What a fixture of jobs loads of kept topics and feeds. */
#pragma once

#include "jobs_fixture.h"

#define LOAD_ROW(name, type)                                                                                 \
    static int load_##name(void *context, const struct type *row)                                            \
    {                                                                                                        \
        const char *words;                                                                                   \
                                                                                                             \
        return core_load_##name(((struct jobs_fixture *)context)->core, row, &words);                        \
    }
LOAD_ROW(topic, topic_row)
LOAD_ROW(block, block_row)
LOAD_ROW(message, message_row)
LOAD_ROW(feed, feed_row)
#undef LOAD_ROW

static int load_sequence(void *context, uint64_t last)
{
    return core_load_sequence(((struct jobs_fixture *)context)->core, last);
}

static int load_topic_rule(void *context, struct bytes pattern, struct bytes kept)
{
    const char *words;

    return core_load_topic_rule(((struct jobs_fixture *)context)->core, pattern, kept, &words);
}

static struct store_load with_kept(struct store_load load)
{
    load.sequence = load_sequence;
    load.topic_rule = load_topic_rule;
    load.topic = load_topic;
    load.block = load_block;
    load.message = load_message;
    load.feed = load_feed;
    return load;
}
