/* Structs that begin with `size`: an older program has a shorter one, a newer one a longer. */
#pragma once

#include <errno.h>
#include <string.h>

/* Fills *to (of to_size bytes) from a struct of the caller; what that does not have is zero. `from` may be NULL.
 * 0; -EINVAL: its size was not set, or it asks for something this library does not know. */
static inline int options_take(void *to, size_t to_size, const void *from)
{
    size_t size;

    memset(to, 0, to_size);
    if (!from)
        return 0;
    size = *(const size_t *)from;
    if (size < sizeof size)
        return -EINVAL;
    for (size_t i = to_size; i < size; i++)
        if (((const char *)from)[i])
            return -EINVAL;
    memcpy(to, from, size < to_size ? size : to_size);
    return 0;
}
