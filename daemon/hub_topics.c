#include "hub_topics.h"

#include <string.h>

#include "core.h"
#include "hub_open.h"
#include "log.h"

static struct core *core_of(void *context)
{
    const struct hub *hub = context;

    return hub->core;
}

static int load_sequence(void *context, uint64_t last)
{
    struct core *core = core_of(context);

    return core_load_sequence(core, last);
}

/* The words of what of kept topics was not loaded. */
static int topic_loaded(int r, const char *what, uint64_t topic, uint64_t sequence, const char *why)
{
    if (r < 0)
        log_error("event=%s_not_loaded topic=%llu sequence=%llu why=\"%s\"", what, (unsigned long long)topic,
                  (unsigned long long)sequence, why ? why : strerror(-r));
    return r;
}

static int load_topic_rule(void *context, struct bytes pattern, struct bytes kept)
{
    struct core *core = core_of(context);
    const char *why = NULL;

    return topic_loaded(core_load_topic_rule(core, pattern, kept, &why), "topic_rule", 0, 0, why);
}

static int load_topic(void *context, const struct topic_row *row)
{
    struct core *core = core_of(context);
    const char *why = NULL;

    return topic_loaded(core_load_topic(core, row, &why), "topic", row->id, 0, why);
}

static int load_block(void *context, const struct block_row *row)
{
    struct core *core = core_of(context);
    const char *why = NULL;

    return topic_loaded(core_load_block(core, row, &why), "block", row->topic, row->last, why);
}

static int load_message(void *context, const struct message_row *row)
{
    struct core *core = core_of(context);
    const char *why = NULL;

    return topic_loaded(core_load_message(core, row, &why), "message", row->topic, row->sequence, why);
}

static int load_once(void *context, const struct message_row *row)
{
    struct core *core = core_of(context);
    const char *why = NULL;

    return topic_loaded(core_load_once(core, row, &why), "once", row->topic, row->sequence, why);
}

static int load_later(void *context, const struct later_row *row)
{
    struct core *core = core_of(context);
    const char *why = NULL;

    return topic_loaded(core_load_later(core, row, &why), "later", row->message.topic, row->id, why);
}

static int load_group(void *context, const struct group_row *row)
{
    struct core *core = core_of(context);
    const char *why = NULL;

    return topic_loaded(core_load_group(core, row, &why), "group", 0, row->id, why);
}

static int load_group_ack(void *context, const struct ack_row *row)
{
    struct core *core = core_of(context);
    const char *why = NULL;

    return topic_loaded(core_load_group_ack(core, row, &why), "group_ack", 0, row->sequence, why);
}

static int load_group_try(void *context, const struct ack_row *row)
{
    struct core *core = core_of(context);
    const char *why = NULL;

    return topic_loaded(core_load_group_try(core, row, &why), "group_try", 0, row->sequence, why);
}

static int load_feed(void *context, const struct feed_row *row)
{
    struct core *core = core_of(context);
    const char *why = NULL;

    return topic_loaded(core_load_feed(core, row, &why), "feed", 0, row->id, why);
}

void load_topics(struct store_load *load)
{
    load->sequence = load_sequence;
    load->topic_rule = load_topic_rule;
    load->topic = load_topic;
    load->block = load_block;
    load->message = load_message;
    load->once = load_once;
    load->later = load_later;
    load->group = load_group;
    load->group_ack = load_group_ack;
    load->group_try = load_group_try;
    load->feed = load_feed;
}
