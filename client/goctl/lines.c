/*
 * One buffer: what is read and not taken lies in data[begin, end). Values that were handed out point into it, in
 * front of `begin`; the next call may move or free them.
 */
#include "lines.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READ_BYTES = 64 << 10 };

/* Moves what is left to the front and makes room for one more read. */
static int make_room(struct lines *lines)
{
    size_t left = lines->end - lines->begin;
    size_t room = lines->room;
    char *data;

    assert(lines->begin <= lines->end && lines->end <= lines->room);
    if (left > LINE_BYTES_MAX)
        return -E2BIG;
    if (left)
        memmove(lines->data, lines->data + lines->begin, left);
    lines->begin = 0;
    lines->end = left;
    if (room - left >= READ_BYTES)
        return 0;
    room = room ? 2 * room : 2 * READ_BYTES;
    data = realloc(lines->data, room);
    if (!data)
        return -ENOMEM;
    lines->data = data;
    lines->room = room;
    return 0;
}

static int wait_readable(const struct lines *lines)
{
    struct pollfd fds[] = {{lines->fd, POLLIN, 0}, {lines->stop_fd, POLLIN, 0}};

    if (poll(fds, 2, -1) < 0)
        return errno == EINTR ? 0 : -errno;
    return fds[1].revents ? -ECANCELED : 0;
}

static int read_more(struct lines *lines)
{
    ssize_t n;
    int r = make_room(lines);

    if (r == 0)
        r = wait_readable(lines);
    if (r < 0)
        return r;
    n = read(lines->fd, lines->data + lines->end, lines->room - lines->end);
    if (n < 0)
        return errno == EINTR || errno == EAGAIN ? 0 : -errno;
    lines->end += (size_t)n;
    assert(lines->end <= lines->room);
    lines->ended = n == 0;
    return 0;
}

/* The next whole line, or the last one without a newline at the end of the input. */
static bool take_line(struct lines *lines, struct gc_value *value)
{
    size_t left = lines->end - lines->begin;
    char *begin, *newline;

    if (!left)
        return false;
    begin = lines->data + lines->begin;
    newline = memchr(begin, '\n', left);
    if (!newline && !lines->ended)
        return false;
    *value = gc_bytes(begin, newline ? (size_t)(newline - begin) : left);
    lines->begin += value->size + (newline ? 1 : 0);
    return true;
}

int lines_take(struct lines *lines, struct gc_value *values, size_t max)
{
    size_t n = 0;

    for (;;) {
        int r;

        while (n < max && take_line(lines, &values[n]))
            n++;
        if (n || lines->ended)
            return (int)n;
        r = read_more(lines);
        if (r < 0)
            return r;
    }
}

int lines_rest(struct lines *lines, struct gc_value *value)
{
    while (!lines->ended) {
        int r = read_more(lines);

        if (r < 0)
            return r;
    }
    *value = gc_bytes(lines->data + lines->begin, lines->end - lines->begin);
    lines->begin = lines->end;
    return 0;
}

void lines_release(struct lines *lines)
{
    free(lines->data);
    lines->data = NULL;
    lines->begin = lines->end = lines->room = 0;
}
