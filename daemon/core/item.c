/* Values: copied once on arrival, charged until they are acknowledged, alive while an effect still carries them. */
#include <errno.h>
#include <string.h>

#include "durable.h"
#include "letter.h"

static int item_size_check(const struct channel *c, size_t size)
{
    if (size > c->value_bytes_max)
        return -E2BIG;
    return c->element_bytes && size != c->element_bytes ? -EMSGSIZE : 0;
}

/* The account pays for the record too: empty values take memory as well. */
static uint64_t item_cost(const struct item *item)
{
    return sizeof(*item) + item->size + cargo_cost(item);
}

/* Its memory. A letter is not in it. */
static size_t item_memory(const struct item *item)
{
    return sizeof(*item) + (item->letter ? 0 : item->size);
}

static void item_init(struct item *item, struct channel *channel, struct account *account, size_t size)
{
    list_init(&item->link);
    list_init(&item->sender_link);
    item->refs = 1;
    item->size = (uint32_t)size;
    item->channel = channel;
    item->account = account_ref(account);
    account->used[SLOT_BYTES] += item_cost(item);
    channel->bytes += size;
}

struct item *item_load(struct core *core, struct channel *channel, struct account *account, struct bytes body)
{
    struct item *item = core_take(core, sizeof(*item) + body.size);

    if (!item)
        return NULL;
    item_init(item, channel, account, body.size);
    if (item->size)
        memcpy(item->data, body.data, item->size);
    return item;
}

struct item *item_load_letter(struct core *core, struct channel *channel, struct letter *letter)
{
    struct item *item = core_take(core, sizeof(*item));

    if (!item)
        return NULL;
    item->letter = letter_ref(letter);
    item_init(item, channel, channel->account, letter->size);
    return item;
}

int item_new(struct core *core, struct channel *channel, struct account *account, const struct value *value,
             struct item **out)
{
    int r = item_size_check(channel, value->body.size);

    if (r < 0)
        return r;
    if (channel->bytes + value->body.size > core->limits.channel_bytes_max)
        return -ENOBUFS;
    if (!account_has_room(core, account, SLOT_BYTES, sizeof(struct item) + value->body.size))
        return -ENOBUFS;
    *out = item_load(core, channel, account, value->body);
    return *out ? 0 : -ENOMEM;
}

struct item *item_ref(struct item *item)
{
    item->refs++;
    return item;
}

void item_uncharge(struct core *core, struct item *item)
{
    struct channel *c = item->channel;

    if (!c)
        return;
    if (item->deposit)
        durable_uncharge(core, item);
    account_release(item->account, SLOT_BYTES, item_cost(item));
    account_release(item->account, SLOT_PASSED, cargo_count(item));
    item->account = account_drop(core, item->account);
    item->channel = NULL;
    c->bytes -= item->size;
}

void item_unref(struct core *core, struct item *item)
{
    if (--item->refs)
        return;
    size_t memory = item_memory(item);
    letter_drop(core, item->letter);
    core_give(core, item, memory);
}

void item_drop(struct core *core, struct item *item)
{
    list_remove(&item->link);
    list_remove(&item->sender_link);
    item_uncharge(core, item);
    cargo_release(core, item);
    item_unref(core, item);
}

void items_discard(struct core *core, struct list *items)
{
    struct item *item, *after;

    list_each_safe (item, after, items, link)
        item_drop(core, item);
}
