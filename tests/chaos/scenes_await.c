/*
 * What is counted and waited for by name, and what lets a named object begin anew. B brings the end that A waits for.
 */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "cell.h"
#include "probe.h"

#define SECOND_NS 1000000000LL

static void prepare_nothing(struct cell *cell)
{
}

static void all_went_well(struct cell *cell)
{
    for (int who = 0; who < cell->calls; who++)
        CELL_MUST(cell, cell->status[who] == 0);
}

/* ---- wait groups ---- */

static int add(struct cell *cell, int who)
{
    return gc_wg_add(cell->g[who], cell->object, 2, 0, NULL, GC_FOREVER);
}

static int done(struct cell *cell, int who, uint64_t units)
{
    return gc_wg_done(cell->g[who], cell->object, units, GC_FOREVER);
}

/* A2: not one more than were added. */
static void check_added(struct cell *cell)
{
    all_went_well(cell);
    CELL_MUST(cell, done(cell, WHO_A, 3) == -EINVAL);
    CELL_MUST(cell, done(cell, WHO_A, 2) == 0);
    CELL_MUST(cell, gc_wg_wait(cell->g[WHO_B], cell->object, 0, NULL, GC_NOW) == 0);
}

static void prepare_units(struct cell *cell)
{
    CELL_MUST(cell, add(cell, WHO_B) == 0);
}

static int wait_units_call(struct cell *cell, int who)
{
    uint64_t dead = 7;
    int r = gc_wg_wait(cell->g[who], cell->object, 0, &dead, GC_FOREVER);

    CELL_MUST(cell, r < 0 || dead == 0);
    return r;
}

static void units_done(struct cell *cell, int i)
{
    if (i == 0)
        CELL_MUST(cell, done(cell, WHO_B, 2) == 0);
}

/* ---- barriers ---- */

static int barrier_call(struct cell *cell, int who)
{
    return gc_barrier_wait(cell->g[who], cell->object, 2, GC_FOREVER);
}

static void come_last(struct cell *cell, int i)
{
    CELL_MUST(cell, barrier_call(cell, WHO_B) == GC_BARRIER_LAST);
}

/* ---- error groups ---- */

static void prepare_member(struct cell *cell)
{
    CELL_MUST(cell, gc_group_start(cell->g[WHO_B], cell->object, -1, GC_NOW) == 0);
}

static void fail(struct cell *cell, int i)
{
    if (i == 0)
        CELL_MUST(cell, gc_group_end(cell->g[WHO_B], cell->object, -EIO, GC_FOREVER) == 0);
}

static int wait_group_call(struct cell *cell, int who)
{
    int error = 0, r = gc_group_wait(cell->g[who], cell->object, &error, GC_FOREVER);

    return r == GC_MEMBER_FAILED && error == -EIO ? 0 : r < 0 ? r : -EPROTO;
}

static void reset(struct cell *cell, enum gc_sync_kind kind)
{
    CELL_MUST(cell, gc_sync_reset(cell->g[WHO_B], kind, cell->object, GC_FOREVER) == 0);
}

static void check_group(struct cell *cell)
{
    all_went_well(cell);
    reset(cell, GC_SYNC_ERRGROUP);
}

/* ---- begun anew: each object has something to forget ---- */

static int reset_group_call(struct cell *cell, int who)
{
    return gc_sync_reset(cell->g[who], GC_SYNC_ERRGROUP, cell->object, GC_FOREVER);
}

static void prepare_failed(struct cell *cell)
{
    prepare_member(cell);
    fail(cell, 0);
}

static void check_group_anew(struct cell *cell)
{
    all_went_well(cell);
    CELL_MUST(cell, gc_group_wait(cell->g[WHO_B], cell->object, NULL, GC_NOW) == 0);
}

/* A third client had units, and ends. */
static void prepare_dead(struct cell *cell)
{
    uint64_t dead = 0;
    gc_client *third = probe_client(cell->endpoint[WHO_B], 0);

    CELL_MUST(cell, gc_wg_add(third, cell->object, 2, 0, NULL, GC_FOREVER) == 0);
    gc_disconnect(third);
    CELL_MUST(cell,
              gc_wg_wait(cell->g[WHO_B], cell->object, 0, &dead, GC_FOREVER) == -EOWNERDEAD && dead == 2);
}

static int reset_units_call(struct cell *cell, int who)
{
    return gc_sync_reset(cell->g[who], GC_SYNC_WAITGROUP, cell->object, GC_FOREVER);
}

static void check_units_anew(struct cell *cell)
{
    all_went_well(cell);
    CELL_MUST(cell, gc_wg_wait(cell->g[WHO_B], cell->object, 0, NULL, GC_NOW) == 0);
}

static atomic_int runs;

static int run(void *arg)
{
    runs++;
    return 0;
}

static void run_once(struct cell *cell)
{
    CELL_MUST(cell, gc_once(cell->g[WHO_B], cell->object, run, NULL, GC_FOREVER) == 0);
}

static void prepare_ran(struct cell *cell)
{
    runs = 0;
    run_once(cell);
}

static int reset_once_call(struct cell *cell, int who)
{
    return gc_sync_reset(cell->g[who], GC_SYNC_ONCE, cell->object, GC_FOREVER);
}

/* Once more, and no more than that. */
static void check_once_anew(struct cell *cell)
{
    all_went_well(cell);
    for (int i = 0; i < 2; i++)
        run_once(cell);
    CELL_MUST(cell, runs == 2);
    reset(cell, GC_SYNC_ONCE);
}

static int take_token(struct cell *cell)
{
    return gc_limit_take(cell->g[WHO_B], cell->object, (struct gc_rate){SECOND_NS, 1}, 1, GC_NOW);
}

static void prepare_empty(struct cell *cell)
{
    CELL_MUST(cell, take_token(cell) == 0);
}

static int reset_limiter_call(struct cell *cell, int who)
{
    return gc_sync_reset(cell->g[who], GC_SYNC_LIMITER, cell->object, GC_FOREVER);
}

static void check_limiter_anew(struct cell *cell)
{
    all_went_well(cell);
    CELL_MUST(cell, take_token(cell) == 0);
    CELL_MUST(cell, take_token(cell) == -EAGAIN);
    reset(cell, GC_SYNC_LIMITER);
}

static int enter(struct cell *cell, uint64_t *token)
{
    return gc_breaker_enter(cell->g[WHO_B], cell->object, (struct gc_breaking){1, SECOND_NS}, token,
                            GC_FOREVER);
}

static void prepare_open(struct cell *cell)
{
    uint64_t token;

    CELL_MUST(cell, enter(cell, &token) == 0);
    CELL_MUST(cell, gc_breaker_leave(cell->g[WHO_B], cell->object, token, true, GC_FOREVER) == 0);
    CELL_MUST(cell, enter(cell, &token) == -EBUSY);
}

static int reset_breaker_call(struct cell *cell, int who)
{
    return gc_sync_reset(cell->g[who], GC_SYNC_BREAKER, cell->object, GC_FOREVER);
}

static void check_breaker_anew(struct cell *cell)
{
    uint64_t token;

    all_went_well(cell);
    CELL_MUST(cell, enter(cell, &token) == 0);
    CELL_MUST(cell, gc_breaker_leave(cell->g[WHO_B], cell->object, token, false, GC_FOREVER) == 0);
}

static int reset_flight_call(struct cell *cell, int who)
{
    return gc_sync_reset(cell->g[who], GC_SYNC_FLIGHT, cell->object, GC_FOREVER);
}

static int make_value(void *arg, struct gc_value *value)
{
    *value = gc_string("made");
    return 0;
}

/* Inside a flight of B: A forgets it, and a third client begins another. */
static int reset_inside(void *arg, struct gc_value *value)
{
    struct cell *cell = arg;
    struct gc_value v;

    cell->status[WHO_B] = reset_flight_call(cell, WHO_A);
    gc_client *third = probe_client(cell->endpoint[WHO_B], 0);
    CELL_MUST(cell, gc_flight_do(third, cell->object, &(struct gc_flight){make_value, NULL}, &v, NULL,
                                 GC_FOREVER) == 0);
    gc_value_clear(&v);
    gc_disconnect(third);
    return make_value(arg, value);
}

/* SF2: the flight that was forgotten ends for those that share it, and disturbs none that began later. */
static int forget_call(struct cell *cell, int who)
{
    struct gc_value v;
    int r = gc_flight_do(cell->g[WHO_B], cell->object, &(struct gc_flight){reset_inside, cell}, &v, NULL,
                         GC_FOREVER);

    gc_value_clear(&v);
    return r ? r : cell->status[WHO_B];
}

#define WAIT  VERB_SYNC_WAIT
#define RESET VERB_SYNC_RESET

const struct scene scenes_await[] = {
    {"sync_add", "waitgroup", VERB_SYNC_ADD, prepare_nothing, add, NULL, check_added, false},
    {"sync_wait", "waitgroup", WAIT, prepare_units, wait_units_call, units_done, all_went_well, true},
    {"sync_wait", "barrier", WAIT, prepare_nothing, barrier_call, come_last, all_went_well, false},
    {"sync_wait", "errgroup", WAIT, prepare_member, wait_group_call, fail, check_group, true},
    {"sync_reset", "waitgroup", RESET, prepare_dead, reset_units_call, NULL, check_units_anew, false},
    {"sync_reset", "errgroup", RESET, prepare_failed, reset_group_call, NULL, check_group_anew, false},
    {"sync_reset", "once", RESET, prepare_ran, reset_once_call, NULL, check_once_anew, false},
    {"sync_reset", "flight", RESET, prepare_nothing, forget_call, NULL, all_went_well, false},
    {"sync_reset", "limiter", RESET, prepare_empty, reset_limiter_call, NULL, check_limiter_anew, false},
    {"sync_reset", "breaker", RESET, prepare_open, reset_breaker_call, NULL, check_breaker_anew, false},
    {0},
};
