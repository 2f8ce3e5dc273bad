/* What is asked about topics: closing, telling. */
#include <errno.h>

#include "name_page.h"
#include "topic.h"

int handle_topic_close(struct core *core, struct op *op, const struct request *request)
{
    struct audience *audience = audience_find(core, request->topic_close.topic);
    uint64_t n = audience ? audience->subscriptions : 0;

    for (uint64_t i = 0; i < n; i++) { /* with the last one the audience goes */
        struct subscription *sub = list_first(&audience->all, struct subscription, link);

        subscription_end(core, sub);
        channel_close(core, sub->channel);
    }
    return (int)(n < INT32_MAX ? n : INT32_MAX);
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

int handle_topic_list(struct core *core, struct op *op, const struct request *request)
{
    const struct request_topic_list *list = &request->topic_list;
    const struct audience *audience;
    struct name_page page;
    struct topic_info *row;
    int r = name_page_new(core, &page, sizeof(*row), (struct bytes){"", 0}, list->after, list->limit);

    if (r < 0)
        return r;
    list_each (audience, &core->topics->audiences, link) {
        struct bytes name = audience->entry.pattern;

        if (list->pattern.size && !pattern_match(list->pattern, name))
            continue;
        row = name_page_place(&page, name);
        if (row)
            *row = info_of(audience);
    }
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

int handle_topic_info(struct core *core, struct op *op, const struct request *request)
{
    struct bytes name = request->topic_info.topic;
    const struct audience *audience = audience_find(core, name);
    struct topic_info info = audience ? info_of(audience) : (struct topic_info){.name = name};

    if (pattern_is_exact(name)) {
        info.subscriptions = 0;
        trie_match(core, &core->topics->trie, name, count_subscriptions, &info.subscriptions);
    }
    if (!info.subscriptions) {
        op_fail(core, op, -ENOENT, "nobody has subscribed to %.*s", (int)name.size, (const char *)name.data);
        return -ENOENT;
    }
    return op_answer(core, op, &(struct result){.topics = &info, .topics_n = 1});
}
