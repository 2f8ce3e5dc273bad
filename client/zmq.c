/*
 * ZeroMQ: one context and one DEALER per client. The only file that knows zmq.h.
 *
 * ZMQ_FD is edge-triggered: it tells that ZMQ_EVENTS may have changed, and reading those, sending and receiving
 * all consume the edge. Hence `events` after everything, before sleeping.
 *
 * Over tcp a monitor tells of handshakes that failed: without it libzmq would try for ever and say nothing.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "cleanup.h"
#include "list.h"
#include "transport.h"

enum {
    RECONNECT_MS = 10,
    RECONNECT_MAX_MS = 2000,
    MONITOR_EVENT_BYTES = sizeof(uint16_t),
    UNLIMITED = 0, /* our window bounds what is under way (IP6), never the high-water mark */
};

#define MONITOR "inproc://handshakes"

struct dealer {
    struct transport transport;
    void *context, *socket;
    void *monitor;       /* over tcp: a socket that tells of the other's connections; else NULL */
    zmq_msg_t *messages; /* of the frame last received */
    struct bytes *parts;
    size_t parts_n, parts_max;
};

static void parts_clear(struct dealer *t)
{
    while (t->parts_n)
        zmq_msg_close(&t->messages[--t->parts_n]);
}

static struct dealer *dealer_delete(struct dealer *t)
{
    if (!t)
        return NULL;
    parts_clear(t);
    if (t->socket && t->monitor)
        zmq_socket_monitor(t->socket, NULL, 0);
    if (t->monitor)
        zmq_close(t->monitor);
    if (t->socket)
        zmq_close(t->socket);
    if (t->context)
        zmq_ctx_term(t->context);
    free(t->messages);
    free(t->parts);
    free(t);
    return NULL;
}
DEFINE_CLEANUP(struct dealer *, dealer_delete)

static int set(void *socket, int option, int value)
{
    return zmq_setsockopt(socket, option, &value, sizeof value);
}

static int configure(void *socket)
{
    static const struct {
        int option, value;
    } options[] = {
        {ZMQ_LINGER, 0},
        {ZMQ_IMMEDIATE, 1}, /* what is queued for a connection that is gone must not go to the next */
        {ZMQ_SNDHWM, UNLIMITED},
        {ZMQ_RCVHWM, UNLIMITED},
        {ZMQ_RECONNECT_IVL, RECONNECT_MS},
        {ZMQ_RECONNECT_IVL_MAX, RECONNECT_MAX_MS},
    };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (set(socket, options[i].option, options[i].value) < 0)
            return -errno;
    return 0;
}

static int set_keys(void *socket, const struct transport_keys *keys)
{
    if (zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, keys->server.text, KEY_CHARS + 1) < 0 ||
        zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, keys->own.public.text, KEY_CHARS + 1) < 0 ||
        zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, keys->own.secret.text, KEY_CHARS + 1) < 0)
        return -ENOTSUP;
    return 0;
}

static int watch_handshakes(struct dealer *t)
{
    const int events = ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                       ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL;

    t->monitor = zmq_socket(t->context, ZMQ_PAIR);
    if (!t->monitor)
        return errno == EMFILE ? -EMFILE : -ENOMEM;
    set(t->monitor, ZMQ_LINGER, 0);
    if (zmq_socket_monitor(t->socket, MONITOR, events) < 0 || zmq_connect(t->monitor, MONITOR) < 0)
        return errno == EMFILE ? -EMFILE : -ENOMEM;
    return 0;
}

static int prepare_remote(struct dealer *t, const struct transport_keys *keys)
{
    int r = *keys->server.text ? set_keys(t->socket, keys) : 0;

    return r < 0 ? r : watch_handshakes(t);
}

static int connect_dealer(struct dealer *t, const char *endpoint, const struct transport_keys *keys)
{
    t->context = zmq_ctx_new();
    if (!t->context)
        return errno == EMFILE ? -EMFILE : -ENOMEM;
    t->socket = zmq_socket(t->context, ZMQ_DEALER);
    if (!t->socket)
        return errno == EMFILE ? -EMFILE : -ENOMEM;
    int r = configure(t->socket);
    if (r == 0 && keys)
        r = prepare_remote(t, keys);
    if (r < 0)
        return r;
    return zmq_connect(t->socket, endpoint) < 0 ? (errno == ENOMEM ? -ENOMEM : -EINVAL) : 0;
}

static const struct transport_ops dealer_ops, remote_ops;

int transport_zmq_open(const char *endpoint, const struct transport_keys *keys, struct transport **out)
{
    _cleanup_(dealer_deletep) struct dealer *t = calloc(1, sizeof *t);
    if (!t)
        return -ENOMEM;
    t->transport.ops = keys ? &remote_ops : &dealer_ops;
    /* Its threads shall not run the program's signal handlers. */
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int r = connect_dealer(t, endpoint, keys);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (r < 0)
        return r;
    *out = &t->transport;
    t = NULL;
    return 0;
}

static struct dealer *dealer_of(const struct transport *t)
{
    return container_of(t, struct dealer, transport);
}

static struct transport *dealer_close(struct transport *transport)
{
    dealer_delete(dealer_of(transport));
    return NULL;
}

static int socket_fd(void *socket)
{
    int fd = -1;
    size_t size = sizeof fd;
    return zmq_getsockopt(socket, ZMQ_FD, &fd, &size) < 0 ? -errno : fd;
}

static int dealer_fd(const struct transport *transport)
{
    return socket_fd(dealer_of(transport)->socket);
}

static int remote_refusal_fd(const struct transport *transport)
{
    return socket_fd(dealer_of(transport)->monitor);
}

/* The number of the next event, 0: none. Its further part, the address, is dropped. */
static unsigned monitor_next(void *monitor)
{
    uint16_t event = 0;
    int more = 1, first = 1;
    zmq_msg_t part;

    for (; more; first = 0) {
        zmq_msg_init(&part);
        if (zmq_msg_recv(&part, monitor, ZMQ_DONTWAIT) < 0)
            break;
        if (first && zmq_msg_size(&part) >= MONITOR_EVENT_BYTES)
            memcpy(&event, zmq_msg_data(&part), MONITOR_EVENT_BYTES);
        more = zmq_msg_more(&part);
        zmq_msg_close(&part);
    }
    return event;
}

static int remote_refused(struct transport *transport, const char **why)
{
    unsigned event = monitor_next(dealer_of(transport)->monitor);

    if (!event)
        return 0;
    *why = event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH
               ? "it does not let this key in: its listen_keys_file needs a row with the public key of this "
                 "client"
               : "no handshake: the server's key is wrong, or one side wants keys and the other has none";
    return event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH ? -EACCES : -EPROTO;
}

int transport_zmq_keys(struct key_pair *keys)
{
    return zmq_curve_keypair(keys->public.text, keys->secret.text) < 0 ? -ENOTSUP : 0;
}

static unsigned dealer_events(struct transport *transport)
{
    struct dealer *t = dealer_of(transport);
    int events = 0;
    size_t size = sizeof events;
    if (zmq_getsockopt(t->socket, ZMQ_EVENTS, &events, &size) < 0)
        return 0;
    return (events & ZMQ_POLLIN ? TRANSPORT_READABLE : 0) | (events & ZMQ_POLLOUT ? TRANSPORT_WRITABLE : 0);
}

/* Never blocks half-way: once its first part was taken, the pipe takes the others. */
static int send_part(struct dealer *t, zmq_msg_t *message, bool more)
{
    while (zmq_msg_send(message, t->socket, ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0)) < 0)
        if (errno != EINTR) {
            int error = -errno;
            zmq_msg_close(message);
            return error;
        }
    return 0;
}

static int dealer_send(struct transport *transport, const struct wire_message *message)
{
    struct dealer *t = dealer_of(transport);
    zmq_msg_t part;
    if (zmq_msg_init_size(&part, message->head_bytes) < 0)
        return -ENOMEM;
    wire_pack(message, zmq_msg_data(&part));
    int r = send_part(t, &part, message->bodies_n > 0);
    for (size_t i = 0; r == 0 && i < message->bodies_n; i++) {
        if (zmq_msg_init_size(&part, message->bodies[i].size) < 0)
            return -ENOMEM;
        memcpy(zmq_msg_data(&part), message->bodies[i].data, message->bodies[i].size);
        r = send_part(t, &part, i + 1 < message->bodies_n);
    }
    return r;
}

static int parts_reserve(struct dealer *t)
{
    if (t->parts_n < t->parts_max)
        return 0;
    size_t max = t->parts_max ? 2 * t->parts_max : 8;
    zmq_msg_t *messages = calloc(max, sizeof *messages);
    struct bytes *parts = realloc(t->parts, max * sizeof *parts);
    if (parts)
        t->parts = parts;
    if (!messages || !parts) {
        free(messages);
        return -ENOMEM;
    }
    for (size_t i = 0; i < t->parts_n; i++) { /* a zmq_msg_t may not be moved by realloc */
        zmq_msg_init(&messages[i]);
        zmq_msg_move(&messages[i], &t->messages[i]);
        zmq_msg_close(&t->messages[i]);
    }
    free(t->messages);
    t->messages = messages;
    t->parts_max = max;
    return 0;
}

static int recv_part(struct dealer *t)
{
    if (parts_reserve(t) < 0)
        return -ENOMEM;
    zmq_msg_t *message = &t->messages[t->parts_n];
    zmq_msg_init(message);
    while (zmq_msg_recv(message, t->socket, ZMQ_DONTWAIT) < 0)
        if (errno != EINTR)
            return -errno;
    t->parts_n++;
    return zmq_msg_more(message);
}

static int dealer_recv(struct transport *transport, const struct bytes **parts)
{
    struct dealer *t = dealer_of(transport);
    int more;
    parts_clear(t);
    while ((more = recv_part(t)) > 0)
        ;
    if (more < 0)
        return more == -EAGAIN ? 0 : more;
    for (size_t i = 0; i < t->parts_n; i++)
        t->parts[i] = (struct bytes){zmq_msg_data(&t->messages[i]), zmq_msg_size(&t->messages[i])};
    *parts = t->parts;
    return (int)t->parts_n;
}

static const struct transport_ops remote_ops = {
    .close = dealer_close,
    .fd = dealer_fd,
    .events = dealer_events,
    .send = dealer_send,
    .recv = dealer_recv,
    .refusal_fd = remote_refusal_fd,
    .refused = remote_refused,
};

static const struct transport_ops dealer_ops = {
    .close = dealer_close,
    .fd = dealer_fd,
    .events = dealer_events,
    .send = dealer_send,
    .recv = dealer_recv,
};
