#include "topic_last.h"

#include <errno.h>

#include "kept.h"

/* One topic. Charged to whoever published what it has. */
struct last {
    struct map_node node;  /* of lasts->by_topic */
    struct name_node name; /* of lasts->names; the letter has it */
    struct list link;      /* of lasts->list */
    struct account *account;
    struct letter *letter;
};

enum { GREETING_RUN = 64 };
#define TELL_AGAIN_NS (60 * INT64_C(1000000000))

static struct lasts *lasts_of(const struct core *core)
{
    return &core->topics->lasts;
}

void lasts_init(struct lasts *lasts)
{
    list_init(&lasts->list);
    list_init(&lasts->sets);
    lasts->next = &lasts->list;
    lasts->told_ns = INT64_MIN;
}

void lasts_free(struct core *core)
{
    struct lasts *l = lasts_of(core);

    while (!list_empty(&l->list))
        last_forget(core, list_first(&l->list, struct last, link));
    map_free(core, &l->by_topic);
}

static struct bytes last_topic(const struct last *last)
{
    return last->letter->topic;
}

static uint64_t cost(const struct last *last)
{
    return sizeof(*last) + last->letter->memory;
}

bool lasts_wanted(const struct topic_policy *policy)
{
    return policy->last != LAST_NO && !policy->durable;
}

/* False: its rule is gone, and it goes too. */
static bool counts(const struct core *core, const struct last *last)
{
    return !lasts_of(core)->doubt || lasts_wanted(topic_policy_of(core, last_topic(last)));
}

static struct last *find(const struct core *core, struct bytes topic)
{
    struct map_node *n = map_first(&lasts_of(core)->by_topic, core_hash(core, topic.data, topic.size));

    for (; n; n = map_next(n)) {
        struct last *last = map_entry(n, struct last, node);

        if (bytes_are(last_topic(last), topic.data, topic.size))
            return last;
    }
    return NULL;
}

struct last *last_find(const struct core *core, struct bytes topic)
{
    struct last *last = find(core, topic);

    return last && counts(core, last) ? last : NULL;
}

const struct last *last_of(const struct core *core, const struct name_node *node)
{
    const struct last *last = container_of(node, struct last, name);

    return counts(core, last) ? last : NULL;
}

void last_tell(const struct last *last, struct topic_info *info)
{
    info->messages = 1;
    info->bytes = kept_letter_bytes(last->letter);
    info->last_us = last->letter->time_us;
}

void lasts_charged(const struct core *core, const struct account *account, uint64_t *used)
{
    const struct last *last;

    list_each (last, &lasts_of(core)->list, link) {
        if (last->account != account)
            continue;
        used[SLOT_LASTS]++;
        used[SLOT_LAST_BYTES] += cost(last);
    }
}

/* ---- remembering ---- */

/* Out of the order of publishes. */
static void leave(struct lasts *l, struct last *last)
{
    if (l->next == &last->link)
        l->next = last->link.next;
    if (l->doubt == &last->link)
        l->doubt = last->link.next;
    list_remove(&last->link);
}

static void discharge(struct core *core, struct last *last)
{
    lasts_of(core)->bytes -= cost(last);
    account_release(last->account, SLOT_LASTS, 1);
    account_release(last->account, SLOT_LAST_BYTES, cost(last));
    last->account = account_drop(core, last->account);
}

void last_forget(struct core *core, struct last *last)
{
    struct lasts *l = lasts_of(core);

    leave(l, last);
    map_remove(&l->by_topic, &last->node);
    name_tree_remove(&l->names, &last->name);
    discharge(core, last);
    letter_drop(core, last->letter);
    core_give(core, last, sizeof(*last));
}

static void charge(struct core *core, struct last *last, struct account *account)
{
    last->account = account_ref(account);
    account->used[SLOT_LASTS]++;
    account->used[SLOT_LAST_BYTES] += cost(last);
    lasts_of(core)->bytes += cost(last);
}

static bool has_room(const struct core *core, const struct account *account, const struct letter *letter)
{
    return account_has_room(core, account, SLOT_LASTS, 1) &&
           account_has_room(core, account, SLOT_LAST_BYTES, sizeof(struct last) + letter->memory);
}

/* 0, -ENOBUFS, -ENOMEM. None is remembered of that topic. */
static int remember(struct core *core, struct account *account, struct letter *letter)
{
    struct lasts *l = lasts_of(core);
    uint64_t hash = core_hash(core, letter->topic.data, letter->topic.size);
    struct last *last;

    if (!has_room(core, account, letter))
        return -ENOBUFS;
    last = map_reserve(core, &l->by_topic, 1) < 0 ? NULL : core_take(core, sizeof(*last));
    if (!last)
        return -ENOMEM;
    last->letter = letter_ref(letter);
    charge(core, last, account);
    list_append(&l->list, &last->link);
    map_add(&l->by_topic, &last->node, hash);
    name_tree_add(&l->names, &last->name, &letter->topic, hash);
    return 0;
}

/* The same where one is. -ENOBUFS: none is any more. */
static int renew(struct core *core, struct last *last, struct account *account, struct letter *letter)
{
    struct lasts *l = lasts_of(core);
    struct letter *before = last->letter;

    discharge(core, last);
    bool room = has_room(core, account, letter);
    last->letter = letter_ref(letter);
    last->name.name = &letter->topic;
    letter_drop(core, before);
    charge(core, last, account);
    if (!room) {
        last_forget(core, last);
        return -ENOBUFS;
    }
    if (PLANTED(MISPLACED_LAST))
        return 0;
    leave(l, last);
    list_append(&l->list, &last->link);
    return 0;
}

/* Not of each one: they may be many. */
static void tell_refused(struct core *core, const struct account *account, struct bytes topic, int error)
{
    struct lasts *l = lasts_of(core);
    char who[KEY_NAME_BYTES_MAX + 16];

    l->refused++;
    if (l->told_ns != INT64_MIN && core->now.mono_ns < time_after(l->told_ns, TELL_AGAIN_NS))
        return;
    l->told_ns = core->now.mono_ns;
    size_t size = account_words(account, who, sizeof(who));
    core_log(core, LOG_LEVEL_WARN, "event=last_not_remembered topic=%.*s by=%.*s reason=%s refused=%llu",
             (int)topic.size, (const char *)topic.data, (int)size, who, error == -ENOMEM ? "memory" : "limit",
             (unsigned long long)l->refused);
}

/* One that was remembered is no longer the last one, whatever becomes of this. */
void lasts_remember(struct core *core, const struct publish *p)
{
    struct letter *letter = p->letter[p->to - 1];
    const struct topic_policy *policy = topic_policy_of(core, letter->topic);
    struct last *last = find(core, letter->topic);
    int r;

    if ((PLANTED(KEPT_LAST) && policy->last == LAST_UNTIL_EMPTY && !letter->body.size) ||
        (PLANTED(STALE_LAST) && last && core->topics->published % 2))
        return;
    if (!lasts_wanted(policy) || (policy->last == LAST_UNTIL_EMPTY && !letter->body.size)) {
        if (last)
            last_forget(core, last);
        return;
    }
    r = last ? renew(core, last, p->account, letter) : remember(core, p->account, letter);
    if (r < 0)
        tell_refused(core, p->account, letter->topic, r);
}

/* ---- rules change ---- */

static void look(struct core *core)
{
    struct lasts *l = lasts_of(core);

    for (; l->doubt != &l->list && l->left; l->left--) {
        struct last *last = container_of(l->doubt, struct last, link);

        l->doubt = l->doubt->next;
        if (!lasts_wanted(topic_policy_of(core, last_topic(last))))
            last_forget(core, last);
    }
    if (l->doubt == &l->list)
        l->doubt = NULL;
}

void lasts_rule_changed(struct core *core, struct bytes pattern)
{
    struct lasts *l = lasts_of(core);
    struct last *last = pattern_is_exact(pattern) ? find(core, pattern) : NULL;

    if (!pattern_is_exact(pattern))
        l->doubt = list_empty(&l->list) ? NULL : l->list.next;
    else if (last && !lasts_wanted(topic_policy_of(core, pattern)))
        last_forget(core, last);
}

/* Also one whose operation is gone costs something. */
static void set_one(struct core *core)
{
    struct lasts *l = lasts_of(core);

    l->left--;
    topic_set_go_on(core, list_first(&l->sets, struct publish, link));
}

void lasts_run(struct core *core)
{
    struct lasts *l = lasts_of(core);

    while (l->left && lasts_busy(core)) {
        if (l->doubt)
            look(core);
        else
            set_one(core);
    }
}

bool lasts_busy(const struct core *core)
{
    return lasts_of(core)->doubt || !list_empty(&lasts_of(core)->sets);
}

bool lasts_may_set(const struct core *core)
{
    return lasts_of(core)->left && !lasts_busy(core);
}

/* ---- greetings ---- */

/* It looks at all that is remembered. */
static bool is_long(struct bytes pattern)
{
    return !pattern_is_exact(pattern);
}

bool greeting_waits(const struct account *account, struct bytes pattern)
{
    return is_long(pattern) && account->greeting;
}

void greeting_next(struct core *core, struct account *account)
{
    struct publish *next = list_first(&account->greeters, struct publish, link);

    account->greeting = next;
    if (!next)
        return;
    list_remove(&next->link);
    list_append(&core->topics->queue, &next->link);
}

void greeting_begin(struct core *core, struct subscription *sub)
{
    if (is_long(subscription_pattern(sub)))
        sub->greeting->account->greeting = sub->greeting;
    list_append(&core->topics->queue, &sub->greeting->link);
    topics_run(core);
}

/* Those of its topic, which is one, or none. */
static size_t collect_one(struct core *core, struct bytes topic, struct letter **run)
{
    struct last *last = last_find(core, topic);

    lasts_of(core)->next = &lasts_of(core)->list;
    if (last)
        run[0] = last->letter;
    return last ? 1 : 0;
}

/* The next ones that match, as many as this turn may look at. */
static size_t collect(struct core *core, struct bytes pattern, struct letter **run)
{
    struct lasts *l = lasts_of(core);
    size_t n = 0;

    for (; n < GREETING_RUN && core->topics->left && l->next != &l->list; core->topics->left--) {
        struct last *last = container_of(l->next, struct last, link);

        l->next = l->next->next;
        if (pattern_match(pattern, last_topic(last)) && counts(core, last) && !PLANTED(DEAF_WILD))
            run[n++] = last->letter;
    }
    return n;
}

void greeting_go_on(struct core *core, struct publish *greeting)
{
    struct lasts *l = lasts_of(core);
    struct subscription *sub = greeting->greets;
    struct bytes pattern = subscription_pattern(sub);
    struct letter *run[GREETING_RUN];

    if (!greeting->under_way)
        l->next = l->list.next;
    greeting->under_way = true;
    size_t n = pattern_is_exact(pattern) ? collect_one(core, pattern, run) : collect(core, pattern, run);
    if (l->next == &l->list) {
        sub->greeting = NULL;
        publish_free(core, greeting);
    }
    if (n)
        subscription_greet(core, sub, run, n);
}
