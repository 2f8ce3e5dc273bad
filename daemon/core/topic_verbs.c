/* What is asked about topics: closing, telling. */
#include <errno.h>
#include <string.h>

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

static bool begins_with(struct bytes name, struct bytes prefix)
{
    return name.size >= prefix.size && (!prefix.size || memcmp(name.data, prefix.data, prefix.size) == 0);
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

/* ---- TOPIC_LIST ---- */

/* What has names that are listed. */
enum { AUDIENCES, KEPT, LASTS, SORTS };

/* The first name of those where they are, which are in their order; NULL: there is none. */
static const struct bytes *first_of(struct name_node *const at[SORTS])
{
    const struct bytes *first = NULL;

    for (int i = 0; i < SORTS; i++)
        if (at[i] && (!first || name_order(*at[i]->name, *first) < 0))
            first = at[i]->name;
    return first;
}

/* False: what is remembered of it goes, and there is nothing else. */
static bool info_of_name(const struct core *core, struct name_node *const of[SORTS], struct topic_info *info)
{
    const struct last *last = of[LASTS] ? last_of(core, of[LASTS]) : NULL;

    if (of[AUDIENCES])
        *info = info_of(container_of(of[AUDIENCES], struct audience, name));
    else
        *info = (struct topic_info){.name = *of[of[KEPT] ? KEPT : LASTS]->name};
    if (of[KEPT])
        kept_tell(container_of(of[KEPT], struct kept_topic, in_order), info);
    else if (last)
        last_tell(last, info);
    return of[AUDIENCES] || of[KEPT] || last;
}

/* Fills the page with what is behind `after` and begins as the pattern does. */
static void list_topics(const struct core *core, const struct request_topic_list *list,
                        struct name_page *page)
{
    const struct name_tree *all[SORTS] = {&core->topics->names, &core->kept_topics->names,
                                          &core->topics->lasts.names};
    struct name_walk walk[SORTS];
    struct name_node *at[SORTS], *of[SORTS];
    const struct bytes *first;
    bool behind = name_order(list->after, page->prefix) >= 0;
    struct topic_info info, *row;

    for (int i = 0; i < SORTS; i++)
        at[i] =
            name_walk_from(&walk[i], all[i], behind ? list->after : page->prefix, behind && list->after.size);
    while ((first = first_of(at)) && begins_with(*first, page->prefix)) {
        struct bytes name = *first;

        for (int i = 0; i < SORTS; i++) {
            of[i] = at[i] && name_order(*at[i]->name, name) == 0 ? at[i] : NULL;
            at[i] = of[i] ? name_walk_next(&walk[i]) : at[i];
        }
        if ((list->pattern.size && !pattern_match(list->pattern, name)) || !info_of_name(core, of, &info))
            continue;
        row = name_page_place(page, name);
        if (!row)
            return;
        *row = info;
    }
}

int handle_topic_list(struct core *core, struct op *op, const struct request *request)
{
    const struct request_topic_list *list = &request->topic_list;
    struct name_page page;
    int r = name_page_new(core, &page, sizeof(struct topic_info), pattern_prefix(list->pattern), list->after,
                          list->limit);

    if (r < 0)
        return r;
    list_topics(core, list, &page);
    r = op_answer(core, op,
                  &(struct result){.flags = name_page_flags(&page), .topics = page.row, .topics_n = page.n});
    core_free(core, page.row);
    return r;
}

/* ---- TOPIC_INFO ---- */

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
