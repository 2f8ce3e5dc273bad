/*
 * The lifeline as a stream of frames: a greeting of the daemon, then frames of length, number of parts, their sizes and
 * their bytes, and in the end perhaps a farewell. Numbers are in the byte order of the machine.
 */
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "endpoint.h"
#include "stream.h"

enum { WORD_BYTES = sizeof(uint32_t) };

static uint32_t word(const uint8_t *data, size_t i)
{
    uint32_t value;

    memcpy(&value, data + i * WORD_BYTES, WORD_BYTES);
    return value;
}

static struct unit torn(void)
{
    return (struct unit){.kind = UNIT_TORN};
}

/* Its first part is what the others leave. */
static struct unit frame_read(const uint8_t *data, size_t size)
{
    struct unit unit = {.kind = UNIT_MESSAGE, .size = WORD_BYTES + word(data, 0)};

    if (size < unit.size)
        return torn();
    unit.parts_n = word(data, 1);
    if (!unit.parts_n || unit.parts_n > STREAM_PARTS_MAX)
        errx(1, "a frame of %zu parts", unit.parts_n);
    const uint8_t *end = data + unit.size, *first = data + (1 + unit.parts_n) * WORD_BYTES;
    for (size_t i = unit.parts_n - 1; i; i--) {
        end -= word(data, 1 + i);
        unit.parts[i] = (struct bytes){end, word(data, 1 + i)};
    }
    unit.parts[0] = (struct bytes){first, (size_t)(end - first)};
    return unit;
}

static struct unit lane_next(const uint8_t *data, size_t size, size_t gone)
{
    size_t other = 0;

    if (size < 2 * WORD_BYTES)
        return torn();
    if (word(data, 0) == GREETING_MAGIC)
        other = sizeof(struct greeting);
    if (word(data, 0) == FAREWELL_MAGIC)
        other = sizeof(struct farewell);
    if (other)
        return size < other ? torn() : (struct unit){.kind = UNIT_OTHER, .size = other};
    return frame_read(data, size);
}

static uint8_t *lane_write(const struct bytes *parts, size_t parts_n, size_t *size)
{
    size_t at = (1 + parts_n) * WORD_BYTES;

    *size = at;
    for (size_t i = 0; i < parts_n; i++)
        *size += parts[i].size;
    uint8_t *bytes = malloc(*size);
    if (!bytes)
        err(1, "frame");
    memcpy(bytes, &(uint32_t){(uint32_t)(*size - WORD_BYTES)}, WORD_BYTES);
    memcpy(bytes + WORD_BYTES, &(uint32_t){(uint32_t)parts_n}, WORD_BYTES);
    for (size_t i = 0; i < parts_n; i++) {
        if (i)
            memcpy(bytes + (1 + i) * WORD_BYTES, &(uint32_t){(uint32_t)parts[i].size}, WORD_BYTES);
        memcpy(bytes + at, parts[i].data, parts[i].size);
        at += parts[i].size;
    }
    return bytes;
}

const struct framing framing_lane = {.next = lane_next, .write = lane_write};
