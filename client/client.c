/*
 * Clients: made, ended, moved by hand.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "call.h"
#include "cleanup.h"
#include "identity.h"
#include "last.h"
#include "options.h"
#include "service.h"
#include "start.h"

#define MS 1000000LL

/* ---- forks: a child has no session ---- */

static unsigned forks; /* written only by the one thread of a fresh child */
static pthread_once_t forks_once = PTHREAD_ONCE_INIT;

static void count_fork(void)
{
    forks++;
}

static void watch_forks(void)
{
    pthread_atfork(NULL, NULL, count_fork);
}

bool client_forked(const struct gc_client *g)
{
    return g->forks != forks;
}

/* ---- making and ending ---- */

static struct gc_client *client_delete(struct gc_client *g)
{
    if (!g)
        return NULL;
    link_close(g);
    g->protocol = protocol_delete(g->protocol);
    g->wire = wire_delete(g->wire);
    if (g->epoll_fd >= 0)
        close(g->epoll_fd);
    if (g->event_fd >= 0)
        close(g->event_fd);
    if (g->listen_fd >= 0)
        close(g->listen_fd);
    pthread_cond_destroy(&g->service);
    pthread_mutex_destroy(&g->lock);
    free(g->handles);
    explicit_bzero(&g->keys, sizeof g->keys);
    free(g);
    return NULL;
}
DEFINE_CLEANUP(struct gc_client *, client_delete)

static void init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

static int open_descriptors(struct gc_client *g)
{
    g->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    g->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = g->event_fd};
    if (g->epoll_fd < 0 || g->event_fd < 0 || epoll_ctl(g->epoll_fd, EPOLL_CTL_ADD, g->event_fd, &event) < 0)
        return -errno;
    return 0;
}

static int open_protocol(struct gc_client *g)
{
    const struct wire_bounds bounds = WIRE_BOUNDS_DEFAULT;
    identity_boot_id(g->boot_id, sizeof g->boot_id);
    struct protocol_identity identity = {.program = {g->program, strlen(g->program)},
                                         .boot_id = {g->boot_id, strlen(g->boot_id)},
                                         .time_namespace = identity_time_namespace()};
    g->wire = wire_new(&bounds);
    g->protocol = protocol_new(&call_user, &identity);
    return g->wire && g->protocol ? 0 : -ENOMEM;
}

static void init_lists(struct gc_client *g)
{
    struct list *lists[] = {&g->waiters, &g->wakes,   &g->bound,    &g->deliveries, &g->starts,
                            &g->ends,    &g->windows, &g->contexts, &g->funcs_due};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        list_init(lists[i]);
}

static int64_t or_default(int64_t ms, int64_t usual_ms)
{
    return (ms > 0 ? ms : usual_ms) * MS;
}

/* A client without a link. */
static int client_new(const struct gc_options *options, const struct gc_waiting *waiting,
                      struct gc_client **out)
{
    _cleanup_(client_deletep) struct gc_client *g = calloc(1, sizeof *g);
    if (!g)
        return -ENOMEM;
    pthread_once(&forks_once, watch_forks);
    g->forks = forks;
    g->waiting = waiting;
    g->lifeline = g->epoll_fd = g->event_fd = g->listen_fd = -1;
    g->answer_by_ns = PROTOCOL_NEVER;
    g->absent_ns = options->absent_ms * MS;
    g->answer_ns = or_default(options->answer_ms, CLIENT_ANSWER_MS);
    g->reconnect_ns = or_default(options->reconnect_ms, CLIENT_RECONNECT_MS);
    g->retry_delay_ns = CLIENT_RETRY_MS * MS;
    pthread_mutex_init(&g->lock, NULL);
    init_condition(&g->service);
    init_lists(g);
    snprintf(g->program, sizeof g->program, "%s",
             options->program ? options->program : program_invocation_short_name);
    int r = open_descriptors(g);
    if (r == 0)
        r = open_protocol(g);
    if (r < 0)
        return r;
    *out = g;
    g = NULL;
    return 0;
}

static int resolve_endpoint(struct gc_client *g, const char *endpoint)
{
    int r = address_resolve(endpoint, g->endpoint, &g->endpoint_from);
    if (r == 0 && address_is_local(g->endpoint))
        r = address_lifeline(g->endpoint, g->lifeline_path, sizeof g->lifeline_path);
    if (r < 0)
        snprintf(g->why, sizeof g->why,
                 "\"%s\" (%s) is not an endpoint: use ipc://PATH of at most 100 bytes, or tcp://HOST:PORT",
                 g->endpoint, g->endpoint_from);
    return r;
}

static int resolve_lane(struct gc_client *g, const char *lane)
{
    const char *from = lane ? "as given" : "from $" LANE_VARIABLE;
    lane = lane ? lane : getenv(LANE_VARIABLE);
    if (!lane || !*lane || !strcmp(lane, LANE_AUTO))
        return 0;
    g->zmq_wanted = !strcmp(lane, LANE_ZMQ);
    if (!g->zmq_wanted)
        snprintf(g->why, sizeof g->why, "\"%s\" (%s) is not a lane: auto or zmq", lane, from);
    return g->zmq_wanted ? 0 : -EINVAL;
}

/* `given`, else the variable; empty is NULL. */
static const char *or_variable(const char *given, const char *variable)
{
    const char *text = given ? given : getenv(variable);
    return text && *text ? text : NULL;
}

/* Of tcp: without the key of the daemon there are none. */
static int resolve_keys(struct gc_client *g, const struct gc_options *options)
{
    const char *server = or_variable(options->server_key, SERVER_KEY_VARIABLE);
    const char *file = or_variable(options->secret_file, SECRET_FILE_VARIABLE);
    if (address_is_local(g->endpoint) || (!server && !file))
        return 0;
    if (!server || !file) {
        snprintf(g->why, sizeof g->why,
                 "a %s without %s: set both --server-key KEY and --secret-file FILE, or $" SERVER_KEY_VARIABLE
                 " and $" SECRET_FILE_VARIABLE,
                 server ? "server key" : "secret file",
                 server ? "a secret file; `goctl keygen --out FILE` makes one" : "a server key");
        return -EINVAL;
    }
    if (!key_text_good(server, strlen(server))) {
        snprintf(g->why, sizeof g->why,
                 "\"%s\" is not a public key: goctl keygen prints one, of %d characters", server, KEY_CHARS);
        return -EINVAL;
    }
    strcpy(g->keys.server.text, server);
    return key_file_read(file, &g->keys.own, g->why);
}

/* Leads until the link is live or has failed. */
static int link_establish(struct gc_client *g)
{
    client_lock(g);
    g->connecting = true;
    g->give_up_ns = now_ns() + g->absent_ns;
    while (g->connecting) {
        int64_t next = client_pump(g);
        if (g->connecting)
            client_lead(g, next);
    }
    int r = g->link_error;
    client_unlock(g);
    return r;
}

static int connect_failed(struct gc_client *g, int error, char *why)
{
    const char *text = g && g->why[0] ? g->why : gc_strerror(error);
    if (why)
        snprintf(why, GC_WHY_BYTES, "%s", text);
    last_failed(error, text, false);
    client_delete(g);
    return error;
}

static int client_make(const struct gc_options *options, const struct gc_waiting *waiting, gc_client **out)
{
    int r = client_new(options, waiting, out);
    if (r == 0)
        r = resolve_endpoint(*out, options->endpoint);
    if (r == 0)
        r = resolve_lane(*out, options->lane);
    return r < 0 ? r : resolve_keys(*out, options);
}

static int client_begin(struct gc_client *g, const struct gc_options *options)
{
    int r = link_establish(g);
    g->service_leads = !g->waiting->leads;
    if (r == 0 && !(options->flags & GC_NO_THREAD))
        r = service_start(g);
    return r;
}

GC_API int gc_connect_waiting(const struct gc_options *given, const struct gc_waiting *waiting,
                              gc_client **out, char *why)
{
    struct gc_options options;
    struct gc_client *g = NULL;
    *out = NULL;
    int r = options_take(&options, sizeof options, given);
    if (r == 0 && (options.flags & ~GC_NO_THREAD || (options.flags && !waiting->leads)))
        r = -EINVAL;
    if (r == 0)
        r = client_make(&options, waiting, &g);
    if (r == 0)
        r = client_begin(g, &options);
    if (r < 0)
        return connect_failed(g, r, why);
    *out = g;
    return 0;
}

GC_API int gc_connect(const struct gc_options *options, gc_client **g, char *why)
{
    return gc_connect_waiting(options, &gc_waiting_threads, g, why);
}

/* Takes over an inherited lifeline, whose greeting has not been read. */
static int lifeline_inherit(struct gc_client *g, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(g->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
        return -errno;
    g->lifeline = fd;
    g->link = LINK_GREETING;
    g->single = true;
    g->answer_by_ns = now_ns() + g->answer_ns;
    return 0;
}

GC_API int gc_connect_host(const struct gc_host_options *given, gc_client **out, char *why)
{
    struct gc_host_options host;
    struct gc_client *g = NULL;
    *out = NULL;
    int r = options_take(&host, sizeof host, given);
    struct gc_options options = {.size = sizeof options, .endpoint = host.endpoint, .program = host.program};
    if (r == 0)
        r = client_make(&options, host.waiting ? host.waiting : &gc_waiting_threads, &g);
    if (r == 0) {
        g->host = host;
        r = lifeline_inherit(g, host.lifeline);
    }
    if (r == 0)
        r = client_begin(g, &options);
    if (r < 0)
        return connect_failed(g, r, why);
    *out = g;
    return 0;
}

/* Waits, as its callers do, until the last of them has left. With the lock, which it gives up meanwhile. */
static void await_calls(struct gc_client *g)
{
    if (!g->calls)
        return;
    g->closer = g->waiting->begin();
    g->closing = true;
    client_unlock(g);
    g->waiting->park(g->closer, "gc_disconnect", true);
    client_lock(g);
    g->closing = false;
}

/* Waits for the farewell: then BYE has arrived, and the sockets can be closed. */
static void await_farewell(struct gc_client *g)
{
    int64_t limit = now_ns() + CLIENT_BYE_MS * MS;
    while (g->link == LINK_UP && g->lifeline >= 0 && now_ns() < limit) {
        client_lead(g, limit);
        client_pump(g);
    }
}

GC_API gc_client *gc_disconnect(gc_client *g)
{
    if (!g || client_forked(g))
        return NULL;
    client_lock(g);
    protocol_bye(g->protocol);
    client_pump(g);
    protocol_over(g->protocol, -ECONNRESET);
    g->kick = true;
    client_unlock(g);
    service_stop(g);
    client_lock(g);
    await_calls(g);
    if (g->protocol->bye_sent)
        await_farewell(g);
    client_unlock(g);
    calls_deliver(g);
    starts_tell(g);
    return client_delete(g);
}

/* ---- moved by hand ---- */

GC_API int gc_fd(const gc_client *g)
{
    return g->epoll_fd;
}

GC_API int gc_dispatch(gc_client *g, gc_until until)
{
    if (client_forked(g))
        return last_failed(-ECONNRESET, "this process is a fork of the client's: connect anew", false);
    client_enter(g);
    int64_t next = client_pump(g);
    if (until.ns < next)
        next = until.ns == GC_NOW.ns ? 0 : until.ns;
    if ((until.ctx && gc_ctx_done(until.ctx)) || !list_empty(&g->ends))
        next = 0;
    int n = g->led ? 0 : client_lead(g, next);
    client_pump(g);
    client_unlock(g);
    calls_deliver(g);
    bool told = starts_tell(g);
    client_lock(g);
    client_leave(g);
    return n > 0 || told;
}

GC_API void gc_about(gc_client *g, struct gc_about *out)
{
    memset(out, 0, sizeof *out);
    snprintf(out->endpoint, sizeof out->endpoint, "%s", g->endpoint);
    if (client_forked(g))
        return;
    client_enter(g);
    if (g->transport)
        out->lane = g->transport_fd == g->lifeline ? "local" : "zmq";
    out->session = g->protocol->facts.session_number;
    out->node = g->protocol->facts.node;
    out->incarnation = g->protocol->facts.incarnation;
    out->frames_sent = g->frames_sent;
    out->frames_received = g->frames_received;
    client_leave(g);
}

/* ---- the rest ---- */

GC_API gc_until gc_after_ms(int64_t ms)
{
    int64_t ns;
    if (__builtin_mul_overflow(ms > 0 ? ms : 0, MS, &ns) || __builtin_add_overflow(ns, now_ns(), &ns))
        return GC_FOREVER;
    return gc_at(ms > 0 ? ns : 0);
}

GC_API const char *gc_version(void)
{
    return GC_VERSION;
}
