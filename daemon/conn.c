/*
 * Connections and peers: who is at the other end, and the way of a frame into the core.
 *
 * A connection is bound by the welcome that the core sends on it; from then on it belongs to the peer of that
 * session and goes with it. Connections that are bound to nobody are kept in order of their making, so that
 * strangers cannot fill the memory.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "hub.h"
#include "log.h"

void hub_step(struct hub *hub, const struct input *input)
{
    core_step(hub->core, clock_now(&hub->clock), input, &hub->effects);
}

/* ---- connections ---- */

struct conn *hub_conn(struct hub *hub, uint64_t number)
{
    struct conn *conn;

    HASH_FIND(hh, hub->conns, &number, sizeof(number), conn);
    return conn;
}

void hub_conn_forget(struct hub *hub, struct conn *conn)
{
    if (!conn->peer)
        hub->unbound_n--;
    list_remove(&conn->link);
    list_remove(&conn->lost_link);
    outbox_lane_clear(&conn->lane, &hub->done);
    HASH_DELETE(hh, hub->conns, conn);
    conn->transport->ops->forget(conn);
}

void hub_conn_ended(struct hub *hub, struct conn *conn)
{
    uint64_t number = conn->number;

    hub_conn_forget(hub, conn);
    hub_step(hub, &(struct input){.kind = IN_CONN_END, .conn = number});
}

void hub_conn_opened(struct hub *hub, struct conn *conn, struct transport *transport, struct credentials who)
{
    conn->number = ++hub->last_conn;
    conn->transport = transport;
    conn->who = who;
    conn->peer = NULL;
    outbox_lane_init(&conn->lane);
    list_init(&conn->link);
    list_init(&conn->lost_link);
    if (hub->unbound_n == UNBOUND_MAX)
        hub_conn_ended(hub, list_first(&hub->unbound, struct conn, link));
    list_append(&hub->unbound, &conn->link);
    hub->unbound_n++;
    HASH_ADD(hh, hub->conns, number, sizeof(conn->number), conn);
}

/* ---- peers ---- */

static int draw_secret(struct secret *secret)
{
    return getrandom(secret, sizeof(*secret), 0) == sizeof(*secret) ? 0 : -errno;
}

struct peer *hub_peer_new(struct hub *hub, struct credentials who, uint64_t host, struct lifeline *lifeline,
                          bool lease)
{
    struct peer *peer = calloc(1, sizeof(*peer));
    struct input input = {.kind = IN_SESSION_UP};

    if (!peer || draw_secret(&peer->secret) < 0) {
        free(peer);
        return NULL;
    }
    peer->number = ++hub->last_peer;
    peer->who = who;
    peer->host = host;
    peer->lifeline = lifeline;
    list_init(&peer->conns);
    HASH_ADD(by_number, hub->peers_by_number, number, sizeof(peer->number), peer);
    HASH_ADD(by_secret, hub->peers_by_secret, secret, sizeof(peer->secret), peer);
    input.peer = peer->number;
    input.session_up.secret = peer->secret;
    input.session_up.who = who;
    input.session_up.host = host;
    input.session_up.lease = lease;
    hub_step(hub, &input);
    return peer;
}

void hub_peer_free(struct hub *hub, struct peer *peer)
{
    struct conn *conn, *after;

    list_each_safe (conn, after, &peer->conns, link)
        hub_conn_forget(hub, conn);
    HASH_DELETE(by_number, hub->peers_by_number, peer);
    HASH_DELETE(by_secret, hub->peers_by_secret, peer);
    explicit_bzero(&peer->secret, sizeof(peer->secret));
    free(peer);
}

void hub_peer_died(struct hub *hub, struct peer *peer)
{
    hub_step(hub, &(struct input){.kind = IN_SESSION_END, .peer = peer->number});
    hub_peer_free(hub, peer);
}

/* ---- frames ---- */

static void refuse_frame(struct hub *hub, struct conn *conn, int error, const char *why)
{
    struct server_frame frame = {.refused = error, .text = {why, strlen(why)}};

    hub->stats.refused_frames++;
    log_warn("event=frame_refused conn=%llu pid=%d uid=%u why=\"%s\"", (unsigned long long)conn->number,
             conn->who.pid, conn->who.uid, why);
    if (outbox_say(&hub->outbox, &conn->lane, frame) == -EHOSTUNREACH)
        list_append(&hub->lost, &conn->lost_link);
}

void hub_refuse(struct hub *hub, struct conn *conn, const char *why)
{
    refuse_frame(hub, conn, -EBADMSG, why);
}

/* Deadlines may be absolute where both count the same clock, and it is not a test's (IP1.5). */
static bool same_clock(const struct hub *hub, const struct hello *hello)
{
    size_t size = strlen(hub->boot_id);

    return !hub->clock.test && size && hello->boot_id.size == size &&
           !memcmp(hello->boot_id.data, hub->boot_id, size) && hello->time_namespace == hub->time_namespace;
}

static const struct secret no_secret;

/* On tcp nobody has handed out a session yet. */
static void draw_session(struct hub *hub, struct conn *conn, struct hello *hello)
{
    struct peer *peer;

    if (!conn->transport->remote || memcmp(&hello->session, &no_secret, sizeof(no_secret)))
        return;
    peer = hub_peer_new(hub, conn->who, 0, NULL, true);
    if (peer)
        hello->session = peer->secret;
}

static void step_frame(struct hub *hub, struct conn *conn, const struct client_frame *frame)
{
    struct client_frame head = *frame;
    struct hello hello = {0};
    struct input input = {.kind = IN_FRAME, .conn = conn->number};

    if (frame->hello) {
        hello = *frame->hello;
        draw_session(hub, conn, &hello);
        head.hello = &hello;
    }
    input.frame.head = &head;
    input.frame.who = conn->who;
    input.frame.same_clock = same_clock(hub, &hello);
    hub_step(hub, &input);
    for (size_t i = 0; i < frame->requests_n; i++)
        hub_step(hub, &(struct input){.kind = IN_OP, .conn = conn->number, .op = &frame->requests[i]});
    hub->stats.frames++;
    hub->stats.operations += frame->requests_n;
}

void hub_frame(struct hub *hub, struct conn *conn, const struct bytes *parts, size_t parts_n)
{
    const struct client_frame *frame;
    const char *why;
    int r = wire_decode_client(hub->in, parts, parts_n, &frame, &why);

    if (r < 0)
        refuse_frame(hub, conn, r == -ENOMEM ? r : -EBADMSG, why);
    else
        step_frame(hub, conn, frame);
    wire_reset(hub->in);
}
