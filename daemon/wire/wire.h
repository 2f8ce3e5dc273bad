/*
 * Frames to bytes and back: the only place that knows the encoding.
 *
 * A message of the transport is a list of parts. The first is the encoded frame, every further one is a value
 * of PAYLOAD_FRAME_BYTES or more that would only be copied otherwise.
 *
 * Ownership: what decode and encode give lives in the memory of the struct wire, or in the parts or bodies
 * that they were given, until wire_reset. Both may be used many times between two resets.
 * Threads: one struct wire belongs to one thread at a time. Nothing blocks, nothing is shared.
 * Trust: decode takes any bytes. A frame either is refused as a whole, or every length, count, enum and flag
 * in it is within its bounds. A single operation that is wrong does not spoil its frame: its `verb` is NONE
 * and its `fault` says why, so that exactly it can be answered.
 */
#pragma once

#include "message.h"

enum {
    WIRE_PARTS_MAX = 16384,      /* parts of one message; a transport need not collect more */
    WIRE_ACKS_MAX = 65536,       /* acks, returns or cancels in one frame, each */
    WIRE_PLUGIN_BYTES_MAX = 4096 /* path of a plugin */
};

struct wire;

/* Operations in a frame, and bytes of memory that one frame may need, beyond which it is refused. */
struct wire_bounds {
    uint64_t ops_max;
    uint64_t memory_max;
};

#define WIRE_BOUNDS_DEFAULT                                                                                  \
    {                                                                                                        \
        .ops_max = 4096, .memory_max = 256 << 20                                                             \
    }

/* NULL: out of memory. */
struct wire *wire_new(const struct wire_bounds *bounds);
/* Accepts NULL. */
struct wire *wire_delete(struct wire *wire);
/* Voids everything decode and encode have given. */
void wire_reset(struct wire *wire);

/*
 * 0; -EBADMSG: malformed; -E2BIG: more operations, parts or memory than allowed; -ENOMEM.
 * On failure *why says what was wrong, for a person; it lives until wire_reset.
 */
int wire_decode_client(struct wire *wire, const struct bytes *parts, size_t parts_n,
                       const struct client_frame **frame, const char **why);
int wire_decode_server(struct wire *wire, const struct bytes *parts, size_t parts_n,
                       const struct server_frame **frame, const char **why);

/* An encoded frame: wire_pack writes its first part, `bodies` are the others, borrowed from the frame. */
struct wire_message {
    size_t head_bytes;
    const struct bytes *bodies;
    size_t bodies_n;
    const void *head; /* private */
};

/* 0; -ENOMEM; -E2BIG: more than WIRE_PARTS_MAX parts. */
int wire_encode_client(struct wire *wire, const struct client_frame *frame, struct wire_message *out);
int wire_encode_server(struct wire *wire, const struct server_frame *frame, struct wire_message *out);
/* Until wire_unshare, which has to come before any of them is freed, struct messages of values (value.message) that are at the
 * same place are one message with one body: it may be encoded once for many frames. wire_reset changes nothing of that. */
void wire_share(struct wire *wire);
void wire_unshare(struct wire *wire);
/* Writes exactly head_bytes to `head`. Before wire_reset. */
void wire_pack(const struct wire_message *message, void *head);
