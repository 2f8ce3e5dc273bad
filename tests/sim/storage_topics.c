/* What the store has of kept topics and groups, for a daemon that starts: as hub_topics.c does it. */
#include "feeds.h"

static int loaded(struct sim *sim, int r, const char *what, uint64_t number, const char *why)
{
    if (r < 0)
        sim_fail(sim, "the core refuses the %s %llu that was stored: %d %s", what, (unsigned long long)number,
                 r, why);
    return r;
}

static int load_sequence(void *context, uint64_t last)
{
    struct sim *sim = context;

    return core_load_sequence(sim->daemon.core, last);
}

static int load_rule(void *context, struct bytes pattern, struct bytes kept)
{
    struct sim *sim = context;
    const char *why = "";

    return loaded(sim, core_load_topic_rule(sim->daemon.core, pattern, kept, &why), "rule", 0, why);
}

static int load_topic(void *context, const struct topic_row *row)
{
    struct sim *sim = context;
    const char *why = "";

    return loaded(sim, core_load_topic(sim->daemon.core, row, &why), "topic", row->id, why);
}

static int load_block(void *context, const struct block_row *row)
{
    struct sim *sim = context;
    const char *why = "";

    return loaded(sim, core_load_block(sim->daemon.core, row, &why), "block", row->last, why);
}

static int load_message(void *context, const struct message_row *row)
{
    struct sim *sim = context;
    const char *why = "";

    return loaded(sim, core_load_message(sim->daemon.core, row, &why), "message", row->sequence, why);
}

static int load_once(void *context, const struct message_row *row)
{
    struct sim *sim = context;
    const char *why = "";

    return loaded(sim, core_load_once(sim->daemon.core, row, &why), "id", row->sequence, why);
}

static int load_later(void *context, const struct later_row *row)
{
    struct sim *sim = context;
    const char *why = "";

    return loaded(sim, core_load_later(sim->daemon.core, row, &why), "delayed message", row->id, why);
}

static int load_group(void *context, const struct group_row *row)
{
    struct sim *sim = context;
    const char *why = "";

    return loaded(sim, core_load_group(sim->daemon.core, row, &why), "group", row->id, why);
}

static int load_ack(void *context, const struct ack_row *row)
{
    struct sim *sim = context;
    const char *why = "";

    return loaded(sim, core_load_group_ack(sim->daemon.core, row, &why), "acknowledgement", row->sequence,
                  why);
}

static int load_try(void *context, const struct ack_row *row)
{
    struct sim *sim = context;
    const char *why = "";

    return loaded(sim, core_load_group_try(sim->daemon.core, row, &why), "try", row->sequence, why);
}

static int load_feed(void *context, const struct feed_row *row)
{
    struct sim *sim = context;
    const char *why = "";

    judge_feed_loaded(sim, row);
    return loaded(sim, core_load_feed(sim->daemon.core, row, &why), "feed", row->id, why);
}

void storage_load_topics(struct store_load *load)
{
    load->sequence = load_sequence;
    load->topic_rule = load_rule;
    load->topic = load_topic;
    load->block = load_block;
    load->message = load_message;
    load->once = load_once;
    load->later = load_later;
    load->group = load_group;
    load->group_ack = load_ack;
    load->group_try = load_try;
    load->feed = load_feed;
}
