/*
 * Frames are decoded, looked at by the rule, and passed on as they came; written anew only where their number has to
 * change because the proxy has put in a frame of its own.
 *
 * `lock` guards what the test says and asks: rule, flags, `struck`. Connections belong to the thread alone.
 */
#include "proxy.h"

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "endpoint.h"
#include "flow.h"
#include "stream.h"
#include "wire.h"

enum { PAIRS_MAX = 8, LISTENERS = 2 };
enum direction { TO_DAEMON, TO_CLIENT, DIRECTIONS };

struct pair {
    bool used, lifeline;
    bool greeted; /* the daemon has had a handshake already: that of the client is for us alone */
    const struct framing *framing;
    struct flow flow[DIRECTIONS];
};

struct proxy {
    char folder[64], endpoint[128];
    char path[LISTENERS][128], behind[LISTENERS][128]; /* connection, lifeline */
    int listener[LISTENERS], event_fd;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t news;
    struct rule rule;
    bool struck, releasing, cutting, lying, stopping, adopting, host;
    int adopted[DIRECTIONS], spare[PROXY_SPARE_MAX], spare_n;
    uint8_t *asked; /* the frame with the request that the rule follows */
    size_t asked_n;
    struct wire *wire, *wire_out;
    struct pair pairs[PAIRS_MAX];
};

/* ---- sockets ---- */

static void pair_close(struct pair *pair)
{
    close(pair->flow[TO_DAEMON].from);
    close(pair->flow[TO_DAEMON].to);
    for (int i = 0; i < DIRECTIONS; i++)
        flow_clear(&pair->flow[i]);
    pair->used = false;
}

static void pair_open(struct proxy *proxy, int client, int daemon, bool lifeline)
{
    for (int i = 0; i < PAIRS_MAX; i++)
        if (!proxy->pairs[i].used) {
            proxy->pairs[i].used = true;
            proxy->pairs[i].lifeline = lifeline;
            proxy->pairs[i].greeted = proxy->host && !lifeline;
            proxy->pairs[i].framing = lifeline ? &framing_lane : &framing_zmtp;
            flow_init(&proxy->pairs[i].flow[TO_DAEMON], client, daemon);
            flow_init(&proxy->pairs[i].flow[TO_CLIENT], daemon, client);
            return;
        }
    errx(1, "proxy: too many connections");
}

static int daemon_socket(struct proxy *proxy, int which)
{
    if (!proxy->host)
        return flow_socket(proxy->behind[which], false);
    if (!proxy->spare_n)
        errx(1, "proxy: a host has connected too often");
    return proxy->spare[--proxy->spare_n];
}

/* A daemon that is gone is gone for the client too. */
static void pair_accept(struct proxy *proxy, int which)
{
    int client = accept4(proxy->listener[which], NULL, NULL, SOCK_CLOEXEC);
    int daemon = client < 0 ? -1 : daemon_socket(proxy, which);

    if (daemon >= 0)
        pair_open(proxy, client, daemon, which == 1);
    else if (client >= 0)
        close(client);
}

/* ---- frames ---- */

static bool emit_encoded(const struct pair *pair, struct flow *flow, const struct wire_message *message)
{
    struct bytes parts[STREAM_PARTS_MAX];
    uint8_t *head = malloc(message->head_bytes + 1);
    size_t size;

    if (!head || message->bodies_n >= STREAM_PARTS_MAX)
        errx(1, "proxy: no room for a frame");
    wire_pack(message, head);
    parts[0] = (struct bytes){head, message->head_bytes};
    for (size_t i = 0; i < message->bodies_n; i++)
        parts[i + 1] = message->bodies[i];
    uint8_t *bytes = pair->framing->write(parts, message->bodies_n + 1, &size);
    bool sent = flow_emit(flow, bytes, size);
    free(bytes);
    free(head);
    return sent;
}

static bool emit_client(struct proxy *proxy, struct pair *pair, const struct client_frame *frame)
{
    struct wire_message message;

    wire_reset(proxy->wire_out);
    if (wire_encode_client(proxy->wire_out, frame, &message) < 0)
        errx(1, "proxy: a frame of the client cannot be written");
    return emit_encoded(pair, &pair->flow[TO_DAEMON], &message);
}

static bool emit_server(struct proxy *proxy, struct pair *pair, const struct server_frame *frame)
{
    struct wire_message message;

    wire_reset(proxy->wire_out);
    if (wire_encode_server(proxy->wire_out, frame, &message) < 0)
        errx(1, "proxy: a frame of the daemon cannot be written");
    return emit_encoded(pair, &pair->flow[TO_CLIENT], &message);
}

/* What passes, under its number of our count. */
static bool pass_client(struct proxy *proxy, struct pair *pair, const struct client_frame *frame,
                        const struct unit *unit, const uint8_t *raw)
{
    struct flow *flow = &pair->flow[TO_DAEMON];
    struct client_frame mine = *frame;

    if (frame->hello || frame->resume)
        flow->shift = 0;
    mine.number += flow->shift;
    flow->last = mine.number;
    return flow->shift ? emit_client(proxy, pair, &mine) : flow_emit(flow, raw, unit->size);
}

static bool pass_server(struct proxy *proxy, struct pair *pair, const struct server_frame *frame,
                        const struct unit *unit, const uint8_t *raw)
{
    struct flow *flow = &pair->flow[TO_CLIENT];
    struct server_frame mine = *frame;

    if (frame->welcome)
        flow->shift = 0;
    mine.number += flow->shift;
    flow->last = mine.number;
    return flow->shift ? emit_server(proxy, pair, &mine) : flow_emit(flow, raw, unit->size);
}

/* What the frame that was kept asks for, in a frame of its own. */
static bool ask_again(struct proxy *proxy, struct pair *pair)
{
    struct flow *flow = &pair->flow[TO_DAEMON];
    const struct client_frame *asked;
    const char *why;
    struct unit unit = pair->framing->next(proxy->asked, proxy->asked_n, SIZE_MAX);

    if (wire_decode_client(proxy->wire, unit.parts, unit.parts_n, &asked, &why) < 0)
        errx(1, "proxy: %s", why);
    if (asked->hello || asked->resume) /* numbers begin with it: it keeps its own */
        return flow_emit(flow, proxy->asked, proxy->asked_n);
    flow->shift++;
    return emit_client(proxy, pair,
                       &(struct client_frame){.version = asked->version,
                                              .number = ++flow->last,
                                              .bye = asked->bye,
                                              .requests = asked->requests,
                                              .requests_n = asked->requests_n,
                                              .cancels = asked->cancels,
                                              .cancels_n = asked->cancels_n,
                                              .returns = asked->returns,
                                              .returns_n = asked->returns_n});
}

static void keep_asked(struct proxy *proxy, const uint8_t *raw, size_t size)
{
    free(proxy->asked);
    proxy->asked = malloc(size);
    if (!proxy->asked)
        err(1, "proxy");
    memcpy(proxy->asked, raw, size);
    proxy->asked_n = size;
}

/* ---- faults ---- */

static void say_struck(struct proxy *proxy)
{
    pthread_mutex_lock(&proxy->lock);
    proxy->struck = true;
    pthread_cond_broadcast(&proxy->news);
    pthread_mutex_unlock(&proxy->lock);
}

/* "Sent", in the daemon's name, for each send in the frame, which itself is held. */
static bool lie_about(struct proxy *proxy, struct pair *pair, const struct client_frame *frame)
{
    struct flow *back = &pair->flow[TO_CLIENT];

    for (size_t i = 0; i < frame->requests_n; i++) {
        if (frame->requests[i].verb != VERB_SEND)
            continue;
        struct result sent = {.op = frame->requests[i].id, .status = 1};
        back->shift++;
        pair->flow[TO_DAEMON].holding = true;
        if (!emit_server(proxy, pair,
                         &(struct server_frame){.number = ++back->last, .results = &sent, .results_n = 1}))
            return false;
    }
    return true;
}

static bool say_missing(struct proxy *proxy, struct pair *pair)
{
    return emit_server(proxy, pair, &(struct server_frame){.need_resume = true});
}

/* False: the connection shall end. */
static bool cut(struct proxy *proxy, struct pair *pair)
{
    if (!pair->lifeline)
        return false;
    pair->flow[TO_DAEMON].losing = pair->flow[TO_CLIENT].losing = true;
    return say_missing(proxy, pair);
}

/* False: the connection is cut, or gone. */
static bool strike_client(struct proxy *proxy, struct pair *pair, enum fault fault,
                          const struct client_frame *frame, const struct unit *unit, const uint8_t *raw)
{
    struct flow *flow = &pair->flow[TO_DAEMON];
    bool request = proxy->rule.step == STEP_REQUEST;

    if (fault == FAULT_DROP) {
        flow->last = frame->number + flow->shift;
        return true;
    }
    if (fault == FAULT_AGAIN && !request && !ask_again(proxy, pair))
        return false;
    if (fault == FAULT_DELAY || fault == FAULT_REORDER)
        flow->holding = true;
    if (fault == FAULT_CUT)
        return cut(proxy, pair);
    if (!pass_client(proxy, pair, frame, unit, raw))
        return false;
    if (fault == FAULT_DOUBLE && !pass_client(proxy, pair, frame, unit, raw))
        return false;
    return fault != FAULT_AGAIN || !request || ask_again(proxy, pair);
}

static bool strike_server(struct proxy *proxy, struct pair *pair, enum fault fault,
                          const struct server_frame *frame, const struct unit *unit, const uint8_t *raw)
{
    struct flow *flow = &pair->flow[TO_CLIENT];

    if (fault == FAULT_DROP) {
        flow->last = frame->number + flow->shift;
        return true;
    }
    if (fault == FAULT_AGAIN && !ask_again(proxy, pair))
        return false;
    if (fault == FAULT_DELAY || fault == FAULT_REORDER)
        flow->holding = true;
    if (fault == FAULT_CUT)
        return cut(proxy, pair);
    if (!pass_server(proxy, pair, frame, unit, raw))
        return false;
    return fault != FAULT_DOUBLE || pass_server(proxy, pair, frame, unit, raw);
}

static bool client_message(struct proxy *proxy, struct pair *pair, const struct unit *unit,
                           const uint8_t *raw)
{
    struct flow *flow = &pair->flow[TO_DAEMON];
    const struct client_frame *frame;
    const char *why;

    if (wire_decode_client(proxy->wire, unit->parts, unit->parts_n, &frame, &why) < 0)
        return flow_emit(flow, raw, unit->size);
    flow->losing &= !frame->hello && !frame->resume;
    if (flow->losing)
        return say_missing(proxy, pair);
    pthread_mutex_lock(&proxy->lock);
    bool followed = proxy->rule.op, lying = proxy->lying;
    enum fault fault = rule_client(&proxy->rule, frame);
    bool asked = proxy->rule.op && !followed;
    pthread_mutex_unlock(&proxy->lock);
    if (asked)
        keep_asked(proxy, raw, unit->size);
    if (lying && !lie_about(proxy, pair, frame))
        return false;
    bool alive = fault ? strike_client(proxy, pair, fault, frame, unit, raw)
                       : pass_client(proxy, pair, frame, unit, raw);
    if (fault)
        say_struck(proxy);
    return alive;
}

static bool server_message(struct proxy *proxy, struct pair *pair, const struct unit *unit,
                           const uint8_t *raw)
{
    struct flow *flow = &pair->flow[TO_CLIENT];
    const struct server_frame *frame;
    const char *why;

    if (wire_decode_server(proxy->wire, unit->parts, unit->parts_n, &frame, &why) < 0)
        return flow_emit(flow, raw, unit->size);
    flow->losing &= !frame->welcome;
    if (flow->losing)
        return true;
    pthread_mutex_lock(&proxy->lock);
    enum fault fault = rule_server(&proxy->rule, frame);
    pthread_mutex_unlock(&proxy->lock);
    bool alive = fault ? strike_server(proxy, pair, fault, frame, unit, raw)
                       : pass_server(proxy, pair, frame, unit, raw);
    if (fault)
        say_struck(proxy);
    return alive;
}

/* ---- the thread ---- */

/* A handshake is a greeting and one command. */
static bool is_swallowed(struct pair *pair, enum direction way)
{
    bool swallowed = pair->greeted && way == TO_DAEMON;

    if (swallowed && pair->flow[way].gone >= ZMTP_GREETING_BYTES)
        pair->greeted = false;
    return swallowed;
}

static bool unit_pass(struct proxy *proxy, struct pair *pair, enum direction way, const struct unit *unit,
                      const uint8_t *raw)
{
    wire_reset(proxy->wire);
    if (unit->kind == UNIT_OTHER && is_swallowed(pair, way))
        return true;
    if (unit->kind == UNIT_OTHER)
        return flow_emit(&pair->flow[way], raw, unit->size);
    return way == TO_DAEMON ? client_message(proxy, pair, unit, raw) : server_message(proxy, pair, unit, raw);
}

/* Moves what has come on one direction. False: the connection has ended. */
static bool flow_move(struct proxy *proxy, struct pair *pair, enum direction way)
{
    struct flow *flow = &pair->flow[way];
    bool alive = flow_read(flow);
    size_t at = 0;

    while (alive && at < flow->in_n) {
        struct unit unit = pair->framing->next(flow->in + at, flow->in_n - at, flow->gone);
        if (unit.kind == UNIT_TORN)
            break;
        alive = unit_pass(proxy, pair, way, &unit, flow->in + at);
        at += unit.size;
        flow->gone += unit.size;
    }
    memmove(flow->in, flow->in + at, flow->in_n - at);
    flow->in_n -= at;
    return alive;
}

static void flush_all(struct proxy *proxy)
{
    for (int i = 0; i < PAIRS_MAX; i++) {
        struct pair *pair = &proxy->pairs[i];
        bool alive = !pair->used || flow_flush(&pair->flow[TO_DAEMON]);
        if (pair->used && (!alive || !flow_flush(&pair->flow[TO_CLIENT])))
            pair_close(pair);
    }
}

/* The lifeline of ZeroMQ carries no frames, and lives. */
static void cut_all(struct proxy *proxy)
{
    bool zmtp = false;

    for (int i = 0; i < PAIRS_MAX; i++)
        zmtp |= proxy->pairs[i].used && !proxy->pairs[i].lifeline;
    for (int i = 0; i < PAIRS_MAX; i++) {
        struct pair *pair = &proxy->pairs[i];
        if (pair->used && pair->lifeline != zmtp && !cut(proxy, pair))
            pair_close(pair);
    }
}

/* What the test asked for since. False: to stop. */
static bool take_orders(struct proxy *proxy)
{
    eventfd_t count;

    eventfd_read(proxy->event_fd, &count);
    pthread_mutex_lock(&proxy->lock);
    bool releasing = proxy->releasing, cutting = proxy->cutting, adopting = proxy->adopting;
    bool stopping = proxy->stopping;
    proxy->releasing = proxy->cutting = proxy->adopting = false;
    pthread_mutex_unlock(&proxy->lock);
    if (adopting)
        pair_open(proxy, proxy->adopted[TO_DAEMON], proxy->adopted[TO_CLIENT], true);
    if (releasing)
        flush_all(proxy);
    if (cutting)
        cut_all(proxy);
    return !stopping;
}

static bool turn(struct proxy *proxy)
{
    struct pollfd fds[1 + LISTENERS + DIRECTIONS * PAIRS_MAX];
    struct pollfd *pairs = fds + 1 + LISTENERS;

    fds[0] = (struct pollfd){.fd = proxy->event_fd, .events = POLLIN};
    for (int i = 0; i < LISTENERS; i++)
        fds[1 + i] = (struct pollfd){.fd = proxy->listener[i], .events = POLLIN};
    for (int i = 0; i < DIRECTIONS * PAIRS_MAX; i++) {
        const struct pair *pair = &proxy->pairs[i / DIRECTIONS];
        pairs[i] = (struct pollfd){.fd = pair->used ? pair->flow[i % DIRECTIONS].from : -1, .events = POLLIN};
    }
    poll(fds, 1 + LISTENERS + DIRECTIONS * PAIRS_MAX, -1);
    for (int i = 0; i < DIRECTIONS * PAIRS_MAX; i++) {
        struct pair *pair = &proxy->pairs[i / DIRECTIONS];
        if (pairs[i].revents && pair->used && !flow_move(proxy, pair, i % DIRECTIONS))
            pair_close(pair);
    }
    for (int i = 0; i < LISTENERS; i++)
        if (fds[1 + i].revents)
            pair_accept(proxy, i);
    return !fds[0].revents || take_orders(proxy);
}

static void *run(void *arg)
{
    while (turn(arg))
        ;
    return NULL;
}

/* ---- what the test says ---- */

struct proxy *proxy_start(const char *endpoint)
{
    static const struct wire_bounds bounds = WIRE_BOUNDS_DEFAULT;
    static const char *const suffix[LISTENERS] = {"", LIFELINE_SUFFIX};
    struct proxy *proxy = calloc(1, sizeof(*proxy));

    if (!proxy || !(proxy->wire = wire_new(&bounds)) || !(proxy->wire_out = wire_new(&bounds)))
        err(1, "proxy");
    snprintf(proxy->folder, sizeof(proxy->folder), "/tmp/proxy.XXXXXX");
    if (!mkdtemp(proxy->folder))
        err(1, "mkdtemp");
    for (int i = 0; i < LISTENERS; i++) {
        snprintf(proxy->behind[i], sizeof(proxy->behind[i]), "%.100s%s", endpoint + strlen(ENDPOINT_IPC),
                 suffix[i]);
        snprintf(proxy->path[i], sizeof(proxy->path[i]), "%s/socket%s", proxy->folder, suffix[i]);
        proxy->listener[i] = flow_socket(proxy->path[i], true);
    }
    snprintf(proxy->endpoint, sizeof(proxy->endpoint), ENDPOINT_IPC "%s/socket", proxy->folder);
    proxy->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&proxy->lock, NULL);
    pthread_cond_init(&proxy->news, NULL);
    if (proxy->event_fd < 0 || pthread_create(&proxy->thread, NULL, run, proxy))
        err(1, "proxy");
    return proxy;
}

struct proxy *proxy_stop(struct proxy *proxy)
{
    if (!proxy)
        return NULL;
    pthread_mutex_lock(&proxy->lock);
    proxy->stopping = true;
    pthread_mutex_unlock(&proxy->lock);
    eventfd_write(proxy->event_fd, 1);
    pthread_join(proxy->thread, NULL);
    for (int i = 0; i < PAIRS_MAX; i++)
        if (proxy->pairs[i].used)
            pair_close(&proxy->pairs[i]);
    while (proxy->spare_n)
        close(proxy->spare[--proxy->spare_n]);
    for (int i = 0; i < LISTENERS; i++) {
        close(proxy->listener[i]);
        unlink(proxy->path[i]);
    }
    rmdir(proxy->folder);
    close(proxy->event_fd);
    pthread_mutex_destroy(&proxy->lock);
    pthread_cond_destroy(&proxy->news);
    wire_delete(proxy->wire);
    wire_delete(proxy->wire_out);
    free(proxy->asked);
    free(proxy);
    return NULL;
}

const char *proxy_endpoint(const struct proxy *proxy)
{
    return proxy->endpoint;
}

/* A daemon gives up a connection whose handshake does not come; one that is greeted waits as long as it must. */
static void greet(int fd)
{
    struct bytes said = zmtp_handshake();

    if (send(fd, said.data, said.size, MSG_NOSIGNAL) != (ssize_t)said.size)
        err(1, "proxy: a connection of a host");
}

/* Before the host is told: nothing of it is on the way yet, so the spare ones need no lock. */
void proxy_adopt(struct proxy *proxy, int client, int daemon, const int *spare, int spare_n)
{
    proxy->host = true;
    memcpy(proxy->spare, spare, (size_t)spare_n * sizeof(*spare));
    proxy->spare_n = spare_n;
    for (int i = 0; i < spare_n; i++)
        greet(spare[i]);
    pthread_mutex_lock(&proxy->lock);
    proxy->adopted[TO_DAEMON] = client;
    proxy->adopted[TO_CLIENT] = daemon;
    proxy->adopting = true;
    pthread_mutex_unlock(&proxy->lock);
    eventfd_write(proxy->event_fd, 1);
}

void proxy_cut(struct proxy *proxy)
{
    pthread_mutex_lock(&proxy->lock);
    proxy->cutting = true;
    pthread_mutex_unlock(&proxy->lock);
    eventfd_write(proxy->event_fd, 1);
}

void proxy_arm(struct proxy *proxy, enum verb verb, enum step step, enum fault fault)
{
    pthread_mutex_lock(&proxy->lock);
    proxy->rule = (struct rule){.step = step, .fault = fault, .verb = verb};
    proxy->struck = false;
    pthread_mutex_unlock(&proxy->lock);
}

void proxy_now(struct proxy *proxy)
{
    pthread_mutex_lock(&proxy->lock);
    proxy->rule.now = true;
    pthread_mutex_unlock(&proxy->lock);
}

void proxy_wait(struct proxy *proxy)
{
    pthread_mutex_lock(&proxy->lock);
    while (!proxy->struck)
        pthread_cond_wait(&proxy->news, &proxy->lock);
    pthread_mutex_unlock(&proxy->lock);
}

void proxy_release(struct proxy *proxy)
{
    pthread_mutex_lock(&proxy->lock);
    proxy->releasing = true;
    proxy->lying = false;
    pthread_mutex_unlock(&proxy->lock);
    eventfd_write(proxy->event_fd, 1);
}

void proxy_lie(struct proxy *proxy)
{
    pthread_mutex_lock(&proxy->lock);
    proxy->lying = true;
    pthread_mutex_unlock(&proxy->lock);
}
