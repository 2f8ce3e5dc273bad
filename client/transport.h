/*
 * How frames travel, behind a table. A transport is one connection, or the will to have one: it connects and
 * reconnects by itself.
 *
 * One thread at a time. Nothing blocks.
 */
#pragma once

#include "message.h"
#include "wire.h"

enum transport_events {
    TRANSPORT_READABLE = 1, /* a frame is there */
    TRANSPORT_WRITABLE = 2, /* there is a connection that takes one */
};

struct transport;

struct transport_ops {
    /* 0, -EINVAL (the endpoint), -EMFILE, -ENOMEM. */
    int (*open)(const char *endpoint, struct transport **out);
    /* What has not left is gone. Accepts NULL, returns NULL. */
    struct transport *(*close)(struct transport *t);
    /* Readable when `events` may have changed since it was last called. */
    int (*fd)(const struct transport *t);
    /* enum transport_events; to be called again after every send, before sleeping on fd. */
    unsigned (*events)(struct transport *t);
    /* 0; -EAGAIN: no connection, the frame is gone; -ENOMEM. Copies. */
    int (*send)(struct transport *t, const struct wire_message *message);
    /* The number of parts of the next frame, 0: none there. They live until the next call. -ENOMEM. */
    int (*recv)(struct transport *t, const struct bytes **parts);
};

extern const struct transport_ops transport_zmq;
