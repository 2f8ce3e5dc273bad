/* Bytes of somebody else's: borrowed, as everything in message.h. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct bytes {
    const void *data;
    size_t size;
};

/* No bytes may be at NULL. */
static inline bool bytes_are(struct bytes a, const void *data, size_t size)
{
    return a.size == size && (!size || memcmp(a.data, data, size) == 0);
}
