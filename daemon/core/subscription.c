/*
 * Subscriptions: channels that PUBLISH fills.
 *
 * What is delivered enters the buffer at once, or meets the policy of a subscription that has no room; whoever waits there
 * receives when a batch is in. What it loses is counted: in the channel, in the publish, and in the next message that it
 * takes, which says how many are missing before it.
 * A subscription ends with the last handle of its channel, by TOPIC_CLOSE, or because it had no room and its policy says so:
 * then its channel closes behind what is in it.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "group.h"

struct bytes subscription_pattern(const struct subscription *sub)
{
    if (sub->audience)
        return sub->audience->entry.pattern;
    return sub->member ? member_pattern(sub) : replay_pattern(sub);
}

/* ---- audiences ---- */

struct audience *audience_find(const struct core *core, struct bytes pattern)
{
    struct trie_entry *entry = trie_find(core, &core->topics->trie, pattern);

    return entry ? map_entry(entry, struct audience, entry) : NULL;
}

static struct audience *audience_new(struct core *core, struct bytes pattern)
{
    struct audience *audience =
        topics_expect(core) < 0 ? NULL : core_alloc(core, sizeof(*audience) + pattern.size);

    if (!audience)
        return NULL;
    memcpy(audience->text, pattern.data, pattern.size);
    audience->entry.pattern = (struct bytes){audience->text, pattern.size};
    list_init(&audience->all);
    list_init(&audience->blocking);
    if (trie_add(core, &core->topics->trie, &audience->entry) < 0) {
        core_free(core, audience);
        return NULL;
    }
    name_tree_add(&core->topics->names, &audience->name, &audience->entry.pattern,
                  core_hash(core, pattern.data, pattern.size));
    core->topics->audiences_n++;
    return audience;
}

void audience_settle(struct core *core, struct audience *audience)
{
    if (audience->subscriptions || audience->matched)
        return;
    trie_remove(core, &core->topics->trie, &audience->entry);
    name_tree_remove(&core->topics->names, &audience->name);
    core->topics->audiences_n--;
    core_free(core, audience);
}

void audience_check(const struct core *core, const struct audience *audience)
{
    const struct subscription *sub;
    uint64_t n = 0, ticket = 0;

    list_each (sub, &audience->all, link) {
        assert(sub->audience == audience && sub->ticket > ticket && !sub->channel->closed &&
               "a subscription is in its audience while it may get something");
        assert((sub->full == TOPIC_BLOCK) == list_linked(&sub->blocking) && "who blocks is known");
        assert((list_empty(&sub->waiting) || timer_armed(&sub->timer)) && "nobody waits for room for ever");
        ticket = sub->ticket;
        n++;
    }
    assert(n == audience->subscriptions && (n || audience->matched) && "an audience is somebody");
    assert(audience_find(core, audience->entry.pattern) == audience && "an audience is known by its pattern");
}

/* ---- room ---- */

/* One whose policy promises no gap ends where there would be one. */
static bool keeps_all(const struct subscription *sub)
{
    return sub->full == TOPIC_DISCONNECT || sub->full == TOPIC_BLOCK;
}

static void cut(struct core *core, struct subscription *sub)
{
    sub->cut = true;
    subscription_close(core, sub);
}

static bool has_room(const struct core *core, const struct channel *c, const struct letter *letter)
{
    return c->length < c->capacity && letter_has_room(core, c, letter);
}

/* As many as an item can tell of. */
static uint32_t count_of(uint64_t lost)
{
    return lost < UINT32_MAX ? (uint32_t)lost : UINT32_MAX;
}

/* The one behind it says that it is missing. */
static void drop_oldest(struct core *core, struct subscription *sub)
{
    struct channel *c = sub->channel;
    struct item *oldest = list_first(&c->buffer, struct item, link);
    uint64_t lost = (uint64_t)oldest->index + 1;

    item_drop(core, oldest);
    c->length--;
    c->dropped++;
    struct item *next = list_first(&c->buffer, struct item, link);
    if (next)
        next->index = count_of(lost + next->index);
    else
        sub->lost += lost;
}

static bool make_room(struct core *core, struct subscription *sub, const struct letter *letter)
{
    struct channel *c = sub->channel;

    if (sub->value_bytes_max && letter->body.size > sub->value_bytes_max)
        return false;
    if (c->length == c->capacity)
        channel_arrived(core, c); /* whoever waits makes room */
    while (sub->full == TOPIC_DROP_OLDEST && c->length && !has_room(core, c, letter))
        drop_oldest(core, sub);
    return has_room(core, c, letter);
}

/* The simulator's bug: it is there twice. */
static void plant_copy(struct core *core, struct channel *c, struct letter *letter)
{
    struct item *item =
        c->sequence % 8 || !has_room(core, c, letter) ? NULL : item_load_letter(core, c, letter);

    if (item)
        channel_put(c, item);
}

static bool take(struct core *core, struct subscription *sub, struct letter *letter)
{
    struct channel *c = sub->channel;
    struct item *item = make_room(core, sub, letter) ? item_load_letter(core, c, letter) : NULL;

    if (!item) {
        c->dropped++;
        sub->lost += !PLANTED(UNTOLD_LOSS);
        return false;
    }
    item->index = count_of(sub->lost);
    item->flags |= sub->greeted && !PLANTED(UNFLAGGED_LAST) ? VALUE_LAST : 0;
    sub->lost = 0;
    channel_put(c, item);
    if (PLANTED(TWO_COPIES))
        plant_copy(core, c, letter);
    return true;
}

size_t subscription_deliver(struct core *core, struct subscription *sub, struct letter *const *letter,
                            size_t n, uint64_t *lost)
{
    struct channel *c = sub->channel;
    uint64_t before = c->dropped;
    size_t taken = 0;

    c->delivered_n++; /* keeps it: a waiter may have been the last to have it */
    for (size_t i = 0; i < n; i++) {
        if (take(core, sub, letter[i])) {
            taken++;
        } else if (keeps_all(sub)) {
            c->dropped += n - i - 1;
            cut(core, sub);
            break;
        }
    }
    *lost = c->dropped - before;
    channel_arrived(core, c);
    c->delivered_n--;
    channel_settle(core, c);
    return taken;
}

void subscription_greet(struct core *core, struct subscription *sub, struct letter *const *letter, size_t n)
{
    struct channel *c = sub->channel;
    struct audience *audience = sub->audience;
    uint64_t lost;

    c->capacity += n;
    sub->extra += n;
    sub->greeted = true;
    c->delivered_n++; /* keeps both */
    size_t taken = subscription_deliver(core, sub, letter, n, &lost);
    sub->greeted = false;
    if (sub->audience) {
        audience->delivered += taken;
        audience->dropped += lost;
    }
    core->topics->delivered += taken;
    core->topics->dropped += lost;
    c->delivered_n--;
    channel_settle(core, c);
}

size_t subscription_fits(const struct core *core, const struct subscription *sub,
                         struct letter *const *letter, size_t n)
{
    const struct channel *c = sub->channel;
    uint64_t room = c->capacity - c->length, bytes = 0, cost = 0;
    size_t fits = 0;

    while (fits < n && fits < room) {
        bytes += letter[fits]->size;
        cost += sizeof(struct item) + letter[fits]->size;
        if (c->bytes + bytes > core->limits.channel_bytes_max ||
            !account_has_room(core, c->account, SLOT_BYTES, cost))
            break;
        fits++;
    }
    return fits;
}

/* ---- who waits for room ---- */

static void block_over(struct core *core, struct timer *timer)
{
    struct subscription *sub = container_of(timer, struct subscription, timer);

    if (!list_empty(&sub->waiting))
        cut(core, sub);
}

static void allow_time(struct core *core, struct subscription *sub)
{
    timer_arm(core, &sub->timer, time_after(core->now.mono_ns, sub->block_ns), block_over);
}

void subscription_await(struct core *core, struct subscription *sub, struct publish *publish)
{
    struct list *at = sub->waiting.prev;

    if (list_empty(&sub->waiting))
        allow_time(core, sub);
    while (at != &sub->waiting && container_of(at, struct publish, link)->ticket > publish->ticket)
        at = at->prev;
    list_insert_before(at->next, &publish->link);
}

/* Room for what it begins with is no longer than that is there. */
static void take_extra(struct subscription *sub)
{
    struct channel *c = sub->channel;

    if (sub->extra <= c->length)
        return;
    c->capacity -= sub->extra - c->length;
    sub->extra = c->length;
}

void subscription_room(struct core *core, struct subscription *sub)
{
    take_extra(sub);
    if (sub->replay)
        replay_room(core, sub);
    if (list_empty(&sub->waiting))
        return;
    allow_time(core, sub);
    if (!list_linked(&sub->roomy))
        list_append(&core->topics->roomy, &sub->roomy);
}

/* ---- its life ---- */

void subscription_end(struct core *core, struct subscription *sub)
{
    struct audience *audience = sub->audience;

    if (sub->greeting)
        publish_free(core, sub->greeting);
    sub->greeting = NULL;
    if (sub->replay)
        replay_end(core, sub);
    if (sub->member)
        member_leave(core, sub);
    if (!audience)
        return;
    topics_pass(core, sub);
    sub->audience = NULL;
    audience->subscriptions--;
    core->topics->subscriptions--;
    list_remove(&sub->link);
    list_remove(&sub->blocking);
    list_remove(&sub->roomy);
    timer_disarm(core, &sub->timer);
    publishes_leave(core, &sub->waiting);
    audience_settle(core, audience);
}

void subscription_close(struct core *core, struct subscription *sub)
{
    subscription_end(core, sub);
    channel_close(core, sub->channel);
}

void subscription_free(struct core *core, struct subscription *sub)
{
    subscription_end(core, sub);
    if (sub->full == TOPIC_BLOCK)
        timers_unreserve(core);
    replay_delete(core, sub);
    member_delete(core, sub);
    core_free(core, sub);
}

bool subscription_failed(struct core *core, struct op *op, const struct channel *c)
{
    if (!c->subscription || !c->subscription->cut)
        return false;
    op->flags |= RESULT_CLOSED;
    op_fail(core, op, -ENOBUFS, "the subscription had no room and was ended: it lost %lu messages",
            c->dropped);
    return true;
}

/* ---- SUBSCRIBE ---- */

enum { CAPACITY_DEFAULT = 1024 };
#define NS_PER_MS        1000000
#define BLOCK_NS_DEFAULT (1000 * (int64_t)NS_PER_MS)

static uint64_t capacity_of(const struct request_subscribe *what)
{
    return what->capacity ? what->capacity : CAPACITY_DEFAULT;
}

static int check_subscribe(struct core *core, struct op *op, const struct request_subscribe *what)
{
    const struct limits *l = &core->limits;
    const char *why;
    int r = pattern_check(what->pattern, &why);

    if (r < 0)
        op_fail(core, op, r, "the pattern '%.*s' %s",
                (int)(what->pattern.size < 64 ? what->pattern.size : 64), (const char *)what->pattern.data,
                why);
    else if (what->settings.size && !what->group.size)
        op_fail(core, op, -EINVAL, "settings of a group, and no group");
    else if (what->group.size && what->value_bytes_max)
        op_fail(core, op, -EINVAL, "a member of a group has messages of every size");
    else if (what->from == FROM_LAST && what->group.size)
        op_fail(core, op, -EINVAL, "a group does not begin with the last message of each topic");
    else if (what->full > TOPIC_BLOCK)
        op_fail(core, op, -EINVAL, "there is no policy %u of a full subscription", what->full);
    else if (capacity_of(what) > l->channel_capacity_max)
        op_fail(core, op, -E2BIG, "capacity %lu is over the limit of %lu messages", capacity_of(what),
                l->channel_capacity_max);
    else if (what->block_ns < 0 || (what->block_ns && what->full != TOPIC_BLOCK))
        op_fail(core, op, -EINVAL, "a time to block of %ld ns, and only a subscription that blocks has one",
                what->block_ns);
    else if ((uint64_t)what->block_ns > l->topic_block_ms * NS_PER_MS)
        op_fail(core, op, -E2BIG, "to block for %ld ms: topic_block_ms is %lu", what->block_ns / NS_PER_MS,
                l->topic_block_ms);
    return op->state == OP_NEW ? 0 : -EINVAL;
}

/* 0 or -ENOMEM. */
static int subscription_new(struct core *core, const struct request_subscribe *what,
                            struct subscription **out)
{
    struct subscription *sub = core_alloc(core, sizeof(*sub));

    if (!sub)
        return -ENOMEM;
    if (what->full == TOPIC_BLOCK && timers_reserve(core) < 0) {
        core_free(core, sub);
        return -ENOMEM;
    }
    list_init(&sub->link);
    list_init(&sub->blocking);
    list_init(&sub->waiting);
    list_init(&sub->roomy);
    sub->full = what->full;
    sub->value_bytes_max = what->value_bytes_max;
    sub->block_ns = what->block_ns ? what->block_ns : BLOCK_NS_DEFAULT;
    *out = sub;
    return 0;
}

/* Published to from now on. */
static void join(struct core *core, struct subscription *sub, struct audience *audience)
{
    sub->audience = audience;
    sub->ticket = ++core->ticket;
    audience->subscriptions++;
    core->topics->subscriptions++;
    list_append(&audience->all, &sub->link);
    if (sub->full == TOPIC_BLOCK)
        list_append(&audience->blocking, &sub->blocking);
}

/* What FROM_LAST needs. 0, -ENOMEM, -ENOBUFS. */
static int begin_with_lasts(struct core *core, struct op *op, const struct request_subscribe *what,
                            struct subscription *sub)
{
    sub->greeting = publish_empty(core, op->scope->account, 0);
    if (!sub->greeting)
        return -ENOMEM;
    sub->greeting->greets = sub;
    return replay_begin(core, op, sub, what);
}

/* One that is told what is published from now on; FROM_LAST: behind the last messages there are. */
static int subscribe_live(struct core *core, struct op *op, const struct request_subscribe *what,
                          struct subscription *sub)
{
    struct request_chan_open open = {.capacity = capacity_of(what), .rights = RIGHT_RECV};
    struct audience *audience = audience_find(core, what->pattern);
    int r = what->from == FROM_LAST ? begin_with_lasts(core, op, what, sub) : 0;

    if (!audience && r == 0)
        audience = audience_new(core, what->pattern);
    if (r == 0)
        r = audience ? channel_subscribe(core, op, &open, sub) : -ENOMEM;
    if (r == 0)
        join(core, sub, audience);
    else if (audience)
        audience_settle(core, audience);
    return r;
}

/* One that is to begin with the last messages, in its turn. */
static int subscribe_lasts(struct core *core, struct op *op, const struct request_subscribe *what,
                           struct subscription *sub)
{
    struct account *account = op->scope->account;
    struct publish *p;
    int r;

    if (!greeting_waits(account, what->pattern)) {
        r = subscribe_live(core, op, what, sub);
        if (r == 0)
            greeting_begin(core, sub);
        return r;
    }
    r = publish_turn(core, op, what->pattern, (struct bytes){"", 0}, &p);
    if (r < 0)
        return r;
    sub->extra = what->capacity;
    p->joins = sub;
    list_append(&account->greeters, &p->link);
    return 0;
}

void subscribe_go_on(struct core *core, struct publish *p)
{
    struct op *op = publish_turns(core, p);

    core->topics->left--;
    if (!op)
        return;
    struct subscription *sub = p->joins;
    const struct request_subscribe what = {
        .pattern = publish_topic(p), .capacity = sub->extra, .from = FROM_LAST};
    sub->extra = 0;
    int r = subscribe_live(core, op, &what, sub);
    if (r == 0) {
        p->joins = NULL;
        p->account->greeting = sub->greeting;
        list_prepend(&core->topics->queue, &sub->greeting->link);
    }
    publish_turned(core, p, op, r);
}

/* One that reads the log. */
static int subscribe_log(struct core *core, struct op *op, const struct request_subscribe *what,
                         struct subscription *sub)
{
    struct request_chan_open open = {.capacity = capacity_of(what), .rights = RIGHT_RECV};
    int r = replay_begin(core, op, sub, what);

    return r < 0 ? r : channel_subscribe(core, op, &open, sub);
}

int handle_subscribe(struct core *core, struct op *op, const struct request *request)
{
    const struct request_subscribe *what = &request->subscribe;
    struct subscription *sub;
    int r = check_subscribe(core, op, what);

    if (r < 0 || (r = subscription_new(core, what, &sub)) < 0)
        return r;
    if (what->group.size)
        r = group_subscribe(core, op, what, capacity_of(what), sub);
    else
        r = what->from == FROM_NEW    ? subscribe_live(core, op, what, sub)
            : what->from == FROM_LAST ? subscribe_lasts(core, op, what, sub)
                                      : subscribe_log(core, op, what, sub);
    if (r < 0)
        subscription_free(core, sub);
    return r;
}
