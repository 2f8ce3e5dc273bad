/*
 * Channels as named objects: made, opened, given back, unlinked, closed, freed.
 *
 * A channel lives while it has its name, a handle, an operation that waits or may wait again, or a value under way to
 * be acknowledged (C9). Only CLOSE closes it, or the end of its maker's scope when it was made so (C8).
 */
#include <errno.h>
#include <string.h>

#include "durable.h"
#include "kept.h"

/* Handles: node 10 bits, incarnation 14 bits, sequence 40 bits. */
enum { HANDLE_SEQUENCE_BITS = 40, HANDLE_INCARNATION_BITS = 14, TAG_BYTES_MAX = 255 };

static uint64_t handle_incarnation(uint64_t handle)
{
    return handle >> HANDLE_SEQUENCE_BITS & ((1u << HANDLE_INCARNATION_BITS) - 1);
}

static uint64_t handle_base(const struct core *core)
{
    uint64_t incarnation = core->incarnation & ((1u << HANDLE_INCARNATION_BITS) - 1);

    return (core->node << HANDLE_INCARNATION_BITS | incarnation) << HANDLE_SEQUENCE_BITS;
}

static struct handle *handle_find(const struct core *core, const struct op *op, uint64_t id)
{
    struct map_node *n = map_first(&core->handles, core_hash_number(core, id));

    while (n && map_entry(n, struct handle, node)->id != id)
        n = map_next(n);
    return n && map_entry(n, struct handle, node)->scope == op->scope ? map_entry(n, struct handle, node)
                                                                      : NULL;
}

/* Zero is no handle of any incarnation: a client keeps nil channels to itself (N1). */
static int handle_missing(const struct core *core, uint64_t id)
{
    return id && handle_incarnation(id) != handle_incarnation(handle_base(core)) ? -ENETRESET : -ENOENT;
}

int handle_get(const struct core *core, const struct op *op, uint64_t id, uint32_t rights,
               struct handle **out)
{
    struct handle *handle = handle_find(core, op, id);

    if (!handle)
        return handle_missing(core, id);
    if (rights & ~handle->rights)
        return -EPERM;
    *out = handle;
    return 0;
}

struct channel *channel_find(const struct core *core, struct bytes name)
{
    struct map_node *n = map_first(&core->channels, core_hash(core, name.data, name.size));

    for (; n; n = map_next(n)) {
        struct channel *c = map_entry(n, struct channel, node);

        if (bytes_are(name, c->text, c->name_size))
            return c;
    }
    return NULL;
}

/* ---- handles ---- */

static int handle_new(struct core *core, struct session *session, struct handle **out)
{
    if (session->handles_n >= core->limits.handles_per_session)
        return -ENOBUFS;
    if (map_reserve(core, &core->handles, 1) < 0)
        return -ENOMEM;
    *out = core_alloc(core, sizeof(**out));
    return *out ? 0 : -ENOMEM;
}

static void handle_number(struct core *core, struct handle *handle)
{
    handle->id = handle_base(core) | ++core->handle_sequence;
    map_add(&core->handles, &handle->node, core_hash_number(core, handle->id));
}

void handle_renumber(struct core *core, struct handle *handle)
{
    map_remove(&core->handles, &handle->node);
    handle_number(core, handle);
}

void handle_init(struct core *core, struct handle *handle, struct channel *c, uint32_t rights)
{
    list_init(&handle->link);
    handle->channel = c;
    handle->rights = rights;
    c->handles_n++;
    handle_number(core, handle);
}

void handle_enscope(struct handle *handle, struct scope *scope)
{
    handle->scope = scope;
    scope->session->handles_n++;
    list_append(&scope->handles, &handle->link);
}

/* With what its user may have of what was asked for. */
static void handle_add(struct core *core, struct op *op, struct handle *handle, struct channel *c,
                       const struct request_chan_open *open)
{
    handle_init(core, handle, c, account_rights(core, op->scope->account, open->name, open->rights));
    handle_enscope(handle, op->scope);
    op->handle = handle->id;
}

static void handle_delete(struct core *core, struct handle *handle)
{
    struct channel *c = handle->channel;

    c->handles_n--;
    map_remove(&core->handles, &handle->node);
    list_remove(&handle->link);
    if (c->subscription && !c->handles_n)
        subscription_end(core, c->subscription);
    if (handle->waiters_n)
        handle->dead = true;
    else
        core_free(core, handle);
    channel_settle(core, c);
}

void handle_drop(struct core *core, struct handle *handle)
{
    struct session *session = handle->scope ? handle->scope->session : NULL;

    handle_unscope(handle);
    if (!handle->carrier)
        handle_delete(core, handle);
    if (session)
        session_relieve(core, session);
}

/* ---- channels ---- */

static enum account_slot slot_of(const struct subscription *sub)
{
    return sub ? SLOT_SUBSCRIPTIONS : SLOT_CHANNELS;
}

static struct channel *channel_new(struct core *core, struct account *account,
                                   const struct request_chan_open *open)
{
    struct channel *c = core_alloc(core, sizeof(*c) + open->name.size + open->type_tag.size);

    if (!c)
        return NULL;
    c->capacity = open->capacity;
    c->value_bytes_max = open->value_bytes_max ? open->value_bytes_max : core->limits.value_bytes_default;
    c->element_bytes = open->element_bytes;
    c->flags = open->flags;
    c->full = open->full;
    c->name_size = (uint8_t)open->name.size;
    c->tag_size = (uint8_t)open->type_tag.size;
    if (c->name_size)
        memcpy(c->text, open->name.data, c->name_size);
    if (c->tag_size)
        memcpy(c->text + c->name_size, open->type_tag.data, c->tag_size);
    list_init(&c->owner);
    list_init(&c->buffer);
    list_init(&c->storing);
    list_init(&c->closings);
    list_init(&c->returned);
    list_init(&c->flights);
    list_init(&c->walk);
    list_init(&c->suspect);
    list_init(&c->senders.list);
    list_init(&c->receivers.list);
    c->account = account_ref(account);
    list_append(&core->channel_list, &c->link);
    core->channels_n++;
    return c;
}

static void channel_link(struct core *core, struct channel *c)
{
    map_add(&core->channels, &c->node, core_hash(core, c->text, c->name_size));
    c->linked = true;
}

struct channel *channel_load(struct core *core, struct account *account, const struct request_chan_open *open)
{
    struct channel *c = map_reserve(core, &core->channels, 1) < 0 ? NULL : channel_new(core, account, open);

    if (!c)
        return NULL;
    account->used[SLOT_CHANNELS]++; /* it was within the limit when it was made */
    channel_link(core, c);
    return c;
}

static void channel_unlink(struct core *core, struct channel *c)
{
    map_remove(&core->channels, &c->node);
    c->linked = false;
}

void channel_empty(struct core *core, struct channel *c)
{
    if (member_marks(c))
        member_leave(core, c->subscription);
    items_discard(core, &c->buffer);
    items_discard(core, &c->returned);
    items_discard(core, &c->storing);
    c->length = c->returned_n = c->storing_n = 0;
}

/* Whatever is in it goes with it. */
void channel_discard(struct core *core, struct channel *c)
{
    if (c->linked)
        channel_unlink(core, c);
    channel_empty(core, c);
    durable_forget(core, c);
    account_release(c->account, slot_of(c->subscription), 1);
    if (c->subscription)
        subscription_free(core, c->subscription);
    account_drop(core, c->account);
    list_remove(&c->link);
    list_remove(&c->owner);
    list_remove(&c->suspect);
    list_remove(&c->closings);
    core->channels_n--;
    core_free(core, c);
}

void channel_forsake(struct core *core, struct channel *c)
{
    if (c->flights_n)
        channel_empty(core, c); /* with the values of such a ring its handles go, one after the other */
    else
        channel_discard(core, c);
}

void channel_settle(struct core *core, struct channel *c)
{
    if (!channel_reachable(core, c))
        channel_forsake(core, c);
}

/* ---- verbs ---- */

static int name_refused(struct core *core, struct op *op, struct bytes name)
{
    int r = name_check(name);
    int shown = name.size < 64 ? (int)name.size : 64;

    if (r == -E2BIG)
        op_fail(core, op, r, "a name has at most %d bytes, this one has %zu", NAME_BYTES_MAX, name.size);
    else if (r < 0 && name.size)
        op_fail(core, op, r, "the name '%.*s' has bytes other than A-Z a-z 0-9 _ . : / -", shown,
                (const char *)name.data);
    else if (r < 0)
        op_fail(core, op, r, "the name is empty");
    return r;
}

/* B5: before any state changes. */
static int open_check(struct core *core, struct op *op, const struct request_chan_open *open)
{
    const struct limits *l = &core->limits;

    uint64_t value_max = open->value_bytes_max ? open->value_bytes_max : l->value_bytes_default;

    if (open->name.size && name_refused(core, op, open->name) < 0)
        return -EINVAL;
    if (open->flags & ~(uint32_t)OPEN_FLAGS_ALL || open->rights & ~(uint32_t)RIGHT_ALL ||
        open->full > FULL_DROP_NEWEST)
        return -EINVAL;
    if (open->capacity > l->channel_capacity_max)
        op_fail(core, op, -E2BIG, "capacity %lu is over the limit of %lu values", open->capacity,
                l->channel_capacity_max);
    else if (value_max > l->value_bytes_max || open->element_bytes > value_max)
        op_fail(core, op, -E2BIG, "values of %lu bytes are over the limit of %lu",
                value_max > open->element_bytes ? value_max : open->element_bytes, l->value_bytes_max);
    else if (open->type_tag.size > TAG_BYTES_MAX)
        op_fail(core, op, -E2BIG, "a type tag has at most %d bytes", TAG_BYTES_MAX);
    else if (open->full != FULL_BLOCK && !open->capacity)
        op_fail(core, op, -EINVAL, "a channel that drops when full needs a capacity of at least 1");
    return op->state == OP_NEW ? durable_check(core, op, open) : -EINVAL;
}

/* What the opener says about a channel that is there must be true of it. */
static int open_matches(struct core *core, struct op *op, const struct request_chan_open *open,
                        const struct channel *c)
{
    bool create = open->flags & OPEN_CREATE;
    bool tag = open->type_tag.size && (open->type_tag.size != c->tag_size ||
                                       memcmp(open->type_tag.data, c->text + c->name_size, c->tag_size) != 0);

    bool other = create && (open->flags ^ c->flags) & OPEN_DURABLE;

    if (create && open->flags & OPEN_EXCLUSIVE)
        op_fail(core, op, -EEXIST, "the channel is there already");
    else if (create && open->capacity != c->capacity)
        op_fail(core, op, -EEXIST, "the channel is there with capacity %lu, not %lu", c->capacity,
                open->capacity);
    else if (other)
        op_fail(core, op, -EEXIST, "the channel is there, and is %s",
                c->flags & OPEN_DURABLE ? "durable" : "not durable");
    else if (create && c->flags & OPEN_DURABLE && (open->flags ^ c->flags) & OPEN_AT_MOST_ONCE)
        op_fail(core, op, -EEXIST, "the channel is there, durable, and delivers its values %s",
                c->flags & OPEN_AT_MOST_ONCE ? "at most once" : "at least once");
    else if (tag)
        op_fail(core, op, -EEXIST, "the channel is there with another type tag");
    else if (open->element_bytes && open->element_bytes != c->element_bytes)
        op_fail(core, op, -EEXIST, "the channel is there with elements of %lu bytes, not %lu",
                c->element_bytes, open->element_bytes);
    else if (create && open->value_bytes_max && open->value_bytes_max != c->value_bytes_max)
        op_fail(core, op, -EEXIST, "the channel is there for values up to %lu bytes, not %lu",
                c->value_bytes_max, open->value_bytes_max);
    return op->state == OP_NEW ? 0 : -EEXIST;
}

/* sub: whose channel it is, or NULL. */
static int open_new(struct core *core, struct op *op, const struct request_chan_open *open,
                    struct subscription *sub)
{
    struct handle *handle;
    int r = handle_new(core, op->scope->session, &handle);

    if (r < 0)
        return r;
    r = map_reserve(core, &core->channels, 1);
    if (r == 0)
        r = account_charge(core, op->scope->account, slot_of(sub), 1);
    if (r < 0) {
        core_free(core, handle);
        return r;
    }
    struct channel *c = channel_new(core, op->scope->account, open);
    if (!c) {
        account_release(op->scope->account, slot_of(sub), 1);
        core_free(core, handle);
        return -ENOMEM;
    }
    c->subscription = sub;
    if (sub)
        sub->channel = c;
    r = c->flags & OPEN_DURABLE ? durable_make(core, op, c) : 0;
    if (r < 0) {
        channel_discard(core, c);
        core_free(core, handle);
        return r;
    }
    if (c->name_size)
        channel_link(core, c);
    if (c->flags & OPEN_OWNER_CLOSES)
        list_append(&op->scope->channels, &c->owner);
    handle_add(core, op, handle, c, open);
    return 0;
}

int channel_subscribe(struct core *core, struct op *op, const struct request_chan_open *open,
                      struct subscription *sub)
{
    return open_new(core, op, open, sub);
}

int handle_chan_open(struct core *core, struct op *op, const struct request *request)
{
    const struct request_chan_open *open = &request->chan_open;
    struct channel *c = channel_find(core, open->name);
    struct handle *handle;
    int r = open_check(core, op, open);

    if (r < 0)
        return r;
    if (!open->name.size || (!c && open->flags & OPEN_CREATE))
        return open_new(core, op, open, NULL);
    r = c ? open_matches(core, op, open, c) : -ENOENT;
    if (r < 0 || (r = handle_new(core, op->scope->session, &handle)) < 0)
        return r;
    op_depends(op, c->batch);
    handle_add(core, op, handle, c, open);
    return 0;
}

static bool waits_via(const struct op *op, const struct handle *handle)
{
    for (uint32_t i = 0; i < op->waiters_n; i++)
        if (op->waiters[i].channel && op->waiters[i].via == handle)
            return true;
    return false;
}

void handle_interrupt(struct core *core, struct handle *handle)
{
    struct op *op, *after;

    if (!handle->waiters_n || !handle->scope || handle->scope->ended)
        return;
    list_each_safe (op, after, &handle->scope->ops, link)
        if (op_waits(op) && waits_via(op, handle))
            op_interrupt(core, op, -ECANCELED);
}

int handle_chan_drop(struct core *core, struct op *op, const struct request *request)
{
    struct handle *handle = handle_find(core, op, request->chan_drop.handle);

    if (!handle)
        return handle_missing(core, request->chan_drop.handle);
    handle_interrupt(core, handle);
    handle_drop(core, handle);
    return 0;
}

int handle_chan_unlink(struct core *core, struct op *op, const struct request *request)
{
    struct channel *c = channel_find(core, request->chan_unlink.name);
    uint32_t uid = op->scope->account->uid;

    if (!c)
        return -ENOENT;
    if (uid && uid != c->account->uid)
        return -EPERM;
    int r = c->store_id ? durable_end(core, op, c) : 0;
    if (r < 0)
        return r;
    channel_unlink(core, c);
    channel_settle(core, c);
    return 0;
}

int handle_close(struct core *core, struct op *op, const struct request *request)
{
    struct handle *handle;
    int r = handle_get(core, op, request->close.handle, RIGHT_CLOSE, &handle);

    if (r < 0)
        return r;
    struct channel *c = handle->channel;
    op_depends(op, c->closing);
    if (c->closed || c->closing)
        return -EPIPE;
    if (c->store_id)
        return durable_close(core, op, c);
    channel_close(core, c);
    return 0;
}
