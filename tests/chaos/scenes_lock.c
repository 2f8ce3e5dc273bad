/* Named locks. B holds the lock first; each holder after it unlocks with its own token. */
#include <errno.h>

#include "cell.h"

static int lock_now(struct cell *cell, int who, uint64_t *token)
{
    return gc_lock(cell->g[who], cell->object, token, 0, GC_NOW);
}

static void prepare_held(struct cell *cell)
{
    CELL_MUST(cell, lock_now(cell, WHO_B, &cell->token[WHO_B]) == 0);
}

static int lock_call(struct cell *cell, int who)
{
    uint64_t token = 0;
    int r = gc_lock(cell->g[who], cell->object, &token, 0, GC_FOREVER);

    if (r < 0)
        return r;
    CELL_MUST(cell, token > cell->token[WHO_B] && token > cell->token[WHO_A]);
    cell->token[who] = token;
    cell_note(cell, who);
    return r;
}

static int unlock(struct cell *cell, int who)
{
    return gc_unlock(cell->g[who], cell->object, cell->token[who], 0, GC_FOREVER);
}

/* The first ends by B's first hold, the second by that of whoever came first. */
static void pass_on(struct cell *cell, int i)
{
    CELL_MUST(cell, unlock(cell, i ? cell_await(cell, i - 1) : WHO_B) == 0);
}

/* Free, and nobody died: the next grant is a plain one with a larger token. */
static void check_free(struct cell *cell)
{
    uint64_t token;

    CELL_MUST(cell, lock_now(cell, WHO_B, &token) == 0);
    CELL_MUST(cell, token > cell->token[WHO_A] && token > cell->token[WHO_B]);
    cell->token[WHO_B] = token;
    CELL_MUST(cell, unlock(cell, WHO_B) == 0);
}

static void check_locked(struct cell *cell)
{
    uint64_t token;

    for (int who = 0; who < cell->calls; who++)
        CELL_MUST(cell, cell->status[who] == 0);
    CELL_MUST(cell, lock_now(cell, WHO_B, &token) == -EAGAIN);
    CELL_MUST(cell, unlock(cell, cell_await(cell, cell->calls - 1)) == 0);
    check_free(cell);
}

static void prepare_mine(struct cell *cell)
{
    CELL_MUST(cell, lock_now(cell, WHO_A, &cell->token[WHO_A]) == 0);
}

static int unlock_call(struct cell *cell, int who)
{
    return unlock(cell, who);
}

static void check_unlocked(struct cell *cell)
{
    CELL_MUST(cell, cell->status[WHO_A] == 0);
    CELL_MUST(cell, unlock(cell, WHO_A) == -EPERM);
    check_free(cell);
}

const struct scene scenes_lock[] = {
    {"lock", "held", VERB_LOCK, prepare_held, lock_call, pass_on, check_locked, true},
    {"unlock", "mine", VERB_UNLOCK, prepare_mine, unlock_call, NULL, check_unlocked, false},
    {0},
};
