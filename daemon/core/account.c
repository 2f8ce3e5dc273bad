/*
 * Accounts: what each user has in use, against its limits. Whatever is charged remembers its account and gives
 * the charge back when it goes, also when it outlives the session that made it. When it is there only because somebody else
 * keeps it, the charge is his.
 */
#include <assert.h>
#include <errno.h>

#include "engine.h"

struct account *account_ref(struct account *account)
{
    account->refs++;
    return account;
}

struct account *account_get(struct core *core, uint32_t uid)
{
    uint64_t hash = core_hash_number(core, uid);

    for (struct map_node *n = map_first(&core->accounts, hash); n; n = map_next(n))
        if (map_entry(n, struct account, node)->uid == uid)
            return account_ref(map_entry(n, struct account, node));
    if (map_reserve(core, &core->accounts, 1) < 0)
        return NULL;
    struct account *account = core_alloc(core, sizeof(*account));
    if (!account)
        return NULL;
    account->uid = uid;
    list_init(&account->greeters);
    map_add(&core->accounts, &account->node, hash);
    return account_ref(account);
}

struct account *account_drop(struct core *core, struct account *account)
{
    if (!account || --account->refs)
        return NULL;
    for (int slot = 0; slot < SLOTS; slot++)
        assert(!account->used[slot] && "every charge was given back");
    map_remove(&core->accounts, &account->node);
    core_free(core, account);
    return NULL;
}

static uint64_t slot_limit(const struct core *core, enum account_slot slot)
{
    static const size_t place[SLOTS] = {
        [SLOT_SESSIONS] = offsetof(struct limits, sessions_per_account),
        [SLOT_WAITERS] = offsetof(struct limits, waiters_max),
        [SLOT_CHANNELS] = offsetof(struct limits, channels_max),
        [SLOT_PASSED] = offsetof(struct limits, passed_max),
        [SLOT_BYTES] = offsetof(struct limits, account_bytes_max),
        [SLOT_JOBS] = offsetof(struct limits, jobs_waiting_max),
        [SLOT_SCHEDULES] = offsetof(struct limits, schedules_max),
        [SLOT_LOCKS] = offsetof(struct limits, locks_max),
        [SLOT_HOLDS] = offsetof(struct limits, holds_max),
        [SLOT_CONTEXTS] = offsetof(struct limits, contexts_max),
        [SLOT_DURABLE] = offsetof(struct limits, durable_channels_max),
        [SLOT_DURABLE_BYTES] = offsetof(struct limits, durable_bytes_max),
        [SLOT_DETACHED] = offsetof(struct limits, contexts_detached_max),
        [SLOT_SUBSCRIPTIONS] = offsetof(struct limits, subscriptions_max),
        [SLOT_TOPICS] = offsetof(struct limits, topics_max),
        [SLOT_GROUPS] = offsetof(struct limits, groups_max),
        [SLOT_DELAYED] = offsetof(struct limits, delayed_max),
        [SLOT_DELAYED_BYTES] = offsetof(struct limits, delayed_bytes_max),
        [SLOT_LASTS] = offsetof(struct limits, lasts_max),
        [SLOT_LAST_BYTES] = offsetof(struct limits, last_bytes_max),
        [SLOT_FEEDS] = offsetof(struct limits, feeds_max),
    };

    return *(const uint64_t *)((const char *)&core->limits + place[slot]);
}

bool account_has_room(const struct core *core, const struct account *account, enum account_slot slot,
                      uint64_t n)
{
    uint64_t most = slot_limit(core, slot);

    return n <= most && account->used[slot] <= most - n;
}

int account_charge(struct core *core, struct account *account, enum account_slot slot, uint64_t n)
{
    if (!account_has_room(core, account, slot, n))
        return -ENOBUFS;
    account->used[slot] += n;
    return 0;
}

void account_release(struct account *account, enum account_slot slot, uint64_t n)
{
    assert(account->used[slot] >= n && "nothing is given back that was not charged");
    account->used[slot] -= n;
}

void account_move(struct core *core, struct account **from, struct account *to, enum account_slot slot)
{
    struct account *old = *from;

    if (old == to)
        return;
    *from = account_ref(to);
    to->used[slot]++;
    account_release(old, slot, 1);
    account_drop(core, old);
}

bool account_owns(const struct core *core, const struct account *account)
{
    return account->uid == 0 || account->uid == core->owner;
}

static bool may_everything(const struct core *core, const struct account *account)
{
    return !core->rights || account_owns(core, account);
}

bool account_may(const struct core *core, const struct account *account, const struct right_want *want)
{
    struct right_want what = *want;

    what.anywhere = what.anywhere || PLANTED(ANY_NAME);
    return may_everything(core, account) || rights_let(core->rights, account->uid, &what);
}

uint32_t account_rights(const struct core *core, const struct account *account, struct bytes name,
                        uint32_t asked)
{
    return rights_of_channel(may_everything(core, account) ? NULL : core->rights, account->uid, name, asked);
}

size_t account_words(const struct account *account, char *to, size_t size)
{
    if (account->uid < ACCOUNT_KEYS)
        return text_write(to, size, "uid:%u", account->uid);
    if (account->uid == ACCOUNT_UNKNOWN)
        return text_write(to, size, "somebody without a key");
    if (*account->key)
        return text_write(to, size, "key:%s", account->key);
    return text_write(to, size, "the key with number %u", account->uid);
}
