/* Bytes of somebody else's: borrowed, as everything in message.h. */
#pragma once

#include <stddef.h>

struct bytes {
    const void *data;
    size_t size;
};
