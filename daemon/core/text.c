/* Words for people, and names. The compiler's own vsnprintf: the core includes no header of I/O. */
#include <errno.h>
#include <string.h>

#include "engine.h"

size_t text_writev(char *to, size_t size, const char *format, va_list arguments)
{
    int n = __builtin_vsnprintf(to, size, format, arguments);

    return n < 0 ? 0 : (size_t)n < size ? (size_t)n : size - 1;
}

size_t text_write(char *to, size_t size, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    size_t n = text_writev(to, size, format, arguments);
    va_end(arguments);
    return n;
}

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

int name_order(struct bytes a, struct bytes b)
{
    size_t size = a.size < b.size ? a.size : b.size;
    int order = size ? memcmp(a.data, b.data, size) : 0;

    return order ? order : (a.size > b.size) - (a.size < b.size);
}
