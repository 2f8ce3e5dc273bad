#include "group_work.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

enum { SLOTS_FIRST = 16 };

void group_work_init(struct group_work *work, const struct group_terms *terms, uint64_t floor)
{
    *work = (struct group_work){.terms = *terms, .next = floor};
    list_init(&work->ready);
    list_init(&work->again);
    list_init(&work->idle);
    list_init(&work->busy);
}

void group_work_free(struct core *core, struct group_work *work)
{
    core_free(core, work->slot);
    core_free(core, work->acked);
    map_free(core, &work->keys);
    work->slot = NULL;
    work->acked = NULL;
}

static struct group_slot *slot_at(const struct group_work *work, size_t i)
{
    return &work->slot[work->head + i];
}

uint64_t group_floor(const struct group_work *work)
{
    return work->slots ? slot_at(work, 0)->sequence - 1 : work->next;
}

/* ---- slots ---- */

static int make_room(struct core *core, struct group_work *work)
{
    size_t size = work->size ? 2 * work->size : SLOTS_FIRST;
    struct group_slot *more;

    if (work->head + work->slots < work->size)
        return 0;
    if (work->head > work->slots) {
        memmove(work->slot, work->slot + work->head, work->slots * sizeof(*work->slot));
        work->head = 0;
        return 0;
    }
    more = core_resize(core, work->slot, size * sizeof(*more));
    if (!more)
        return -ENOMEM;
    work->slot = more;
    work->size = size;
    return 0;
}

static void slot_add(struct group_work *work, uint64_t sequence, struct group_message *open)
{
    *slot_at(work, work->slots++) = (struct group_slot){sequence, open};
    work->next = sequence;
}

/* The first one at or above a sequence. */
static size_t slot_find(const struct group_work *work, uint64_t sequence)
{
    size_t low = 0, high = work->slots;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (slot_at(work, middle)->sequence < sequence)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct group_message *group_find(const struct group_work *work, uint64_t sequence)
{
    size_t i = slot_find(work, sequence);

    return i < work->slots && slot_at(work, i)->sequence == sequence ? slot_at(work, i)->open : NULL;
}

/* The floor rises to before the first open one. */
static void slots_trim(struct group_work *work)
{
    while (work->slots && !slot_at(work, 0)->open) {
        work->head++;
        work->slots--;
    }
    if (!work->slots)
        work->head = 0;
}

/* ---- what an earlier daemon knew ---- */

int group_load_ack(struct core *core, struct group_work *work, uint64_t sequence)
{
    size_t size = work->acked_size ? 2 * work->acked_size : SLOTS_FIRST;
    uint64_t *more = work->acked;

    if (work->acked_n == work->acked_size) {
        more = core_resize(core, work->acked, size * sizeof(*more));
        if (!more)
            return -ENOMEM;
        work->acked = more;
        work->acked_size = size;
    }
    more[work->acked_n++] = sequence;
    return 0;
}

/* Whether it was acknowledged then. Those before it are past. */
static bool was_acked(struct group_work *work, uint64_t sequence)
{
    while (work->acked_at < work->acked_n && work->acked[work->acked_at] < sequence)
        work->acked_at++;
    return work->acked_at < work->acked_n && work->acked[work->acked_at] == sequence;
}

/* ---- order per key ---- */

static struct group_message *key_first(const struct group_work *work, uint64_t hash, uint64_t key)
{
    struct map_node *n = map_first(&work->keys, hash);

    while (n && map_entry(n, struct group_message, node)->key != key)
        n = map_next(n);
    return n ? map_entry(n, struct group_message, node) : NULL;
}

static void key_enter(struct core *core, struct group_message *message)
{
    struct group_work *work = message->work;
    uint64_t hash = core_hash_number(core, message->key);
    struct group_message *first = key_first(work, hash, message->key);

    message->state = first ? GROUP_BEHIND : GROUP_READY;
    list_append(first ? &first->behind : &work->ready, &message->link);
    if (!first)
        map_add(&work->keys, &message->node, hash);
}

/* The next one of its key takes its place. */
static void key_leave(struct group_message *message)
{
    struct group_work *work = message->work;
    struct group_message *next = list_first(&message->behind, struct group_message, link);

    map_remove(&work->keys, &message->node);
    if (!next)
        return;
    list_remove(&next->link);
    while (!list_empty(&message->behind)) {
        struct list *link = message->behind.next;
        list_remove(link);
        list_append(&next->behind, link);
    }
    map_add(&work->keys, &next->node, message->node.hash);
    next->state = GROUP_READY;
    list_append(&work->ready, &next->link);
}

/* ---- reading ---- */

bool group_has_room(const struct group_work *work)
{
    return work->open_n < work->terms.window && work->slots < work->terms.span &&
           (!work->open_n || work->bytes < work->terms.bytes);
}

static struct group_message *message_new(struct core *core, struct group_work *work)
{
    struct group_message *message = core_take(core, sizeof(*message));

    if (!message || timers_reserve(core) < 0) {
        if (message)
            core_give(core, message, sizeof(*message));
        return NULL;
    }
    list_init(&message->link);
    list_init(&message->behind);
    message->work = work;
    return message;
}

void group_message_delete(struct core *core, struct group_message *message)
{
    timers_unreserve(core);
    core_give(core, message, sizeof(*message));
}

int group_read(struct core *core, struct group_work *work, uint64_t sequence, uint64_t key, size_t bytes,
               struct group_message **out)
{
    struct group_message *message;

    assert(sequence > work->next && "a group reads its messages in order");
    if (make_room(core, work) < 0 || map_reserve(core, &work->keys, 1) < 0)
        return -ENOMEM;
    if (was_acked(work, sequence)) {
        slot_add(work, sequence, NULL);
        slots_trim(work);
        return 0;
    }
    message = message_new(core, work);
    if (!message)
        return -ENOMEM;
    message->sequence = sequence;
    message->key = work->terms.ordered ? key : 0;
    message->bytes = bytes;
    slot_add(work, sequence, message);
    work->open_n++;
    work->bytes += bytes;
    if (message->key)
        key_enter(core, message);
    else
        list_append(&work->ready, &message->link);
    *out = message;
    return 1;
}

void group_pass(struct group_work *work, uint64_t sequence)
{
    if (sequence > work->next)
        work->next = sequence;
}

/* ---- members ---- */

/* Whether `a` is to have the next message rather than `b`. */
static bool goes_first(const struct group_member *a, const struct group_member *b)
{
    return a->out_n != b->out_n ? a->out_n < b->out_n : a->given < b->given;
}

/* It has one more, or one less: to its place among those with room. */
static void member_place(struct group_work *work, struct group_member *member)
{
    struct list *at = list_linked(&member->link) ? member->link.next : work->idle.next;
    struct list *head = &work->idle;

    list_remove(&member->link);
    if (member->out_n >= member->capacity)
        return list_append(&work->busy, &member->link);
    while (at != head && goes_first(container_of(at, struct group_member, link), member))
        at = at->next;
    while (at->prev != head && goes_first(member, container_of(at->prev, struct group_member, link)))
        at = at->prev;
    list_insert_before(at, &member->link);
}

/* From the list of those without room it begins at the front of the others. */
static void member_changed(struct group_work *work, struct group_member *member, bool was_busy)
{
    if (was_busy)
        list_remove(&member->link);
    member_place(work, member);
}

static void member_takes(struct group_message *message, struct group_member *member)
{
    struct group_work *work = message->work;

    message->member = member;
    list_append(&member->out, &message->link);
    member->out_n++;
    member->given = ++work->given;
    member_changed(work, member, false);
}

static void member_loses(struct group_message *message)
{
    struct group_member *member = message->member;
    bool was_busy = member->out_n >= member->capacity;

    list_remove(&message->link);
    message->member = NULL;
    member->out_n--;
    member_changed(message->work, member, was_busy);
}

void group_join(struct group_work *work, struct group_member *member, uint64_t capacity)
{
    *member = (struct group_member){.capacity = capacity, .given = ++work->given};
    list_init(&member->link);
    list_init(&member->out);
    work->members_n++;
    member_place(work, member);
}

void group_leave(struct core *core, struct group_work *work, struct group_member *member)
{
    struct group_message *message, *after;

    list_each_safe (message, after, &member->out, link)
        group_again(core, message, VALUE_REDELIVERED);
    list_remove(&member->link);
    work->members_n--;
}

/* ---- giving ---- */

struct group_message *group_next(const struct group_work *work, struct group_member **member)
{
    *member = list_first(&work->idle, struct group_member, link);
    if (!*member || work->terms.paused)
        return NULL;
    if (!list_empty(&work->again))
        return list_first(&work->again, struct group_message, link);
    return list_first(&work->ready, struct group_message, link);
}

bool group_wants(const struct group_work *work)
{
    return !work->terms.paused && !list_empty(&work->idle) && list_empty(&work->again) &&
           list_empty(&work->ready);
}

bool group_others_first(const struct group_message *message)
{
    const struct group_work *work = message->work;
    const struct group_member *first = list_first(&work->idle, struct group_member, link);

    return first && !work->terms.paused && first != message->member && first->out_n < message->member->out_n;
}

static void time_over(struct core *core, struct timer *timer)
{
    struct group_message *message = container_of(timer, struct group_message, timer);
    struct group_work *work = message->work;

    if (message->state == GROUP_OUT)
        return work->over(core, message);
    group_again(core, message, VALUE_REDELIVERED);
    work->due(core, work);
}

void group_give(struct core *core, struct group_message *message, struct group_member *member)
{
    list_remove(&message->link);
    message->state = GROUP_OUT;
    message->tries++;
    member_takes(message, member);
    group_extend(core, message, message->work->terms.ack_wait_ns);
}

void group_extend(struct core *core, struct group_message *message, int64_t ns)
{
    timer_arm(core, &message->timer, time_after(core->now.mono_ns, ns), time_over);
}

bool group_is_spent(const struct group_message *message)
{
    if (PLANTED(ENDLESS_TRIES))
        return false;
    uint32_t most = message->work->terms.tries;

    return most && message->tries >= most;
}

/* ---- what becomes of it ---- */

/* It is with nobody, and no time is set for it. */
static void take_back(struct core *core, struct group_message *message)
{
    timer_disarm(core, &message->timer);
    if (message->member)
        member_loses(message);
    list_remove(&message->link);
}

void group_ack(struct core *core, struct group_message *message)
{
    struct group_work *work = message->work;

    take_back(core, message);
    if (message->key && message->state != GROUP_BEHIND)
        key_leave(message);
    slot_at(work, slot_find(work, message->sequence))->open = NULL;
    slots_trim(work);
    work->open_n--;
    work->bytes -= message->bytes;
}

/* Among those that are to be given again, by sequence. They mostly come in order, or the other way round. */
static void enter_again(struct group_work *work, struct group_message *message)
{
    const struct group_message *first = list_first(&work->again, struct group_message, link);
    struct list *at = work->again.prev;

    if (first && message->sequence < first->sequence)
        return list_prepend(&work->again, &message->link);
    while (at != &work->again && container_of(at, struct group_message, link)->sequence > message->sequence)
        at = at->prev;
    list_insert_before(at->next, &message->link);
}

void group_again(struct core *core, struct group_message *message, enum value_flags flag)
{
    if (message->member)
        message->member->given = ++message->work->given; /* others are asked first */
    take_back(core, message);
    message->flags |= (uint32_t)flag;
    message->state = GROUP_AGAIN;
    enter_again(message->work, message);
}

void group_later(struct core *core, struct group_message *message, int64_t delay_ns)
{
    take_back(core, message);
    message->state = GROUP_LATER;
    timer_arm(core, &message->timer, time_after(core->now.mono_ns, delay_ns), time_over);
}

struct group_message *group_any(const struct group_work *work)
{
    return work->slots ? slot_at(work, 0)->open : NULL;
}

void group_seek(struct group_work *work, uint64_t floor)
{
    work->acked_n = work->acked_at = 0;
    work->next = floor;
}

void group_work_rest(struct core *core, struct group_work *work, uint64_t floor, uint64_t *acked, size_t n)
{
    group_seek(work, floor);
    core_free(core, work->slot);
    work->slot = NULL;
    work->size = work->head = 0;
    core_free(core, work->acked);
    work->acked = acked;
    work->acked_n = work->acked_size = n;
}

/* ---- invariants ---- */

static void check_message(const struct group_message *message)
{
    bool out = message->state == GROUP_OUT;

    assert(out == (message->member != NULL) &&
           (out || message->state == GROUP_LATER) == timer_armed(&message->timer) &&
           "a message has a member while it is out, and a time then and for later");
}

static size_t check_members(const struct list *members, bool room)
{
    const struct group_member *member, *before = NULL;
    size_t n = 0;

    list_each (member, members, link) {
        assert((member->out_n < member->capacity) == room &&
               (!room || !before || !goes_first(member, before)) &&
               "members with room are in order of what they have");
        before = member;
        n++;
    }
    return n;
}

void group_work_check(const struct group_work *work)
{
    size_t open = 0;

    for (size_t i = 0; i < work->slots; i++) {
        const struct group_slot *slot = slot_at(work, i);
        open += slot->open != NULL;
        if (slot->open)
            check_message(slot->open);
    }
    assert((!work->slots || slot_at(work, 0)->open) && "the floor is below the first open message");
    assert(open == work->open_n &&
           check_members(&work->idle, true) + check_members(&work->busy, false) == work->members_n &&
           "a group counts what is open, and its members");
}
