/*
 * Rules of topics. What is set of one while the daemon runs is kept as a text of NAME=VALUE, so that a daemon passes over what
 * it does not know.
 */
#include "topic_rule.h"

#include <errno.h>
#include <string.h>

#include "engine.h"
#include "kept.h"

struct topic_policy topic_standard(void)
{
    static const struct topic_part none[ORIGINS];
    struct topic_policy sum;
    uint8_t origin[TOPIC_FIELDS];

    topic_part_sum(none, &sum, origin);
    return sum;
}

void topic_rules_init(struct topic_rules *rules)
{
    list_init(&rules->list);
}

static struct topic_rules *rules_of(const struct core *core)
{
    return &core->kept_topics->rules;
}

static void rule_delete(struct core *core, struct topic_rules *rules, struct topic_rule *rule)
{
    trie_remove(core, &rules->trie, &rule->entry);
    list_remove(&rule->link);
    rules->n--;
    core_free(core, rule);
}

void topic_rules_free(struct core *core, struct topic_rules *rules)
{
    struct topic_rule *rule, *after;

    list_each_safe (rule, after, &rules->list, link)
        rule_delete(core, rules, rule);
    trie_free(core, &rules->trie);
}

struct topic_rule *topic_rule_find(const struct core *core, struct bytes pattern)
{
    struct trie_entry *entry = trie_find(core, &rules_of(core)->trie, pattern);

    return entry ? map_entry(entry, struct topic_rule, entry) : NULL;
}

static int better(void *arg, struct trie_entry *entry)
{
    const struct topic_rule **best = arg;

    if (!*best || pattern_rank(entry->pattern, (*best)->entry.pattern) < 0)
        *best = map_entry(entry, struct topic_rule, entry);
    return 0;
}

const struct topic_rule *topic_rule_of(const struct core *core, struct bytes topic)
{
    const struct topic_rule *best = NULL;

    if (rules_of(core)->n)
        trie_match(core, &rules_of(core)->trie, topic, better, &best);
    return best;
}

const struct topic_policy *topic_policy_of(const struct core *core, struct bytes topic)
{
    const struct topic_rule *rule = topic_rule_of(core, topic);

    return rule ? &rule->policy : &core->kept_topics->standard;
}

static void rule_sum(struct topic_rule *rule)
{
    topic_part_sum(rule->parts, &rule->policy, rule->origin);
}

static struct topic_rule *rule_new(struct core *core, struct bytes pattern)
{
    struct topic_rules *rules = rules_of(core);
    struct topic_rule *rule = core_alloc(core, sizeof(*rule) + pattern.size);

    if (!rule)
        return NULL;
    memcpy(rule->text, pattern.data, pattern.size);
    rule->entry.pattern = (struct bytes){rule->text, pattern.size};
    rule_sum(rule);
    if (trie_add(core, &rules->trie, &rule->entry) < 0) {
        core_free(core, rule);
        return NULL;
    }
    list_append(&rules->list, &rule->link);
    rules->n++;
    return rule;
}

/* Nothing is set of it any more. */
static bool is_empty(const struct topic_rule *rule)
{
    return !rule->parts[ORIGIN_CONFIG].set && !rule->parts[ORIGIN_SET].set;
}

int core_set_topic(struct core *core, struct bytes pattern, const struct topic_part *part)
{
    const char *why;
    int r = pattern_check(pattern, &why);
    struct topic_rule *rule = r < 0 ? NULL : topic_rule_find(core, pattern);

    if (r < 0)
        return r;
    if (!rule && !(rule = rule_new(core, pattern)))
        return -ENOMEM;
    rule->parts[ORIGIN_CONFIG] = *part;
    rule_sum(rule);
    return 0;
}

int core_load_topic_rule(struct core *core, struct bytes pattern, struct bytes kept, const char **why)
{
    struct topic_part part = {.set = 0};
    struct topic_rule *rule;
    struct bytes wrong;

    if (pattern_check(pattern, why) < 0)
        return -EINVAL;
    if (topic_part_read(&part, kept, &wrong) < 0)
        core_log(core, LOG_LEVEL_WARN, "event=topic_setting_passed_over pattern=%.*s setting=\"%.*s\"",
                 (int)pattern.size, (const char *)pattern.data, (int)wrong.size, (const char *)wrong.data);
    *why = "out of memory";
    rule = topic_rule_find(core, pattern);
    if (!rule && !(rule = rule_new(core, pattern)))
        return -ENOMEM;
    rule->parts[ORIGIN_SET] = part;
    rule_sum(rule);
    return 0;
}

/* ---- TOPIC_SET ---- */

static int check_set(struct core *core, struct op *op, const struct request_topic_set *set,
                     struct topic_part *part)
{
    struct bytes wrong;
    const char *why;
    char words[256];
    int r = pattern_check(set->pattern, &why);

    if (r < 0) {
        op_fail(core, op, r, "the pattern '%.*s' %s", (int)(set->pattern.size < 64 ? set->pattern.size : 64),
                (const char *)set->pattern.data, why);
        return r;
    }
    if (set->remove && set->settings.size) {
        op_fail(core, op, -EINVAL, "settings for a rule that is to be removed");
        return -EINVAL;
    }
    r = topic_part_read(part, set->settings, &wrong);
    if (r < 0)
        op_fail(core, op, r, "%.*s", (int)topic_part_why(wrong, words, sizeof(words)), words);
    return r;
}

/* The rule to be set, which may be new and empty. */
static int rule_for(struct core *core, struct op *op, struct bytes pattern, struct topic_rule **out)
{
    *out = topic_rule_find(core, pattern);
    if (*out)
        return 0;
    if (rules_of(core)->n >= core->limits.topic_rules_max) {
        op_fail(core, op, -ENOBUFS, "there are %lu rules of topics: topic_rules_max", rules_of(core)->n);
        return -ENOBUFS;
    }
    *out = rule_new(core, pattern);
    return *out ? 0 : -ENOMEM;
}

/* What a rule says of last messages. */
enum said { SAYS_NOTHING, SAYS_NO, SAYS_YES };

static enum said says(const struct topic_rule *rule)
{
    return !rule ? SAYS_NOTHING : lasts_wanted(&rule->policy) ? SAYS_YES : SAYS_NO;
}

static int set_rule(struct core *core, struct op *op, const struct request_topic_set *set)
{
    struct topic_rule *rule = topic_rule_find(core, set->pattern);
    enum said said = says(rule);
    struct topic_part part = {.set = 0};
    char text[TOPIC_TEXT_MAX];
    int r;

    if (rule && !set->remove)
        part = rule->parts[ORIGIN_SET];
    r = check_set(core, op, set, &part);
    if (r == 0 && !rule && !part.set)
        return set->remove ? -ENOENT : 0;
    if (r < 0 || (r = rule_for(core, op, set->pattern, &rule)) < 0)
        return r;
    struct job_row row = {.queue = set->pattern};
    uint64_t batch = core_record(core, RECORD_TOPIC_RULE, &row, topic_part_write(&part, text, sizeof(text)));
    if (batch) {
        rule->parts[ORIGIN_SET] = part;
        rule_sum(rule);
        op_depends(op, batch);
    }
    if (is_empty(rule)) {
        rule_delete(core, rules_of(core), rule);
        rule = NULL;
    }
    kept_rules_changed(core);
    if (said != SAYS_NO && says(rule) != SAYS_YES && says(rule) != said)
        lasts_rule_changed(core, set->pattern);
    return batch ? 0 : -ENOMEM;
}

int handle_topic_set(struct core *core, struct op *op, const struct request *request)
{
    const struct request_topic_set *set = &request->topic_set;
    struct topic_part part = {.set = 0};
    struct publish *p;
    int r;

    if (lasts_may_set(core))
        return set_rule(core, op, set);
    r = check_set(core, op, set, &part);
    if (r == 0)
        r = publish_turn(core, op, set->pattern, set->settings, &p);
    if (r < 0)
        return r;
    p->removes = set->remove;
    list_append(&core->topics->lasts.sets, &p->link);
    return 0;
}

void topic_set_go_on(struct core *core, struct publish *p)
{
    struct op *op = publish_turns(core, p);

    if (!op)
        return;
    const struct request_topic_set set = {
        .pattern = publish_topic(p), .settings = p->letter[0]->body, .remove = p->removes};
    publish_turned(core, p, op, set_rule(core, op, &set));
}

/* ---- telling ---- */

void topic_rows_of(const struct topic_rule *rule, struct topic_rows *rows)
{
    static const char *const origins[ORIGINS] = {"default", "config", "set"};
    struct topic_policy policy = rule ? rule->policy : topic_standard();

    for (int i = 0; i < TOPIC_FIELDS; i++) {
        struct bytes word = topic_word(&policy, (enum topic_field)i);
        size_t size = text_write(rows->text[i], TOPIC_ROW_BYTES, "%s.%s%s%.*s",
                                 origins[rule ? rule->origin[i] : ORIGIN_DEFAULT], topic_rows[i].name,
                                 word.size ? "=" : "", (int)word.size, (const char *)word.data);
        rows->row[i] = (struct counter){.name = {rows->text[i], size},
                                        .value = *topic_value(&policy, (enum topic_field)i)};
    }
}
