/*
 * What was granted to a caller who is unwound before it knows goes back by a RETURN (IP1.2, IP1.3), as if it had never been
 * given. A's client has calls that wait in a way of their own: the thread of one that leaves is unwound as soon as its result
 * is there. A token of a limiter that nobody used is also given back by hand, for which libgoclient has no call.
 */
#include <errno.h>

#include "cell.h"
#include "goclient_waiting.h"
#include "probe.h"
#include "taking.h"

#define SECOND_NS 1000000000LL

/* ---- a caller that leaves ---- */

static _Thread_local bool leaves; /* this thread does */

static int park_and_leave(struct gc_wait wait, const char *reason, bool masked)
{
    int r = gc_waiting_threads.park(wait, reason, masked);

    if (leaves && !masked)
        pthread_exit(NULL);
    return r;
}

/* A's client, anew, whose service thread takes what comes. */
static void prepare_leaving(struct cell *cell)
{
    static struct gc_waiting waiting;

    waiting = gc_waiting_threads;
    waiting.park = park_and_leave;
    waiting.leads = false;
    gc_disconnect(cell->g[WHO_A]);
    cell->g[WHO_A] = probe_client_waiting(cell->endpoint[WHO_A], 0, &waiting);
}

struct leaver {
    struct cell *cell;
    int (*take)(struct cell *cell, int who);
    bool stayed;
};

static void *take_and_leave(void *arg)
{
    struct leaver *leaver = arg;

    leaves = true;
    leaver->take(leaver->cell, WHO_A);
    leaver->stayed = true;
    return NULL;
}

static bool leave_with(struct cell *cell, int (*take)(struct cell *cell, int who))
{
    struct leaver leaver = {cell, take, false};
    pthread_t thread;

    CELL_MUST(cell, pthread_create(&thread, NULL, take_and_leave, &leaver) == 0);
    CELL_MUST(cell, pthread_join(thread, NULL) == 0);
    return !leaver.stayed;
}

/* Takes it in a thread that does not live to see it. One that had the answer before it could wait puts it back by hand. */
static int leave(struct cell *cell, int (*take)(struct cell *cell, int who),
                 int (*put_back)(struct cell *cell))
{
    while (!leave_with(cell, take))
        CELL_MUST(cell, put_back(cell) == 0);
    return 0;
}

/* ---- a lock ---- */

static int take_lock(struct cell *cell, int who)
{
    return gc_lock(cell->g[who], cell->object, &cell->token[who], 0, GC_FOREVER);
}

static int unlock(struct cell *cell)
{
    return gc_unlock(cell->g[WHO_A], cell->object, cell->token[WHO_A], 0, GC_FOREVER);
}

static int lock_call(struct cell *cell, int who)
{
    return leave(cell, take_lock, unlock);
}

/* Free, and nobody died. */
static void check_lock(struct cell *cell)
{
    CELL_MUST(cell, gc_lock(cell->g[WHO_B], cell->object, &cell->token[WHO_B], 0, GC_NOW) == 0);
    CELL_MUST(cell, gc_unlock(cell->g[WHO_B], cell->object, cell->token[WHO_B], 0, GC_FOREVER) == 0);
}

/* ---- units of a semaphore ---- */

static int take_units(struct cell *cell, int who)
{
    return gc_sem_acquire(cell->g[who], cell->object, 3, 2, GC_NOW);
}

static int release_units(struct cell *cell)
{
    return gc_sem_release(cell->g[WHO_A], cell->object, 2, GC_FOREVER);
}

static int units_call(struct cell *cell, int who)
{
    return leave(cell, take_units, release_units);
}

/* All are there, once. */
static void check_units(struct cell *cell)
{
    CELL_MUST(cell, gc_sem_release(cell->g[WHO_A], cell->object, 1, GC_FOREVER) == -EPERM);
    CELL_MUST(cell, gc_sem_acquire(cell->g[WHO_B], cell->object, 3, 3, GC_NOW) == 0);
    CELL_MUST(cell, gc_sem_acquire(cell->g[WHO_B], cell->object, 3, 1, GC_NOW) == -EAGAIN);
    CELL_MUST(cell, gc_sem_release(cell->g[WHO_B], cell->object, 3, GC_FOREVER) == 0);
}

/* ---- tokens of a limiter: one of two ---- */

static int take_tokens(struct cell *cell, int who, uint64_t units)
{
    return gc_limit_take(cell->g[who], cell->object, (struct gc_rate){SECOND_NS, 4}, units, GC_NOW);
}

static void prepare_spent(struct cell *cell)
{
    CELL_MUST(cell, take_tokens(cell, WHO_B, 4) == 0);
}

static void prepare_tokens(struct cell *cell)
{
    prepare_leaving(cell);
    CELL_MUST(cell, take_tokens(cell, WHO_B, 3) == 0);
}

static int take_token(struct cell *cell, int who)
{
    return take_tokens(cell, who, 1);
}

static int give_call(struct cell *cell, int who)
{
    struct request request = give_of(SYNC_LIMITER, cell->object);

    request.sync_give.units = 1;
    request.sync_give.flags = GIVE_UNSEEN;
    return sync_give(cell->g[who], &request, GC_FOREVER);
}

static int give_token(struct cell *cell)
{
    return give_call(cell, WHO_A);
}

static int token_call(struct cell *cell, int who)
{
    return leave(cell, take_token, give_token);
}

/* It is there, once. */
static void check_token(struct cell *cell)
{
    CELL_MUST(cell, cell->status[WHO_A] == 0);
    CELL_MUST(cell, take_token(cell, WHO_B) == 0);
    CELL_MUST(cell, take_token(cell, WHO_B) == -EAGAIN);
    CELL_MUST(cell, gc_sync_reset(cell->g[WHO_B], GC_SYNC_LIMITER, cell->object, GC_FOREVER) == 0);
}

/* ---- the trial call of a breaker ---- */

static int enter(struct cell *cell, int who)
{
    const struct gc_breaking when = {1, SECOND_NS};

    return gc_breaker_enter(cell->g[who], cell->object, when, &cell->token[who], GC_FOREVER);
}

static int give_up(struct cell *cell, int who, bool failed)
{
    return gc_breaker_leave(cell->g[who], cell->object, cell->token[who], failed, GC_FOREVER);
}

/* Open, and its time is over. */
static int fail(struct cell *cell, int who)
{
    int r = give_up(cell, who, true);

    return r < 0 ? r : gc_clock_advance(cell->g[WHO_B], SECOND_NS, GC_FOREVER);
}

static int fail_trial(struct cell *cell)
{
    return fail(cell, WHO_A);
}

static void prepare_due(struct cell *cell)
{
    prepare_leaving(cell);
    CELL_MUST(cell, enter(cell, WHO_B) == 0);
    CELL_MUST(cell, fail(cell, WHO_B) == 0);
}

static int trial_call(struct cell *cell, int who)
{
    return leave(cell, enter, fail_trial);
}

/* The next who comes tries, alone: nothing has been learned. */
static void check_trial(struct cell *cell)
{
    CELL_MUST(cell, enter(cell, WHO_B) == 0);
    CELL_MUST(cell, enter(cell, WHO_A) == -EBUSY);
    CELL_MUST(cell, give_up(cell, WHO_B, false) == 0);
}

#define RETURN (enum verb) PART_RETURN

const struct scene scenes_unseen[] = {
    {"give_back", "lock", RETURN, prepare_leaving, lock_call, NULL, check_lock, false},
    {"give_back", "units", RETURN, prepare_leaving, units_call, NULL, check_units, false},
    {"give_back", "token", RETURN, prepare_tokens, token_call, NULL, check_token, false},
    {"give_back", "trial", RETURN, prepare_due, trial_call, NULL, check_trial, false},
    {"sync_give", "limiter", VERB_SYNC_GIVE, prepare_spent, give_call, NULL, check_token, false},
    {0},
};
