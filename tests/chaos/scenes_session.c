/*
 * The parts of a frame that begin, take up and end a session. The session is that of a second client of the caller's, which
 * does something with it, so that what is left of it can be told.
 */
#include <errno.h>
#include <string.h>

#include "cell.h"
#include "probe.h"

static void both_make(struct cell *cell, uint64_t capacity)
{
    for (int who = 0; who < WHO_N; who++)
        CELL_MUST(cell, gc_make(cell->g[who], cell->object, capacity, &cell->chan[who], GC_FOREVER) == 0);
}

static int open_again(struct cell *cell, int who, gc_client **g, gc_chan *c)
{
    *g = probe_client(cell->endpoint[who], 0);
    return gc_make(*g, cell->object, 4, c, GC_FOREVER);
}

/* ---- begun ---- */

static void prepare_buffer(struct cell *cell)
{
    both_make(cell, 4);
}

static int begin_call(struct cell *cell, int who)
{
    gc_client *g;
    gc_chan c;
    int r = open_again(cell, who, &g, &c);

    if (r == 0)
        r = gc_send(g, c, gc_bytes(&who, sizeof(who)), GC_FOREVER);
    gc_disconnect(g);
    return r;
}

/* Each session was there once, and what was done in it stands. */
static void check_begun(struct cell *cell)
{
    struct gc_value v;

    for (int who = 0; who < cell->calls; who++) {
        CELL_MUST(cell, cell->status[who] == 0);
        CELL_MUST(cell, gc_recv(cell->g[WHO_B], cell->chan[WHO_B], &v, 0, GC_NOW) == 1 && !v.flags);
        gc_value_clear(&v);
    }
    CELL_MUST(cell, gc_recv(cell->g[WHO_B], cell->chan[WHO_B], &v, 0, GC_NOW) == -EAGAIN);
}

/* ---- taken up: the connection is cut while A waits ---- */

static void prepare_rendezvous(struct cell *cell)
{
    both_make(cell, 0);
}

static int receive_call(struct cell *cell, int who)
{
    struct gc_value v;
    int r = gc_recv(cell->g[who], cell->chan[who], &v, 0, GC_FOREVER);

    if (r == 1) {
        CELL_MUST(cell, v.size == 3 && memcmp(v.data, "one", 3) == 0 && !v.flags);
        gc_value_clear(&v);
    }
    return r;
}

static void cut_and_send(struct cell *cell, int i)
{
    proxy_cut(cell->proxy);
    CELL_MUST(cell, gc_send(cell->g[WHO_B], cell->chan[WHO_B], gc_string("one"), GC_FOREVER) == 0);
}

static void check_received(struct cell *cell)
{
    struct gc_chan_info info;

    CELL_MUST(cell, cell->status[WHO_A] == 1);
    CELL_MUST(cell, gc_chan_info(cell->g[WHO_B], cell->chan[WHO_B], &info, GC_FOREVER) == 0);
    CELL_MUST(cell, info.sent == 1 && info.received == 1 && !info.senders && !info.receivers);
}

/* ---- ended, with a value that nobody has acknowledged ---- */

static void prepare_value(struct cell *cell)
{
    both_make(cell, 4);
    CELL_MUST(cell, gc_send(cell->g[WHO_B], cell->chan[WHO_B], gc_string("one"), GC_FOREVER) == 0);
}

static int end_call(struct cell *cell, int who)
{
    struct gc_value v = {0};
    gc_client *g;
    gc_chan c;
    int r = open_again(cell, who, &g, &c);

    if (r == 0)
        r = gc_recv(g, c, &v, GC_HOLD, GC_FOREVER);
    gc_disconnect(g);
    gc_value_clear(&v);
    return r;
}

/* IP0: given back as if it had died. */
static void check_ended(struct cell *cell)
{
    struct gc_value v;

    CELL_MUST(cell, cell->status[WHO_A] == 1);
    CELL_MUST(cell, gc_recv(cell->g[WHO_B], cell->chan[WHO_B], &v, 0, GC_FOREVER) == 1);
    CELL_MUST(cell, v.flags == GC_REDELIVERED);
    gc_value_clear(&v);
    CELL_MUST(cell, gc_recv(cell->g[WHO_B], cell->chan[WHO_B], &v, 0, GC_NOW) == -EAGAIN);
}

const struct scene scenes_session[] = {
    {"hello", "new", (enum verb)PART_HELLO, prepare_buffer, begin_call, NULL, check_begun, true, IN_CLIENT},
    {"resume", "waiting", (enum verb)PART_RESUME, prepare_rendezvous, receive_call, cut_and_send,
     check_received, false, IN_CLIENT},
    {"bye", "held", (enum verb)PART_BYE, prepare_value, end_call, NULL, check_ended, false, IN_CLIENT},
    {0},
};
