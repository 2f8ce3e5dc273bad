#include "raw.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <zmq.h>

#include <cmocka.h>

#include "endpoint.h"
#include "lane.h"

enum { PARTS_MAX = 512 };

/* Parts of the frame received last: its bytes are in there, or in stream_frame. */
static zmq_msg_t parts[PARTS_MAX];
static size_t parts_n;
static char *stream_frame;

bool raw_is_local(void)
{
    const char *lane = getenv("RAW_LANE");

    return lane && !strcmp(lane, "local");
}

void raw_connect(struct raw *raw, const struct node *node)
{
    raw_connect_by(raw, node, raw_is_local());
}

static void use_keys(void *socket, const struct node *node)
{
    assert_int_equal(
        zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, node->server_key, strlen(node->server_key) + 1), 0);
    assert_int_equal(
        zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, node->public_key, strlen(node->public_key) + 1), 0);
    assert_int_equal(
        zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, node->secret_key, strlen(node->secret_key) + 1), 0);
}

void raw_connect_by(struct raw *raw, const struct node *node, bool local)
{
    const struct wire_bounds bounds = WIRE_BOUNDS_DEFAULT;
    const int patience = RAW_PATIENCE_MS, none = 0;

    *raw = (struct raw){.lifeline = -1, .stream = -1};
    raw->in = wire_new(&bounds);
    raw->out = wire_new(&bounds);
    if (local) {
        struct timeval time = {.tv_sec = RAW_PATIENCE_MS / 1000};
        raw->stream = lifeline_open(node, &raw->session);
        setsockopt(raw->stream, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time));
        return;
    }
    raw->context = zmq_ctx_new();
    raw->socket = zmq_socket(raw->context, ZMQ_DEALER);
    zmq_setsockopt(raw->socket, ZMQ_RCVTIMEO, &patience, sizeof(patience));
    zmq_setsockopt(raw->socket, ZMQ_LINGER, &none, sizeof(none));
    if (node->server_key)
        use_keys(raw->socket, node);
    assert_int_equal(zmq_connect(raw->socket, node->endpoint), 0);
}

int lifeline_open(const struct node *node, struct secret *session)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct greeting greeting;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    memcpy(address.sun_path, node->lifeline, strlen(node->lifeline));
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(recv(fd, &greeting, sizeof(greeting), MSG_WAITALL), sizeof(greeting));
    assert_int_equal(greeting.magic, GREETING_MAGIC);
    assert_int_equal(greeting.version, PROTOCOL_VERSION);
    *session = greeting.session;
    return fd;
}

int lifeline_farewell(int fd)
{
    struct farewell farewell;
    ssize_t n = recv(fd, &farewell, sizeof(farewell), MSG_WAITALL);

    if (n <= 0)
        return 1;
    assert_int_equal(n, sizeof(farewell));
    assert_int_equal(farewell.magic, FAREWELL_MAGIC);
    return farewell.error;
}

void raw_greet(struct raw *raw, const struct node *node)
{
    raw->lifeline = raw->stream >= 0 ? raw->stream : lifeline_open(node, &raw->session);
}

void raw_open(struct raw *raw, const struct node *node)
{
    struct hello hello = {.program = {"raw", 3}};

    raw_connect(raw, node);
    raw_greet(raw, node);
    hello.session = raw->session;
    raw_send(raw, (struct client_frame){.hello = &hello});
    const struct server_frame *frame = raw_receive(raw);
    assert_int_equal(frame->refused, 0);
    assert_non_null(frame->welcome);
    assert_int_equal(frame->number, 1);
}

static void drop_parts(void)
{
    while (parts_n)
        zmq_msg_close(&parts[--parts_n]);
}

void raw_close(struct raw *raw)
{
    drop_parts();
    if (raw->lifeline >= 0 && raw->lifeline != raw->stream)
        close(raw->lifeline);
    if (raw->stream >= 0)
        close(raw->stream);
    if (raw->socket)
        zmq_close(raw->socket);
    if (raw->context)
        zmq_ctx_term(raw->context);
    wire_delete(raw->in);
    wire_delete(raw->out);
}

static void stream_write(struct raw *raw, const void *data, size_t size)
{
    assert_int_equal(send(raw->stream, data, size, MSG_NOSIGNAL), size);
}

void raw_send_bytes(struct raw *raw, const void *data, size_t size)
{
    uint32_t words[] = {(uint32_t)size + LANE_WORD_BYTES, 1};

    if (raw->stream >= 0) {
        stream_write(raw, words, sizeof(words));
        stream_write(raw, data, size);
        return;
    }
    assert_int_equal(zmq_send(raw->socket, data, size, 0), size);
}

void raw_send(struct raw *raw, struct client_frame frame)
{
    struct wire_message message;

    if (!frame.number)
        frame.number = ++raw->number;
    if (!frame.version)
        frame.version = PROTOCOL_VERSION;
    wire_reset(raw->out);
    assert_int_equal(wire_encode_client(raw->out, &frame, &message), 0);
    char *head = malloc(lane_message_bytes(&message));
    if (raw->stream >= 0) {
        lane_pack(&message, head);
        stream_write(raw, head, lane_message_bytes(&message));
        free(head);
        return;
    }
    wire_pack(&message, head);
    zmq_send(raw->socket, head, message.head_bytes, message.bodies_n ? ZMQ_SNDMORE : 0);
    for (size_t i = 0; i < message.bodies_n; i++)
        zmq_send(raw->socket, message.bodies[i].data, message.bodies[i].size,
                 i + 1 < message.bodies_n ? ZMQ_SNDMORE : 0);
    free(head);
}

void raw_ask(struct raw *raw, struct request request)
{
    raw_send(raw, (struct client_frame){.requests = &request, .requests_n = 1});
}

/* The number of parts of the next frame of a stream. */
static size_t receive_stream(struct raw *raw, struct bytes *bytes)
{
    uint32_t size;

    if (recv(raw->stream, &size, sizeof(size), MSG_WAITALL) != sizeof(size))
        fail_msg("no frame came: %s", strerror(errno));
    ssize_t all = lane_frame_bytes(&size, sizeof(size), LANE_FRAME_BYTES_MAX);
    assert_true(all > 0);
    free(stream_frame);
    stream_frame = malloc((size_t)all);
    memcpy(stream_frame, &size, sizeof(size));
    assert_int_equal(recv(raw->stream, stream_frame + sizeof(size), size, MSG_WAITALL), size);
    ssize_t n = lane_split(stream_frame, (size_t)all, bytes, PARTS_MAX);
    assert_true(n > 0);
    return (size_t)n;
}

static size_t receive_message(struct raw *raw, struct bytes *bytes)
{
    int more = 1;

    drop_parts();
    while (more && parts_n < PARTS_MAX) {
        zmq_msg_init(&parts[parts_n]);
        if (zmq_msg_recv(&parts[parts_n], raw->socket, 0) < 0)
            fail_msg("no frame came: %s", zmq_strerror(zmq_errno()));
        more = zmq_msg_more(&parts[parts_n++]);
    }
    for (size_t i = 0; i < parts_n; i++)
        bytes[i] = (struct bytes){zmq_msg_data(&parts[i]), zmq_msg_size(&parts[i])};
    return parts_n;
}

const struct server_frame *raw_receive(struct raw *raw)
{
    struct bytes bytes[PARTS_MAX];
    const struct server_frame *frame;
    const char *why;
    size_t n = raw->stream >= 0 ? receive_stream(raw, bytes) : receive_message(raw, bytes);

    wire_reset(raw->in);
    assert_int_equal(wire_decode_server(raw->in, bytes, n, &frame, &why), 0);
    return frame;
}

const struct result *raw_result(struct raw *raw)
{
    const struct server_frame *frame = raw_receive(raw);

    assert_int_equal(frame->refused, 0);
    assert_false(frame->need_resume);
    assert_true(frame->results_n > 0);
    return &frame->results[0];
}
