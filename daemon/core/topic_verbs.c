/* What is asked about topics: closing, telling. */
#include <errno.h>

#include "kept.h"
#include "name_page.h"

int handle_topic_close(struct core *core, struct op *op, const struct request *request)
{
    struct bytes pattern = request->topic_close.topic;
    const struct audience *audience = audience_find(core, pattern);
    uint64_t n = audience ? audience->subscriptions : 0;
    int r = n ? topic_close(core, op->scope->account, pattern) : 0;

    return r < 0 ? r : (int)(n < INT32_MAX ? n : INT32_MAX);
}

static struct topic_info info_of(const struct audience *audience)
{
    return (struct topic_info){
        .name = audience->entry.pattern,
        .subscriptions = audience->subscriptions,
        .published = audience->published,
        .delivered = audience->delivered,
        .dropped = audience->dropped,
    };
}

/* A topic that is kept has the row of its audience, if it has one. */
static struct topic_info info_of_kept(const struct core *core, const struct kept_topic *topic)
{
    const struct audience *audience = audience_find(core, kept_name(topic));
    struct topic_info info = audience ? info_of(audience) : (struct topic_info){.name = kept_name(topic)};

    kept_tell(topic, &info);
    return info;
}

/* One of which the last message is remembered, the same. */
static struct topic_info info_of_last(const struct core *core, const struct last *last)
{
    const struct audience *audience = audience_find(core, last_topic(last));
    struct topic_info info = audience ? info_of(audience) : (struct topic_info){.name = last_topic(last)};

    last_tell(last, &info);
    return info;
}

static bool is_asked(const struct request_topic_list *list, struct bytes name)
{
    return !list->pattern.size || pattern_match(list->pattern, name);
}

int handle_topic_list(struct core *core, struct op *op, const struct request *request)
{
    const struct request_topic_list *list = &request->topic_list;
    const struct audience *audience;
    const struct kept_topic *topic;
    struct name_page page;
    struct topic_info *row;
    int r = name_page_new(core, &page, sizeof(*row), (struct bytes){"", 0}, list->after, list->limit);

    if (r < 0)
        return r;
    list_each (audience, &core->topics->audiences, link)
        if (!kept_topic_find(core, audience->entry.pattern) && !last_find(core, audience->entry.pattern) &&
            is_asked(list, audience->entry.pattern) &&
            (row = name_page_place(&page, audience->entry.pattern)))
            *row = info_of(audience);
    list_each (topic, &core->kept_topics->topics, link)
        if (is_asked(list, kept_name(topic)) && (row = name_page_place(&page, kept_name(topic))))
            *row = info_of_kept(core, topic);
    for (const struct last *last = lasts_walk(core, NULL); last; last = lasts_walk(core, last))
        if (!kept_topic_find(core, last_topic(last)) && is_asked(list, last_topic(last)) &&
            (row = name_page_place(&page, last_topic(last))))
            *row = info_of_last(core, last);
    r = op_answer(core, op,
                  &(struct result){.flags = name_page_flags(&page), .topics = page.row, .topics_n = page.n});
    core_free(core, page.row);
    return r;
}

static int count_subscriptions(void *arg, struct trie_entry *entry)
{
    *(uint64_t *)arg += map_entry(entry, struct audience, entry)->subscriptions;
    return 0;
}

/* The rule that counts: of a pattern the one that is set of exactly that. */
static const struct topic_rule *rule_of(const struct core *core, struct bytes name)
{
    return pattern_is_exact(name) ? topic_rule_of(core, name) : topic_rule_find(core, name);
}

int handle_topic_info(struct core *core, struct op *op, const struct request *request)
{
    struct bytes name = request->topic_info.topic;
    const struct audience *audience = audience_find(core, name);
    const struct kept_topic *topic = kept_topic_find(core, name);
    const struct topic_rule *rule = rule_of(core, name);
    const struct last *last = last_find(core, name);
    struct topic_info info = audience ? info_of(audience) : (struct topic_info){.name = name};
    struct topic_rows rows;

    if (pattern_is_exact(name)) {
        info.subscriptions = 0;
        trie_match(core, &core->topics->trie, name, count_subscriptions, &info.subscriptions);
    }
    if (!info.subscriptions && !topic && !rule && !last) {
        op_fail(core, op, -ENOENT, "nobody has subscribed to %.*s, and it is not kept", (int)name.size,
                (const char *)name.data);
        return -ENOENT;
    }
    info.durable = rule && rule->policy.durable;
    if (last)
        last_tell(last, &info);
    if (topic)
        kept_tell(topic, &info);
    topic_rows_of(rule, &rows);
    info.settings = rows.row;
    info.settings_n = TOPIC_FIELDS;
    return op_answer(core, op, &(struct result){.topics = &info, .topics_n = 1});
}
