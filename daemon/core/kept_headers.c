/* The headers of a message in one piece: of each the sizes of name and value, 4 bytes each, lowest first, and both. */
#include <errno.h>
#include <string.h>

#include "kept.h"

enum { SIZE_BYTES = 4, HEAD_BYTES = 2 * SIZE_BYTES };

size_t headers_size(const struct header *headers, size_t n)
{
    size_t size = n * HEAD_BYTES;

    for (size_t i = 0; i < n; i++)
        size += headers[i].name.size + headers[i].value.size;
    return size;
}

static char *put_size(char *to, size_t size)
{
    for (int i = 0; i < SIZE_BYTES; i++)
        *to++ = (char)(size >> (8 * i));
    return to;
}

static char *put(char *to, struct bytes from)
{
    if (from.size)
        memcpy(to, from.data, from.size);
    return to + from.size;
}

void headers_write(const struct header *headers, size_t n, char *to)
{
    for (size_t i = 0; i < n; i++) {
        to = put_size(to, headers[i].name.size);
        to = put_size(to, headers[i].value.size);
        to = put(to, headers[i].name);
        to = put(to, headers[i].value);
    }
}

static size_t get_size(const unsigned char *from)
{
    size_t size = 0;

    for (int i = SIZE_BYTES - 1; i >= 0; i--)
        size = size << 8 | from[i];
    return size;
}

/* Takes the next one off. False: there is no whole one. */
static bool take(struct bytes *text, struct header *header)
{
    const char *at = text->data;

    if (text->size < HEAD_BYTES)
        return false;
    header->name = (struct bytes){at + HEAD_BYTES, get_size(text->data)};
    header->value =
        (struct bytes){at + HEAD_BYTES + header->name.size, get_size((const unsigned char *)at + SIZE_BYTES)};
    size_t size = HEAD_BYTES + header->name.size + header->value.size;
    if (text->size < size)
        return false;
    *text = (struct bytes){at + size, text->size - size};
    return true;
}

int headers_count(struct bytes text)
{
    struct header header;
    int n = 0;

    while (take(&text, &header))
        n++;
    return text.size ? -EINVAL : n;
}

void headers_read(struct bytes text, struct header *headers)
{
    while (take(&text, headers))
        headers++;
}
