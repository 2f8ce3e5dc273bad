/*
 * The link to a daemon: lifeline, then transport, then a session; and all of it again when the session is over
 * and somebody asks for one.
 *
 * Invariants. In LINK_UP there is a transport, and the protocol has a session or has just lost it. In
 * LINK_GREETING there is a lifeline and nothing else. A session is never taken up again after its lifeline ended.
 */
#include "connection.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define MS 1000000LL

int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static int watch(struct gc_client *g, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    return epoll_ctl(g->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static void __attribute__((format(printf, 2, 3))) explain(struct gc_client *g, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(g->why, sizeof g->why, format, args);
    va_end(args);
}

/* Whether the lifeline is watched for room. */
static void set_full(struct gc_client *g, bool full)
{
    struct epoll_event event = {.events = EPOLLIN | (full ? EPOLLOUT : 0), .data.fd = g->lifeline};
    if (full != g->transport_full)
        epoll_ctl(g->epoll_fd, EPOLL_CTL_MOD, g->lifeline, &event);
    g->transport_full = full;
}

static void transport_close(struct gc_client *g)
{
    if (!g->transport)
        return;
    if (g->transport_fd == g->lifeline)
        set_full(g, false);
    else
        epoll_ctl(g->epoll_fd, EPOLL_CTL_DEL, g->transport_fd, NULL);
    if (g->transport->ops->refusal_fd)
        epoll_ctl(g->epoll_fd, EPOLL_CTL_DEL, g->transport->ops->refusal_fd(g->transport), NULL);
    g->transport = g->transport->ops->close(g->transport);
}

void link_close(struct gc_client *g)
{
    transport_close(g);
    if (g->lifeline >= 0) {
        epoll_ctl(g->epoll_fd, EPOLL_CTL_DEL, g->lifeline, NULL);
        close(g->lifeline);
    }
    g->lifeline = -1;
    if (g->link != LINK_LOST)
        g->link = g->single ? LINK_LOST : LINK_DOWN;
    g->answer_by_ns = PROTOCOL_NEVER;
}

/* ---- failing ---- */

static bool nobody_there(int error)
{
    return error == -ENOENT || error == -ECONNREFUSED || error == -ENOTDIR;
}

static void explain_absence(struct gc_client *g)
{
    explain(g,
            "no goroutined at %s (%s): %s. Start one with `goroutined`, or name another with --endpoint or "
            "$GOROUTINED_ENDPOINT",
            g->endpoint, g->endpoint_from,
            address_is_local(g->endpoint) ? "nobody listens there" : "it does not answer");
}

/* The attempt to get a session failed; `text` in words, or NULL. Tries again while that makes sense. */
static void link_failed(struct gc_client *g, int error, const char *text, int64_t now)
{
    link_close(g);
    protocol_session_end(g->protocol, error);
    if (nobody_there(error))
        explain_absence(g);
    else
        explain(g, "goroutined at %s: %s", g->endpoint, text && *text ? text : strerror(-error));
    bool retry = !g->connecting || (nobody_there(error) && now < g->give_up_ns);
    if (!retry || g->single) {
        g->link_error = nobody_there(error) ? -ECONNREFUSED : error;
        g->connecting = false;
        return;
    }
    g->retry_ns = now + g->retry_delay_ns;
    g->retry_delay_ns *= 2;
    if (g->retry_delay_ns > CLIENT_RETRY_MAX_MS * MS)
        g->retry_delay_ns = CLIENT_RETRY_MAX_MS * MS;
}

/* A living session ended. A host has no other: inside gc_connect_host that is a failure to connect. */
static void link_lost(struct gc_client *g, int error, const char *text)
{
    if (g->single && g->connecting) {
        link_failed(g, error, text, now_ns());
        return;
    }
    explain(g, "the session with goroutined at %s is over: %s", g->endpoint,
            text && *text ? text : strerror(-error));
    link_close(g);
    protocol_session_end(g->protocol, error);
    if (g->single)
        protocol_over(g->protocol, error);
    g->lost_error = error;
    g->kick = true;
    g->retry_ns = 0;
    g->retry_delay_ns = CLIENT_RETRY_MS * MS;
    g->give_up_ns = 0;
}

/* ---- the steps of a link ---- */

/* Frames go over the lifeline, where there is one and nobody minds. */
static int transport_open(struct gc_client *g)
{
    bool local = g->lifeline >= 0 && !g->zmq_only;
    int r = local ? transport_local_open(g->lifeline, &g->transport)
                  : transport_zmq_open(g->endpoint, address_is_local(g->endpoint) ? NULL : &g->keys,
                                       &g->transport);
    if (r < 0)
        return r;
    g->transport_fd = g->transport->ops->fd(g->transport);
    r = local ? 0 : watch(g, g->transport_fd);
    if (r == 0 && g->transport->ops->refusal_fd)
        r = watch(g, g->transport->ops->refusal_fd(g->transport));
    return r;
}

/* True: there is one. */
static bool transport_begin(struct gc_client *g, int64_t now)
{
    int r = transport_open(g);
    if (r < 0)
        link_failed(g, r,
                    r == -EINVAL    ? "not an endpoint: use ipc://PATH or tcp://HOST:PORT"
                    : r == -ENOTSUP ? "this libzmq has no CURVE, which keys need"
                                    : NULL,
                    now);
    return r == 0;
}

static void link_up(struct gc_client *g, struct secret session, int64_t now)
{
    g->zmq_only = g->zmq_wanted;
    if (!transport_begin(g, now))
        return;
    g->link = LINK_UP;
    g->sessions++;
    protocol_session(g->protocol, session);
}

static void link_open(struct gc_client *g, int64_t now)
{
    g->answer_by_ns = now + g->answer_ns;
    if (!address_is_local(g->endpoint)) {
        link_up(g, (struct secret){{0}}, now);
        return;
    }
    int fd = lifeline_open(g->lifeline_path);
    if (fd < 0) {
        link_failed(g, fd, NULL, now);
        return;
    }
    g->lifeline = fd;
    g->link = LINK_GREETING;
    g->news.greeted = false;
    int r = watch(g, fd);
    if (r < 0)
        link_failed(g, r, NULL, now);
}

static void link_greet(struct gc_client *g, int64_t now)
{
    if (lifeline_read(g->lifeline, &g->news) == 0)
        return;
    if (!g->news.greeted)
        link_failed(g, g->news.error ? g->news.error : -ECONNREFUSED, g->news.text, now);
    else if (g->news.greeting.version != PROTOCOL_VERSION)
        link_failed(g, -EPROTONOSUPPORT, "it speaks another version of the protocol; install matching ones",
                    now);
    else
        link_up(g, g->news.greeting.session, now);
}

static bool session_wanted(const struct gc_client *g)
{
    const struct protocol *p = g->protocol;
    return g->connecting || !list_empty(&p->queue) || !list_empty(&p->queue_free);
}

static void link_look(struct gc_client *g, int64_t now)
{
    if (!session_wanted(g)) {
        g->give_up_ns = 0;
        return;
    }
    if (!g->give_up_ns)
        g->give_up_ns = now + g->reconnect_ns;
    if (now >= g->give_up_ns && !g->connecting) {
        protocol_unreachable(g->protocol, -ECONNREFUSED);
        g->give_up_ns = 0;
    } else if (now >= g->retry_ns) {
        link_open(g, now);
    }
}

/* Whether the lifeline has ended: what it says is in `news`. */
static bool lifeline_ended(struct gc_client *g)
{
    bool stirs = g->lifeline_stirs;
    g->lifeline_stirs = false;
    if (g->transport->ops->ended)
        return g->transport->ops->ended(g->transport, &g->news);
    return stirs && g->lifeline >= 0 && lifeline_read(g->lifeline, &g->news);
}

/* Lifeline and transport of a session: what the protocol has to know of them. */
static void link_watch(struct gc_client *g, int64_t now)
{
    struct protocol *p = g->protocol;
    if (lifeline_ended(g)) {
        link_lost(g, g->news.error ? g->news.error : -ECONNRESET, g->news.text);
        return;
    }
    bool writable = g->transport->ops->events(g->transport) & TRANSPORT_WRITABLE;
    if (writable && p->state == PROTOCOL_CUT)
        protocol_connected(p, now);
    else if (!writable && p->state != PROTOCOL_CUT)
        protocol_disconnected(p);
}

/* The handshake failed. Once there was a session, only its lease tells that it is over. */
static void link_refused(struct gc_client *g, int64_t now)
{
    const char *why = NULL;
    int r = g->transport->ops->refused ? g->transport->ops->refused(g->transport, &why) : 0;
    if (r < 0 && g->answer_by_ns != PROTOCOL_NEVER)
        link_failed(g, r, why, now);
}

static void link_step(struct gc_client *g, int64_t now)
{
    if (g->link == LINK_DOWN)
        link_look(g, now);
    if (g->link == LINK_GREETING)
        link_greet(g, now);
    if (g->link == LINK_UP)
        link_watch(g, now);
    if (g->link == LINK_UP)
        link_refused(g, now);
    if ((g->link == LINK_GREETING || g->link == LINK_UP) && now >= g->answer_by_ns)
        link_failed(g, -ETIMEDOUT, "it does not answer: is it stopped, or not a goroutined?", now);
}

/* The protocol may have become live, or have lost its session to a refusal or the lease. */
static void link_judge(struct gc_client *g, int64_t now)
{
    struct protocol *p = g->protocol;
    if (g->link == LINK_UP && g->starved)
        link_lost(g, -ENOMEM, "out of memory");
    g->starved = false;
    if (g->link != LINK_UP)
        return;
    if (p->state == PROTOCOL_LIVE && g->answer_by_ns != PROTOCOL_NEVER) {
        g->answer_by_ns = PROTOCOL_NEVER;
        g->connecting = false;
        g->give_up_ns = 0;
        g->retry_delay_ns = CLIENT_RETRY_MS * MS;
    }
    if (p->state == PROTOCOL_VOID && g->answer_by_ns != PROTOCOL_NEVER)
        link_failed(g, p->error, p->refusal, now);
    else if (p->state == PROTOCOL_VOID)
        link_lost(g, p->error, p->refusal);
}

/* ---- frames ---- */

/* The daemon takes no frames over the lifeline: the same session goes on over ZeroMQ. */
static void leave_lane(struct gc_client *g, int64_t now)
{
    g->zmq_only = true;
    transport_close(g);
    protocol_disconnected(g->protocol);
    transport_begin(g, now);
}

static int receive_one(struct gc_client *g, int64_t now)
{
    const struct bytes *parts;
    const struct server_frame *frame;
    const char *why;
    int parts_n = g->transport->ops->recv(g->transport, &parts);
    if (parts_n <= 0)
        return parts_n;
    g->frames_received++;
    int r = wire_decode_server(g->wire, parts, (size_t)parts_n, &frame, &why);
    bool leave = r == 0 && frame->refused == -EOPNOTSUPP && g->transport_fd == g->lifeline;
    if (r < 0)
        protocol_connected(g->protocol, now); /* a frame is lost: bind anew, and it comes again */
    else if (!leave)
        protocol_input(g->protocol, frame, now);
    wire_reset(g->wire);
    if (leave)
        leave_lane(g, now);
    return 1;
}

/* Keeps an eye on the room of a transport that could not send everything. */
static void watch_room(struct gc_client *g)
{
    if (g->link == LINK_UP && g->transport_fd == g->lifeline)
        set_full(g, g->transport->ops->events(g->transport) & TRANSPORT_FULL);
}

void client_stir(struct gc_client *g, int fd)
{
    g->lifeline_stirs |= fd == g->lifeline;
    if (g->transport && fd == g->transport_fd && g->transport->ops->stir)
        g->transport->ops->stir(g->transport);
}

void client_flush(struct gc_client *g)
{
    const struct client_frame *frame;
    int64_t now = now_ns();
    while (g->link == LINK_UP && (frame = protocol_output(g->protocol, now))) {
        struct wire_message message;
        int r = wire_encode_client(g->wire, frame, &message);
        if (r == 0)
            r = g->transport->ops->send(g->transport, &message);
        g->frames_sent++;
        wire_reset(g->wire);
        if (r == -EPIPE)
            protocol_unsent(g->protocol);
        else if (r < 0)
            protocol_disconnected(g->protocol); /* what it carried is resolved by RESUME */
    }
    watch_room(g);
}

static int64_t earliest(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t link_next(const struct gc_client *g)
{
    int64_t look = PROTOCOL_NEVER;
    if (g->link == LINK_DOWN && session_wanted(g))
        look = g->connecting ? g->retry_ns : earliest(g->retry_ns, g->give_up_ns);
    return earliest(look, g->answer_by_ns);
}

/* The last look at the socket before a sleep. Any call on it may have swallowed the edge that told of a connection
 * made or lost meanwhile, so that too is asked here. */
static bool transport_stirs(const struct gc_client *g)
{
    enum protocol_state state = g->protocol->state;
    bool bound = state == PROTOCOL_HELLO || state == PROTOCOL_RESUME || state == PROTOCOL_LIVE;
    unsigned events = g->transport->ops->events(g->transport);

    if (events & TRANSPORT_READABLE)
        return true;
    return events & TRANSPORT_WRITABLE ? state == PROTOCOL_CUT : bound;
}

int64_t client_retry(const struct gc_client *g, int64_t next)
{
    return g->transport_full ? earliest(next, now_ns() + CLIENT_FULL_MS * MS) : next;
}

int64_t client_pump(struct gc_client *g)
{
    int64_t next;
    bool again;
    do {
        int64_t now = now_ns();
        link_step(g, now);
        while (g->link == LINK_UP && receive_one(g, now) > 0)
            ;
        link_judge(g, now);
        protocol_tick(g->protocol, now);
        client_flush(g);
        next = protocol_tick(g->protocol, now); /* what has just left wants an answer in time */
        again = g->link == LINK_UP && transport_stirs(g);
    } while (again);
    next = client_retry(g, earliest(next, link_next(g)));
    g->kick |= g->led && next < g->leader_until_ns; /* it sleeps for what was due before */
    return next;
}
