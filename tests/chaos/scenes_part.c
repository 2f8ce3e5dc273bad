/* Parts of a frame that are no verbs: a cancel asks a parked operation to end, a return gives a held value back. */
#include <errno.h>
#include <string.h>

#include "cell.h"

static void both_make(struct cell *cell, uint64_t capacity)
{
    for (int who = 0; who < WHO_N; who++)
        CELL_MUST(cell, gc_make(cell->g[who], cell->object, capacity, &cell->chan[who], GC_FOREVER) == 0);
}

static void prepare_cancel(struct cell *cell)
{
    both_make(cell, 0);
    cell->ctx[WHO_A] = gc_ctx_new(cell->g[WHO_A]);
    CELL_MUST(cell, cell->ctx[WHO_A]);
}

static int receive_call(struct cell *cell, int who)
{
    struct gc_value none;

    return gc_recv(cell->g[who], cell->chan[who], &none, 0, gc_with(cell->ctx[WHO_A]));
}

static int send_call(struct cell *cell, int who)
{
    return gc_send(cell->g[who], cell->chan[who], gc_string("never"), gc_with(cell->ctx[WHO_A]));
}

static void cancel(struct cell *cell, int i)
{
    gc_ctx_cancel(cell->ctx[WHO_A]);
}

/* IP1.1: it was told so, and nothing of it is left. */
static void check_cancelled(struct cell *cell)
{
    struct gc_value none;
    struct gc_chan_info info;

    CELL_MUST(cell, cell->status[WHO_A] == -ECANCELED);
    CELL_MUST(cell, gc_send(cell->g[WHO_B], cell->chan[WHO_B], gc_string("x"), GC_NOW) == -EAGAIN);
    CELL_MUST(cell, gc_recv(cell->g[WHO_B], cell->chan[WHO_B], &none, 0, GC_NOW) == -EAGAIN);
    CELL_MUST(cell, gc_chan_info(cell->g[WHO_B], cell->chan[WHO_B], &info, GC_FOREVER) == 0);
    CELL_MUST(cell, !info.sent && !info.received && !info.senders && !info.receivers);
    cell->ctx[WHO_A] = gc_ctx_free(cell->ctx[WHO_A]);
}

/* ---- of a grant ---- */

static void prepare_lock(struct cell *cell)
{
    CELL_MUST(cell, gc_lock(cell->g[WHO_B], cell->object, &cell->token[WHO_B], 0, GC_NOW) == 0);
    cell->ctx[WHO_A] = gc_ctx_new(cell->g[WHO_A]);
    CELL_MUST(cell, cell->ctx[WHO_A]);
}

static int lock_call(struct cell *cell, int who)
{
    return gc_lock(cell->g[who], cell->object, &cell->token[who], 0, gc_with(cell->ctx[WHO_A]));
}

/* It is granted before the cancel has come, mostly. */
static void cancel_and_pass_on(struct cell *cell, int i)
{
    gc_ctx_cancel(cell->ctx[WHO_A]);
    CELL_MUST(cell, gc_unlock(cell->g[WHO_B], cell->object, cell->token[WHO_B], 0, GC_FOREVER) == 0);
}

/* IP1.3: when that is told, the lock is free already, and nobody has died. */
static void check_undone(struct cell *cell)
{
    uint64_t token;

    CELL_MUST(cell, cell->status[WHO_A] == -ECANCELED);
    CELL_MUST(cell, gc_lock(cell->g[WHO_B], cell->object, &token, 0, GC_NOW) == 0);
    CELL_MUST(cell, token > cell->token[WHO_B]);
    CELL_MUST(cell, gc_unlock(cell->g[WHO_B], cell->object, token, 0, GC_FOREVER) == 0);
    cell->ctx[WHO_A] = gc_ctx_free(cell->ctx[WHO_A]);
}

/* ---- returns ---- */

static void prepare_held(struct cell *cell)
{
    both_make(cell, 4);
    for (int i = 0; i < 2; i++)
        CELL_MUST(cell,
                  gc_send(cell->g[WHO_B], cell->chan[WHO_B], gc_string(i ? "b" : "a"), GC_FOREVER) == 0);
    CELL_MUST(cell, gc_recv(cell->g[WHO_A], cell->chan[WHO_A], &cell->held, GC_HOLD, GC_FOREVER) == 1);
}

static int return_call(struct cell *cell, int who)
{
    int r = gc_return(cell->g[who], &cell->held);

    gc_value_clear(&cell->held);
    return r;
}

/* IP1.2: it lies in front again, once, and is known to be unseen. */
static void check_returned(struct cell *cell)
{
    struct gc_value v;

    CELL_MUST(cell, cell->status[WHO_A] == 0);
    for (int i = 0; i < 2; i++) {
        CELL_MUST(cell, gc_recv(cell->g[WHO_B], cell->chan[WHO_B], &v, 0, GC_NOW) == 1);
        CELL_MUST(cell, v.size == 1 && memcmp(v.data, i ? "b" : "a", 1) == 0);
        CELL_MUST(cell, v.flags == (i ? 0 : GC_RETURNED));
        gc_value_clear(&v);
    }
    CELL_MUST(cell, gc_recv(cell->g[WHO_B], cell->chan[WHO_B], &v, 0, GC_NOW) == -EAGAIN);
}

const struct scene scenes_part[] = {
    {"cancel", "receive", (enum verb)PART_CANCEL, prepare_cancel, receive_call, cancel, check_cancelled,
     false},
    {"cancel", "send", (enum verb)PART_CANCEL, prepare_cancel, send_call, cancel, check_cancelled, false},
    {"cancel", "grant", (enum verb)PART_CANCEL, prepare_lock, lock_call, cancel_and_pass_on, check_undone,
     false},
    {"give_back", "held", (enum verb)PART_RETURN, prepare_held, return_call, NULL, check_returned, false},
    {0},
};
