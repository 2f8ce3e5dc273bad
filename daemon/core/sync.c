/* The frame of named sync objects: see sync.h. */
#include "sync.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

enum { TOKEN_SEQUENCE_BITS = 40 };

static const struct sync_rules *const kinds[SYNC_KINDS] = {
    [SYNC_MUTEX] = &sync_mutex,         [SYNC_RWMUTEX] = &sync_rwmutex, [SYNC_SEMAPHORE] = &sync_semaphore,
    [SYNC_WAITGROUP] = &sync_waitgroup, [SYNC_COUNTER] = &sync_counter, [SYNC_BARRIER] = &sync_barrier,
    [SYNC_ONCE] = &sync_once,           [SYNC_COND] = &sync_cond,       [SYNC_FLIGHT] = &sync_flight,
    [SYNC_ERRGROUP] = &sync_errgroup,   [SYNC_LIMITER] = &sync_limiter, [SYNC_BREAKER] = &sync_breaker,
};

/* ---- objects ---- */

static bool is_called(const struct sync *sync, struct bytes name)
{
    return bytes_are(name, sync->name, sync->name_size);
}

static struct sync *sync_find(const struct core *core, struct bytes name)
{
    struct map_node *n = map_first(&core->syncs, core_hash(core, name.data, name.size));

    for (; n; n = map_next(n)) {
        struct sync *sync = map_entry(n, struct sync, node);

        if (!sync->unnamed && is_called(sync, name))
            return sync;
    }
    return NULL;
}

/* One of this kind whose name is free again, of which the scope has what was granted with this token. */
static struct sync *sync_find_unnamed(const struct core *core, const struct scope *scope,
                                      const struct request_sync_give *what)
{
    struct map_node *n = map_first(&core->syncs, core_hash(core, what->name.data, what->name.size));

    for (; n; n = map_next(n)) {
        struct sync *sync = map_entry(n, struct sync, node);
        const struct hold *hold = sync->unnamed ? hold_find(core, scope, sync) : NULL;

        if (hold && hold->token == what->token && sync->rules->kind == what->kind &&
            is_called(sync, what->name))
            return sync;
    }
    return NULL;
}

void sync_unname(struct sync *sync)
{
    sync->unnamed = true;
}

static int sync_new(struct core *core, struct account *account, const struct sync_rules *rules,
                    struct bytes name, struct sync **out)
{
    struct sync *sync;

    if (map_reserve(core, &core->syncs, 1) < 0 || !(sync = core_alloc(core, rules->bytes + name.size)))
        return -ENOMEM;
    int r = account_charge(core, account, SLOT_LOCKS, 1);
    if (r == 0 && rules->init && (r = rules->init(core, sync)) < 0)
        account_release(account, SLOT_LOCKS, 1);
    if (r < 0) {
        core_free(core, sync);
        return r;
    }
    list_init(&sync->waiters);
    list_init(&sync->granted);
    list_init(&sync->holds);
    sync->rules = rules;
    sync->account = account_ref(account);
    sync->name = memcpy((char *)sync + rules->bytes, name.data, name.size);
    sync->name_size = (uint8_t)name.size;
    map_add(&core->syncs, &sync->node, core_hash(core, name.data, name.size));
    core->syncs_n[rules->kind]++;
    *out = sync;
    return 0;
}

static void sync_free(struct core *core, struct sync *sync)
{
    grants_of_gone(sync);
    if (sync->rules->fini)
        sync->rules->fini(core, sync);
    core->syncs_n[sync->rules->kind]--;
    map_remove(&core->syncs, &sync->node);
    account_release(sync->account, SLOT_LOCKS, 1);
    account_drop(core, sync->account);
    core_free(core, sync);
}

int sync_open(struct core *core, struct op *op, const struct sync_rules *rules, struct bytes name, bool make,
              struct sync **out)
{
    int r = name_check(name);

    *out = NULL;
    if (r < 0)
        return make ? r : 0;
    *out = sync_find(core, name);
    if (!*out)
        return make ? sync_new(core, op->scope->account, rules, name, out) : 0;
    if ((*out)->rules == rules)
        return 0;
    op_fail(core, op, -EEXIST, "%.*s is a %s, not a %s", (int)name.size, (const char *)name.data,
            (*out)->rules->word, rules->word);
    return -EEXIST;
}

static bool is_kept(const struct sync *sync)
{
    return !list_empty(&sync->waiters) || !list_empty(&sync->holds) ||
           (sync->rules->news && sync->rules->news(sync));
}

/* NULL: nobody; what is only to be learnt from it is paid for by the last. */
static struct account *keeper_of(const struct sync *sync)
{
    struct account *keeper = sync->rules->keeper ? sync->rules->keeper(sync) : NULL;
    const struct hold *hold = list_first(&sync->holds, struct hold, of_sync);
    const struct waiter *w = list_first(&sync->waiters, struct waiter, link);

    if (keeper)
        return keeper;
    return hold ? hold->scope->account : w ? w->op->scope->account : NULL;
}

int sync_refuse(struct core *core, struct op *op, const struct sync *sync, int error, const char *format, ...)
{
    char text[256];
    va_list arguments;

    va_start(arguments, format);
    size_t n = text_writev(text, sizeof(text), format, arguments);
    va_end(arguments);
    op_fail(core, op, error, "%s '%.*s': %.*s", sync->rules->word, sync->name_size, sync->name, (int)n, text);
    return error;
}

void sync_settle(struct core *core, struct sync *sync)
{
    struct account *keeper = sync->busy ? NULL : keeper_of(sync);

    if (keeper)
        account_move(core, &sync->account, keeper, SLOT_LOCKS);
    else if (!sync->busy && !is_kept(sync))
        sync_free(core, sync);
}

void sync_done(struct core *core, struct sync *sync)
{
    if (sync->rules->look)
        sync->rules->look(core, sync);
    sync->busy = false;
    sync_settle(core, sync);
}

uint64_t sync_token(struct core *core)
{
    return core->incarnation << TOKEN_SEQUENCE_BITS | ++core->sync_sequence;
}

/* ---- holds ---- */

/* Two numbers that name the place of a hold, for as long as both are there. */
static uint64_t hold_hash(const struct core *core, const struct scope *scope, const struct sync *sync)
{
    const uint64_t key[] = {scope->session->number, scope->run, sync->node.hash};

    return core_hash(core, key, sizeof(key));
}

struct hold *hold_find(const struct core *core, const struct scope *scope, const struct sync *sync)
{
    struct map_node *n = map_first(&core->holds, hold_hash(core, scope, sync));

    for (; n; n = map_next(n)) {
        struct hold *hold = map_entry(n, struct hold, node);

        if (hold->scope == scope && hold->sync == sync)
            return hold;
    }
    return NULL;
}

int hold_get(struct core *core, struct scope *scope, struct sync *sync, struct hold **out)
{
    struct hold *hold = *out = hold_find(core, scope, sync);

    if (hold)
        return 0;
    if (map_reserve(core, &core->holds, 1) < 0 || !(hold = core_alloc(core, sizeof(*hold))))
        return -ENOMEM;
    if (account_charge(core, scope->account, SLOT_HOLDS, 1) < 0) {
        core_free(core, hold);
        return -ENOBUFS;
    }
    hold->scope = scope;
    hold->sync = sync;
    list_append(&scope->holds, &hold->of_scope);
    list_append(&sync->holds, &hold->of_sync);
    map_add(&core->holds, &hold->node, hold_hash(core, scope, sync));
    *out = hold;
    return 0;
}

static void hold_free(struct core *core, struct hold *hold)
{
    map_remove(&core->holds, &hold->node);
    list_remove(&hold->of_scope);
    list_remove(&hold->of_sync);
    account_release(hold->scope->account, SLOT_HOLDS, 1);
    core_free(core, hold);
}

void hold_settle(struct core *core, struct hold *hold)
{
    if (!hold->units && !hold->waiters)
        hold_free(core, hold);
}

bool hold_seen(const struct core *core, const struct hold *hold)
{
    const struct op *op = op_find(core, hold->scope->session, hold->grant);

    return !op || op->left;
}

/* ---- waiting ---- */

int sync_park(struct core *core, struct op *op, struct hold *hold, uint64_t wants)
{
    int r = op_park(core, op, WAIT_SYNC);

    if (r < 0) {
        hold_settle(core, hold);
        return r;
    }
    op->waiters[0].sync = hold->sync;
    op->waiters[0].ticket = wants;
    list_append(&hold->sync->waiters, &op->waiters[0].link);
    hold->waiters++;
    return 0;
}

bool sync_waits(struct core *core, struct waiter *w)
{
    if (op_gone(core, w->op))
        return false;
    if (!op_late(core, w->op))
        return true;
    op_interrupt(core, w->op, -ETIMEDOUT);
    return false;
}

struct waiter *sync_next(struct core *core, struct sync *sync)
{
    struct waiter *w, *after;

    list_each_safe (w, after, &sync->waiters, link)
        if (sync_waits(core, w))
            return w;
    return NULL;
}

static bool counts(const struct core *core, const struct waiter *w)
{
    return !op_gone(core, w->op) && !op_late(core, w->op);
}

const struct waiter *sync_waiting(const struct core *core, const struct sync *sync)
{
    const struct waiter *w;

    list_each (w, &sync->waiters, link)
        if (counts(core, w))
            return w;
    return NULL;
}

const struct waiter *sync_front(const struct core *core, const struct sync *sync)
{
    const struct waiter *front = list_first(&sync->waiters, struct waiter, link);

    return front && counts(core, front) ? front : NULL;
}

void sync_grant(struct core *core, struct hold *hold, struct op *op, uint64_t units, int32_t status)
{
    hold->units += units;
    hold->grant = op->id;
    hold->token = op->handle = sync_token(core);
    op_finish(core, op, status);
    grant_note(hold->sync, op, units);
}

/* One in front is over. When it leaves, those behind are looked at; before that each look would pass over all like it,
 * of which there may be very many. */
static bool front_is_gone(const struct core *core, const struct sync *sync)
{
    const struct waiter *front = list_first(&sync->waiters, struct waiter, link);

    return front && op_gone(core, front->op);
}

void sync_waiter_left(struct core *core, struct waiter *w)
{
    struct sync *sync = w->sync;
    struct hold *hold = sync ? hold_find(core, w->op->scope, sync) : NULL;

    w->sync = NULL;
    if (hold) {
        hold->waiters--;
        hold_settle(core, hold);
    }
    if (!sync || sync->busy)
        return;
    sync->busy = true;
    if (sync->rules->left)
        sync->rules->left(core, sync, w);
    if (!front_is_gone(core, sync))
        return sync_done(core, sync);
    sync->busy = false;
}

/* ---- the end of a scope, of everything ---- */

static void hold_end(struct core *core, struct hold *hold)
{
    struct sync *sync = hold->sync;

    sync->busy = true;
    if (hold->units)
        sync->rules->dead(core, sync, hold);
    hold->units = 0;
    hold_settle(core, hold);
    sync_done(core, sync);
}

void syncs_scope_end(struct core *core, struct scope *scope)
{
    struct hold *hold, *after;

    list_each_safe (hold, after, &scope->holds, of_scope)
        hold_end(core, hold);
}

struct bytes sync_name(const struct sync *sync)
{
    return (struct bytes){sync->name, sync->name_size};
}

const char *sync_word(const struct sync *sync)
{
    return sync->rules->word;
}

void syncs_free(struct core *core)
{
    struct map_node *n;

    while ((n = map_walk(&core->syncs, NULL)))
        sync_free(core, map_entry(n, struct sync, node));
}

/* ---- invariants ---- */

static uint64_t holds_check(const struct sync *sync)
{
    const struct hold *hold;
    uint64_t waiters = 0;

    list_each (hold, &sync->holds, of_sync) {
        assert(hold->sync == sync && list_linked(&hold->of_scope) && "a hold is known on both sides");
        assert((hold->units || hold->waiters) && "a hold is there for something");
        assert((!hold->units || !hold->scope->ended) && "who has something lives");
        waiters += hold->waiters;
    }
    return waiters;
}

static void sync_check(const struct core *core, const struct sync *sync)
{
    const struct waiter *w;
    uint64_t waiters = 0, known = holds_check(sync);

    assert(!sync->busy && is_kept(sync) && "a sync object is there for somebody");
    list_each (w, &sync->waiters, link) {
        assert(w->sync == sync && op_waits(w->op) && "one waits for the object whose queue this is");
        waiters += w->op->reason == WAIT_SYNC;
    }
    assert(waiters == known && "a scope knows what it waits for");
    list_each (w, &sync->granted, link)
        assert(w->sync == sync && w->op->granted &&
               "IP1.3: what was granted is known until it is acknowledged");
    if (sync->rules->check)
        sync->rules->check(core, sync);
}

void syncs_check(const struct core *core)
{
    struct map_node *n = NULL;

    while ((n = map_walk(&core->syncs, n)))
        sync_check(core, map_entry(n, struct sync, node));
}

uint64_t syncs_charged(const struct core *core, const struct account *account)
{
    struct map_node *n = NULL;
    uint64_t sum = 0;

    while ((n = map_walk(&core->syncs, n)))
        sum += map_entry(n, struct sync, node)->account == account;
    return sum;
}

uint64_t holds_charged(const struct core *core, const struct account *account)
{
    struct map_node *n = NULL;
    uint64_t sum = 0;

    while ((n = map_walk(&core->holds, n)))
        sum += map_entry(n, struct hold, node)->scope->account == account;
    return sum;
}

/* ---- verbs ---- */

/* -EOPNOTSUPP: the kind has no such verb; the name stays as it is. */
#define RULE(number, verb) ((number) && (number) < SYNC_KINDS ? kinds[number]->verb : NULL)

int handle_sync_take(struct core *core, struct op *op, const struct request *request)
{
    const struct request_sync_take *what = &request->sync_take;
    struct sync *sync;
    int r = RULE(what->kind, take) ? sync_open(core, op, kinds[what->kind], what->name, true, &sync)
                                   : -EOPNOTSUPP;

    if (r < 0)
        return r;
    sync->busy = true;
    r = sync->rules->take(core, sync, op, what);
    sync_done(core, sync);
    return r;
}

/* There is no such object: nobody has anything of it, and a wait group has no units (A2). */
static int give_nothing(struct core *core, struct op *op, const struct sync_rules *rules,
                        const struct request_sync_give *what)
{
    int shown = what->name.size < NAME_BYTES_MAX ? (int)what->name.size : NAME_BYTES_MAX;

    if (rules == &sync_waitgroup) {
        op_fail(core, op, -EINVAL, "%s '%.*s': done %llu with counter 0", rules->word, shown,
                (const char *)what->name.data, (unsigned long long)what->units);
        return -EINVAL;
    }
    op_fail(core, op, -EPERM, "%s '%.*s': nobody has anything of it to give back", rules->word, shown,
            (const char *)what->name.data);
    return -EPERM;
}

bool sync_is_held(const struct core *core, const struct scope *scope, const struct request_sync_give *what)
{
    const struct sync *unnamed = sync_find_unnamed(core, scope, what);
    const struct sync *sync = unnamed ? unnamed : sync_find(core, what->name);
    const struct hold *hold = sync && sync->rules->kind == what->kind ? hold_find(core, scope, sync) : NULL;

    return hold && hold->units && (!sync->rules->counted || hold->units >= what->units);
}

int handle_sync_give(struct core *core, struct op *op, const struct request *request)
{
    const struct request_sync_give *what = &request->sync_give;
    struct sync *sync = sync_find_unnamed(core, op->scope, what);
    int r = RULE(what->kind, give) ? 0 : -EOPNOTSUPP;

    if (r == 0 && !sync)
        r = sync_open(core, op, kinds[what->kind], what->name, false, &sync);
    if (r < 0)
        return r;
    if (!sync)
        return give_nothing(core, op, kinds[what->kind], what);
    sync->busy = true;
    r = sync->rules->give(core, sync, op, what);
    sync_done(core, sync);
    return r;
}

int handle_sync_add(struct core *core, struct op *op, const struct request *request)
{
    const struct request_sync_add *what = &request->sync_add;
    struct sync *sync;
    int r =
        RULE(what->kind, add) ? sync_open(core, op, kinds[what->kind], what->name, true, &sync) : -EOPNOTSUPP;

    if (r < 0)
        return r;
    sync->busy = true;
    r = sync->rules->add(core, sync, op, what);
    sync_done(core, sync);
    return r;
}

int handle_sync_wait(struct core *core, struct op *op, const struct request *request)
{
    const struct request_sync_wait *what = &request->sync_wait;
    struct sync *sync;
    int r = RULE(what->kind, wait) ? sync_open(core, op, kinds[what->kind], what->name, true, &sync)
                                   : -EOPNOTSUPP;

    if (r < 0)
        return r;
    sync->busy = true;
    r = sync->rules->wait(core, sync, op, what);
    sync_done(core, sync);
    return r;
}

int handle_sync_reset(struct core *core, struct op *op, const struct request *request)
{
    const struct request_sync_reset *what = &request->sync_reset;
    struct sync *sync;
    int r = RULE(what->kind, reset) ? sync_open(core, op, kinds[what->kind], what->name, false, &sync)
                                    : -EOPNOTSUPP;

    if (r < 0 || !sync)
        return r;
    sync->busy = true;
    r = sync->rules->reset(core, sync, op);
    sync_done(core, sync);
    return r;
}
