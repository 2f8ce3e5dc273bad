/*
 * Cargo: the channels a value carries (U6).
 *
 * What a value carries is handles of its own, made at the send with the rights they are sent with: they keep their
 * channels whatever becomes of the sender's. Each of them is at each moment in one of three places, by handle->link:
 *     flying    in channel->flights, without a scope: its value is unsent, in the buffer or back
 *     lent      in the scope of the operation that received the value, until it acknowledges it: then it is its own
 *     released  in core->released, nobody's: taken apart by the sweep, since channels in channels may be a long chain
 * What comes back is taken from its receiver and gets a new number. What the receiver had dropped before it acknowledged
 * flies again too, so that the next one gets the value whole.
 *
 * A channel that only flying handles keep, on channels of which the same is true, can be reached by nobody. It is
 * emptied, and so a ring of such channels comes apart. That is looked at whenever something else lets go of a channel, by
 * a walk from it to what holds it; where the walk is too long for that moment the channel is a suspect, and one suspect a
 * turn is walked to the end.
 */
#include <assert.h>
#include <errno.h>

#include "engine.h"

/* Of one value, in its order; NULL: the nil channel. */
struct cargo {
    uint32_t n;
    struct handle *handle[];
};

size_t cargo_size(const struct item *item)
{
    return item->cargo->n;
}

size_t cargo_bytes(const struct item *item)
{
    return sizeof(struct cargo) + item->cargo->n * (sizeof(struct handle) + sizeof(void *));
}

void cargo_tell(const struct item *item, struct passed *out)
{
    for (uint32_t i = 0; i < cargo_count(item); i++) {
        const struct handle *handle = item->cargo->handle[i];

        out[i] = handle ? (struct passed){handle->id, handle->rights} : (struct passed){0};
    }
}

/* ---- places ---- */

static void fly(struct handle *handle)
{
    list_append(&handle->channel->flights, &handle->link);
    handle->channel->flights_n++;
}

static void land(struct handle *handle)
{
    list_remove(&handle->link);
    handle->channel->flights_n--;
}

/* It may have been lent. */
static void release(struct core *core, struct handle *handle)
{
    handle_unscope(handle);
    land(handle);
    handle->carrier = NULL;
    list_append(&core->released, &handle->link);
}

static void cargo_free(struct core *core, struct item *item)
{
    core_free(core, item->cargo);
    item->cargo = NULL;
}

void cargo_release_each(struct core *core, struct item *item)
{
    for (uint32_t i = 0; i < cargo_count(item); i++)
        if (item->cargo->handle[i])
            release(core, item->cargo->handle[i]);
    cargo_free(core, item);
}

void cargo_lend_each(struct item *item, struct scope *scope)
{
    for (uint32_t i = 0; i < cargo_count(item); i++) {
        struct handle *handle = item->cargo->handle[i];

        if (!handle)
            continue;
        land(handle);
        handle_enscope(handle, scope);
    }
}

void cargo_keep_each(struct core *core, struct item *item)
{
    for (uint32_t i = 0; i < cargo_count(item); i++) {
        struct handle *handle = item->cargo->handle[i];

        if (handle && handle->scope)
            handle->carrier = NULL;
        else if (handle)
            release(core, handle);
    }
    cargo_free(core, item);
}

void cargo_return(struct core *core, struct item *item)
{
    for (uint32_t i = 0; i < cargo_count(item); i++) {
        struct handle *handle = item->cargo->handle[i];

        if (!handle)
            continue;
        handle_interrupt(core, handle);
        handle_unscope(handle);
        handle_renumber(core, handle);
    }
}

void handle_unscope(struct handle *handle)
{
    if (!handle->scope)
        return;
    list_remove(&handle->link);
    handle->scope->session->handles_n--;
    handle->scope = NULL;
    if (handle->carrier)
        fly(handle);
}

/* ---- loading ---- */

/* One of its own for each of the sender's; NULL for nil. */
static int handle_copy(struct core *core, const struct op *op, const struct passed *passed, struct item *item,
                       struct handle **out)
{
    struct handle *from;
    int r = passed->handle ? handle_get(core, op, passed->handle, passed->rights, &from) : 0;

    if (r < 0 || !passed->handle)
        return r;
    *out = core_alloc(core, sizeof(**out));
    if (!*out)
        return -ENOMEM;
    handle_init(core, *out, from->channel, passed->rights ? passed->rights : from->rights);
    (*out)->carrier = item;
    fly(*out);
    return 0;
}

static int cargo_room(struct core *core, struct item *item, size_t n)
{
    if (n > core->limits.value_handles_max)
        return -E2BIG;
    if (map_reserve(core, &core->handles, n) < 0 ||
        !(item->cargo = core_alloc(core, sizeof(struct cargo) + n * sizeof(struct handle *))))
        return -ENOMEM;
    item->cargo->n = (uint32_t)n;
    int r = account_charge(core, item->account, SLOT_BYTES, cargo_cost(item));
    if (r == 0 && (r = account_charge(core, item->account, SLOT_PASSED, n)) < 0)
        account_release(item->account, SLOT_BYTES, cargo_cost(item));
    if (r < 0)
        cargo_free(core, item);
    return r;
}

int cargo_load(struct core *core, const struct op *op, struct item *item, const struct value *value)
{
    int r = value->handles_n ? cargo_room(core, item, value->handles_n) : 0;

    for (size_t i = 0; r == 0 && i < value->handles_n; i++)
        r = handle_copy(core, op, &value->handles[i], item, &item->cargo->handle[i]);
    return r;
}

/* ---- what nobody can reach ---- */

/* Something that is no value keeps it. */
static bool rooted(const struct channel *c)
{
    return c->linked || c->waiters_n || c->delivered_n || c->handles_n > c->flights_n;
}

enum reach { UNREACHED, REACHED, UNDECIDED };

/* Notes the channels on which handles of c lie. REACHED: one of them is rooted. UNDECIDED: too many to look at. */
static enum reach holders_note(struct channel *c, struct list *seen, size_t *most)
{
    const struct handle *handle;

    list_each (handle, &c->flights, link) {
        struct channel *holder = handle->carrier->channel;

        if (rooted(holder))
            return REACHED;
        if (!*most)
            return UNDECIDED;
        --*most;
        if (!list_linked(&holder->walk))
            list_append(seen, &holder->walk);
    }
    return UNREACHED;
}

static enum reach walk(struct core *core, struct channel *c, size_t most)
{
    struct list *seen = &core->walked;
    enum reach found = rooted(c) ? REACHED : UNREACHED;

    if (found || !c->flights_n)
        return found;
    list_append(seen, &c->walk);
    for (struct list *at = seen->next; at != seen && !found; at = at->next)
        found = holders_note(container_of(at, struct channel, walk), seen, &most);
    while (!list_empty(seen))
        list_remove(seen->next);
    return found;
}

bool channel_reachable(struct core *core, struct channel *c)
{
    enum reach found = walk(core, c, core->limits.sweep_per_turn);

    if (found == UNDECIDED && !list_linked(&c->suspect))
        list_append(&core->suspects, &c->suspect);
    return found != UNREACHED;
}

void suspects_sweep(struct core *core)
{
    struct channel *c = list_first(&core->suspects, struct channel, suspect);

    if (!c)
        return;
    list_remove(&c->suspect);
    if (walk(core, c, SIZE_MAX) == UNREACHED)
        channel_forsake(core, c);
}

size_t cargo_sweep(struct core *core, size_t most)
{
    for (; most && !list_empty(&core->released); most--)
        handle_drop(core, list_first(&core->released, struct handle, link));
    return most;
}

/* ---- invariants ---- */

void cargo_check(const struct item *item, bool delivered)
{
    for (uint32_t i = 0; i < cargo_count(item); i++) {
        const struct handle *handle = item->cargo->handle[i];

        if (!handle)
            continue;
        assert(handle->carrier == item && list_linked(&handle->link) && "U6: a value keeps what it carries");
        assert((delivered || !handle->scope) && "U6: only who received the value can use it");
        assert(!(handle->rights & ~(uint32_t)RIGHT_ALL) && "a handle has only rights that there are");
    }
}
