/*
 * Named onces and flights (O, SF): one caller is told to run, the others wait for what it says.
 *
 * A once is run one time: afterwards everybody is told that it was. When its runner failed or died, everybody is told so,
 * until a reset. A flight is forgotten with its end; those that wait get its value and error, or hear of the death of its
 * runner. A reset forgets a flight while it is under way: the next caller runs anew, and the old end is for the old
 * callers only. A runner whose grant was never seen did not run: the next one does.
 *
 * Invariants: somebody runs it, or nobody waits; the runner's hold has one unit.
 */
#include <assert.h>
#include <errno.h>

#include "sync.h"

enum state { IDLE, RUNNING, DONE, FAILED };

struct once {
    struct sync base;
    enum state state;
    struct hold *runner; /* RUNNING */
};

static struct once *once_of(struct sync *sync)
{
    return (struct once *)sync;
}

static void run(struct core *core, struct once *once, struct op *op, struct hold *hold)
{
    once->state = RUNNING;
    once->runner = hold;
    sync_grant(core, hold, op, 1, GRANT_RUN);
}

static int once_take(struct core *core, struct sync *sync, struct op *op,
                     const struct request_sync_take *what)
{
    struct once *once = once_of(sync);
    struct hold *hold;
    int r;

    if (once->state == DONE)
        return 0;
    if (once->state == FAILED)
        return sync_refuse(core, op, sync, -EOWNERDEAD, "its function failed, or who ran it died");
    r = hold_get(core, op->scope, sync, &hold);
    if (r < 0)
        return r;
    if (once->state == RUNNING)
        return sync_park(core, op, hold, 0);
    run(core, once, op, hold);
    return 0;
}

/* Only who was told to run may say how it went. */
static int runner_check(struct core *core, const struct once *once, struct op *op, uint64_t token)
{
    if (once->state != RUNNING)
        return sync_refuse(core, op, &once->base, -EPERM, "ended with nobody running it");
    if (once->runner->token != token && once->runner->scope != op->scope)
        return sync_refuse(core, op, &once->base, -ESTALE, "ended with token %llu, not that of its runner",
                           (unsigned long long)token);
    if (once->runner->token != token)
        return sync_refuse(core, op, &once->base, -ESTALE, "ended with token %llu: its runner has %llu",
                           (unsigned long long)token, (unsigned long long)once->runner->token);
    if (once->runner->scope != op->scope)
        return sync_refuse(core, op, &once->base, -EPERM, "ended by another session than its runner's");
    return 0;
}

static void runner_leaves(struct core *core, struct once *once, enum state state)
{
    struct hold *hold = once->runner;

    once->state = state;
    once->runner = NULL;
    hold->units = 0;
    hold_settle(core, hold);
}

static int once_give(struct core *core, struct sync *sync, struct op *op,
                     const struct request_sync_give *what)
{
    struct once *once = once_of(sync);
    int r = runner_check(core, once, op, what->token);

    if (r < 0)
        return r;
    runner_leaves(core, once, what->flags & GIVE_UNSEEN ? IDLE : what->flags & GIVE_FAILED ? FAILED : DONE);
    return 0;
}

/* IP1.3: it did not run. */
static void once_undo(struct core *core, struct sync *sync, struct op *op, uint64_t what)
{
    struct once *once = once_of(sync);

    if (once->runner && once->runner->scope == op->scope && once->runner->token == op->handle)
        runner_leaves(core, once, IDLE);
}

static int once_reset(struct core *core, struct sync *sync, struct op *op)
{
    struct once *once = once_of(sync);

    if (once->state == RUNNING)
        return sync_refuse(core, op, sync, -EBUSY, "it is running");
    once->state = IDLE;
    return 0;
}

static void once_look(struct core *core, struct sync *sync)
{
    struct once *once = once_of(sync);
    struct waiter *w;

    while (once->state != RUNNING && (w = sync_next(core, sync))) {
        if (once->state == IDLE)
            run(core, once, w->op, hold_find(core, w->op->scope, sync));
        else
            op_finish(core, w->op, once->state == DONE ? 0 : -EOWNERDEAD);
    }
}

/* O2. */
static void once_dead(struct core *core, struct sync *sync, struct hold *hold)
{
    struct once *once = once_of(sync);

    once->state = hold_seen(core, hold) ? FAILED : IDLE;
    once->runner = NULL;
}

static bool once_news(const struct sync *sync)
{
    return ((const struct once *)sync)->state != IDLE;
}

static void once_check(const struct core *core, const struct sync *sync)
{
    const struct once *once = (const struct once *)sync;

    assert((once->state == RUNNING) == (once->runner != NULL) && "who runs is known");
    assert((!once->runner || once->runner->units == 1) && "who runs has it");
    assert((once->state == RUNNING || !sync_waiting(core, sync)) && "O1: one waits while another runs");
}

const struct sync_rules sync_once = {
    .kind = SYNC_ONCE,
    .word = "once",
    .bytes = sizeof(struct once),
    .take = once_take,
    .give = once_give,
    .undo = once_undo,
    .reset = once_reset,
    .news = once_news,
    .look = once_look,
    .dead = once_dead,
    .check = once_check,
};

/* ---- flights ---- */

/* Everybody who waits is told: all share one answer. NULL: the runner failed. */
static void land(struct core *core, struct sync *sync, struct answer *answer)
{
    struct waiter *w;

    while ((w = sync_next(core, sync))) {
        w->op->answer = answer ? answer_ref(answer) : NULL;
        w->op->handle = answer ? answer->result.handle : 0;
        op_finish(core, w->op, answer ? 0 : -EOWNERDEAD);
    }
}

static int flight_check(struct core *core, const struct once *once, struct op *op,
                        const struct request_sync_give *what)
{
    int r = runner_check(core, once, op, what->token);

    if (r < 0)
        return r;
    if (what->error > 0)
        return sync_refuse(core, op, &once->base, -EINVAL, "error %d: errors are negative, success is 0",
                           what->error);
    if (what->value.size <= core->limits.result_bytes_max)
        return 0;
    return sync_refuse(core, op, &once->base, -E2BIG, "a value of %zu bytes: result_bytes_max is %llu",
                       what->value.size, (unsigned long long)core->limits.result_bytes_max);
}

static int flight_give(struct core *core, struct sync *sync, struct op *op,
                       const struct request_sync_give *what)
{
    const struct result result = {.output = what->value, .handle = -(uint32_t)what->error};
    struct once *once = once_of(sync);
    struct answer *answer = NULL;
    int r = flight_check(core, once, op, what);

    if (r < 0)
        return r;
    if (!(what->flags & (GIVE_UNSEEN | GIVE_FAILED)) && !(answer = answer_new(core, &result)))
        return -ENOMEM;
    op->handle = sync_next(core, sync) != NULL; /* whether it was shared */
    if (!(what->flags & GIVE_UNSEEN))
        land(core, sync, answer);
    answer_drop(core, answer);
    runner_leaves(core, once, IDLE);
    return 0;
}

/* SF3: it is never run again behind anybody's back. */
static void flight_dead(struct core *core, struct sync *sync, struct hold *hold)
{
    struct once *once = once_of(sync);

    if (hold_seen(core, hold))
        land(core, sync, NULL);
    once->state = IDLE;
    once->runner = NULL;
}

/* SF2. */
static int flight_reset(struct core *core, struct sync *sync, struct op *op)
{
    if (once_of(sync)->runner)
        sync_unname(sync);
    return 0;
}

const struct sync_rules sync_flight = {
    .kind = SYNC_FLIGHT,
    .word = "flight",
    .bytes = sizeof(struct once),
    .take = once_take,
    .give = flight_give,
    .undo = once_undo,
    .reset = flight_reset,
    .news = once_news,
    .look = once_look,
    .dead = flight_dead,
    .check = once_check,
};
