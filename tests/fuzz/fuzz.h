/*
 * What the fuzz targets share. A target is one function that takes any bytes; libFuzzer drives it where the
 * compiler has it, else replay.c does, over saved files. A target aborts when something does not hold.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Bytes still to be read; every read of more than there is gives zeros, so that any input means something. */
struct feed {
    const uint8_t *data;
    size_t size;
};

static inline uint8_t feed_byte(struct feed *feed)
{
    if (!feed->size)
        return 0;
    feed->size--;
    return *feed->data++;
}

static inline uint32_t feed_short(struct feed *feed)
{
    uint32_t low = feed_byte(feed);
    return low | (uint32_t)feed_byte(feed) << 8;
}

static inline struct bytes feed_bytes(struct feed *feed, size_t size)
{
    struct bytes taken = {feed->data, size < feed->size ? size : feed->size};
    if (taken.size) {
        feed->data += taken.size;
        feed->size -= taken.size;
    }
    return taken;
}

enum { FEED_PARTS_MAX = 8 };

/* A message of the transport: the number of parts (1 to 8), then each as a length of two bytes and its bytes.
 * Returns the number of parts. */
static inline size_t feed_message(struct feed *feed, struct bytes parts[FEED_PARTS_MAX])
{
    size_t n = feed_byte(feed) % FEED_PARTS_MAX + 1u;
    for (size_t i = 0; i < n; i++)
        parts[i] = feed_bytes(feed, feed_short(feed));
    return n;
}
