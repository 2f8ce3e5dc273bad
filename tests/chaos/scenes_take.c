/*
 * What is taken of named sync objects, and given back: locks to read and write, once runners, flights, slots of error
 * groups, tokens of limiters, trials of breakers, units of wait groups. B has it first. What is granted twice could be given
 * back twice, or would be missing for others.
 */
#include <errno.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>

#include "cell.h"

#define SECOND_NS 1000000000LL

static void prepare_nothing(struct cell *cell)
{
}

static void all_went_well(struct cell *cell)
{
    for (int who = 0; who < cell->calls; who++)
        CELL_MUST(cell, cell->status[who] == 0);
}

static void reset(struct cell *cell, enum gc_sync_kind kind)
{
    CELL_MUST(cell, gc_sync_reset(cell->g[WHO_B], kind, cell->object, GC_FOREVER) == 0);
}

/* ---- reader-writer locks ---- */

static int write_lock(struct cell *cell, int who, gc_until until)
{
    return gc_rwlock(cell->g[who], cell->object, &cell->token[who], 0, until);
}

static int write_unlock(struct cell *cell, int who)
{
    return gc_rwunlock(cell->g[who], cell->object, cell->token[who], 0, GC_FOREVER);
}

static int read_unlock(struct cell *cell, int who)
{
    return gc_runlock(cell->g[who], cell->object, GC_FOREVER);
}

static void prepare_written(struct cell *cell)
{
    CELL_MUST(cell, write_lock(cell, WHO_B, GC_NOW) == 0);
}

static int read_call(struct cell *cell, int who)
{
    return gc_rlock(cell->g[who], cell->object, GC_FOREVER);
}

/* W3: all readers that wait enter together. */
static void end_writing(struct cell *cell, int i)
{
    if (i == 0)
        CELL_MUST(cell, write_unlock(cell, WHO_B) == 0);
}

static void check_reading(struct cell *cell)
{
    uint64_t token;

    all_went_well(cell);
    CELL_MUST(cell, gc_rwlock(cell->g[WHO_B], cell->object, &token, 0, GC_NOW) == -EAGAIN);
    for (int who = 0; who < cell->calls; who++) {
        CELL_MUST(cell, read_unlock(cell, who) == 0);
        CELL_MUST(cell, read_unlock(cell, who) == -EPERM);
    }
    CELL_MUST(cell, write_lock(cell, WHO_B, GC_NOW) == 0);
    CELL_MUST(cell, write_unlock(cell, WHO_B) == 0);
}

static void prepare_read(struct cell *cell)
{
    CELL_MUST(cell, gc_rlock(cell->g[WHO_B], cell->object, GC_NOW) == 0);
}

static int write_call(struct cell *cell, int who)
{
    return write_lock(cell, who, GC_FOREVER);
}

static void end_reading(struct cell *cell, int i)
{
    CELL_MUST(cell, read_unlock(cell, WHO_B) == 0);
}

static void check_written(struct cell *cell)
{
    all_went_well(cell);
    CELL_MUST(cell, gc_rlock(cell->g[WHO_B], cell->object, GC_NOW) == -EAGAIN);
    CELL_MUST(cell, write_unlock(cell, WHO_A) == 0);
    CELL_MUST(cell, write_unlock(cell, WHO_A) == -EPERM);
}

static void prepare_read_twice(struct cell *cell)
{
    for (int i = 0; i < 2; i++)
        CELL_MUST(cell, gc_rlock(cell->g[WHO_A], cell->object, GC_NOW) == 0);
}

/* One of its two. */
static void check_read_given(struct cell *cell)
{
    uint64_t token;

    all_went_well(cell);
    CELL_MUST(cell, gc_rwlock(cell->g[WHO_B], cell->object, &token, 0, GC_NOW) == -EAGAIN);
    CELL_MUST(cell, read_unlock(cell, WHO_A) == 0);
    CELL_MUST(cell, read_unlock(cell, WHO_A) == -EPERM);
}

/* ---- onces and flights: B runs, until it is told to end ---- */

static struct {
    struct cell *cell;
    pthread_t thread;
    sem_t begun, end;
    atomic_int runs;
} runner;

static void runner_begin(struct cell *cell, void *(*body)(void *))
{
    runner.cell = cell;
    runner.runs = 0;
    sem_init(&runner.begun, 0, 0);
    sem_init(&runner.end, 0, 0);
    if (!body)
        return;
    CELL_MUST(cell, pthread_create(&runner.thread, NULL, body, cell) == 0);
    while (sem_wait(&runner.begun) < 0)
        ;
}

static void runner_end(struct cell *cell, int i)
{
    if (i == 0)
        sem_post(&runner.end);
}

static int run_until_told(void *arg)
{
    runner.runs++;
    sem_post(&runner.begun);
    while (sem_wait(&runner.end) < 0)
        ;
    return 0;
}

static int run_at_once(void *arg)
{
    runner.runs++;
    return 0;
}

static int once(struct cell *cell, int who, int (*fn)(void *arg))
{
    return gc_once(cell->g[who], cell->object, fn, NULL, GC_FOREVER);
}

static void *once_by_b(void *arg)
{
    struct cell *cell = arg;

    CELL_MUST(cell, once(cell, WHO_B, run_until_told) == 0);
    return NULL;
}

static void prepare_running(struct cell *cell)
{
    runner_begin(cell, once_by_b);
}

static int once_call(struct cell *cell, int who)
{
    return once(cell, who, run_at_once);
}

static void check_once(struct cell *cell)
{
    pthread_join(runner.thread, NULL);
    all_went_well(cell);
    CELL_MUST(cell, runner.runs == 1);
    reset(cell, GC_SYNC_ONCE);
}

static void prepare_runner(struct cell *cell)
{
    runner_begin(cell, NULL);
}

static void check_ran(struct cell *cell)
{
    all_went_well(cell);
    CELL_MUST(cell, once(cell, WHO_B, run_at_once) == 0);
    CELL_MUST(cell, runner.runs == 1);
    reset(cell, GC_SYNC_ONCE);
}

static int make_value(void *arg, struct gc_value *value)
{
    int (*fn)(void *) = arg ? run_until_told : run_at_once;

    fn(NULL);
    *value = gc_string("made");
    return 0;
}

static int fly(struct cell *cell, int who, bool until_told, bool *shared)
{
    struct gc_flight flight = {make_value, until_told ? cell : NULL};
    struct gc_value v;
    int r = gc_flight_do(cell->g[who], cell->object, &flight, &v, shared, GC_FOREVER);

    if (r == 0)
        CELL_MUST(cell, v.size == 4 && memcmp(v.data, "made", 4) == 0);
    gc_value_clear(&v);
    return r;
}

static void *fly_by_b(void *arg)
{
    struct cell *cell = arg;

    CELL_MUST(cell, fly(cell, WHO_B, true, NULL) == 0);
    return NULL;
}

static void prepare_flying(struct cell *cell)
{
    runner_begin(cell, fly_by_b);
}

static int follow_call(struct cell *cell, int who)
{
    bool shared;
    int r = fly(cell, who, false, &shared);

    CELL_MUST(cell, r < 0 || shared);
    return r;
}

static void check_followed(struct cell *cell)
{
    pthread_join(runner.thread, NULL);
    all_went_well(cell);
    CELL_MUST(cell, runner.runs == 1);
}

static int lead_call(struct cell *cell, int who)
{
    bool shared;
    int r = fly(cell, who, false, &shared);

    CELL_MUST(cell, r < 0 || !shared);
    return r;
}

/* SF1: the key is free again. */
static void check_led(struct cell *cell)
{
    all_went_well(cell);
    CELL_MUST(cell, fly(cell, WHO_B, false, NULL) == 0);
    CELL_MUST(cell, runner.runs == 2);
}

/* ---- slots of an error group ---- */

static int start(struct cell *cell, int who, gc_until until)
{
    return gc_group_start(cell->g[who], cell->object, 1, until);
}

static int end(struct cell *cell, int who, int error)
{
    return gc_group_end(cell->g[who], cell->object, error, GC_FOREVER);
}

static void prepare_started(struct cell *cell)
{
    CELL_MUST(cell, start(cell, WHO_B, GC_NOW) == 0);
}

static int start_call(struct cell *cell, int who)
{
    int r = start(cell, who, GC_FOREVER);

    if (r == 0)
        cell_note(cell, who);
    return r;
}

static void end_member(struct cell *cell, int i)
{
    CELL_MUST(cell, end(cell, i ? cell_await(cell, i - 1) : WHO_B, 0) == 0);
}

static void check_started(struct cell *cell)
{
    all_went_well(cell);
    CELL_MUST(cell, start(cell, WHO_B, GC_NOW) == -EAGAIN);
    int last = cell_await(cell, cell->calls - 1);
    CELL_MUST(cell, end(cell, last, 0) == 0);
    CELL_MUST(cell, end(cell, last, 0) == -EPERM);
}

static void prepare_two_members(struct cell *cell)
{
    for (int i = 0; i < 2; i++)
        CELL_MUST(cell, gc_group_start(cell->g[WHO_A], cell->object, 2, GC_NOW) == 0);
}

static int end_call(struct cell *cell, int who)
{
    return end(cell, who, -EIO);
}

static void check_ended(struct cell *cell)
{
    int error = 0;

    all_went_well(cell);
    CELL_MUST(cell, gc_group_wait(cell->g[WHO_B], cell->object, NULL, GC_NOW) == -EAGAIN);
    CELL_MUST(cell, end(cell, WHO_A, -ENXIO) == 0);
    CELL_MUST(cell, gc_group_wait(cell->g[WHO_B], cell->object, &error, GC_FOREVER) == GC_MEMBER_FAILED);
    CELL_MUST(cell, error == -EIO);
    reset(cell, GC_SYNC_ERRGROUP);
}

/* ---- tokens of a limiter, which come with the clock of the test ---- */

static int take_token(struct cell *cell, int who, gc_until until)
{
    return gc_limit_take(cell->g[who], cell->object, (struct gc_rate){SECOND_NS, 1}, 1, until);
}

static void prepare_empty(struct cell *cell)
{
    CELL_MUST(cell, take_token(cell, WHO_B, GC_NOW) == 0);
}

static int token_call(struct cell *cell, int who)
{
    int r = take_token(cell, who, GC_FOREVER);

    if (r == 0)
        cell_note(cell, who);
    return r;
}

/* What comes while the bucket is full is lost, so the second waits until the first is taken. */
static void one_token(struct cell *cell, int i)
{
    if (i)
        cell_await(cell, i - 1);
    CELL_MUST(cell, gc_clock_advance(cell->g[WHO_B], SECOND_NS, GC_FOREVER) == 0);
}

static void check_tokens(struct cell *cell)
{
    all_went_well(cell);
    CELL_MUST(cell, take_token(cell, WHO_B, GC_NOW) == -EAGAIN);
    one_token(cell, 0);
    CELL_MUST(cell, take_token(cell, WHO_B, GC_NOW) == 0);
    CELL_MUST(cell, take_token(cell, WHO_B, GC_NOW) == -EAGAIN);
    reset(cell, GC_SYNC_LIMITER);
}

/* ---- calls through a breaker ---- */

static int enter(struct cell *cell, int who, uint64_t failures)
{
    const struct gc_breaking when = {failures, SECOND_NS};

    return gc_breaker_enter(cell->g[who], cell->object, when, &cell->token[who], GC_FOREVER);
}

static int leave(struct cell *cell, int who, bool failed)
{
    return gc_breaker_leave(cell->g[who], cell->object, cell->token[who], failed, GC_FOREVER);
}

static int enter_call(struct cell *cell, int who)
{
    return enter(cell, who, 2);
}

static void check_entered(struct cell *cell)
{
    all_went_well(cell);
    for (int who = 0; who < cell->calls; who++) {
        CELL_MUST(cell, leave(cell, who, false) == 0);
        CELL_MUST(cell, leave(cell, who, false) == -EPERM);
    }
    reset(cell, GC_SYNC_BREAKER);
}

static void prepare_entered(struct cell *cell)
{
    CELL_MUST(cell, enter(cell, WHO_A, 2) == 0);
}

static int leave_call(struct cell *cell, int who)
{
    return leave(cell, who, true);
}

/* One failure was counted; the second opens it. */
static void check_left(struct cell *cell)
{
    all_went_well(cell);
    CELL_MUST(cell, enter(cell, WHO_B, 2) == 0);
    CELL_MUST(cell, leave(cell, WHO_B, true) == 0);
    CELL_MUST(cell, enter(cell, WHO_B, 2) == -EBUSY);
    reset(cell, GC_SYNC_BREAKER);
}

/* ---- the call that tries whether a breaker can be closed ---- */

static void let_time_pass(struct cell *cell)
{
    CELL_MUST(cell, gc_clock_advance(cell->g[WHO_B], SECOND_NS, GC_FOREVER) == 0);
}

static void prepare_due(struct cell *cell)
{
    for (int i = 0; i < 2; i++) {
        CELL_MUST(cell, enter(cell, WHO_B, 2) == 0);
        CELL_MUST(cell, leave(cell, WHO_B, true) == 0);
    }
    CELL_MUST(cell, enter(cell, WHO_B, 2) == -EBUSY);
    let_time_pass(cell);
}

/* It counts from now on: one failure does not open it. */
static void check_mended(struct cell *cell)
{
    for (int i = 0; i < 2; i++) {
        CELL_MUST(cell, enter(cell, WHO_B, 2) == 0);
        CELL_MUST(cell, leave(cell, WHO_B, i == 0) == 0);
    }
}

/* One call tries, whoever came first. */
static void check_trying(struct cell *cell)
{
    int tries = cell->status[WHO_A] == 0 ? WHO_A : WHO_B;

    CELL_MUST(cell, cell->status[tries] == 0);
    CELL_MUST(cell, cell->calls == 1 || cell->status[!tries] == -EBUSY);
    CELL_MUST(cell, enter(cell, !tries, 2) == -EBUSY);
    CELL_MUST(cell, leave(cell, tries, false) == 0);
    CELL_MUST(cell, leave(cell, tries, false) == -EPERM);
    check_mended(cell);
}

static void prepare_trying(struct cell *cell)
{
    prepare_due(cell);
    CELL_MUST(cell, enter(cell, WHO_A, 2) == 0);
}

static int succeed_call(struct cell *cell, int who)
{
    return leave(cell, who, false);
}

static void check_closed(struct cell *cell)
{
    all_went_well(cell);
    check_mended(cell);
}

/* Open for its whole time again, and then there is another trial. */
static void check_failed(struct cell *cell)
{
    all_went_well(cell);
    CELL_MUST(cell, enter(cell, WHO_B, 2) == -EBUSY);
    let_time_pass(cell);
    CELL_MUST(cell, enter(cell, WHO_B, 2) == 0);
    CELL_MUST(cell, leave(cell, WHO_B, false) == 0);
}

/* ---- units of a wait group ---- */

static void prepare_detached(struct cell *cell)
{
    CELL_MUST(cell, gc_wg_add(cell->g[WHO_B], cell->object, 2, GC_DETACHED_UNITS, NULL, GC_NOW) == 0);
}

static int claim_call(struct cell *cell, int who)
{
    return gc_wg_claim(cell->g[who], cell->object, 1, GC_FOREVER);
}

static void check_claimed(struct cell *cell)
{
    all_went_well(cell);
    if (cell->calls == 1)
        CELL_MUST(cell, claim_call(cell, WHO_B) == 0);
    CELL_MUST(cell, claim_call(cell, WHO_B) == -EAGAIN);
    for (int who = 0; who < WHO_N; who++)
        CELL_MUST(cell, gc_wg_done(cell->g[who], cell->object, 1, GC_FOREVER) == 0);
    CELL_MUST(cell, gc_wg_wait(cell->g[WHO_B], cell->object, 0, NULL, GC_NOW) == 0);
}

static void prepare_units(struct cell *cell)
{
    CELL_MUST(cell, gc_wg_add(cell->g[WHO_A], cell->object, 2, 0, NULL, GC_NOW) == 0);
}

static int done_call(struct cell *cell, int who)
{
    return gc_wg_done(cell->g[who], cell->object, 1, GC_FOREVER);
}

static void check_done(struct cell *cell)
{
    all_went_well(cell);
    CELL_MUST(cell, gc_wg_wait(cell->g[WHO_B], cell->object, 0, NULL, GC_NOW) == -EAGAIN);
    CELL_MUST(cell, done_call(cell, WHO_A) == 0);
    CELL_MUST(cell, gc_wg_wait(cell->g[WHO_B], cell->object, 0, NULL, GC_NOW) == 0);
}

#define TAKE VERB_SYNC_TAKE
#define GIVE VERB_SYNC_GIVE

const struct scene scenes_take[] = {
    {"sync_take", "rwmutex-read", TAKE, prepare_written, read_call, end_writing, check_reading, true},
    {"sync_take", "rwmutex-write", TAKE, prepare_read, write_call, end_reading, check_written, false},
    {"sync_give", "rwmutex-read", GIVE, prepare_read_twice, read_unlock, NULL, check_read_given, false},
    {"sync_take", "once", TAKE, prepare_running, once_call, runner_end, check_once, true},
    {"sync_give", "once", GIVE, prepare_runner, once_call, NULL, check_ran, false},
    {"sync_take", "flight", TAKE, prepare_flying, follow_call, runner_end, check_followed, true},
    {"sync_give", "flight", GIVE, prepare_runner, lead_call, NULL, check_led, false},
    {"sync_take", "errgroup", TAKE, prepare_started, start_call, end_member, check_started, true},
    {"sync_give", "errgroup", GIVE, prepare_two_members, end_call, NULL, check_ended, false},
    {"sync_take", "limiter", TAKE, prepare_empty, token_call, one_token, check_tokens, true},
    {"sync_take", "breaker", TAKE, prepare_nothing, enter_call, NULL, check_entered, true},
    {"sync_take", "breaker-trial", TAKE, prepare_due, enter_call, NULL, check_trying, true},
    {"sync_give", "breaker", GIVE, prepare_entered, leave_call, NULL, check_left, false},
    {"sync_give", "breaker-fails", GIVE, prepare_trying, leave_call, NULL, check_failed, false},
    {"sync_give", "breaker-mends", GIVE, prepare_trying, succeed_call, NULL, check_closed, false},
    {"sync_take", "waitgroup", TAKE, prepare_detached, claim_call, NULL, check_claimed, true},
    {"sync_give", "waitgroup", GIVE, prepare_units, done_call, NULL, check_done, false},
    {0},
};
