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

int name_order(struct bytes a, struct bytes b)
{
    size_t size = a.size < b.size ? a.size : b.size;
    int order = size ? memcmp(a.data, b.data, size) : 0;

    return order ? order : (a.size > b.size) - (a.size < b.size);
}
