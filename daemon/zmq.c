/*
 * ZeroMQ: a ROUTER per endpoint. The only file of the daemon that includes zmq.h.
 *
 * A connection is a routing id made up by libzmq, together with the credentials that the kernel told it
 * (Peer-Address). Anybody could reuse the id of a connection that has gone; a message whose Peer-Address
 * differs is therefore of another connection.
 * ROUTER never says that a connection has ended: a send that fails with EHOSTUNREACH shows it (MANDATORY). A
 * connection that takes no more (EAGAIN) keeps its frames in `pending`, in order, and is tried again.
 * ZMQ_FD is edge-triggered, and any call on the socket may swallow the edge: `waiting` asks ZMQ_EVENTS before
 * every sleep that follows a call or an edge, and `receive` ends by EAGAIN or by its cap, never in between. Where
 * neither was (`stirred`) there is nothing to ask: a look costs a system call.
 * libzmq bounds a part, not a message: here one has at most WIRE_PARTS_MAX parts of frame_bytes_max bytes together.
 * On tcp with keys (CURVE) libzmq asks `zap` at each handshake whether this public key may connect, and tells it with
 * each message (User-Id). The socket must be there before the first handshake: without it everybody could come in.
 */
#include <zmq.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>

#include "credentials.h"
#include "endpoint.h"
#include "hub.h"
#include "keys.h"
#include "log.h"
#include "why.h"

enum {
    ROUTING_ID_BYTES_MAX = 255,
    ADDRESS_BYTES_MAX = 96,
    HIGH_WATER_FRAMES = 2048, /* above W of IP6.2: our window is the backpressure, not this */
    BACKLOG = 1024,
    HANDSHAKE_MS = 5000,
    HEARTBEAT_MS = 3000, /* ends dead tcp connections; says nothing of the application (IP9) */
    PARTS_ROOM = 64,     /* to begin with */
    HANDSHAKES_AT_ONCE = 64,
    ENFORCE_DOMAIN = 93, /* ZMQ_ZAP_ENFORCE_DOMAIN: the header names it for drafts only, every build has it */
};

#define ZAP_ENDPOINT "inproc://zeromq.zap.01"
#define ZAP_DOMAIN   "goroutined"

struct router {
    struct transport transport;
    struct hub *hub;
    struct source source;
    void *context, *socket;
    struct source zap_source;
    void *zap;            /* tcp with keys; else NULL */
    struct route *routes; /* by routing id */
    struct list stuck;    /* routes with pending frames */
    zmq_msg_t *parts;
    struct bytes *bytes;
    size_t parts_room;
    uint64_t frame_bytes_max;
    bool stirred; /* events must be asked for before a sleep */
    bool asked;   /* the same of zap */
};

/* A connection of a ROUTER. */
struct route {
    struct conn conn;
    struct list pending; /* struct frame */
    struct list link;    /* of router->stuck */
    size_t pending_bytes;
    UT_hash_handle by_id;
    char address[ADDRESS_BYTES_MAX];
    struct key_text user; /* its public key; "" without keys */
    uint8_t id_bytes, id[];
};

/* A frame on its way, in libzmq's memory. */
struct frame {
    struct list link;
    size_t bytes, parts_n, sent; /* parts that libzmq has taken */
    zmq_msg_t parts[];
};

/* ---- connections ---- */

static struct route *route_new(struct router *router, const void *id, size_t id_bytes, const char *address,
                               const char *user)
{
    const struct key *key = keys_find(router->hub->keys, user);
    struct route *route = router->zap && !key ? NULL : calloc(1, sizeof(*route) + id_bytes);

    if (!route)
        return NULL;
    list_init(&route->pending);
    list_init(&route->link);
    snprintf(route->address, sizeof(route->address), "%s", address);
    snprintf(route->user.text, sizeof(route->user.text), "%s", user);
    route->id_bytes = (uint8_t)id_bytes;
    memcpy(route->id, id, id_bytes);
    HASH_ADD_KEYPTR(by_id, router->routes, route->id, id_bytes, route);
    hub_conn_opened(router->hub, &route->conn, &router->transport,
                    router->transport.remote ? credentials_of_key(key) : credentials_of_address(address));
    return route;
}

static struct route *route_find(struct router *router, zmq_msg_t *id, zmq_msg_t *body)
{
    struct route *route;
    size_t id_bytes = zmq_msg_size(id);
    const char *address = zmq_msg_gets(body, "Peer-Address"), *user = zmq_msg_gets(body, "User-Id");

    if (!address || strlen(address) >= ADDRESS_BYTES_MAX)
        address = "";
    if (!user || !router->zap)
        user = "";
    HASH_FIND(by_id, router->routes, zmq_msg_data(id), id_bytes, route);
    if (route && (strcmp(route->address, address) || strcmp(route->user.text, user))) {
        hub_conn_ended(router->hub, &route->conn);
        route = NULL;
    }
    return route ? route : route_new(router, zmq_msg_data(id), id_bytes, address, user);
}

static struct frame *frame_free(struct frame *frame)
{
    if (!frame)
        return NULL;
    list_remove(&frame->link);
    for (size_t i = frame->sent; i < frame->parts_n; i++)
        zmq_msg_close(&frame->parts[i]);
    free(frame);
    return NULL;
}

static void drop_pending(struct route *route)
{
    struct frame *frame, *after;

    list_each_safe (frame, after, &route->pending, link)
        frame_free(frame);
    route->pending_bytes = 0;
    list_remove(&route->link);
}

static void zmq_forget(struct conn *conn)
{
    struct route *route = container_of(conn, struct route, conn);
    struct router *router = container_of(conn->transport, struct router, transport);

    drop_pending(route);
    HASH_DELETE(by_id, router->routes, route);
    free(route);
}

/* ---- receiving ---- */

static bool more_room(struct router *router)
{
    size_t room = router->parts_room ? 2 * router->parts_room : PARTS_ROOM;
    zmq_msg_t *parts = realloc(router->parts, room * sizeof(*parts));

    if (parts)
        router->parts = parts;
    struct bytes *bytes = parts ? realloc(router->bytes, room * sizeof(*bytes)) : NULL;
    if (!bytes)
        return false;
    router->bytes = bytes;
    router->parts_room = room;
    return true;
}

static size_t drop_parts(struct router *router, size_t n)
{
    while (n)
        zmq_msg_close(&router->parts[--n]);
    return 0;
}

/* Receives what follows a first part, and keeps one part more than a frame may have, for the decoder to see, and none behind
 * frame_bytes_max. The number kept; 0: out of memory. `bytes`: of all that came. */
static size_t receive_parts(struct router *router, void *socket, uint64_t *bytes)
{
    zmq_msg_t part;
    size_t kept = 0;
    bool full = false;
    int more;

    *bytes = 0;
    do {
        zmq_msg_init(&part);
        if (zmq_msg_recv(&part, socket, ZMQ_DONTWAIT) < 0)
            break; /* never: a message comes whole */
        more = zmq_msg_more(&part);
        *bytes += zmq_msg_size(&part);
        full = full || (kept == router->parts_room && !more_room(router));
        if (!full && kept <= WIRE_PARTS_MAX && *bytes <= router->frame_bytes_max) {
            zmq_msg_init(&router->parts[kept]);
            zmq_msg_move(&router->parts[kept++], &part);
        }
        zmq_msg_close(&part);
    } while (more);
    return full ? drop_parts(router, kept) : kept;
}

static void hand_over(struct router *router, zmq_msg_t *id)
{
    uint64_t bytes;
    size_t n = receive_parts(router, router->socket, &bytes);
    struct route *route = n ? route_find(router, id, &router->parts[0]) : NULL;

    /* libzmq's small messages lie in its structs: take addresses only when no struct moves any more. */
    for (size_t i = 0; i < n; i++)
        router->bytes[i] = (struct bytes){zmq_msg_data(&router->parts[i]), zmq_msg_size(&router->parts[i])};
    if (route && bytes > router->frame_bytes_max)
        hub_refuse(router->hub, &route->conn, "the message has more bytes than frame_bytes_max");
    else if (route)
        hub_frame(router->hub, &route->conn, router->bytes, n);
    else
        log_warn("event=frame_dropped reason=\"%s\"",
                 router->zap ? "its key is not let in any more, or out of memory" : "out of memory");
    drop_parts(router, n);
}

/* ---- handshakes ---- */

/* What follows the version in a question of libzmq's. */
enum zap_part { ZAP_REQUEST, ZAP_ITS_DOMAIN, ZAP_ADDRESS, ZAP_IDENTITY, ZAP_MECHANISM, ZAP_KEY, ZAP_PARTS };

static const struct key *zap_judge(struct router *router, struct key_text *user)
{
    zmq_msg_t *part = router->parts;
    const char *address = zmq_msg_data(&part[ZAP_ADDRESS]);
    int address_bytes = (int)zmq_msg_size(&part[ZAP_ADDRESS]);

    if (zmq_msg_size(&part[ZAP_KEY]) == KEY_BYTES)
        zmq_z85_encode(user->text, zmq_msg_data(&part[ZAP_KEY]), KEY_BYTES);
    const struct key *key = keys_find(router->hub->keys, user->text);
    if (key)
        log_info("event=key_let_in name=%s address=%.*s", key->name, address_bytes, address);
    else
        log_warn("event=key_refused key=\"%s\" address=%.*s do=\"to let it in, add NAME KEY to "
                 "listen_keys_file and "
                 "send SIGHUP\"",
                 user->text, address_bytes, address);
    return key;
}

/* Version, request, code, words, user, properties. `parts_n`: of the question. */
static void zap_reply(struct router *router, size_t parts_n)
{
    struct key_text user = {{0}};
    bool good = parts_n == ZAP_PARTS && zap_judge(router, &user);
    struct bytes request = {"", 0};

    if (parts_n)
        request = (struct bytes){zmq_msg_data(&router->parts[ZAP_REQUEST]),
                                 zmq_msg_size(&router->parts[ZAP_REQUEST])};
    const struct bytes says[] = {
        {"1.0", 3}, request, {good ? "200" : "400", 3}, {"", 0}, {user.text, good ? KEY_CHARS : 0}, {"", 0}};
    size_t n = sizeof(says) / sizeof(*says);

    for (size_t i = 0; i < n; i++)
        zmq_send(router->zap, says[i].data, says[i].size, ZMQ_DONTWAIT | (i + 1 < n ? ZMQ_SNDMORE : 0));
}

/* Answers one question. False: there is none. */
static bool zap_answer(struct router *router)
{
    zmq_msg_t version;

    zmq_msg_init(&version);
    bool there = zmq_msg_recv(&version, router->zap, ZMQ_DONTWAIT) >= 0;
    if (there) {
        uint64_t bytes;
        size_t n = zmq_msg_more(&version) ? receive_parts(router, router->zap, &bytes) : 0;
        zap_reply(router, n);
        drop_parts(router, n);
    }
    zmq_msg_close(&version);
    return there;
}

/* As many as a turn may. */
static void zap_serve(struct router *router)
{
    int n = 0;

    while (n < HANDSHAKES_AT_ONCE && zap_answer(router))
        n++;
    router->asked = n == HANDSHAKES_AT_ONCE;
}

static int zmq_receive(struct transport *transport, int most)
{
    struct router *router = container_of(transport, struct router, transport);
    zmq_msg_t id;
    int n = 0;

    if (router->asked)
        zap_serve(router);
    if (!router->stirred)
        return 0;
    for (; n < most; n++) {
        zmq_msg_init(&id);
        if (zmq_msg_recv(&id, router->socket, ZMQ_DONTWAIT) < 0)
            break;
        if (zmq_msg_more(&id))
            hand_over(router, &id);
        zmq_msg_close(&id);
    }
    return n;
}

static bool zmq_waiting(struct transport *transport)
{
    struct router *router = container_of(transport, struct router, transport);
    int events = 0;
    size_t size = sizeof(events);

    if (router->asked)
        return true;
    if (!router->stirred)
        return false;
    router->stirred = !zmq_getsockopt(router->socket, ZMQ_EVENTS, &events, &size) && (events & ZMQ_POLLIN);
    return router->stirred;
}

/* ---- sending ---- */

static int copy_part(struct frame *frame, const void *data, size_t size)
{
    zmq_msg_t *part = &frame->parts[frame->parts_n];

    if (zmq_msg_init_size(part, size))
        return -ENOMEM;
    if (data && size)
        memcpy(zmq_msg_data(part), data, size);
    frame->parts_n++;
    frame->bytes += size;
    return 0;
}

/* Routing id, head, bodies. NULL: out of memory. */
static struct frame *frame_new(const struct route *route, const struct wire_message *message)
{
    struct frame *frame = malloc(sizeof(*frame) + (2 + message->bodies_n) * sizeof(zmq_msg_t));

    if (!frame)
        return NULL;
    *frame = (struct frame){0};
    list_init(&frame->link);
    int r = copy_part(frame, route->id, route->id_bytes);
    if (!r)
        r = copy_part(frame, NULL, message->head_bytes);
    if (!r)
        wire_pack(message, zmq_msg_data(&frame->parts[1]));
    for (size_t i = 0; !r && i < message->bodies_n; i++)
        r = copy_part(frame, message->bodies[i].data, message->bodies[i].size);
    return r ? frame_free(frame) : frame;
}

/* 0, -EAGAIN, -EHOSTUNREACH. Only the first part can fail so: after it libzmq takes the whole message. */
static int frame_send(struct router *router, struct frame *frame)
{
    router->stirred = true;
    while (frame->sent < frame->parts_n) {
        int more = frame->sent + 1 < frame->parts_n ? ZMQ_SNDMORE : 0;
        if (zmq_msg_send(&frame->parts[frame->sent], router->socket, ZMQ_DONTWAIT | more) < 0)
            return -errno;
        frame->sent++;
    }
    return 0;
}

static void keep_pending(struct router *router, struct route *route, struct frame *frame)
{
    if (route->pending_bytes + frame->bytes > PENDING_BYTES_MAX) {
        router->hub->stats.dropped_frames++;
        frame_free(frame);
        return;
    }
    route->pending_bytes += frame->bytes;
    list_append(&route->pending, &frame->link);
    if (!list_linked(&route->link))
        list_append(&router->stuck, &route->link);
    router->hub->pending = true;
}

static int zmq_send_frame(struct conn *conn, const struct server_frame *head,
                          const struct wire_message *message)
{
    struct route *route = container_of(conn, struct route, conn);
    struct router *router = container_of(conn->transport, struct router, transport);

    if (head->welcome)
        drop_pending(route); /* the count begins anew: the client would drop them */
    struct frame *frame = frame_new(route, message);
    if (!frame)
        return -ENOMEM;
    int r = list_empty(&route->pending) ? frame_send(router, frame) : -EAGAIN;
    if (r == -EAGAIN) {
        keep_pending(router, route, frame);
        return 0;
    }
    frame_free(frame);
    return r;
}

static int route_resend(struct router *router, struct route *route)
{
    struct frame *frame;
    int r = 0;

    while (!r && (frame = list_first(&route->pending, struct frame, link))) {
        r = frame_send(router, frame);
        if (r)
            break;
        route->pending_bytes -= frame->bytes;
        frame_free(frame);
    }
    if (r != -EAGAIN)
        drop_pending(route);
    return r == -EAGAIN ? 0 : r;
}

static bool zmq_resend(struct transport *transport)
{
    struct router *router = container_of(transport, struct router, transport);
    struct route *route, *after;

    list_each_safe (route, after, &router->stuck, link)
        if (route_resend(router, route) < 0)
            hub_conn_ended(router->hub, &route->conn);
    return !list_empty(&router->stuck);
}

/* ---- opening ---- */

static void wake(struct source *source, uint32_t events)
{
    container_of(source, struct router, source)->stirred = true; /* the turn that follows receives */
}

static void wake_zap(struct source *source, uint32_t events)
{
    container_of(source, struct router, zap_source)->asked = true;
}

static void set_int(struct router *router, int option, int value)
{
    zmq_setsockopt(router->socket, option, &value, sizeof(value));
}

static void set_options(struct router *router, const struct transport_options *options)
{
    int64_t most = options->frame_bytes_max > INT64_MAX ? -1 : (int64_t)options->frame_bytes_max;

    set_int(router, ZMQ_ROUTER_MANDATORY, 1);
    set_int(router, ZMQ_ROUTER_HANDOVER, 0);
    set_int(router, ZMQ_LINGER, 0);
    set_int(router, ZMQ_SNDHWM, HIGH_WATER_FRAMES);
    set_int(router, ZMQ_RCVHWM, HIGH_WATER_FRAMES);
    set_int(router, ZMQ_BACKLOG, BACKLOG);
    set_int(router, ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS);
    zmq_setsockopt(router->socket, ZMQ_MAXMSGSIZE, &most, sizeof(most));
    if (router->transport.remote) {
        set_int(router, ZMQ_IPV6, 1);
        set_int(router, ZMQ_HEARTBEAT_IVL, HEARTBEAT_MS);
        set_int(router, ZMQ_HEARTBEAT_TIMEOUT, 2 * HEARTBEAT_MS);
        set_int(router, ZMQ_HEARTBEAT_TTL, 2 * HEARTBEAT_MS);
    }
}

static int watch(struct router *router, void *socket, struct source *source,
                 void (*ready)(struct source *source, uint32_t events))
{
    int fd = -1;
    size_t size = sizeof(fd);

    if (zmq_getsockopt(socket, ZMQ_FD, &fd, &size))
        return -errno;
    return poller_add(&router->hub->poller, source, fd, EPOLLIN | EPOLLET, ready);
}

/* Before the endpoint is bound. A handshake about which nobody can be asked fails, whatever its mechanism. */
static int require_keys(struct router *router, const char *secret, char **why)
{
    const int none = 0, enforced = 1;

    router->zap = zmq_socket(router->context, ZMQ_REP);
    if (!router->zap || zmq_bind(router->zap, ZAP_ENDPOINT))
        return why_set(why, -errno, "cannot judge keys: %s", zmq_strerror(errno));
    zmq_setsockopt(router->zap, ZMQ_LINGER, &none, sizeof(none));
    set_int(router, ZMQ_CURVE_SERVER, 1);
    if (zmq_setsockopt(router->socket, ZMQ_CURVE_SECRETKEY, secret, KEY_CHARS + 1) ||
        zmq_setsockopt(router->socket, ZMQ_ZAP_DOMAIN, ZAP_DOMAIN, strlen(ZAP_DOMAIN)) ||
        zmq_setsockopt(router->socket, ENFORCE_DOMAIN, &enforced, sizeof(enforced)))
        return why_set(why, -errno, "this libzmq cannot enforce keys: %s", zmq_strerror(errno));
    router->asked = true;
    return watch(router, router->zap, &router->zap_source, wake_zap);
}

static void zmq_rekey(struct transport *transport)
{
    struct router *router = container_of(transport, struct router, transport);
    struct route *route, *after;

    if (!router->zap)
        return;
    HASH_ITER (by_id, router->routes, route, after) {
        const struct key *key = keys_find(router->hub->keys, route->user.text);

        if (!key || key->account != route->conn.who.uid) /* gone, or another's now */
            hub_conn_ended(router->hub, &route->conn);
    }
}

static void zmq_close_router(struct transport *transport)
{
    struct router *router = container_of(transport, struct router, transport);

    poller_remove(&router->hub->poller, &router->source);
    poller_remove(&router->hub->poller, &router->zap_source);
    if (router->socket)
        zmq_close(router->socket);
    if (router->zap)
        zmq_close(router->zap); /* the last: without it nobody is asked */
    if (router->context)
        zmq_ctx_term(router->context);
    free(router->parts);
    free(router->bytes);
    free(router);
}

/* Where it really is: `*` for a port is chosen by the system. */
static void log_endpoint(struct router *router)
{
    char endpoint[256];
    size_t size = sizeof(endpoint);

    if (!zmq_getsockopt(router->socket, ZMQ_LAST_ENDPOINT, endpoint, &size))
        log_info("event=listening endpoint=%s%s", endpoint, router->zap ? " keys=required" : "");
    if (router->transport.remote && !router->zap)
        log_warn("event=listening_openly do=\"let only trusted machines reach this port: nobody is "
                 "authenticated\"");
}

static int bind_router(struct router *router, const struct transport_options *options, char **why)
{
    const char *endpoint = options->endpoint;

    if (zmq_bind(router->socket, endpoint))
        return why_set(why, -errno, "cannot listen at %s: %s", endpoint, zmq_strerror(errno));
    if (!router->transport.remote && chmod(endpoint + strlen(ENDPOINT_IPC), options->mode))
        return why_set(why, -errno, "cannot set the mode of %s: %s", endpoint, strerror(errno));
    log_endpoint(router);
    int r = watch(router, router->socket, &router->source, wake);
    return r < 0 ? why_set(why, r, "cannot watch %s: %s", endpoint, strerror(-r)) : 0;
}

static int zmq_open(struct hub *hub, const struct transport_options *options, struct transport **transport,
                    char **why)
{
    struct router *router = calloc(1, sizeof(*router));

    if (!router)
        return why_set(why, -ENOMEM, "out of memory");
    *router = (struct router){.hub = hub, .frame_bytes_max = options->frame_bytes_max, .stirred = true};
    router->transport.ops = &transport_zmq;
    router->source.fd = router->zap_source.fd = -1;
    router->transport.remote = strncmp(options->endpoint, ENDPOINT_IPC, strlen(ENDPOINT_IPC)) != 0;
    list_init(&router->transport.link);
    list_init(&router->stuck);
    router->context = zmq_ctx_new();
    router->socket = router->context ? zmq_socket(router->context, ZMQ_ROUTER) : NULL;
    int r = router->socket ? 0 : why_set(why, -errno, "cannot make a ROUTER: %s", zmq_strerror(errno));
    if (!r) {
        set_options(router, options);
        r = options->secret ? require_keys(router, options->secret, why) : 0;
        if (!r)
            r = bind_router(router, options, why);
    }
    if (r < 0)
        zmq_close_router(&router->transport);
    else
        *transport = &router->transport;
    return r;
}

const struct transport_ops transport_zmq = {
    .name = "zmq",
    .open = zmq_open,
    .receive = zmq_receive,
    .waiting = zmq_waiting,
    .send = zmq_send_frame,
    .resend = zmq_resend,
    .forget = zmq_forget,
    .rekey = zmq_rekey,
    .close = zmq_close_router,
};
