/*
 * How frames travel, behind a table. A transport is one connection, or the will to have one: it connects and
 * reconnects by itself.
 *
 * One thread at a time. Nothing blocks.
 */
#pragma once

#include "keyfile.h"
#include "lifeline.h"
#include "message.h"
#include "wire.h"

enum transport_events {
    TRANSPORT_READABLE = 1, /* a frame is there, or the end */
    TRANSPORT_WRITABLE = 2, /* there is a connection that takes one */
    TRANSPORT_FULL = 4,     /* not all has left: its descriptor becomes writable when more can */
};

struct transport_ops;

/* First member of each transport. */
struct transport {
    const struct transport_ops *ops;
};

struct transport_ops {
    /* What has not left is gone. Returns NULL. */
    struct transport *(*close)(struct transport *t);
    /* Readable when `events` may have changed since it was last called. */
    int (*fd)(const struct transport *t);
    /* enum transport_events; to be called again after every send, before sleeping on fd. */
    unsigned (*events)(struct transport *t);
    /* 0; -EAGAIN: no connection, the frame is gone; -EPIPE: likewise, and nothing of it has left; -ENOMEM. Copies. */
    int (*send)(struct transport *t, const struct wire_message *message);
    /* The number of parts of the next frame, 0: none there. They live until the next call. -ENOMEM. */
    int (*recv)(struct transport *t, const struct bytes **parts);

    /* Of one that is a lifeline; else NULL. */

    /* Its descriptor was seen ready: without this it is not read. */
    void (*stir)(struct transport *t);
    /* Whether the lifeline has ended, all frames before its end having been received: how is in *news. */
    bool (*ended)(const struct transport *t, struct lifeline_news *news);

    /* Of one that greets with keys; else NULL. */

    /* Readable when `refused` may have news. */
    int (*refusal_fd)(const struct transport *t);
    /* How the other side did not take this one, in words (static); 0: it has not said so. -EACCES, -EPROTO. */
    int (*refused)(struct transport *t, const char **why);
};

/* Keys of tcp (CURVE); an empty server key: none. */
struct transport_keys {
    struct key_text server; /* the daemon's public key */
    struct key_pair own;
};

/* ZeroMQ. `keys`: for tcp, else NULL. 0, -EINVAL (the endpoint), -ENOTSUP (libzmq without CURVE), -EMFILE, -ENOMEM. */
int transport_zmq_open(const char *endpoint, const struct transport_keys *keys, struct transport **out);

/* Draws a pair of keys. 0, -ENOTSUP. */
int transport_zmq_keys(struct key_pair *keys);

/* The local lane: frames over a greeted lifeline, whose descriptor stays the caller's. 0, -ENOMEM. */
int transport_local_open(int lifeline, struct transport **out);
