/*
 * Where a message ends on the stream of a connection: all that the proxy knows of a transport. Another transport is
 * another struct framing.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "message.h"

enum { STREAM_PARTS_MAX = 64 };

enum unit_kind {
    UNIT_TORN,    /* more bytes must come */
    UNIT_OTHER,   /* handshake and commands: passed on as they are */
    UNIT_MESSAGE, /* one frame of the protocol */
};

/* What a buffer begins with. The parts lie in the buffer. */
struct unit {
    enum unit_kind kind;
    size_t size; /* of all of it, in bytes */
    struct bytes parts[STREAM_PARTS_MAX];
    size_t parts_n;
};

struct framing {
    /* `gone`: bytes of this direction that went before. */
    struct unit (*next)(const uint8_t *data, size_t size, size_t gone);
    /* A message of these parts: bytes for the stream, the caller's to free. Never NULL. */
    uint8_t *(*write)(const struct bytes *parts, size_t parts_n, size_t *size);
};

/* ZMTP 3 with the mechanism NULL, as libzmq speaks it over ipc. */
extern const struct framing framing_zmtp;
/* What a DEALER says before its first message: a greeting, of which it may send pieces, and a command. */
enum { ZMTP_GREETING_BYTES = 64 };
struct bytes zmtp_handshake(void);
/* The lifeline, which may carry frames too. */
extern const struct framing framing_lane;
