/*
 * What carries frames, behind a table of functions, and one connection of it.
 *
 * A connection gets a number that is never used again. Its memory is the transport's; the hub knows it from
 * `conn_opened` to `forget`. All of it on the hub thread; nothing blocks.
 */
#pragma once

#include <uthash.h>

#include "core.h"
#include "outbox.h"

struct hub;
struct peer;
struct transport;

struct conn {
    uint64_t number;
    struct transport *transport;
    struct credentials who; /* as the transport saw them (IP9) */
    struct outbox_lane lane;
    struct peer *peer;     /* whose session it is bound to; NULL: unbound */
    struct list link;      /* of peer->conns, or of the unbound */
    struct list lost_link; /* of hub->lost: it turned out to be gone while frames were written */
    UT_hash_handle hh;     /* of the hub, by number */
};

/* Bounds of one connection's frames that its transport cannot take yet. What is beyond is dropped: the client
 * sees the gap in the numbers and resumes (IP7). */
enum { PENDING_BYTES_MAX = 4 << 20 };

struct transport_options {
    const char *endpoint; /* NULL for the local lane */
    uint64_t frame_bytes_max;
    unsigned mode; /* of an ipc socket */
    bool refused;  /* of the local lane: who asks for it is told to use another */
    const char
        *secret; /* of tcp: the daemon's secret key as text; hub->keys says who may connect. NULL: anybody */
};

struct transport_ops {
    const char *name;
    /* Binds. On failure *why (heap) says what was wrong and what to do. */
    int (*open)(struct hub *hub, const struct transport_options *options, struct transport **transport,
                char **why);
    /* Hands at most `most` frames to hub_frame. Count; `most` when there may be more. */
    int (*receive)(struct transport *transport, int most);
    /* Whether a frame waits that no event will tell of. */
    bool (*waiting)(struct transport *transport);
    /* 0: it is on its way, or dropped for good reason; -EHOSTUNREACH: the connection is gone; -ENOMEM. */
    int (*send)(struct conn *conn, const struct server_frame *head, const struct wire_message *message);
    /* Tries again what could not be sent. Whether something still waits. */
    bool (*resend)(struct transport *transport);
    void (*forget)(struct conn *conn);
    /* hub->keys has changed: ends the connections of keys that are not in it. NULL: there are no keys. */
    void (*rekey)(struct transport *transport);
    void (*close)(struct transport *transport);
};

/* First member of each transport. */
struct transport {
    const struct transport_ops *ops;
    struct list link; /* of the hub */
    bool remote;      /* no credentials, no lifeline: sessions live by a lease */
};

extern const struct transport_ops transport_zmq; /* the local lane is in local.h */
