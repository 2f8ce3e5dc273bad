/*
 * Messages of a transaction (transact.c): published with all else that happens in it, or not at all. Each is a publish of its own,
 * without an operation. Letters are made when the transaction comes, notes when it is judged; what is left then cannot fail.
 */
#include "kept.h"

#include <errno.h>

struct deal {
    struct list link; /* of the transaction */
    struct publish *publish;
    struct kept_topic *topic; /* while it is ready */
    struct note *note;        /* the same */
    int64_t delay_ns, at_us;
    bool waits;          /* it is published later */
    struct later *later; /* while it is ready, of what waits */
};

static int refuse_wishes(struct core *core, struct op *op, const struct request_publish *asked)
{
    bool once = false;

    for (size_t i = 0; i < asked->messages_n; i++)
        once |= asked->messages[i].once.size > 0;
    if (!once && !asked->expects)
        return kept_check_delay(core, op, asked);
    op_fail(core, op, -EINVAL, "in a transaction a publish has no %s",
            once ? "id: the transaction happens once" : "expected sequence");
    return -EINVAL;
}

static int check_right(struct core *core, struct op *op, struct bytes topic)
{
    const struct right_want want = {.groups = GROUP_PUBLISH, .name = topic};

    if (account_may(core, op->scope->account, &want))
        return 0;
    op_fail(core, op, -EPERM, "may not publish on %.*s", (int)topic.size, (const char *)topic.data);
    return -EPERM;
}

static int add(struct core *core, struct op *op, const struct request_publish *asked,
               const struct outgoing *message, struct list *deals)
{
    struct deal *deal = core_alloc(core, sizeof(*deal));

    if (!deal)
        return -ENOMEM;
    deal->delay_ns = asked->delay_ns;
    deal->at_us = asked->at_us;
    deal->waits = publish_waits(core, asked);
    deal->publish = publish_alone(core, op->scope->account, asked->topic, message);
    if (!deal->publish) {
        core_free(core, deal);
        return -ENOMEM;
    }
    list_append(deals, &deal->link);
    return 0;
}

int deals_new(struct core *core, struct op *op, const struct request_publish *asked, struct list *deals)
{
    int r = publish_check(core, op, asked);

    if (r == 0)
        r = refuse_wishes(core, op, asked);
    if (r == 0)
        r = check_right(core, op, asked->topic);
    for (size_t i = 0; r == 0 && i < asked->messages_n; i++)
        r = add(core, op, asked, &asked->messages[i], deals);
    return r;
}

static void unready(struct core *core, struct deal *deal)
{
    deal->note = note_delete(core, deal->note);
    deal->later = later_delete(core, deal->later);
    deal->topic = NULL;
}

/* Room for what waits of all deals. */
static int check_delayed(struct core *core, struct op *op, const struct list *deals)
{
    const struct deal *deal;
    uint64_t n = 0, bytes = 0;

    list_each (deal, deals, link) {
        n += deal->waits;
        bytes += deal->waits ? kept_letter_bytes(deal->publish->letter[0]) : 0;
    }
    return n ? laters_check_room(core, op, n, bytes) : 0;
}

/* Room in its topic for it and those before it. */
static int check_room(struct core *core, struct op *op, const struct deal *deal, const struct list *deals,
                      const struct topic_policy *policy)
{
    const struct deal *other = deal;
    uint64_t n = 0, bytes = 0;

    for (; &other->link != deals; other = container_of(other->link.prev, struct deal, link)) {
        n += other->topic == deal->topic;
        bytes += other->topic == deal->topic ? kept_letter_bytes(other->publish->letter[0]) : 0;
    }
    return kept_check_room(core, op, deal->topic, policy, n, bytes);
}

/* 0 or -ENOMEM. */
static int make_note(struct core *core, struct deal *deal)
{
    const struct publish *p = deal->publish;
    struct record *record = deal->waits ? laters_record(core, deal->topic, p)
                                        : kept_record_of(core, RECORD_MESSAGE, deal->topic, p->letter[0],
                                                         p->account->uid, (struct bytes){0});

    deal->note = note_new(core, record);
    if (deal->note && deal->waits)
        deal->later = later_new(core);
    return deal->note && (deal->later || !deal->waits) ? 0 : -ENOMEM;
}

static int ready_one(struct core *core, struct op *op, struct deal *deal, const struct list *deals)
{
    struct bytes name = publish_topic(deal->publish);
    const struct letter *letter = deal->publish->letter[0];
    const struct topic_policy *policy = topic_policy_of(core, name);
    int r;

    if (!policy->durable) {
        op_fail(core, op, -EINVAL, "%.*s is not kept: a transaction cannot publish there", (int)name.size,
                (const char *)name.data);
        return -EINVAL;
    }
    r = kept_check_size(core, op, letter->body.size, policy);
    if (r == 0)
        r = kept_topic_for(core, op, name, policy, &deal->topic);
    if (r == 0 && policy->full == LOG_REJECT)
        r = check_room(core, op, deal, deals, policy);
    return r < 0 ? r : make_note(core, deal);
}

int deals_ready(struct core *core, struct op *op, struct list *deals)
{
    struct deal *deal;
    int r = 0;

    list_each (deal, deals, link)
        unready(core, deal);
    list_each (deal, deals, link)
        if (r == 0)
            r = ready_one(core, op, deal, deals);
    return r < 0 ? r : check_delayed(core, op, deals);
}

static void send_later(struct core *core, struct deal *deal)
{
    struct publish *p = deal->publish;

    laters_send(core, deal->later, deal->topic, p->account, deal->note, deal->delay_ns, deal->at_us);
    publish_free(core, p);
}

void deals_apply(struct core *core, struct list *deals, bool news)
{
    struct deal *deal, *after;

    list_each_safe (deal, after, deals, link) {
        if (news)
            deal->note->record->kind = deal->waits ? RECORD_LATER_JOINED : RECORD_MESSAGE_JOINED;
        if (deal->waits)
            send_later(core, deal);
        else
            kept_send(core, deal->publish, deal->topic, deal->note);
        list_remove(&deal->link);
        core_free(core, deal);
    }
}

void deals_free(struct core *core, struct list *deals)
{
    struct deal *deal, *after;

    list_each_safe (deal, after, deals, link) {
        unready(core, deal);
        publish_free(core, deal->publish);
        list_remove(&deal->link);
        core_free(core, deal);
    }
}
