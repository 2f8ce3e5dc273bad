/* What a name may be made of. Configuration and clients are judged alike. */
#include <errno.h>
#include <string.h>

#include "core.h"

static bool name_byte(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c && strchr("_.:/-", c));
}

int name_check(struct bytes name)
{
    const unsigned char *c = name.data;

    if (!name.size)
        return -EINVAL;
    if (name.size > NAME_BYTES_MAX)
        return -E2BIG;
    for (size_t i = 0; i < name.size; i++)
        if (!name_byte(c[i]))
            return -EINVAL;
    return 0;
}
