/*
 * Publishing.
 *
 * A batch of messages takes effect at one moment, at which it is settled who gets it: every subscription that matches and is
 * there. Where all of them make room that is all messages of the operation; where some make a publish wait (TOPIC_BLOCK), as
 * many as each of those has room for, and the operation waits at the first that has none, in the order of tickets. So nobody
 * gets a message that others are still waited for, and a publish that is given up has either happened or not.
 * The deliveries of a batch may be more than one turn should have: then the rest of them comes in later turns, and what is
 * published meanwhile queues behind it. So all who get two messages get them in the same order.
 *
 * Each subscription gets its part of a batch in one piece: whoever waits there has it with one result.
 * Invariants: one publish at most is under way; an audience in topics->matched stays; a publish is in one list at most, and
 * under way or in a list while its operation waits, unless that is gone.
 */
#include "kept.h"

#include <assert.h>
#include <errno.h>

enum { MATCHED_FIRST = 16 };

struct bytes publish_topic(const struct publish *publish)
{
    return publish->letter[0]->topic;
}

static size_t publish_memory(size_t n)
{
    return sizeof(struct publish) + n * sizeof(struct letter *);
}

void publish_free(struct core *core, struct publish *p)
{
    list_remove(&p->link);
    for (size_t i = 0; i < p->size; i++)
        letter_drop(core, p->letter[i]);
    account_release(p->account, SLOT_BYTES, p->charged);
    if (p->joins)
        subscription_free(core, p->joins);
    if (p->account->greeting == p)
        greeting_next(core, p->account);
    account_drop(core, p->account);
    core->topics->publishes--;
    core->topics->due_n -= p->due;
    core->topics->due_bytes -= p->due ? p->bytes : 0;
    core_give(core, p, publish_memory(p->size));
}

void publish_left(struct core *core, struct op *op)
{
    struct publish *p = op->publish;

    op->publish = NULL;
    if (op->answer && op->answer->result.published)
        *(struct published *)op->answer->result.published = p->told;
    p->op = NULL;
    if (!p->under_way && (!p->topic || p->to == p->n))
        publish_free(core, p);
}

void publish_detach(struct publish *p)
{
    if (p->op)
        p->op->publish = NULL;
    p->op = NULL;
}

void publishes_forget(struct core *core, struct list *publishes)
{
    struct publish *p, *after;

    list_each_safe (p, after, publishes, link)
        publish_free(core, p);
}

bool publish_stops(struct op *op, int error)
{
    struct publish *p = op->publish;

    if (p->under_way && !p->stop)
        p->stop = error;
    return p->under_way || p->topic;
}

/* ---- who gets a batch ---- */

int topics_expect(struct core *core)
{
    struct topics *t = core->topics;
    size_t size = t->matched_size ? 2 * t->matched_size : MATCHED_FIRST;
    struct audience **wider;

    if (t->audiences_n < t->matched_size)
        return 0;
    wider = core_resize(core, t->matched, size * sizeof(*wider));
    if (!wider)
        return -ENOMEM;
    t->matched = wider;
    t->matched_size = size;
    return 0;
}

/* There is room for all of them. */
static int note_match(void *arg, struct trie_entry *entry)
{
    struct topics *t = arg;

    t->matched[t->matched_n++] = map_entry(entry, struct audience, entry);
    return 0;
}

/* Of what this turn may do; what is looked at costs it as what is delivered. */
static void spend(struct topics *t, size_t n)
{
    t->left -= n < t->left ? n : t->left;
}

/* The first that has no room for the next message, or for which somebody waits who came before. Else NULL, and *n is as many
 * as each has room for. */
static struct subscription *first_full(struct core *core, const struct publish *p, size_t *n)
{
    struct topics *t = core->topics;
    struct subscription *sub;

    for (size_t i = 0; i < t->matched_n; i++) {
        list_each (sub, &t->matched[i]->blocking, blocking) {
            const struct publish *before = list_first(&sub->waiting, struct publish, link);

            spend(t, 1);
            if (sub->greeting)
                continue;
            if (before && before->ticket < p->ticket)
                return sub;
            *n = subscription_fits(core, sub, p->letter + p->to, *n);
            if (!*n)
                return sub;
        }
    }
    return NULL;
}

static void await(struct core *core, struct publish *p, struct subscription *sub)
{
    struct op *op = p->op;

    if (op->try)
        return op_stop(core, op, op->crowded ? -ENOBUFS : -EAGAIN);
    subscription_await(core, sub, p);
    if (op->state == OP_NEW)
        op_wait(core, op, WAIT_PUBLISH);
}

/* Its operation is gone, which it does not outlive. */
static bool is_left(const struct publish *p)
{
    return !p->op && ((!p->topic && !p->own) || p->to == p->n);
}

/* Its next batch takes effect. False: it waits, or has ended. */
static bool begin(struct core *core, struct publish *p)
{
    struct topics *t = core->topics;
    size_t n = p->n - p->to;

    t->matched_n = t->place = 0;
    trie_match(core, &t->trie, publish_topic(p), note_match, t);
    spend(t, t->matched_n);
    struct subscription *full = p->topic || p->own ? NULL : first_full(core, p, &n);
    if (full) {
        t->matched_n = 0;
        await(core, p, full);
        return false;
    }
    for (size_t i = 0; i < t->matched_n; i++) {
        t->matched[i]->matched = true;
        t->matched[i]->published += n;
    }
    p->from = p->to;
    p->to += n;
    if (p->op)
        p->op->sent = (uint32_t)p->to;
    p->under_way = true;
    t->now = p;
    t->next = t->matched_n ? list_first(&t->matched[0]->all, struct subscription, link) : NULL;
    t->began = core->ticket;
    t->published += n;
    if (p->remembers)
        lasts_remember(core, p);
    return true;
}

/* ---- deliveries ---- */

static void deliver(struct core *core, struct publish *p, struct audience *audience, struct subscription *sub)
{
    uint64_t lost;
    size_t taken = subscription_deliver(core, sub, p->letter + p->from, p->to - p->from, &lost);

    audience->delivered += taken;
    audience->dropped += lost;
    core->topics->delivered += taken;
    core->topics->dropped += lost;
    p->told.receivers += taken;
    p->told.dropped += lost;
}

static void batch_done(struct core *core, struct publish *p)
{
    struct topics *t = core->topics;

    p->under_way = false;
    t->now = NULL;
    for (size_t i = 0; i < t->matched_n; i++) {
        t->matched[i]->matched = false;
        audience_settle(core, t->matched[i]);
    }
    t->matched_n = 0;
}

static struct subscription *next_of(const struct audience *audience, const struct subscription *sub)
{
    return sub->link.next == &audience->all ? NULL : container_of(sub->link.next, struct subscription, link);
}

void topics_pass(struct core *core, const struct subscription *sub)
{
    if (core->topics->next == sub)
        core->topics->next = next_of(sub->audience, sub);
}

/* Of those of its audience that were there: one that reads the log has kept messages from there. */
static bool gets(const struct publish *p, const struct subscription *sub)
{
    return !sub->greeting && !(p->topic && sub->replay);
}

/* False: this turn has had its deliveries. */
static bool fan_out(struct core *core, struct publish *p)
{
    struct topics *t = core->topics;
    size_t n = p->to - p->from;

    while (t->place < t->matched_n) {
        struct audience *audience = t->matched[t->place];
        struct subscription *sub = t->next;

        if (sub && sub->ticket <= t->began && !(p->stop && PLANTED(TORN_BATCH))) {
            if (!t->left)
                return false;
            spend(t, n);
            t->next = next_of(audience, sub);
            if (gets(p, sub))
                deliver(core, p, audience, sub);
        } else if (++t->place < t->matched_n) {
            t->next = list_first(&t->matched[t->place]->all, struct subscription, link);
        }
    }
    batch_done(core, p);
    return true;
}

/* As far as it can. It may be gone. */
static void go(struct core *core, struct publish *p)
{
    for (;;) {
        if (p->under_way && !fan_out(core, p))
            return;
        if (is_left(p))
            return publish_free(core, p);
        if (p->to == p->n)
            return op_finish(core, p->op, (int32_t)(p->n + p->told.repeated));
        if (p->stop)
            return op_stop(core, p->op, p->stop);
        if (!begin(core, p))
            return;
    }
}

/* The same of one that waited. */
static void go_on(struct core *core, struct publish *p)
{
    list_remove(&p->link);
    core->topics->left--;
    if (p->topic && p->op && p->op->scope->ended)
        publish_detach(p);
    if (p->topic || p->own)
        return go(core, p);
    if (op_gone(core, p->op))
        return; /* the sweep ends it */
    if (op_late(core, p->op))
        op_interrupt(core, p->op, -ETIMEDOUT);
    else
        go(core, p);
}

/* As many as this turn may; the rest of them keeps its place. */
static void close_some(struct core *core, struct publish *p)
{
    struct topics *t = core->topics;
    struct audience *audience = audience_find(core, publish_topic(p));
    struct subscription *sub;

    for (uint64_t n = audience ? audience->subscriptions : 0; n;
         n--) { /* with the last one the audience goes */
        sub = list_first(&audience->all, struct subscription, link);
        if (sub->ticket > p->ticket && !PLANTED(LONG_CLOSE))
            break;
        if (!t->left)
            return;
        t->left--;
        subscription_close(core, sub);
    }
    publish_free(core, p);
}

static void go_on_at(struct core *core, struct subscription *sub)
{
    struct publish *p = list_first(&sub->waiting, struct publish, link);

    if (p && subscription_fits(core, sub, p->letter + p->to, 1))
        go_on(core, p);
    else
        list_remove(&sub->roomy);
}

void topics_run(struct core *core)
{
    struct topics *t = core->topics;

    while (t->left && topics_busy(core)) {
        if (!list_empty(&t->again))
            publishes_go_on(core);
        struct publish *first = list_first(&t->queue, struct publish, link);

        if (t->now)
            go(core, t->now);
        else if (first && first->closes)
            close_some(core, first);
        else if (first && first->greets)
            greeting_go_on(core, first);
        else if (first && first->joins)
            subscribe_go_on(core, first);
        else if (first)
            go_on(core, first);
        else
            go_on_at(core, list_first(&t->roomy, struct subscription, roomy));
    }
}

bool topics_busy(const struct core *core)
{
    const struct topics *t = core->topics;

    return t->now || !list_empty(&t->queue) || !list_empty(&t->again) || !list_empty(&t->roomy);
}

void topics_turn(struct core *core)
{
    core->topics->left = core->topics->lasts.left = core->limits.sweep_per_turn;
}

/* ---- PUBLISH ---- */

/* Of a topic that is not kept. */
static int refuse_wishes(struct core *core, struct op *op, const struct request_publish *publish)
{
    bool once = false;

    for (size_t i = 0; i < publish->messages_n; i++)
        once |= publish->messages[i].once.size > 0;
    if (!once && !publish->expects && !publish->delay_ns && !publish->at_us)
        return 0;
    op_fail(core, op, -EINVAL, "%s needs a topic that is kept: goctl topic set TOPIC durable=yes",
            once               ? "a message that is taken once"
            : publish->expects ? "an expected sequence"
                               : "a delay");
    return -EINVAL;
}

static int check_message(struct core *core, struct op *op, const struct outgoing *message)
{
    const struct limits *l = &core->limits;
    size_t bytes = 0;

    for (size_t i = 0; i < message->headers_n; i++)
        bytes += message->headers[i].name.size + message->headers[i].value.size;
    if (message->value.handles_n)
        op_fail(core, op, -EINVAL, "a message of a topic carries no channels");
    else if (message->value.body.size > l->value_bytes_max)
        op_fail(core, op, -E2BIG, "a message of %zu bytes: value_bytes_max is %lu", message->value.body.size,
                l->value_bytes_max);
    else if (message->headers_n > l->message_headers_max)
        op_fail(core, op, -E2BIG, "a message with %zu headers: message_headers_max is %lu",
                message->headers_n, l->message_headers_max);
    else if (bytes > l->message_header_bytes)
        op_fail(core, op, -E2BIG, "headers of %zu bytes: message_header_bytes is %lu", bytes,
                l->message_header_bytes);
    else if (message->key.size > NAME_BYTES_MAX)
        op_fail(core, op, -E2BIG, "a key has at most %d bytes, this one has %zu", NAME_BYTES_MAX,
                message->key.size);
    return op->state == OP_NEW ? 0 : -EINVAL;
}

int publish_check(struct core *core, struct op *op, const struct request_publish *publish)
{
    const char *why;
    int r = topic_check(publish->topic, &why);

    if (r < 0) {
        op_fail(core, op, r, "the topic '%.*s' %s",
                (int)(publish->topic.size < 64 ? publish->topic.size : 64), (const char *)publish->topic.data,
                why);
        return r;
    }
    if (!publish->messages_n)
        return -EINVAL;
    if (publish->messages_n > VALUES_MAX)
        return -E2BIG;
    for (size_t i = 0; r == 0 && i < publish->messages_n; i++)
        r = check_message(core, op, &publish->messages[i]);
    return r;
}

uint64_t publish_bytes(const struct request_publish *publish)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < publish->messages_n; i++)
        bytes += letter_memory(publish->topic, &publish->messages[i]);
    return bytes;
}

/* 0, -ENOBUFS, -ENOMEM. */
static int publish_new(struct core *core, struct op *op, const struct request_publish *publish)
{
    struct account *account = op->scope->account;
    uint64_t cost = publish_memory(publish->messages_n) + publish_bytes(publish);
    struct publish *p;
    size_t n = 0;

    if (!account_has_room(core, account, SLOT_BYTES, cost))
        return -ENOBUFS;
    op->answer = answer_new(core, &(struct result){.published = &(struct published){0}});
    p = op->answer ? core_take(core, publish_memory(publish->messages_n)) : NULL;
    if (!p)
        return -ENOMEM;
    list_init(&p->link);
    while (n < publish->messages_n &&
           (p->letter[n] = letter_new(core, publish->topic, &publish->messages[n])))
        p->letter[n++]->time_us = core->now.wall_ns / 1000;
    p->n = p->size = publish->messages_n;
    p->charged = cost;
    p->account = account_ref(account);
    account->used[SLOT_BYTES] += cost;
    core->topics->publishes++;
    p->op = op;
    op->publish = p;
    return n == p->n ? 0 : -ENOMEM;
}

struct publish *publish_empty(struct core *core, struct account *account, size_t n)
{
    struct publish *p = core_take(core, publish_memory(n));

    if (!p)
        return NULL;
    list_init(&p->link);
    p->n = p->size = n;
    p->account = account_ref(account);
    core->topics->publishes++;
    return p;
}

struct publish *publish_letter(struct core *core, struct account *account, struct letter *letter)
{
    struct publish *p = letter ? publish_empty(core, account, 1) : NULL;

    if (!p) {
        letter_drop(core, letter);
        return NULL;
    }
    p->letter[0] = letter;
    return p;
}

struct publish *publish_alone(struct core *core, struct account *account, struct bytes topic,
                              const struct outgoing *message)
{
    return publish_letter(core, account, letter_new(core, topic, message));
}

int handle_publish(struct core *core, struct op *op, const struct request *request)
{
    struct topics *t = core->topics;
    const struct topic_policy *policy = topic_policy_of(core, request->publish.topic);
    int r = publish_check(core, op, &request->publish);

    if (r == 0)
        r = policy->durable ? kept_check_publish(core, op, &request->publish, policy)
                            : refuse_wishes(core, op, &request->publish);
    if (r == 0 && publish_waits(core, &request->publish))
        return laters_publish(core, op, &request->publish, policy);
    if (r == 0)
        r = publish_new(core, op, &request->publish);
    if (r < 0)
        return r;
    op->publish->ticket = ++core->ticket;
    op->publish->remembers = lasts_wanted(policy);
    op_may_wait(core, op);
    if (policy->durable)
        return kept_publish(core, op, &request->publish, policy);
    topics_run(core);
    if (!topics_busy(core))
        go(core, op->publish);
    else if (op->crowded)
        return -ENOBUFS;
    else if (PLANTED(OVERTAKING_PUBLISH))
        list_prepend(&t->queue, &op->publish->link);
    else
        list_append(&t->queue, &op->publish->link);
    if (op->state == OP_NEW)
        op_wait(core, op, WAIT_PUBLISH);
    return 0;
}

/* ---- TOPIC_CLOSE ---- */

int topic_close(struct core *core, struct account *account, struct bytes pattern)
{
    struct publish *p = publish_alone(core, account, pattern, &(struct outgoing){0});

    if (!p)
        return -ENOMEM;
    p->closes = true;
    p->ticket = ++core->ticket;
    list_append(&core->topics->queue, &p->link);
    topics_run(core);
    return 0;
}

/* ---- the whole ---- */

int topics_init(struct core *core)
{
    struct topics *t = core_alloc(core, sizeof(*t));

    if (!t)
        return -ENOMEM;
    list_init(&t->queue);
    list_init(&t->again);
    list_init(&t->notices);
    list_init(&t->roomy);
    lasts_init(&t->lasts);
    core->topics = t;
    topics_turn(core);
    return 0;
}

void topics_free(struct core *core)
{
    struct topics *t = core->topics;

    if (!t)
        return;
    if (t->now) {
        struct publish *now = t->now;

        batch_done(core, now);
        publish_free(core, now);
    }
    publishes_forget(core, &t->notices);
    publishes_forget(core, &t->queue); /* kept ones, whose operations have ended, and what closes */
    lasts_free(core);
    trie_free(core, &t->trie);
    core_free(core, t->matched);
    core_free(core, t);
    core->topics = NULL;
}

/* ---- invariants ---- */

void topics_check(const struct core *core)
{
    const struct topics *t = core->topics;
    struct name_walk walk;
    struct name_node *node;
    uint64_t n = 0;

    trie_check(&t->trie);
    for (node = name_walk_first(&walk, &t->names); node; node = name_walk_next(&walk)) {
        const struct audience *audience = container_of(node, struct audience, name);
        audience_check(core, audience);
        n += audience->subscriptions;
    }
    assert(n == t->subscriptions && "subscriptions are counted");
    assert((!t->now || t->now->under_way) && (t->now || !t->matched_n) && "one batch at a time");
}
