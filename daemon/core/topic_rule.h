/*
 * Rules: what is set of all topics that match a pattern. A topic has the settings of the one rule that fits it best
 * (pattern_rank), and none of the others; without a rule it has the defaults.
 */
#pragma once

#include "list.h"
#include "message.h"
#include "topic_policy.h"
#include "trie.h"

struct publish;

struct topic_rule {
    struct trie_entry entry;
    struct list link; /* of rules->list */
    struct topic_part parts[ORIGINS];
    struct topic_policy policy; /* their sum */
    uint8_t origin[TOPIC_FIELDS];
    char text[]; /* its pattern */
};

struct topic_rules {
    struct trie trie; /* struct topic_rule */
    struct list list; /* in the order in which they were made */
    size_t n;
};

/* A TOPIC_SET that has waited is first of those that do. */
void topic_set_go_on(struct core *core, struct publish *publish);
/* The defaults. */
struct topic_policy topic_standard(void);
void topic_rules_init(struct topic_rules *rules);
void topic_rules_free(struct core *core, struct topic_rules *rules);
/* The rule of a topic. NULL: none fits. */
const struct topic_rule *topic_rule_of(const struct core *core, struct bytes topic);
/* The rule of exactly that pattern. NULL: there is none. */
struct topic_rule *topic_rule_find(const struct core *core, struct bytes pattern);
/* What counts for a topic. Lives until a rule changes. */
const struct topic_policy *topic_policy_of(const struct core *core, struct bytes topic);

/* Settings of a rule, or the defaults, as rows of an answer: ORIGIN.NAME, with =WORD where the value is a word. */
enum { TOPIC_ROW_BYTES = 64 };
struct topic_rows {
    struct counter row[TOPIC_FIELDS];
    char text[TOPIC_FIELDS][TOPIC_ROW_BYTES];
};
void topic_rows_of(const struct topic_rule *rule, struct topic_rows *rows);
