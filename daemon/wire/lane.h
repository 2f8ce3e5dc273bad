/*
 * Frames in a stream of bytes: the form they have on the local lane (PROTOCOL.md, "The local lane").
 *
 *     bytes   32 bits   of all that follows
 *     parts   32 bits   how many: the encoded frame, and one for each body of its own
 *     sizes   32 bits   of each body
 *     head              the encoded frame
 *     bodies            one after the other
 *
 * Both ends are on one machine: native byte order. `bytes` never reaches LANE_FRAME_BYTES_MAX, so that a farewell
 * (endpoint.h), whose first word is larger, is no frame.
 * Pure, any thread. Trust: reading takes any bytes.
 */
#pragma once

#include <sys/types.h>

#include "wire.h"

enum {
    LANE_WORD_BYTES = 4,
    LANE_FRAME_BYTES_MAX = 1 << 30, /* no side may allow more */
    /* Send buffer that each side asks the kernel for: a full batch of values of 1 KiB goes in one piece, not in ten with
     * a wake-up of both sides for each. Where the kernel's limit is lower it is only slower. */
    LANE_SEND_BYTES = 1 << 20,
};

/* Of the frame that begins at `data`, with its first word; `size` bytes of it are there. 0: not known yet.
 * -EBADMSG: no frame is that short, or it has more than `most` bytes. */
ssize_t lane_frame_bytes(const void *data, size_t size, size_t most);

/* The parts of a whole frame, which point into it: at most parts_max are told. Count, at least 1; -EBADMSG: its
 * sizes do not add up. */
ssize_t lane_split(const void *frame, size_t bytes, struct bytes *parts, size_t parts_max);

/* What stands before the bodies of a message, and all of it. */
size_t lane_begin_bytes(const struct wire_message *message);
size_t lane_message_bytes(const struct wire_message *message);
/* Writes exactly lane_begin_bytes. Before wire_reset. */
void lane_begin(const struct wire_message *message, void *out);
/* Writes exactly lane_message_bytes. */
void lane_pack(const struct wire_message *message, void *out);
