/* Operations on named sync objects, for the tests of their kinds. */
#pragma once

#include "core_fixture.h"

static inline struct bytes named(const char *name)
{
    return (struct bytes){name, strlen(name)};
}

static inline uint64_t take_of(struct client *c, struct request_sync_take what)
{
    return client_do(c, (struct request){.verb = VERB_SYNC_TAKE, .sync_take = what});
}

static inline uint64_t give_of(struct client *c, struct request_sync_give what)
{
    return client_do(c, (struct request){.verb = VERB_SYNC_GIVE, .sync_give = what});
}

static inline uint64_t add_of(struct client *c, struct request_sync_add what)
{
    return client_do(c, (struct request){.verb = VERB_SYNC_ADD, .sync_add = what});
}

static inline uint64_t wait_of(struct client *c, struct request_sync_wait what)
{
    return client_do(c, (struct request){.verb = VERB_SYNC_WAIT, .sync_wait = what});
}

static inline uint64_t reset_of(struct client *c, uint32_t kind, const char *name)
{
    return client_do(c, (struct request){.verb = VERB_SYNC_RESET, .sync_reset = {kind, named(name)}});
}

static inline uint64_t lock_of(struct client *c, const char *name)
{
    return client_do(c, (struct request){.verb = VERB_LOCK, .lock = {named(name)}});
}

static inline uint64_t token_of(struct client *c, uint64_t op)
{
    assert_non_null(got(c, op));
    return got(c, op)->handle;
}

/* Nothing is left of any of them, and no memory of what they did. */
static inline void assert_no_syncs(struct rig *rig)
{
    rig_sweep(rig);
    assert_int_equal(rig_stat(rig, "syncs"), 0);
    assert_int_equal(rig_stat(rig, "ops.parked"), 0);
}
