/* What a participant does: one order, one call of goclient.h. */
#include "seat.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "goclient_chan.h"

static gc_until until_of(const struct participant *participant, const struct seat_order *order)
{
    switch (order->wait) {
    case SEAT_NOW:
        return GC_NOW;
    case SEAT_PAST:
        return gc_after_ms(0);
    case SEAT_STOP:
        return gc_with(participant->stops[order->stop]);
    case SEAT_SOON:
        return gc_after_ms(1);
    default:
        return GC_FOREVER;
    }
}

static struct gc_value value_of(const struct seat_item *item)
{
    return gc_bytes(&item->value, item->bytes);
}

static void keep(struct seat_answer *answer, struct gc_value *value)
{
    uint64_t *to = &answer->values[answer->values_n++];

    *to = 0;
    if (value->size)
        memcpy(to, value->data, sizeof *to);
    gc_value_clear(value);
}

static int64_t open_handle(gc_client *g, const struct seat_order *order, struct seat_answer *answer)
{
    struct gc_chan_options options = {.size = sizeof options,
                                      .flags = order->flags,
                                      .rights = order->rights,
                                      .capacity = order->capacity,
                                      .element_bytes = order->value_bytes};
    gc_chan chan;
    int r = gc_open(g, order->name, &options, &chan, GC_FOREVER);

    answer->handle = chan.id;
    return r;
}

static int64_t send_many(gc_client *g, const struct seat_order *order, gc_until until)
{
    struct gc_value values[SEAT_VALUES_MAX];

    if (order->items_n > SEAT_VALUES_MAX)
        return -E2BIG;
    for (uint32_t i = 0; i < order->items_n; i++)
        values[i] = value_of(&order->items[i]);
    return gc_send_many(g, gc_chan_of(order->handle), values, order->items_n, until);
}

static int64_t recv_one(gc_client *g, const struct seat_order *order, gc_until until,
                        struct seat_answer *answer)
{
    struct gc_value value;
    int r = gc_recv(g, gc_chan_of(order->handle), &value, 0, until);

    if (r > 0)
        keep(answer, &value);
    return r;
}

static int64_t recv_many(gc_client *g, const struct seat_order *order, gc_until until,
                         struct seat_answer *answer)
{
    struct gc_value values[SEAT_VALUES_MAX];

    if (order->items_n > SEAT_VALUES_MAX)
        return -E2BIG;
    int r = gc_recv_many(g, gc_chan_of(order->handle), values, order->items_n, 0, until);
    for (int i = 0; i < r; i++)
        keep(answer, &values[i]);
    return r;
}

static int64_t send_chan(gc_client *g, const struct seat_order *order, gc_until until)
{
    struct gc_passed passed = {.chan = gc_chan_of(order->items[0].handle)};
    struct gc_value value = gc_carrying(value_of(&order->items[0]), &passed, 1);

    return gc_send(g, gc_chan_of(order->handle), value, until);
}

static int64_t recv_chan(gc_client *g, const struct seat_order *order, gc_until until,
                         struct seat_answer *answer)
{
    struct gc_value value;
    int r = gc_recv(g, gc_chan_of(order->handle), &value, 0, until);

    if (r > 0 && value.chans_n == 1)
        answer->handle = value.chans[0].chan.id;
    gc_value_clear(&value);
    return r;
}

/* S11: a case that was not chosen must not be written; that it was is told as -EBADMSG. */
static int64_t select_cases(gc_client *g, const struct seat_order *order, gc_until until,
                            struct seat_answer *answer)
{
    struct gc_case *cases = calloc(order->items_n + 1, sizeof *cases);
    struct gc_value got = {0}, untouched = {0};

    if (!cases)
        return -ENOMEM;
    for (uint32_t i = 0; i < order->items_n; i++) {
        const struct seat_item *item = &order->items[i];
        gc_chan chan = gc_chan_of(item->handle);
        cases[i] = item->way == SEAT_WAY_SEND ? gc_case_send(chan, value_of(item)) : gc_case_recv(chan, &got);
    }
    int r = gc_select(g, cases, order->items_n, 0, until);
    if (r >= 0) {
        answer->status = cases[r].status;
        if (order->items[r].way == SEAT_WAY_RECV && answer->status == 1)
            keep(answer, &got);
    }
    free(cases);
    return memcmp(&got, &untouched, sizeof got) == 0 ? r : -EBADMSG;
}

static int64_t stop_new(struct participant *participant, uint32_t stop)
{
    participant->stops[stop] = gc_ctx_new(participant->client);
    return participant->stops[stop] ? 0 : -ENOMEM;
}

static int64_t do_stop(struct participant *participant, const struct seat_order *order)
{
    if (order->verb == SEAT_STOP_NEW)
        return stop_new(participant, order->stop);
    if (order->verb == SEAT_STOP_CANCEL)
        gc_ctx_cancel(participant->stops[order->stop]);
    else
        participant->stops[order->stop] = gc_ctx_free(participant->stops[order->stop]);
    return 0;
}

static int64_t execute(struct participant *participant, const struct seat_order *order,
                       struct seat_answer *answer)
{
    gc_client *g = participant->client;
    gc_chan chan = gc_chan_of(order->handle);
    gc_until until = until_of(participant, order);

    switch (order->verb) {
    case SEAT_JOIN:
        return participant->spawn(participant);
    case SEAT_STOP_NEW:
    case SEAT_STOP_CANCEL:
    case SEAT_STOP_FREE:
        return do_stop(participant, order);
    case SEAT_OPEN:
        return open_handle(g, order, answer);
    case SEAT_DROP:
        return gc_drop(g, chan);
    case SEAT_UNLINK:
        return gc_unlink(g, order->name, GC_FOREVER);
    case SEAT_CLOSE:
        return gc_close(g, chan, GC_FOREVER);
    case SEAT_LEN:
        return gc_len(g, chan, GC_FOREVER);
    case SEAT_CAP:
        return gc_cap(g, chan, GC_FOREVER);
    case SEAT_SEND:
        return gc_send(g, chan, value_of(&order->items[0]), until);
    case SEAT_RECV:
        return recv_one(g, order, until, answer);
    case SEAT_SEND_MANY:
        return send_many(g, order, until);
    case SEAT_RECV_MANY:
        return recv_many(g, order, until, answer);
    case SEAT_SELECT:
        return select_cases(g, order, until, answer);
    case SEAT_SEND_CHAN:
        return send_chan(g, order, until);
    case SEAT_RECV_CHAN:
        return recv_chan(g, order, until, answer);
    default:
        return -ENOSYS;
    }
}

int participant_serve(struct participant *participant)
{
    struct seat_order *order =
        malloc(sizeof *order); /* larger than what a goroutine should have on its stack */
    int64_t seat = participant->join(participant->path);
    ssize_t r = seat < 0 ? seat : 0;

    while (order && r >= 0 && (r = participant->get(seat, order, sizeof *order)) > 0) {
        struct seat_answer answer = {.result = 0};
        answer.result = execute(participant, order, &answer);
        r = participant->put(seat, &answer, seat_answer_bytes(&answer));
    }
    if (seat >= 0)
        participant->leave(seat);
    free(order);
    return r < 0 ? (int)r : 0;
}
