/*
 * How a test has its operations done in other processes.
 *
 * A participant is a process with a client of its own: a program, or a job of a plugin. It connects to a socket of the
 * test. Each connection is a seat: one order at a time, answered when the operation has ended, so that whatever
 * waits waits in the participant. The first seat of a participant is its control: what is ordered there never waits.
 *
 * An order is one message of SOCK_SEQPACKET, and so is its answer; numbers are in the byte order of the machine.
 * participant.py knows the same structs.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "goclient.h"

enum { SEAT_NAME_BYTES = 32, SEAT_ITEMS_MAX = 1100, SEAT_VALUES_MAX = 16, SEAT_STOPS_MAX = 128 };

enum seat_verb {
    SEAT_JOIN = 1, /* control: one more seat, from a thread or goroutine of its own */
    SEAT_STOP_NEW, /* control: these three by `stop` */
    SEAT_STOP_CANCEL,
    SEAT_STOP_FREE,
    SEAT_OPEN, /* name, flags, rights, capacity, value_bytes; gives `handle` */
    SEAT_DROP,
    SEAT_UNLINK, /* name */
    SEAT_CLOSE,
    SEAT_LEN,
    SEAT_CAP,
    SEAT_SEND, /* the value of item 0 */
    SEAT_RECV,
    SEAT_SEND_MANY, /* the values of all items */
    SEAT_RECV_MANY, /* at most items_n */
    SEAT_SELECT,    /* all items */
    SEAT_SEND_CHAN, /* a value that carries the channel of item 0 */
    SEAT_RECV_CHAN, /* gives `handle` */
};

/* As wait_kind and way of conform.h, which a plugin does not include. */
enum seat_wait { SEAT_FOREVER, SEAT_NOW, SEAT_PAST, SEAT_STOP, SEAT_SOON };
enum seat_way { SEAT_WAY_SEND = 1, SEAT_WAY_RECV };

struct seat_item {
    uint64_t handle; /* of its case of a select; 0: nil */
    uint64_t value;
    uint32_t way;   /* enum seat_way */
    uint32_t bytes; /* of the value: 8 or 0 */
};

struct seat_order {
    uint32_t verb, wait; /* enum seat_verb, enum seat_wait */
    uint32_t stop;       /* of SEAT_STOP */
    uint32_t items_n;
    uint64_t handle, capacity;
    uint32_t value_bytes, flags, rights, reserved;
    char name[SEAT_NAME_BYTES];
    struct seat_item items[SEAT_ITEMS_MAX]; /* only so many travel */
};

struct seat_answer {
    int64_t result; /* as the call of goclient.h */
    uint64_t handle;
    int32_t status; /* of the case a select took */
    uint32_t values_n;
    uint64_t values[SEAT_VALUES_MAX]; /* received; only so many travel */
};

static inline size_t seat_order_bytes(const struct seat_order *order)
{
    return offsetof(struct seat_order, items) + order->items_n * sizeof(struct seat_item);
}

static inline size_t seat_answer_bytes(const struct seat_answer *answer)
{
    return offsetof(struct seat_answer, values) + answer->values_n * sizeof(uint64_t);
}

/* What the seats of a participant share. The four functions are how it waits for the test: as a thread or as a
 * goroutine. */
struct participant {
    gc_client *client;
    const char *path;                                    /* of the test's socket */
    int64_t (*join)(const char *path);                   /* a seat; negative: an errno value */
    ssize_t (*get)(int64_t seat, void *to, size_t size); /* a whole order; 0: the test has hung up */
    ssize_t (*put)(int64_t seat, const void *it, size_t size);
    void (*leave)(int64_t seat);
    int (*spawn)(
        struct participant *participant); /* runs participant_serve beside; 0 or a negative errno value */
    gc_ctx *stops[SEAT_STOPS_MAX];
};

/* Joins the test and does what is ordered on that seat until the test hangs up. 0, or what join or put said. */
int participant_serve(struct participant *participant);
