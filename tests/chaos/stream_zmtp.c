/*
 * ZMTP 3: a greeting of 64 bytes, then frames of flags, length and body. A message is frames with MORE and one
 * without; a frame with COMMAND (READY, PING, PONG) is none of ours.
 */
#include <err.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "stream.h"

enum { FLAG_MORE = 1, FLAG_LONG = 2, FLAG_COMMAND = 4 };

struct bytes zmtp_handshake(void)
{
    static const uint8_t said[] = "\xff\0\0\0\0\0\0\0\0\x7f"             /* signature */
                                  "\3\1"                                 /* version 3.1 */
                                  "NULL\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" /* mechanism */
                                  "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                                  "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" /* no server; nothing */
                                  "\4\51"                            /* a command of 41 bytes */
                                  "\5READY\13Socket-Type\0\0\0\6DEALER\10Identity\0\0\0\0";

    _Static_assert(sizeof(said) - 1 == ZMTP_GREETING_BYTES + 2 + 41, "a greeting and a command");
    return (struct bytes){said, sizeof(said) - 1};
}

struct part {
    uint8_t flags;
    size_t head, size;
};

/* False: it is not whole. */
static bool part_read(const uint8_t *data, size_t size, struct part *part)
{
    if (size < 2)
        return false;
    part->flags = data[0];
    part->head = part->flags & FLAG_LONG ? 9 : 2;
    if (size < part->head)
        return false;
    part->size = 0;
    for (size_t i = 1; i < part->head; i++)
        part->size = part->size << 8 | data[i];
    return size - part->head >= part->size;
}

static struct unit message_read(const uint8_t *data, size_t size)
{
    struct unit unit = {.kind = UNIT_TORN};
    struct part part;

    do {
        if (!part_read(data + unit.size, size - unit.size, &part))
            return (struct unit){.kind = UNIT_TORN};
        if (unit.parts_n == STREAM_PARTS_MAX)
            errx(1, "a message of more than %d parts", STREAM_PARTS_MAX);
        unit.parts[unit.parts_n++] = (struct bytes){data + unit.size + part.head, part.size};
        unit.size += part.head + part.size;
    } while (part.flags & FLAG_MORE);
    unit.kind = part.flags & FLAG_COMMAND ? UNIT_OTHER : UNIT_MESSAGE;
    return unit;
}

static struct unit zmtp_next(const uint8_t *data, size_t size, size_t gone)
{
    size_t left = gone < ZMTP_GREETING_BYTES ? ZMTP_GREETING_BYTES - gone : 0;

    if (left) /* each side waits for pieces of the other's: none may be kept back */
        return (struct unit){.kind = size ? UNIT_OTHER : UNIT_TORN, .size = size < left ? size : left};
    return message_read(data, size);
}

static size_t part_write(uint8_t *to, struct bytes part, bool more)
{
    size_t head = part.size > 255 ? 9 : 2;

    to[0] = (uint8_t)((more ? FLAG_MORE : 0) | (part.size > 255 ? FLAG_LONG : 0));
    for (size_t i = head - 1, size = part.size; i > 0; i--, size >>= 8)
        to[i] = (uint8_t)size;
    if (part.size)
        memcpy(to + head, part.data, part.size);
    return head + part.size;
}

static uint8_t *zmtp_write(const struct bytes *parts, size_t parts_n, size_t *size)
{
    size_t room = 0, used = 0;

    for (size_t i = 0; i < parts_n; i++)
        room += 9 + parts[i].size;
    uint8_t *bytes = malloc(room + 1);
    if (!bytes)
        err(1, "message");
    for (size_t i = 0; i < parts_n; i++)
        used += part_write(bytes + used, parts[i], i + 1 < parts_n);
    *size = used;
    return bytes;
}

const struct framing framing_zmtp = {.next = zmtp_next, .write = zmtp_write};
