/*
 * What is read goes from one buffer of all streams into the hub; only the beginning of a frame whose end has not come,
 * and frames beyond a turn's share, are kept by a stream of their own. What a client does not read is kept up to
 * PENDING_BYTES_MAX, beyond that dropped, and it hears that something is missing when it reads again: it resumes.
 *
 * Invariants. `out` is empty, or the poller tells when there is room. Only its first frame may have begun; that one is
 * never dropped, and nothing is written before its end. A stream that may have more to read is on `readable`, or the
 * poller tells, which is level-triggered.
 */
#include "local.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lane.h"
#include "log.h"
#include "why.h"

enum {
    READ_BYTES = 128 << 10,
    IOVS_MAX = 64, /* bodies that leave uncopied, when the descriptor takes them */
    EVENTS = EPOLLIN | EPOLLRDHUP,
};

struct local {
    struct transport transport;
    struct hub *hub;
    bool refused; /* lane=zmq: a client that asks is told so */
    size_t frame_bytes_max;
    size_t bad_bytes;     /* what the frame that could not be read said of its size */
    struct list readable; /* struct stream */
    char *begin;          /* of a frame on its way out */
    size_t begin_room;
    struct bytes parts[WIRE_PARTS_MAX + 1]; /* one more than a frame may have, for the decoder to see */
    char buffer[READ_BYTES];
};

/* What the descriptor has not taken yet. */
struct frame {
    struct list link;
    size_t bytes, sent;
    char data[];
};

static struct local *local_of(const struct hub *hub)
{
    return container_of(hub->local, struct local, transport);
}

/* ---- sending ---- */

static void frame_free(struct stream *stream, struct frame *frame)
{
    stream->out_bytes -= frame->bytes;
    list_remove(&frame->link);
    free(frame);
}

/* All that has not begun. */
static void drop_out(struct stream *stream)
{
    struct frame *frame, *after;

    list_each_safe (frame, after, &stream->out, link)
        if (!frame->sent)
            frame_free(stream, frame);
    stream->gap = false;
}

/* The client sees the gap in the numbers with whatever comes next, and resumes (IP7). */
static void tell_gap(struct stream *stream)
{
    if (!stream->gap || !stream->open)
        return;
    stream->gap = false;
    outbox_say(&stream->hub->outbox, &stream->conn.lane, (struct server_frame){.need_resume = true});
}

/* True: it has gone, and nothing can leave any more; the reader will see the end. */
static bool frame_write(struct stream *stream, struct frame *frame)
{
    ssize_t n = send(stream->source.fd, frame->data + frame->sent, frame->bytes - frame->sent,
                     MSG_NOSIGNAL | MSG_DONTWAIT);

    if (n > 0)
        frame->sent += (size_t)n;
    return n < 0 && errno != EAGAIN && errno != EINTR;
}

static void stream_flush(struct stream *stream)
{
    struct frame *frame;
    bool gone = false;

    while ((frame = list_first(&stream->out, struct frame, link))) {
        gone = gone || frame_write(stream, frame);
        if (!gone && frame->sent < frame->bytes)
            return;
        frame_free(stream, frame);
    }
    poller_change(&stream->hub->poller, &stream->source, EVENTS);
    tell_gap(stream);
}

/* What is left of a frame after its first `sent` bytes. */
static int keep_rest(struct stream *stream, const struct wire_message *message, size_t bytes, size_t sent)
{
    struct frame *frame = malloc(sizeof(*frame) + bytes);

    if (!frame) {
        if (sent)
            shutdown(stream->source.fd, SHUT_RDWR); /* half a frame: nothing can follow it */
        return -ENOMEM;
    }
    frame->bytes = bytes;
    frame->sent = sent;
    lane_pack(message, frame->data);
    if (list_empty(&stream->out))
        poller_change(&stream->hub->poller, &stream->source, EVENTS | EPOLLOUT);
    list_append(&stream->out, &frame->link);
    stream->out_bytes += bytes;
    return 0;
}

/* Behind others: at its limit it is dropped. */
static int keep_pending(struct stream *stream, const struct wire_message *message, size_t bytes)
{
    if (stream->out_bytes + bytes > PENDING_BYTES_MAX) {
        stream->hub->stats.dropped_frames++;
        stream->gap = true;
        return 0;
    }
    return keep_rest(stream, message, bytes, 0);
}

static char *begin_room(struct local *local, size_t bytes)
{
    char *begin = bytes <= local->begin_room ? local->begin : realloc(local->begin, bytes);

    if (!begin)
        return NULL;
    if (bytes > local->begin_room)
        local->begin_room = bytes;
    return local->begin = begin;
}

/* Bytes written, which may be fewer than all; -EHOSTUNREACH, -ENOMEM. */
static ssize_t write_message(struct local *local, struct stream *stream, const struct wire_message *message)
{
    struct iovec iov[IOVS_MAX];
    struct msghdr header = {.msg_iov = iov, .msg_iovlen = 1};
    size_t bytes = lane_begin_bytes(message);

    iov[0] = (struct iovec){begin_room(local, bytes), bytes};
    if (!iov[0].iov_base)
        return -ENOMEM;
    lane_begin(message, iov[0].iov_base);
    for (size_t i = 0; i < message->bodies_n && header.msg_iovlen < IOVS_MAX; i++)
        iov[header.msg_iovlen++] =
            (struct iovec){(void *)message->bodies[i].data, message->bodies[i].size}; /* only read */
    ssize_t n = sendmsg(stream->source.fd, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -EHOSTUNREACH;
    return n;
}

static int local_send(struct conn *conn, const struct server_frame *head, const struct wire_message *message)
{
    struct stream *stream = container_of(conn, struct stream, conn);
    size_t bytes = lane_message_bytes(message);

    if (head->welcome)
        drop_out(stream); /* the count begins anew: the client would drop them */
    if (!list_empty(&stream->out))
        return keep_pending(stream, message, bytes);
    ssize_t n = write_message(local_of(stream->hub), stream, message);
    if (n < 0 || (size_t)n == bytes)
        return n < 0 ? (int)n : 0;
    return keep_rest(stream, message, bytes, (size_t)n);
}

void stream_say(struct stream *stream, const void *data, size_t size)
{
    if (!list_empty(&stream->out) || send(stream->source.fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        log_debug("event=lifeline_write_failed error=%d", list_empty(&stream->out) ? errno : EAGAIN);
}

/* ---- receiving ---- */

static void refuse_lane(struct stream *stream)
{
    static const char text[] = "this daemon takes frames over ZeroMQ only (lane = zmq)";

    outbox_say(&stream->hub->outbox, &stream->conn.lane,
               (struct server_frame){.refused = -EOPNOTSUPP, .text = {text, sizeof(text) - 1}});
}

static int hand_over(struct local *local, struct stream *stream, const char *frame, size_t bytes)
{
    ssize_t n = lane_split(frame, bytes, local->parts, WIRE_PARTS_MAX + 1);

    if (n < 0)
        return (int)n;
    if (!stream->open)
        hub_conn_opened(local->hub, &stream->conn, &local->transport, stream->who);
    stream->open = true;
    if (local->refused)
        refuse_lane(stream);
    else
        hub_frame(local->hub, &stream->conn, local->parts, (size_t)n);
    return 0;
}

/* The size of the frame that begins at `data`, as lane_frame_bytes; one that cannot be is noted. */
static ssize_t frame_bytes(struct local *local, const char *data, size_t size)
{
    ssize_t bytes = lane_frame_bytes(data, size, local->frame_bytes_max);
    uint32_t word;

    if (bytes < 0) {
        memcpy(&word, data, sizeof(word));
        local->bad_bytes = sizeof(word) + word;
    }
    return bytes;
}

/* Hands over the whole frames of `data`, at most `most`, which counts down. How many bytes they have; -EBADMSG. */
static ssize_t take_frames(struct local *local, struct stream *stream, const char *data, size_t size,
                           int *most)
{
    size_t at = 0;

    for (; *most; --*most) {
        ssize_t bytes = frame_bytes(local, data + at, size - at);
        if (bytes < 0)
            return bytes;
        if (!bytes || (size_t)bytes > size - at)
            break;
        if (hand_over(local, stream, data + at, (size_t)bytes) < 0) {
            local->bad_bytes = (size_t)bytes;
            return -EBADMSG;
        }
        at += (size_t)bytes;
    }
    return (ssize_t)at;
}

static void in_free(struct stream *stream)
{
    free(stream->in);
    stream->in = NULL;
    stream->in_at = stream->in_n = stream->in_room = 0;
}

/* Keeps `size` bytes that were read into the common buffer. */
static int in_keep(struct stream *stream, const char *data, size_t size)
{
    stream->in = size ? malloc(size) : NULL;
    if (size && !stream->in)
        return -ENOMEM;
    if (size)
        memcpy(stream->in, data, size);
    stream->in_at = 0;
    stream->in_n = stream->in_room = size;
    return 0;
}

/* Room behind what is there: for the rest of its first frame, by doubling, since the sender may have lied. */
static int in_grow(struct stream *stream, size_t frame_bytes)
{
    size_t have = stream->in_n - stream->in_at, room = 2 * have + READ_BYTES;
    char *in;

    if (frame_bytes > have && frame_bytes < room)
        room = frame_bytes;
    memmove(stream->in, stream->in + stream->in_at, have);
    stream->in_at = 0;
    stream->in_n = have;
    in = realloc(stream->in, room);
    if (!in)
        return -ENOMEM;
    stream->in = in;
    stream->in_room = room;
    return 0;
}

/* Bytes read, 0: none there; `full`: there may be more. -EPIPE: the end; -ENOMEM. */
static ssize_t read_into(struct stream *stream, char *to, size_t room, bool *full)
{
    ssize_t n = recv(stream->source.fd, to, room, MSG_DONTWAIT);

    *full = n == (ssize_t)room;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    return n > 0 ? n : -EPIPE;
}

/* From the common buffer, while the stream has nothing of its own. */
static ssize_t read_fresh(struct local *local, struct stream *stream, int *most, bool *more)
{
    ssize_t n = read_into(stream, local->buffer, READ_BYTES, more);
    ssize_t taken = n > 0 ? take_frames(local, stream, local->buffer, (size_t)n, most) : n;

    return taken < 0 ? taken : in_keep(stream, local->buffer + taken, (size_t)(n - taken));
}

/* Goes on with what the stream has kept. */
static ssize_t read_on(struct local *local, struct stream *stream, int *most, bool *more)
{
    size_t have = stream->in_n - stream->in_at;
    ssize_t bytes = frame_bytes(local, stream->in + stream->in_at, have), n = 0;

    *more = true;
    if (bytes <= 0 || (size_t)bytes > have) {
        int r = bytes < 0 ? (int)bytes : in_grow(stream, (size_t)bytes);
        if (r < 0)
            return r;
        n = read_into(stream, stream->in + stream->in_n, stream->in_room - stream->in_n, more);
    }
    if (n < 0)
        return n;
    stream->in_n += (size_t)n;
    ssize_t taken =
        take_frames(local, stream, stream->in + stream->in_at, stream->in_n - stream->in_at, most);
    if (taken < 0)
        return taken;
    stream->in_at += (size_t)taken;
    if (stream->in_at == stream->in_n)
        in_free(stream);
    return 0;
}

static void stream_misread(const struct local *local, struct stream *stream)
{
    char why[160];

    if (local->bad_bytes > local->frame_bytes_max)
        snprintf(why, sizeof(why),
                 "a frame of %zu bytes was announced on the lifeline, and frame_bytes_max is %zu: send less "
                 "at once, "
                 "or raise that",
                 local->bad_bytes, local->frame_bytes_max);
    else
        snprintf(
            why, sizeof(why),
            "%zu bytes on the lifeline that are no frame: what writes there does not speak this protocol",
            local->bad_bytes);
    stream->ended(stream, -EPROTO, why);
}

static void stream_failed(const struct local *local, struct stream *stream, int error)
{
    if (error == -EPIPE)
        stream->ended(stream, 0, NULL);
    else if (error == -ENOMEM)
        stream->ended(stream, error, "the daemon is out of memory");
    else
        stream_misread(local, stream);
}

/* How much of a turn it took: the frames, and at least 1 for the look. */
static int stream_receive(struct local *local, struct stream *stream, int most)
{
    int left = most;
    bool more = false;

    list_remove(&stream->readable);
    ssize_t r = stream->in ? read_on(local, stream, &left, &more) : read_fresh(local, stream, &left, &more);
    if (r < 0)
        stream_failed(local, stream, (int)r);
    else if (more || !left)
        list_append(&local->readable, &stream->readable);
    return left < most ? most - left : 1;
}

static int local_receive(struct transport *transport, int most)
{
    struct local *local = container_of(transport, struct local, transport);
    struct stream *stream;
    int n = 0;

    while (n < most && (stream = list_first(&local->readable, struct stream, readable)))
        n += stream_receive(local, stream, most - n);
    return n;
}

static bool local_waiting(struct transport *transport)
{
    return !list_empty(&container_of(transport, struct local, transport)->readable);
}

/* ---- streams ---- */

static void stream_ready(struct source *source, uint32_t events)
{
    struct stream *stream = container_of(source, struct stream, source);

    if (events & EPOLLOUT)
        stream_flush(stream);
    if (events & ~(uint32_t)EPOLLOUT && !list_linked(&stream->readable))
        list_append(&local_of(stream->hub)->readable, &stream->readable);
}

int stream_open(struct stream *stream, struct hub *hub, int fd, struct credentials who,
                void (*ended)(struct stream *stream, int error, const char *text))
{
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){LANE_SEND_BYTES}, sizeof(int));
    *stream = (struct stream){.hub = hub, .who = who, .ended = ended};
    list_init(&stream->readable);
    list_init(&stream->out);
    return poller_add(&hub->poller, &stream->source, fd, EVENTS, stream_ready);
}

void stream_close(struct stream *stream)
{
    struct frame *frame, *after;

    if (stream->open)
        hub_conn_ended(stream->hub, &stream->conn);
    list_remove(&stream->readable);
    list_each_safe (frame, after, &stream->out, link)
        frame_free(stream, frame);
    in_free(stream);
    int fd = poller_remove(&stream->hub->poller, &stream->source);
    if (fd >= 0)
        close(fd);
}

/* ---- the transport ---- */

/* By EPOLLOUT, not by trying. */
static bool local_resend(struct transport *transport)
{
    return false;
}

static void local_forget(struct conn *conn)
{
    struct stream *stream = container_of(conn, struct stream, conn);

    stream->open = false;
    drop_out(stream);
}

static void local_close(struct transport *transport)
{
    struct local *local = container_of(transport, struct local, transport);

    local->hub->local = NULL;
    free(local->begin);
    free(local);
}

static int local_open(struct hub *hub, const struct transport_options *options, struct transport **transport,
                      char **why)
{
    struct local *local = calloc(1, sizeof(*local));

    if (!local)
        return why_set(why, -ENOMEM, "out of memory");
    local->transport = (struct transport){.ops = &transport_local};
    list_init(&local->transport.link);
    list_init(&local->readable);
    local->hub = hub;
    local->refused = options->refused;
    local->frame_bytes_max = options->frame_bytes_max;
    *transport = hub->local = &local->transport;
    return 0;
}

const struct transport_ops transport_local = {
    .name = "local",
    .open = local_open,
    .receive = local_receive,
    .waiting = local_waiting,
    .send = local_send,
    .resend = local_resend,
    .forget = local_forget,
    .close = local_close,
};
