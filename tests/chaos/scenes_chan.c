/* Channels and select. The value of a call is its caller's number, so that each must come out once. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cell.h"

static void both_make(struct cell *cell, uint64_t capacity)
{
    for (int who = 0; who < WHO_N; who++)
        CELL_MUST(cell, gc_make(cell->g[who], cell->object, capacity, &cell->chan[who], GC_FOREVER) == 0);
}

static void prepare_rendezvous(struct cell *cell)
{
    both_make(cell, 0);
}

static void prepare_buffer(struct cell *cell)
{
    both_make(cell, 4);
}

static int give(struct cell *cell, int who, gc_chan c, int number)
{
    return gc_send(cell->g[who], c, gc_bytes(&number, sizeof(number)), GC_FOREVER);
}

/* Nothing here is ever flagged: no client dies. */
static void note_value(struct cell *cell, struct gc_value *v)
{
    int number = -1;

    CELL_MUST(cell, v->size == sizeof(number) && v->flags == 0);
    memcpy(&number, v->data, sizeof(number));
    gc_value_clear(v);
    cell_note(cell, number);
}

static int take(struct cell *cell, int who, gc_chan c)
{
    struct gc_value v;
    int r = gc_recv(cell->g[who], c, &v, 0, GC_FOREVER);

    if (r == 1)
        note_value(cell, &v);
    return r;
}

/* Each number below `calls` has come out once, and the channel holds no more. */
static void check_values(struct cell *cell, gc_chan c)
{
    struct gc_value v;
    struct gc_chan_info info;

    CELL_MUST(cell, cell->order_n == cell->calls);
    CELL_MUST(cell, cell->calls == 1 ? cell->order[0] == 0 : cell->order[0] + cell->order[1] == 1);
    CELL_MUST(cell, gc_recv(cell->g[WHO_B], c, &v, 0, GC_NOW) == -EAGAIN);
    CELL_MUST(cell, gc_chan_info(cell->g[WHO_B], c, &info, GC_FOREVER) == 0);
    CELL_MUST(cell, info.sent == info.received && info.sent == (uint64_t)cell->calls && !info.returned);
}

static void check_statuses(struct cell *cell, int status)
{
    for (int who = 0; who < cell->calls; who++)
        CELL_MUST(cell, cell->status[who] == status);
}

/* ---- send and receive ---- */

static int send_call(struct cell *cell, int who)
{
    return give(cell, who, cell->chan[who], who);
}

static void receive_one(struct cell *cell, int i)
{
    CELL_MUST(cell, take(cell, WHO_B, cell->chan[WHO_B]) == 1);
}

static void check_sent(struct cell *cell)
{
    check_statuses(cell, 0);
    check_values(cell, cell->chan[WHO_B]);
}

static void check_buffered(struct cell *cell)
{
    for (int i = 0; i < cell->calls; i++)
        receive_one(cell, i);
    check_sent(cell);
}

static int receive_call(struct cell *cell, int who)
{
    return take(cell, who, cell->chan[who]);
}

static void send_one(struct cell *cell, int i)
{
    CELL_MUST(cell, give(cell, WHO_B, cell->chan[WHO_B], i) == 0);
}

static void check_received(struct cell *cell)
{
    check_statuses(cell, 1);
    check_values(cell, cell->chan[WHO_B]);
}

static void prepare_full(struct cell *cell)
{
    prepare_buffer(cell);
    send_one(cell, 0);
}

/* ---- select: the case of the second channel is the one ---- */

static void prepare_select(struct cell *cell)
{
    char name[sizeof(cell->object) + 8];

    prepare_rendezvous(cell);
    snprintf(name, sizeof(name), "%s.other", cell->object);
    for (int who = 0; who < WHO_N; who++)
        CELL_MUST(cell, gc_make(cell->g[who], name, 0, &cell->other[who], GC_FOREVER) == 0);
}

static int select_receive_call(struct cell *cell, int who)
{
    struct gc_value first, second;
    struct gc_case cases[] = {gc_case_recv(cell->chan[who], &first), gc_case_recv(cell->other[who], &second)};
    int r = gc_select(cell->g[who], cases, 2, 0, GC_FOREVER);

    if (r == 1)
        note_value(cell, &second);
    return r;
}

static void send_other(struct cell *cell, int i)
{
    CELL_MUST(cell, give(cell, WHO_B, cell->other[WHO_B], i) == 0);
}

static int select_send_call(struct cell *cell, int who)
{
    struct gc_value v;
    struct gc_case cases[] = {gc_case_recv(cell->chan[who], &v),
                              gc_case_send(cell->other[who], gc_bytes(&who, sizeof(who)))};
    int r = gc_select(cell->g[who], cases, 2, 0, GC_FOREVER);

    return r == 1 ? cases[1].status + 1 : r;
}

static void receive_other(struct cell *cell, int i)
{
    CELL_MUST(cell, take(cell, WHO_B, cell->other[WHO_B]) == 1);
}

static void check_selected(struct cell *cell)
{
    struct gc_chan_info info;

    check_statuses(cell, 1);
    check_values(cell, cell->other[WHO_B]);
    CELL_MUST(cell, gc_chan_info(cell->g[WHO_B], cell->chan[WHO_B], &info, GC_FOREVER) == 0);
    CELL_MUST(cell, !info.sent && !info.senders && !info.receivers); /* S4, S5 */
    CELL_MUST(cell, gc_drop(cell->g[WHO_B], cell->other[WHO_B]) == 0);
}

static void check_select(struct cell *cell)
{
    char name[sizeof(cell->object) + 8];

    check_selected(cell);
    snprintf(name, sizeof(name), "%s.other", cell->object);
    CELL_MUST(cell, gc_unlink(cell->g[WHO_B], name, GC_FOREVER) == 0);
}

/* ---- the others ---- */

/* Of all calls one took effect, the others came late. */
static void check_first_only(struct cell *cell, int late)
{
    int ok = 0;

    for (int who = 0; who < cell->calls; who++) {
        CELL_MUST(cell, cell->status[who] == 0 || cell->status[who] == late);
        ok += cell->status[who] == 0;
    }
    CELL_MUST(cell, ok == 1);
}

static int close_call(struct cell *cell, int who)
{
    return gc_close(cell->g[who], cell->chan[who], GC_FOREVER);
}

static void check_closed(struct cell *cell)
{
    check_first_only(cell, -EPIPE); /* C5: asked again, the first answer; closed again, CLOSED */
    CELL_MUST(cell, close_call(cell, WHO_B) == -EPIPE);
}

static void prepare_nothing(struct cell *cell)
{
}

static int open_call(struct cell *cell, int who)
{
    return gc_make(cell->g[who], cell->object, 4, &cell->chan[who], GC_FOREVER);
}

static uint64_t handles(struct cell *cell)
{
    struct gc_chan_info info;

    CELL_MUST(cell, gc_chan_stat(cell->g[WHO_B], cell->object, &info, GC_FOREVER) == 0);
    return info.handles;
}

static void check_opened(struct cell *cell)
{
    check_statuses(cell, 0);
    CELL_MUST(cell, handles(cell) == (uint64_t)cell->calls);
}

static int drop_call(struct cell *cell, int who)
{
    int r = gc_drop(cell->g[who], cell->chan[who]);

    cell->chan[who] = GC_NIL;
    return r;
}

static void check_dropped(struct cell *cell)
{
    check_statuses(cell, 0);
    CELL_MUST(cell, handles(cell) == (uint64_t)(WHO_N - cell->calls));
}

static int unlink_call(struct cell *cell, int who)
{
    return gc_unlink(cell->g[who], cell->object, GC_FOREVER);
}

static void check_unlinked(struct cell *cell)
{
    struct gc_chan_info info;

    check_first_only(cell, -ENOENT);
    CELL_MUST(cell, gc_chan_stat(cell->g[WHO_B], cell->object, &info, GC_FOREVER) == -ENOENT);
    CELL_MUST(cell, gc_chan_info(cell->g[WHO_B], cell->chan[WHO_B], &info, GC_FOREVER) == 0 && info.unlinked);
}

static int info_call(struct cell *cell, int who)
{
    struct gc_chan_info info = {0};
    int r = gc_chan_info(cell->g[who], cell->chan[who], &info, GC_FOREVER);

    return r < 0 ? r : (int)info.capacity;
}

static void check_info(struct cell *cell)
{
    check_statuses(cell, 4);
}

static int list_call(struct cell *cell, int who)
{
    struct gc_chan_page page = {0};
    int r = gc_channels(cell->g[who], cell->object, NULL, 0, &page, GC_FOREVER);

    gc_chan_page_clear(&page);
    return r;
}

static void check_list(struct cell *cell)
{
    check_statuses(cell, 1);
}

#define SCENE(verb, NAME, name, ...)                                                                         \
    {                                                                                                        \
#verb, name, VERB_##NAME, __VA_ARGS__                                                                \
    }

const struct scene scenes_chan[] = {
    SCENE(send, SEND, "rendezvous", prepare_rendezvous, send_call, receive_one, check_sent, true),
    SCENE(send, SEND, "buffer", prepare_buffer, send_call, NULL, check_buffered, true),
    SCENE(recv, RECV, "rendezvous", prepare_rendezvous, receive_call, send_one, check_received, true),
    SCENE(recv, RECV, "empty", prepare_buffer, receive_call, send_one, check_received, true),
    SCENE(recv, RECV, "full", prepare_full, receive_call, NULL, check_received, false),
    SCENE(select, SELECT, "receive", prepare_select, select_receive_call, send_other, check_select, true),
    SCENE(select, SELECT, "send", prepare_select, select_send_call, receive_other, check_select, true),
    SCENE(close, CLOSE, "open", prepare_rendezvous, close_call, NULL, check_closed, true),
    SCENE(chan_open, CHAN_OPEN, "new", prepare_nothing, open_call, NULL, check_opened, true),
    SCENE(chan_drop, CHAN_DROP, "named", prepare_buffer, drop_call, NULL, check_dropped, true),
    SCENE(chan_unlink, CHAN_UNLINK, "named", prepare_buffer, unlink_call, NULL, check_unlinked, true),
    SCENE(chan_info, CHAN_INFO, "named", prepare_buffer, info_call, NULL, check_info, true),
    SCENE(chan_list, CHAN_LIST, "one", prepare_buffer, list_call, NULL, check_list, true),
    {0},
};
