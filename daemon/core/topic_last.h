/*
 * The last message of live topics, where a rule says that it is remembered, and subscriptions that begin with it.
 *
 * Words: a `greeting` is what a subscription with FROM_LAST begins with. It has its place in the queue of publishes, so it
 * takes effect at one moment as a batch does: nothing is published while it is under way, and the subscription gets nothing
 * before it. With wildcards it looks at all that is remembered, so each account has one of these in the queue at a time, and others
 * publish between two of them: a SUBSCRIBE behind it waits, and so does its answer.
 */
#pragma once

#include "list.h"
#include "map.h"
#include "message.h"
#include "name_tree.h"

struct account;
struct core;
struct last;
struct publish;
struct subscription;
struct topic_policy;

struct lasts {
    struct map by_topic;    /* struct last */
    struct name_tree names; /* the same */
    struct list list;       /* in the order of their publishes */
    struct list *next;      /* in `list`: where the greeting under way is */
    struct list *doubt; /* rules have changed: those from there on may have no rule any more. NULL: none */
    struct list sets;   /* struct publish: each TOPIC_SET that waits for the end of that, or for a turn */
    size_t left;        /* of those, and of kept topics for each TOPIC_SET, so many more this turn */
    uint64_t bytes;     /* charged for all */
    uint64_t refused;   /* messages that were to be remembered and had no room */
    int64_t told_ns;    /* when the log was told of one */
};

void lasts_init(struct lasts *lasts);
void lasts_free(struct core *core);

/* Whether this policy has the last message remembered. */
bool lasts_wanted(const struct topic_policy *policy);
/* A batch takes effect whose last message is to be remembered, if there is still a rule that says so. Never fails: without
 * room for it none is remembered. */
void lasts_remember(struct core *core, const struct publish *publish);
/* What is remembered of a topic; NULL: nothing. */
struct last *last_find(const struct core *core, struct bytes topic);
void last_forget(struct core *core, struct last *last);
/* Of that node of lasts->names; NULL: its rule is gone, and it goes too. */
const struct last *last_of(const struct core *core, const struct name_node *node);
/* What TOPIC_INFO and TOPIC_LIST tell of it. */
void last_tell(const struct last *last, struct topic_info *info);

/* Topics that match may have no rule any more that wants theirs: that is forgotten, as fast as turns allow; nobody gets it
 * meanwhile, and no rule is changed. */
void lasts_rule_changed(struct core *core, struct bytes pattern);
/* Goes on with that, and with TOPIC_SETs that have waited for it. */
void lasts_run(struct core *core);
bool lasts_busy(const struct core *core);
/* A TOPIC_SET need not wait: nothing of that is left, and this turn may look at more. */
bool lasts_may_set(const struct core *core);
/* What is charged to this account, in number and bytes. */
void lasts_charged(const struct core *core, const struct account *account, uint64_t *used);

/* What the subscription begins with goes to the queue. It has its place in its audience. */
void greeting_begin(struct core *core, struct subscription *sub);
/* Whether one of that pattern waits for its turn, and not only in the queue. */
bool greeting_waits(const struct account *account, struct bytes pattern);
/* The one of the account that was in the queue is gone: the next one goes there. */
void greeting_next(struct core *core, struct account *account);
/* It is first in the queue: as many as this turn may. It may be gone, and its subscription too. */
void greeting_go_on(struct core *core, struct publish *greeting);
