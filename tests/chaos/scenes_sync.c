/* Named sync objects: units of a semaphore, a counter, a condition. What is asked for once must take effect once. */
#include <errno.h>
#include <stdio.h>

#include "cell.h"

/* ---- units of a semaphore ---- */

static int acquire(struct cell *cell, int who, uint64_t size, gc_until until)
{
    return gc_sem_acquire(cell->g[who], cell->object, size, 1, until);
}

static int release(struct cell *cell, int who)
{
    return gc_sem_release(cell->g[who], cell->object, 1, GC_FOREVER);
}

static void prepare_taken(struct cell *cell)
{
    CELL_MUST(cell, acquire(cell, WHO_B, 1, GC_NOW) == 0);
}

static int take_call(struct cell *cell, int who)
{
    int r = acquire(cell, who, 1, GC_FOREVER);

    if (r == 0)
        cell_note(cell, who);
    return r;
}

static void pass_on(struct cell *cell, int i)
{
    CELL_MUST(cell, release(cell, i ? cell_await(cell, i - 1) : WHO_B) == 0);
}

static void check_taken(struct cell *cell)
{
    for (int who = 0; who < cell->calls; who++)
        CELL_MUST(cell, cell->status[who] == 0);
    CELL_MUST(cell, acquire(cell, WHO_B, 1, GC_NOW) == -EAGAIN);
    int last = cell_await(cell, cell->calls - 1);
    CELL_MUST(cell, release(cell, last) == 0);
    CELL_MUST(cell, release(cell, last) == -EPERM);
}

static void prepare_two(struct cell *cell)
{
    CELL_MUST(cell, acquire(cell, WHO_A, 2, GC_NOW) == 0);
    CELL_MUST(cell, acquire(cell, WHO_A, 2, GC_NOW) == 0);
}

static int give_call(struct cell *cell, int who)
{
    return release(cell, who);
}

static void check_given(struct cell *cell)
{
    CELL_MUST(cell, cell->status[WHO_A] == 0);
    CELL_MUST(cell, acquire(cell, WHO_B, 2, GC_NOW) == 0);
    CELL_MUST(cell, acquire(cell, WHO_B, 2, GC_NOW) == -EAGAIN);
    CELL_MUST(cell, release(cell, WHO_A) == 0);
    CELL_MUST(cell, release(cell, WHO_B) == 0);
}

/* ---- a counter ---- */

static int64_t count(struct cell *cell, int64_t delta)
{
    int64_t value = -1;

    CELL_MUST(cell, gc_counter_add(cell->g[WHO_B], cell->object, delta, &value, GC_FOREVER) == 0);
    return value;
}

static int reset(struct cell *cell, int who)
{
    return gc_sync_reset(cell->g[who], GC_SYNC_COUNTER, cell->object, GC_FOREVER);
}

static void prepare_nothing(struct cell *cell)
{
}

static int add_call(struct cell *cell, int who)
{
    return gc_counter_add(cell->g[who], cell->object, 1, NULL, GC_FOREVER);
}

static void check_added(struct cell *cell)
{
    CELL_MUST(cell, cell->status[WHO_A] == 0);
    CELL_MUST(cell, count(cell, 0) == 1);
    CELL_MUST(cell, reset(cell, WHO_B) == 0);
}

static int wait_call(struct cell *cell, int who)
{
    return gc_counter_wait(cell->g[who], cell->object, 1, NULL, GC_FOREVER);
}

static void count_one(struct cell *cell, int i)
{
    if (i == 0)
        count(cell, 1);
}

static void check_waited(struct cell *cell)
{
    for (int who = 0; who < cell->calls; who++)
        CELL_MUST(cell, cell->status[who] == 0);
    CELL_MUST(cell, count(cell, 0) == 1);
    CELL_MUST(cell, reset(cell, WHO_B) == 0);
}

static void prepare_five(struct cell *cell)
{
    count(cell, 5);
}

static int reset_call(struct cell *cell, int who)
{
    return reset(cell, who);
}

static void check_reset(struct cell *cell)
{
    CELL_MUST(cell, cell->status[WHO_A] == 0);
    CELL_MUST(cell, count(cell, 0) == 0);
}

/* ---- a condition ---- */

enum { WAITERS = 2 };

/* Those of B that wait; cells come one after the other. */
static pthread_t waiters[WAITERS];
static uint64_t tokens[WAITERS];

static const char *condition(const struct cell *cell)
{
    static _Thread_local char name[sizeof(cell->object) + 8];

    snprintf(name, sizeof(name), "%s.cond", cell->object);
    return name;
}

static int lock(struct cell *cell, int who, uint64_t *token)
{
    return gc_lock(cell->g[who], cell->object, token, 0, GC_FOREVER);
}

static int unlock(struct cell *cell, int who, uint64_t token)
{
    return gc_unlock(cell->g[who], cell->object, token, 0, GC_FOREVER);
}

static void prepare_locked(struct cell *cell)
{
    CELL_MUST(cell, lock(cell, WHO_A, &cell->token[WHO_A]) == 0);
}

static int cond_wait_call(struct cell *cell, int who)
{
    return gc_cond_wait(cell->g[who], condition(cell), cell->object, &cell->token[who], GC_FOREVER);
}

/* B has the lock only when A waits. */
static void signal_one(struct cell *cell, int i)
{
    uint64_t token;

    CELL_MUST(cell, lock(cell, WHO_B, &token) == 0);
    CELL_MUST(cell, gc_cond_signal(cell->g[WHO_B], condition(cell), GC_FOREVER) == 1);
    CELL_MUST(cell, unlock(cell, WHO_B, token) == 0);
}

static void check_woken(struct cell *cell)
{
    CELL_MUST(cell, cell->status[WHO_A] == 0);
    CELL_MUST(cell, unlock(cell, WHO_A, cell->token[WHO_A]) == 0);
    CELL_MUST(cell, gc_cond_signal(cell->g[WHO_B], condition(cell), GC_FOREVER) == 0);
}

static struct cell *waited_in;

static void *wait_and_unlock(void *arg)
{
    struct cell *cell = waited_in;
    uint64_t *token = arg;

    CELL_MUST(cell, gc_cond_wait(cell->g[WHO_B], condition(cell), cell->object, token, GC_FOREVER) == 0);
    CELL_MUST(cell, unlock(cell, WHO_B, *token) == 0);
    return NULL;
}

static void prepare_waiters(struct cell *cell)
{
    uint64_t token;

    waited_in = cell;
    for (int i = 0; i < WAITERS; i++) {
        CELL_MUST(cell, lock(cell, WHO_B, &tokens[i]) == 0);
        CELL_MUST(cell, pthread_create(&waiters[i], NULL, wait_and_unlock, &tokens[i]) == 0);
    }
    CELL_MUST(cell, lock(cell, WHO_A, &token) == 0); /* both have given it up */
    CELL_MUST(cell, unlock(cell, WHO_A, token) == 0);
}

static int signal_call(struct cell *cell, int who)
{
    return gc_cond_signal(cell->g[who], condition(cell), GC_FOREVER);
}

/* One was woken and no more: the other is there for B. */
static void check_signalled(struct cell *cell)
{
    CELL_MUST(cell, cell->status[WHO_A] == 1);
    CELL_MUST(cell, gc_cond_signal(cell->g[WHO_B], condition(cell), GC_FOREVER) == 1);
    for (int i = 0; i < WAITERS; i++)
        CELL_MUST(cell, pthread_join(waiters[i], NULL) == 0);
}

const struct scene scenes_sync[] = {
    {"sync_take", "semaphore", VERB_SYNC_TAKE, prepare_taken, take_call, pass_on, check_taken, true},
    {"sync_give", "semaphore", VERB_SYNC_GIVE, prepare_two, give_call, NULL, check_given, false},
    {"sync_add", "counter", VERB_SYNC_ADD, prepare_nothing, add_call, NULL, check_added, false},
    {"sync_wait", "counter", VERB_SYNC_WAIT, prepare_nothing, wait_call, count_one, check_waited, true},
    {"sync_reset", "counter", VERB_SYNC_RESET, prepare_five, reset_call, NULL, check_reset, false},
    {"cond_wait", "locked", VERB_COND_WAIT, prepare_locked, cond_wait_call, signal_one, check_woken, false},
    {"cond_signal", "two", VERB_COND_SIGNAL, prepare_waiters, signal_call, NULL, check_signalled, false},
    {0},
};
