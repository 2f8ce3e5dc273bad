/*
 * The local lane: frames over the lifeline, in the form of lane.h.
 *
 * Whoever waits for the descriptor is told as long as it is ready, so it is read only after it was seen ready (`stir`),
 * until a read comes back short. What the daemon does not take is kept and goes first; how much that can be is bounded
 * by the window (IP6.2). The end of the stream, or a farewell, is told when all frames before it have been received.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "cleanup.h"
#include "lane.h"
#include "list.h"
#include "transport.h"

enum {
    READ_BYTES = 128 << 10,
    ROOM_KEPT = 1 << 20, /* an empty buffer that is larger is given back */
    PARTS_ROOM = 8,      /* to begin with */
    IOVS_MAX = 64,       /* bodies that leave uncopied, when the descriptor takes them */
};

/* Holds the bytes from `at` to `n`. */
struct buffer {
    char *data;
    size_t at, n, room;
};

struct local {
    struct transport transport;
    int fd;
    bool stirred; /* there may be something to read */
    bool over;    /* nothing more will come: `news` says how it ended */
    struct lifeline_news news;
    struct buffer in;    /* begins with a frame */
    size_t taken;        /* bytes of the frame that was received last: its parts are in there */
    struct buffer out;   /* what did not leave */
    struct buffer begin; /* of the frame that is written */
    struct bytes *parts;
    size_t parts_room;
};

static struct local *local_of(const struct transport *t)
{
    return container_of(t, struct local, transport);
}

/* ---- buffers ---- */

static size_t buffer_size(const struct buffer *b)
{
    return b->n - b->at;
}

/* Room for `bytes` behind what is there. */
static int buffer_reserve(struct buffer *b, size_t bytes)
{
    size_t have = buffer_size(b), need = have + bytes;
    if (b->room - b->n >= bytes)
        return 0;
    if (have)
        memmove(b->data, b->data + b->at, have);
    b->at = 0;
    b->n = have;
    if (b->room >= need)
        return 0;
    char *data = realloc(b->data, need);
    if (!data)
        return -ENOMEM;
    b->data = data;
    b->room = need;
    return 0;
}

static void buffer_drop(struct buffer *b, size_t bytes)
{
    b->at += bytes;
    if (b->at < b->n)
        return;
    b->at = b->n = 0;
    if (b->room > ROOM_KEPT) {
        free(b->data);
        *b = (struct buffer){0};
    }
}

/* ---- the end ---- */

static void end(struct local *t, int error, const char *text)
{
    t->over = true;
    t->news.greeted = false;
    t->news.error = error;
    snprintf(t->news.text, sizeof t->news.text, "%s", text);
}

/* What stands there is no frame. False: perhaps a farewell whose end has not come. */
static bool take_farewell(struct local *t)
{
    struct farewell farewell;
    memcpy(&farewell.magic, t->in.data + t->in.at, sizeof farewell.magic);
    if (farewell.magic != FAREWELL_MAGIC) {
        end(t, -EPROTO, "what the daemon wrote is no frame");
        return true;
    }
    if (buffer_size(&t->in) < sizeof farewell)
        return false;
    memcpy(&farewell, t->in.data + t->in.at, sizeof farewell);
    lifeline_farewell(&t->news, &farewell);
    t->over = true;
    return true;
}

/* ---- receiving ---- */

/* Reads once, with room for a whole frame of `bytes` (0: of unknown size). */
static int fill(struct local *t, size_t bytes)
{
    size_t have = buffer_size(&t->in);
    if (buffer_reserve(&t->in, bytes > have + READ_BYTES ? bytes - have : READ_BYTES) < 0)
        return -ENOMEM;
    size_t room = t->in.room - t->in.n;
    ssize_t n = recv(t->fd, t->in.data + t->in.n, room, MSG_DONTWAIT);
    t->stirred = n == (ssize_t)room;
    if (n > 0)
        t->in.n += (size_t)n;
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        end(t, -ENETRESET, "the daemon is gone");
    return 0;
}

static int parts_reserve(struct local *t, size_t n)
{
    if (n <= t->parts_room)
        return 0;
    struct bytes *parts = realloc(t->parts, n * sizeof *parts);
    if (!parts)
        return -ENOMEM;
    t->parts = parts;
    t->parts_room = n;
    return 0;
}

static int take_frame(struct local *t, size_t bytes, const struct bytes **parts)
{
    const char *frame = t->in.data + t->in.at;
    ssize_t n = lane_split(frame, bytes, t->parts, t->parts_room);
    if (n == (ssize_t)t->parts_room) { /* perhaps not all of them */
        if (parts_reserve(t, WIRE_PARTS_MAX + 1) < 0)
            return -ENOMEM;
        n = lane_split(frame, bytes, t->parts, t->parts_room);
    }
    if (n < 0) {
        end(t, -EPROTO, "what the daemon wrote is no frame");
        return 0;
    }
    t->taken = bytes;
    *parts = t->parts;
    return (int)n;
}

static int local_recv(struct transport *transport, const struct bytes **parts)
{
    struct local *t = local_of(transport);
    buffer_drop(&t->in, t->taken);
    t->taken = 0;
    while (!t->over) {
        size_t have = buffer_size(&t->in);
        ssize_t bytes = have ? lane_frame_bytes(t->in.data + t->in.at, have, LANE_FRAME_BYTES_MAX) : 0;
        if (bytes > 0 && (size_t)bytes <= have)
            return take_frame(t, (size_t)bytes, parts);
        if (bytes < 0 && take_farewell(t))
            return 0;
        if (!t->stirred)
            return 0;
        if (fill(t, bytes > 0 ? (size_t)bytes : 0) < 0)
            return -ENOMEM;
    }
    return 0;
}

/* ---- sending ---- */

static void flush(struct local *t)
{
    while (buffer_size(&t->out)) {
        ssize_t n = send(t->fd, t->out.data + t->out.at, buffer_size(&t->out), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0) /* the reader will see why */
            t->stirred = true;
        buffer_drop(&t->out, n < 0 ? buffer_size(&t->out) : (size_t)n);
    }
}

/* What is left of a message after its first `sent` bytes. */
static int keep_rest(struct local *t, const struct wire_message *message, size_t sent)
{
    size_t bytes = lane_message_bytes(message);
    if (buffer_reserve(&t->out, bytes) < 0)
        return -ENOMEM;
    lane_pack(message, t->out.data + t->out.n);
    if (sent) /* then there was nothing before */
        t->out.at += sent;
    t->out.n += bytes;
    return 0;
}

/* Bytes written, which may be fewer than all; -EPIPE, -ENOMEM. */
static ssize_t write_message(struct local *t, const struct wire_message *message)
{
    struct iovec iov[IOVS_MAX];
    struct msghdr header = {.msg_iov = iov, .msg_iovlen = 1};
    size_t bytes = lane_begin_bytes(message);
    if (buffer_reserve(&t->begin, bytes) < 0)
        return -ENOMEM;
    lane_begin(message, t->begin.data);
    iov[0] = (struct iovec){t->begin.data, bytes};
    for (size_t i = 0; i < message->bodies_n && header.msg_iovlen < IOVS_MAX; i++)
        iov[header.msg_iovlen++] = (struct iovec){(void *)message->bodies[i].data, message->bodies[i].size};
    ssize_t n = sendmsg(t->fd, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n >= 0 || errno == EAGAIN || errno == EINTR)
        return n < 0 ? 0 : n;
    t->stirred = true; /* the reader will see why */
    return -EPIPE;
}

static int local_send(struct transport *transport, const struct wire_message *message)
{
    struct local *t = local_of(transport);
    if (t->over)
        return -EPIPE;
    flush(t);
    ssize_t n = buffer_size(&t->out) ? 0 : write_message(t, message);
    if (n < 0 || (size_t)n == lane_message_bytes(message))
        return n < 0 ? (int)n : 0;
    int r = keep_rest(t, message, (size_t)n);
    if (r < 0 && n > 0) /* half a frame: nothing can follow it */
        end(t, -ENOMEM, "out of memory");
    return r;
}

/* ---- the transport ---- */

static unsigned local_events(struct transport *transport)
{
    struct local *t = local_of(transport);
    if (buffer_size(&t->out))
        flush(t);
    if (t->over)
        return TRANSPORT_READABLE;
    return TRANSPORT_WRITABLE | (buffer_size(&t->out) ? TRANSPORT_FULL : 0);
}

static int local_fd(const struct transport *transport)
{
    return local_of(transport)->fd;
}

static void local_stir(struct transport *transport)
{
    local_of(transport)->stirred = true;
}

static bool local_ended(const struct transport *transport, struct lifeline_news *news)
{
    const struct local *t = local_of(transport);
    if (t->over)
        *news = t->news;
    return t->over;
}

static struct transport *local_close(struct transport *transport)
{
    struct local *t = local_of(transport);
    free(t->in.data);
    free(t->out.data);
    free(t->begin.data);
    free(t->parts);
    free(t);
    return NULL;
}

static const struct transport_ops local_ops = {
    .close = local_close,
    .fd = local_fd,
    .events = local_events,
    .send = local_send,
    .recv = local_recv,
    .stir = local_stir,
    .ended = local_ended,
};

int transport_local_open(int lifeline, struct transport **out)
{
    struct local *t = calloc(1, sizeof *t);
    if (!t || parts_reserve(t, PARTS_ROOM) < 0) {
        free(t);
        return -ENOMEM;
    }
    t->transport.ops = &local_ops;
    t->fd = lifeline;
    (void)setsockopt(lifeline, SOL_SOCKET, SO_SNDBUF, &(int){LANE_SEND_BYTES}, sizeof(int));
    *out = &t->transport;
    return 0;
}
