/*
 * Groups: what their members are given, and what becomes of it.
 *
 * A message that is read has a note for its acknowledgement, so that this cannot fail. What a member has that it has not
 * received is in the buffer of its channel, and can be taken out of it again.
 * Invariants: of a message that is OUT, `item` is in the channel of its member, or with its receiver, unless it was settled; one that
 * is not OUT has no item.
 */
#include "group.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

enum { GROUP_SPAN = 131072, GROUP_ROOM = 256 };
#define GROUP_BYTES    (64ull << 20)
#define NS_PER_MS      1000000ll
#define BURY_AGAIN_NS  1000000000ll
#define LOOK_NS        10000000ll
#define LOOK_BEHIND_NS 1000000000ll

static struct group *group_of_work(const struct group_work *work)
{
    return container_of(work, struct group, work);
}

static struct group *group_of_reader(struct reader *reader)
{
    return container_of(reader, struct group, reader);
}

static struct member *member_of(const struct group_member *place)
{
    return container_of(place, struct member, place);
}

static int deal(struct core *core, struct group *group);
static void hand_over_all(struct core *core, struct group *group);

struct group *group_of_name(const struct core *core, struct bytes name)
{
    struct map_node *n = map_first(&core->kept_topics->groups_by_name, core_hash(core, name.data, name.size));

    for (; n; n = map_next(n)) {
        struct group *group = map_entry(n, struct group, node);
        if (bytes_are(name, group->text, group->name_size))
            return group;
    }
    return NULL;
}

void group_wake(struct core *core, struct group *group)
{
    reader_wake(core, &group->reader);
}

/* ---- the store ---- */

/* How often it was given, and when it is to be given again: what is lost of that for want of memory counts anew. */
static void record_try(struct core *core, const struct group_message *message, int64_t due_us)
{
    const struct ack_row row = {.group = group_of_work(message->work)->id,
                                .sequence = message->sequence,
                                .tries = message->tries,
                                .due_us = due_us,
                                .flags = message->ack->record->ack.flags};

    kept_record(core, record_new_ack(RECORD_GROUP_TRY, &row));
}

static void message_free(struct core *core, struct group_message *message)
{
    note_delete(core, message->ack);
    letter_drop(core, message->letter);
    group_message_delete(core, message);
}

/* Acknowledged. */
static void settle(struct core *core, struct group *group, struct group_message *message)
{
    struct ack_row *row = &message->ack->record->ack;

    group_ack(core, message);
    row->floor = PLANTED(HASTY_FLOOR) ? group->work.next : group_floor(&group->work);
    note_write(core, message->ack);
    message->ack = NULL;
    message_free(core, message);
    group_wake(core, group);
}

/* ---- what comes back ---- */

/* What its member has of it is no message of the group any more. */
static void part_from_item(struct core *core, struct group_message *message)
{
    struct item *item = message->item;
    struct channel *c = message->member ? member_of(message->member)->sub->channel : NULL;

    message->item = NULL;
    if (!item || message->received)
        return;
    list_remove(&item->link);
    c->length--;
    item_drop(core, item);
}

/* To whoever is free. What nobody has received was not given. */
static void give_back(struct core *core, struct group_message *message, enum value_flags flag)
{
    struct group *group = group_of_work(message->work);
    bool received = message->received;

    part_from_item(core, message);
    message->tries -= !received;
    message->received = false;
    if (received && group_is_spent(message) && group_bury(core, group, message) == 0)
        return;
    group_again(core, message, received && !PLANTED(UNFLAGGED_AGAIN) ? flag : 0);
    group->redelivered += received;
    if (received)
        record_try(core, message, 0);
    group_wake(core, group);
}

/* Its member has received all that it has, but this one and those behind it. */
static bool is_next(const struct group_message *message)
{
    const struct list *before = message->link.prev;

    return before == &message->member->out || container_of(before, struct group_message, link)->received;
}

/* Its time is over, and it stays: of a member one is looked at again soon, the others not as often as a short time would have it. */
static void look_again(struct core *core, struct group_message *message)
{
    int64_t least = is_next(message) ? LOOK_NS : LOOK_BEHIND_NS, wait_ns = message->work->terms.ack_wait_ns;

    group_extend(core, message, wait_ns > least ? wait_ns : least);
}

/* ack_wait is over. What nobody has received stays where it is, in order, unless somebody else would have it now. */
static void over(struct core *core, struct group_message *message)
{
    struct group *group = group_of_work(message->work);
    struct list *behind = message->link.next == &message->member->out ? NULL : message->link.next;
    bool received = message->received;

    if (!received && !group_others_first(message))
        return look_again(core, message);
    give_back(core, message, VALUE_REDELIVERED);
    if (received)
        return;
    deal(core, group); /* at once: who has how many is what the next one is judged by */
    if (behind && !container_of(behind, struct group_message, link)->received)
        look_again(core, container_of(behind, struct group_message, link)); /* it is the next one now */
    hand_over_all(core, group);
}

static void due(struct core *core, struct group_work *work)
{
    group_wake(core, group_of_work(work));
}

void group_retry(struct core *core, struct group *group, struct group_message *message, int64_t delay_ns)
{
    if (message->item)
        message->item->flags |= ITEM_SETTLED;
    if (!delay_ns)
        return give_back(core, message, VALUE_RETURNED);
    part_from_item(core, message);
    message->received = false;
    message->flags |= VALUE_RETURNED;
    group_later(core, message, delay_ns);
    group->redelivered++;
    record_try(core, message, time_after(core->now.wall_ns, delay_ns) / 1000);
    group_wake(core, group);
}

/* ---- dead letters ---- */

int group_bury(struct core *core, struct group *group, struct group_message *message)
{
    const struct group_policy *policy = &group->part.policy;
    struct bytes dead = {policy->dead, policy->dead_size};

    if (dead.size && !PLANTED(LOST_LETTER) && kept_post(core, group->account, dead, message->letter) < 0)
        return -ENOMEM;
    group->dead++;
    core_log(core, LOG_LEVEL_WARN, "event=message_dead group=%.*s topic=%.*s sequence=%llu tries=%u",
             group->name_size, group->text, (int)message->letter->topic.size,
             (const char *)message->letter->topic.data, (unsigned long long)message->sequence,
             message->tries);
    if (message->item)
        message->item->flags |= ITEM_SETTLED;
    part_from_item(core, message);
    settle(core, group, message);
    return 0;
}

/* ---- giving ---- */

static int give(struct core *core, struct group_message *message, struct member *member)
{
    struct channel *c = member->sub->channel;
    struct item *item;

    if (!letter_has_room(core, c, message->letter))
        return -EAGAIN;
    item = item_load_letter(core, c, message->letter);
    if (!item)
        return -ENOMEM;
    group_give(core, message, &member->place);
    item->flags |= message->flags | ITEM_TRIES;
    item->index = message->tries;
    message->item = item;
    message->received = false;
    channel_put(c, item);
    member->touched = true;
    return 0;
}

/* All that can be given. 0, -EAGAIN: bytes are full; -ENOMEM. */
static int deal(struct core *core, struct group *group)
{
    struct group_message *message;
    struct group_member *place;
    int r = 0;

    while (r == 0 && (message = group_next(&group->work, &place))) {
        if (!group_is_spent(message))
            r = give(core, message, member_of(place));
        else if (group_bury(core, group, message) < 0)
            group_later(core, message, BURY_AGAIN_NS);
    }
    return r;
}

static struct member *next_touched(const struct group *group)
{
    struct member *member;

    list_each (member, &group->members, link)
        if (member->touched)
            return member;
    return NULL;
}

/* Whoever waits there receives. The last handle may be gone behind that, and the member with it. */
static void hand_over(struct core *core, struct member *member)
{
    struct channel *c = member->sub->channel;

    member->touched = false;
    c->delivered_n++;
    channel_arrived(core, c);
    c->delivered_n--;
    channel_settle(core, c);
}

static void hand_over_all(struct core *core, struct group *group)
{
    struct member *member;

    while ((member = next_touched(group)))
        hand_over(core, member);
}

/* ---- reading ---- */

static uint64_t free_places(const struct group_work *work)
{
    const struct group_member *place;
    uint64_t n = 0;

    list_each (place, &work->idle, link) {
        n += place->capacity - place->out_n;
        if (n >= GROUP_ROOM)
            break;
    }
    return n;
}

static size_t room(struct core *core, struct reader *reader)
{
    const struct group_work *work = &group_of_reader(reader)->work;
    uint64_t places;

    if (!group_wants(work) || !group_has_room(work))
        return 0;
    places = free_places(work);
    return places < work->terms.window - work->open_n ? places : work->terms.window - work->open_n;
}

static const struct loaded_try *try_of(struct group *group, uint64_t sequence)
{
    while (group->tries_at < group->tries_n && group->tries[group->tries_at].sequence < sequence)
        group->tries_at++;
    return group->tries_at < group->tries_n && group->tries[group->tries_at].sequence == sequence
               ? &group->tries[group->tries_at]
               : NULL;
}

/* What an earlier daemon knew of it, or this one before the group rested. */
static void recall(struct core *core, struct group *group, struct group_message *message)
{
    const struct loaded_try *known = try_of(group, message->sequence);
    int64_t now_us = core->now.wall_ns / 1000;

    if ((message->sequence > group->old_mark || PLANTED(FORGOTTEN_MARK)) && !known)
        return;
    message->flags = known ? known->flags : VALUE_REDELIVERED;
    message->tries = known ? known->tries : 1;
    if (known && known->due_us > now_us && message->state == GROUP_READY)
        group_later(core, message, (known->due_us - now_us) * 1000);
}

static int take(struct core *core, struct reader *reader, const struct kept_topic *topic,
                struct letter *letter)
{
    struct group *group = group_of_reader(reader);
    const struct ack_row row = {.group = group->id, .sequence = letter->sequence, .flags = topic->flags};
    uint64_t key = letter->key.size ? core_hash(core, letter->key.data, letter->key.size) | 1 : 0;
    struct note *note = note_new(core, record_new_ack(RECORD_GROUP_ACK, &row));
    struct group_message *message;
    int r = note ? group_read(core, &group->work, letter->sequence, key, letter->size, &message) : -ENOMEM;

    if (r <= 0) {
        note_delete(core, note);
        return r;
    }
    message->letter = letter_ref(letter);
    message->ack = note;
    recall(core, group, message);
    deal(core, group); /* what could not be given is given later */
    return 0;
}

static void done(struct core *core, struct reader *reader)
{
    struct group *group = group_of_reader(reader);

    group_pass(&group->work, reader->next);
    int r = deal(core, group);
    if (r == -EAGAIN)
        reader_later(core, reader);
    if (r == -ENOMEM) {
        core->kept_topics->stalled = true;
        group_wake(core, group);
    } else if (reader->behind && !reader->fetching && !timer_armed(&reader->timer) && room(core, reader)) {
        group_wake(core, group); /* what lay in the way has been given */
    }
    hand_over_all(core, group);
}

static const struct reader_user group_user = {room, take, done};

/* ---- members ---- */

int member_new(struct core *core, struct group *group, struct subscription *sub, uint64_t capacity)
{
    struct member *member = core_alloc(core, sizeof(*member));

    if (!member)
        return -ENOMEM;
    member->sub = sub;
    member->group = group;
    member->joined = true;
    list_append(&group->members, &member->link);
    group_join(&group->work, &member->place, capacity);
    sub->member = member;
    group_wake(core, group);
    return 0;
}

void member_leave(struct core *core, struct subscription *sub)
{
    struct member *member = sub->member;
    struct group_message *message, *after;

    if (!member->joined)
        return;
    member->joined = member->touched = false;
    for (int received = 1; received >= 0; received--) /* what may have been seen goes first */
        list_each_safe (message, after, &member->place.out, link)
            if (message->received == received)
                give_back(core, message, VALUE_REDELIVERED);
    group_leave(core, &member->group->work, &member->place);
}

void member_delete(struct core *core, struct subscription *sub)
{
    struct member *member = sub->member;
    struct group *group = member ? member->group : NULL;

    if (!member)
        return;
    member_leave(core, sub);
    list_remove(&member->link);
    core_free(core, member);
    sub->member = NULL;
    if (group && list_empty(&group->members))
        group_rest(core, group);
}

struct bytes member_pattern(const struct subscription *sub)
{
    return sub->member && sub->member->group ? group_pattern(sub->member->group) : (struct bytes){"", 0};
}

/* ---- what members do ---- */

/* The message that this value is, while the group has not settled it; *mine: and this member has it. */
static struct group_message *message_of(const struct member *member, const struct item *item, bool *mine)
{
    bool counts = member->group && item->letter && item->sequence > member->sought;
    struct group_message *message = counts ? group_find(&member->group->work, item->letter->sequence) : NULL;

    *mine = message && message->item == item;
    return message;
}

void member_received(struct core *core, struct subscription *sub, struct op *op)
{
    struct member *member = sub->member;
    struct group_message *message;
    const struct item *item;
    uint64_t last = 0;
    bool mine;

    if (!member->group)
        return;
    list_each (item, &op->items, link) {
        if (item->channel != sub->channel)
            continue;
        last = item->letter->sequence > last ? item->letter->sequence : last;
        if (!(message = message_of(member, item, &mine)) || !mine)
            continue;
        message->received = true;
        group_extend(core, message, message->work->terms.ack_wait_ns);
    }
    if (last > member->group->mark) {
        struct group *group = member->group;
        struct record *record = op->note->record;

        group->mark = group->work.next > last ? group->work.next : last;
        record->kind = RECORD_GROUP_SEEN;
        record->group = (struct group_row){.id = group->id, .mark = group->mark};
        group->batch = note_write(core, op->note);
        op->note = NULL;
    }
    op_depends(op, member->group->batch);
}

void member_acked(struct core *core, struct subscription *sub, struct item *item)
{
    bool mine;
    struct group_message *message = message_of(sub->member, item, &mine);

    if (!message || item->flags & ITEM_SETTLED)
        return;
    if (mine)
        message->item = NULL;
    part_from_item(core, message);
    settle(core, sub->member->group, message);
}

void member_returned(struct core *core, struct subscription *sub, struct item *item, enum value_flags flag)
{
    bool mine;
    struct group_message *message = message_of(sub->member, item, &mine);

    if (message && mine)
        give_back(core, message, flag);
}

/* ---- its life ---- */

static struct group_terms terms_of(const struct core *core, const struct group_policy *policy)
{
    uint64_t most = core->limits.group_window_max;

    return (struct group_terms){
        .window = policy->window < most ? policy->window : most,
        .bytes = GROUP_BYTES,
        .span = GROUP_SPAN,
        .ack_wait_ns = (int64_t)policy->ack_wait * NS_PER_MS,
        .tries = (uint32_t)policy->tries,
        .ordered = policy->ordered && !PLANTED(ANY_ORDER),
        .paused = policy->paused && !PLANTED(DEAF_PAUSE),
    };
}

void group_set(struct core *core, struct group *group, const struct group_part *part)
{
    group->part = *part;
    group->work.terms = terms_of(core, &part->policy);
    group_wake(core, group);
}

struct group *group_new(struct core *core, struct account *account, const struct group_row *row,
                        const struct group_part *part)
{
    struct kept_topics *kept = core->kept_topics;
    struct group *group = map_reserve(core, &kept->groups_by_name, 1) < 0
                              ? NULL
                              : core_alloc(core, sizeof(*group) + row->name.size + row->pattern.size);
    struct group_terms terms = terms_of(core, &part->policy);

    if (!group)
        return NULL;
    group->id = row->id;
    group->part = *part;
    group->mark = group->old_mark = row->mark;
    group->name_size = (uint8_t)row->name.size;
    group->pattern_size = (uint8_t)row->pattern.size;
    memcpy(group->text, row->name.data, row->name.size);
    memcpy(group->text + row->name.size, row->pattern.data, row->pattern.size);
    list_init(&group->members);
    group_work_init(&group->work, &terms, row->floor);
    group->work.over = over;
    group->work.due = due;
    group->reader = (struct reader){.user = &group_user, .next = row->floor, .from_us = INT64_MIN};
    if (reader_begin(core, &group->reader, row->pattern) < 0) {
        core_free(core, group);
        return NULL;
    }
    group->account = account_ref(account);
    account->used[SLOT_GROUPS]++;
    map_add(&kept->groups_by_name, &group->node, core_hash(core, group->text, group->name_size));
    list_append(&kept->groups, &group->link);
    kept->group_last = row->id > kept->group_last ? row->id : kept->group_last;
    return group;
}

void group_drop_all(struct core *core, struct group *group)
{
    struct group_message *message;

    while ((message = group_any(&group->work))) {
        if (message->item)
            message->item->flags |= ITEM_SETTLED;
        part_from_item(core, message);
        group_ack(core, message);
        message_free(core, message);
    }
}

void group_delete(struct core *core, struct group *group)
{
    struct kept_topics *kept = core->kept_topics;
    struct member *member, *after;

    group_drop_all(core, group);
    list_each_safe (member, after, &group->members, link) {
        if (member->joined)
            group_leave(core, &group->work, &member->place);
        member->joined = member->touched = false;
        member->group = NULL;
        list_remove(&member->link);
        if (!member->sub->channel->closed)
            channel_close(core, member->sub->channel);
    }
    reader_end(core, &group->reader);
    group_work_free(core, &group->work);
    core_free(core, group->tries);
    map_remove(&kept->groups_by_name, &group->node);
    list_remove(&group->link);
    account_release(group->account, SLOT_GROUPS, 1);
    account_drop(core, group->account);
    core_free(core, group);
}

void groups_free(struct core *core)
{
    struct group *group, *after;

    list_each_safe (group, after, &core->kept_topics->groups, link)
        group_delete(core, group);
    map_free(core, &core->kept_topics->groups_by_name);
}

uint64_t groups_charged(const struct core *core, const struct account *account)
{
    const struct group *group;
    uint64_t n = 0;

    list_each (group, &core->kept_topics->groups, link)
        n += group->account == account;
    return n;
}

void groups_check(const struct core *core)
{
    const struct group *group;

    list_each (group, &core->kept_topics->groups, link)
        group_work_check(&group->work);
}
