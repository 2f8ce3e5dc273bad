/*
 * Accounts: what each user has in use, against its limits. Whatever is charged remembers its account and gives
 * the charge back when it goes, also when it outlives the session that made it.
 */
#include <assert.h>
#include <errno.h>

#include "core_internal.h"

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
    const struct limits *l = &core->limits;
    const uint64_t most[SLOTS] = {
        [SLOT_SESSIONS] = l->sessions_per_account,
        [SLOT_WAITERS] = l->waiters_max,
        [SLOT_CHANNELS] = l->channels_max,
        [SLOT_PASSED] = l->passed_max,
        [SLOT_BYTES] = l->account_bytes_max,
        [SLOT_JOBS] = l->jobs_waiting_max,
        [SLOT_LOCKS] = l->locks_max,
        [SLOT_HOLDS] = l->holds_max,
        [SLOT_CONTEXTS] = l->contexts_max,
        [SLOT_DETACHED] = l->contexts_detached_max,
    };

    return most[slot];
}

int account_charge(struct core *core, struct account *account, enum account_slot slot, uint64_t n)
{
    uint64_t most = slot_limit(core, slot);

    if (n > most || account->used[slot] > most - n)
        return -ENOBUFS;
    account->used[slot] += n;
    return 0;
}

void account_release(struct account *account, enum account_slot slot, uint64_t n)
{
    assert(account->used[slot] >= n);
    account->used[slot] -= n;
}
