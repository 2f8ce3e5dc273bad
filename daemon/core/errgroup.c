/*
 * Named error groups (E): members that work on one thing and may fail, at most so many at once. Members are counted by
 * scope: who started one says how it ended, and the end of the scope is an error of all it has running.
 *
 * The first error is told to everybody who waits, and stays until a reset, or until a member starts when nobody runs and
 * somebody was told. A group may have a context of its own, which ends with the first error, else when a wait for the group
 * has ended (E2); it is that of who made it, as any other.
 *
 * Invariants: `members` is the sum of all holds; nobody waits for the end of none; nobody waits for a slot that is free; the
 * context, which knows the group, has not ended.
 */
#include <assert.h>
#include <errno.h>

#include "context.h"
#include "sync.h"

enum wants { WANTS_END, WANTS_SLOT };

struct errgroup {
    struct sync base;
    uint64_t size, members;  /* size 0: no limit */
    int32_t error;           /* the first; 0: none */
    bool told;               /* somebody has heard of the end of this round */
    struct context *context; /* NULL: none, or it has ended */
};

static bool has_slot(const struct errgroup *e)
{
    return !e->size || e->members < e->size;
}

static void start(struct core *core, struct errgroup *e, struct op *op, struct hold *hold)
{
    if (!e->members && e->told)
        e->error = 0;
    e->told = false;
    e->members++;
    sync_grant(core, hold, op, 1, 0);
}

static struct waiter *next_of(struct core *core, struct errgroup *e, enum wants wants)
{
    struct waiter *w, *after;

    list_each_safe (w, after, &e->base.waiters, link)
        if (w->ticket == wants && sync_waits(core, w))
            return w;
    return NULL;
}

/* E3: the limit is not changed while members run. */
static int errgroup_take(struct core *core, struct sync *sync, struct op *op,
                         const struct request_sync_take *what)
{
    struct errgroup *e = (struct errgroup *)sync;
    struct hold *hold;
    int r;

    if (e->members && e->size != what->size) {
        op_fail(core, op, -EEXIST, "error group %.*s has limit %llu, not %llu", sync->name_size, sync->name,
                (unsigned long long)e->size, (unsigned long long)what->size);
        return -EEXIST;
    }
    r = hold_get(core, op->scope, sync, &hold);
    if (r < 0)
        return r;
    e->size = what->size;
    if (!has_slot(e) || next_of(core, e, WANTS_SLOT))
        return sync_park(core, op, hold, WANTS_SLOT);
    start(core, e, op, hold);
    return 0;
}

/* ---- its context (E2) ---- */

/* In words; NULL: the usual ones, also when memory is out. */
static struct cause *cause_of(struct core *core, const struct errgroup *e)
{
    char text[320];

    if (!e->error)
        return NULL;
    size_t n = text_write(text, sizeof(text), "a member of error group %.*s ended with %d", e->base.name_size,
                          e->base.name, e->error);
    return cause_new(core, (struct bytes){text, n});
}

/* The sweep that tells it is the caller's, or that of the next turn. */
static void end_context(struct core *core, struct errgroup *e)
{
    if (e->context)
        context_update(core, e->context);
    if (!e->context)
        return;
    struct cause *cause = cause_of(core, e);
    context_end(core, e->context, -ECANCELED, e->error, cause);
    cause_drop(core, cause);
}

int errgroup_open(struct core *core, struct op *op, struct bytes name, struct sync **out)
{
    int r = sync_open(core, op, &sync_errgroup, name, true, out);
    struct errgroup *e = (struct errgroup *)*out;

    if (r < 0)
        return r;
    e->base.busy = true;
    if (e->context)
        context_update(core, e->context);
    if (!e->context)
        return 0;
    op_fail(core, op, -EEXIST, "error group %.*s has a context already", e->base.name_size, e->base.name);
    sync_done(core, *out);
    return -EEXIST;
}

void errgroup_join(struct core *core, struct sync *sync, struct context *c)
{
    struct errgroup *e = (struct errgroup *)sync;

    e->context = c;
    c->group = sync;
    if (e->error && (e->members || !e->told))
        end_context(core, e);
}

void errgroup_context_over(struct core *core, struct context *c)
{
    struct sync *sync = c->group;

    ((struct errgroup *)sync)->context = NULL;
    c->group = NULL;
    sync_settle(core, sync);
}

static struct account *errgroup_keeper(const struct sync *sync)
{
    const struct errgroup *e = (const struct errgroup *)sync;

    return e->context ? e->context->account : NULL;
}

/* ---- members ---- */

static void fail(struct core *core, struct errgroup *e, int32_t error)
{
    if (!error || e->error)
        return;
    e->error = error;
    end_context(core, e);
}

static void member_leaves(struct core *core, struct errgroup *e, struct hold *hold)
{
    hold->units--;
    e->members--;
    hold_settle(core, hold);
}

static int errgroup_give(struct core *core, struct sync *sync, struct op *op,
                         const struct request_sync_give *what)
{
    struct errgroup *e = (struct errgroup *)sync;
    struct hold *hold = hold_find(core, op->scope, sync);

    if (what->error > 0)
        return sync_refuse(core, op, sync, -EINVAL, "error %d: errors are negative, success is 0",
                           what->error);
    if (!hold || !hold->units)
        return sync_refuse(core, op, sync, -EPERM, "no member of this session runs; %llu others do",
                           (unsigned long long)e->members);
    if (!(what->flags & GIVE_UNSEEN))
        fail(core, e, what->error);
    contexts_sweep(core); /* X1: before it returns */
    member_leaves(core, e, hold);
    return 0;
}

/* IP1.3: it did not start. */
static void errgroup_undo(struct core *core, struct sync *sync, struct op *op, uint64_t what)
{
    struct hold *hold = hold_find(core, op->scope, sync);

    if (hold && hold->units)
        member_leaves(core, (struct errgroup *)sync, hold);
}

static void round_ends(struct core *core, struct errgroup *e)
{
    end_context(core, e);
    contexts_sweep(core);
}

static int32_t outcome(struct errgroup *e, struct op *op)
{
    e->told = true;
    op->handle = -(uint32_t)e->error;
    return e->error ? WAIT_FAILED : 0;
}

static int errgroup_wait(struct core *core, struct sync *sync, struct op *op,
                         const struct request_sync_wait *what)
{
    struct errgroup *e = (struct errgroup *)sync;
    struct hold *hold;
    int r;

    if (!e->members) {
        round_ends(core, e);
        return outcome(e, op);
    }
    r = hold_get(core, op->scope, sync, &hold);
    return r < 0 ? r : sync_park(core, op, hold, WANTS_END);
}

static int errgroup_reset(struct core *core, struct sync *sync, struct op *op)
{
    struct errgroup *e = (struct errgroup *)sync;

    if (e->members)
        return sync_refuse(core, op, sync, -EBUSY, "%llu members run", (unsigned long long)e->members);
    e->error = 0;
    return 0;
}

static void errgroup_look(struct core *core, struct sync *sync)
{
    struct errgroup *e = (struct errgroup *)sync;
    struct waiter *w;

    while (has_slot(e) && (w = next_of(core, e, WANTS_SLOT)))
        start(core, e, w->op, hold_find(core, w->op->scope, sync));
    if (!e->members && next_of(core, e, WANTS_END))
        round_ends(core, e);
    while (!e->members && (w = next_of(core, e, WANTS_END)))
        op_finish(core, w->op, outcome(e, w->op));
}

/* E1; a member that nobody knows to have started has not failed (IP1.3). */
static void errgroup_dead(struct core *core, struct sync *sync, struct hold *hold)
{
    struct errgroup *e = (struct errgroup *)sync;

    if (hold->units > 1 || hold_seen(core, hold))
        fail(core, e, -EOWNERDEAD);
    e->members -= hold->units;
}

static bool errgroup_news(const struct sync *sync)
{
    return ((const struct errgroup *)sync)->error != 0 || ((const struct errgroup *)sync)->context;
}

static void errgroup_check(const struct core *core, const struct sync *sync)
{
    const struct errgroup *e = (const struct errgroup *)sync;
    const struct hold *hold;
    const struct waiter *w;
    uint64_t members = 0;

    list_each (hold, &sync->holds, of_sync)
        members += hold->units;
    assert((!e->context || (e->context->group == sync && !e->context->status)) &&
           "E2: the context of a group knows it");
    assert(members == e->members && (!e->size || members <= e->size) &&
           "E3: as many members run as scopes say");
    list_each (w, &sync->waiters, link)
        assert((op_gone(core, w->op) || op_late(core, w->op) ||
                (w->ticket == WANTS_END ? members > 0 : !has_slot(e))) &&
               "E1, E3: who waits has something to wait for");
}

const struct sync_rules sync_errgroup = {
    .kind = SYNC_ERRGROUP,
    .word = "error group",
    .bytes = sizeof(struct errgroup),
    .take = errgroup_take,
    .give = errgroup_give,
    .undo = errgroup_undo,
    .wait = errgroup_wait,
    .reset = errgroup_reset,
    .keeper = errgroup_keeper,
    .news = errgroup_news,
    .look = errgroup_look,
    .dead = errgroup_dead,
    .check = errgroup_check,
};
