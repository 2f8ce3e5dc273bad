/*
 * TCP connections: looking up, listening, accepting, connecting. Delays of small packets are switched off
 * (TCP_NODELAY): who writes knows best when a message is whole.
 *
 * A name is looked up by a goroutine of its own in a blocking call, so that the caller may leave before it
 * ends. Invariant: a struct lookup is freed by the last of the two, and `found` in it by whom it belongs to
 * then.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "goroutine_net.h"
#include "netpoll.h"
#include "waiting.h"

#define NOINLINE __attribute__((noinline))

enum {
    BACKLOG = 4096,
    NAME_BYTES_MAX = 1024
}; /* the kernel cuts the first to its own limit (net.core.somaxconn) */

/* ---- names ---- */

struct lookup {
    _Atomic int holders;
    go_chan *ended;
    char host[NAME_BYTES_MAX], port[NAME_BYTES_MAX];
    bool has_host, has_port;
    struct addrinfo *found;
};

static void lookup_drop(struct lookup *l)
{
    if (atomic_fetch_sub(&l->holders, 1) > 1)
        return;
    if (l->found)
        freeaddrinfo(l->found);
    go_chan_unref(l->ended);
    free(l);
}

static int error_of(int code)
{
    switch (code) {
    case 0:
        return 0;
    case EAI_NONAME:
    case EAI_NODATA:
    case EAI_SERVICE:
    case EAI_ADDRFAMILY:
        return -ENOENT;
    case EAI_AGAIN:
    case EAI_FAIL:
        return -EHOSTUNREACH;
    case EAI_MEMORY:
        return -ENOMEM;
    case EAI_SYSTEM:
        return errno ? -errno : -EHOSTUNREACH;
    default:
        return -EINVAL;
    }
}

static NOINLINE int find(const char *host, const char *port, int flags, struct addrinfo **found)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags};

    return error_of(getaddrinfo(host, port, &hints, found));
}

static int lookup_run(void *arg)
{
    struct lookup *l = arg;

    return find(l->has_host ? l->host : NULL, l->has_port ? l->port : NULL, AI_ADDRCONFIG, &l->found);
}

static void look_up(void *arg)
{
    struct lookup *l = *(struct lookup **)arg;
    int r = go_blocking(lookup_run, l);

    go_chan_send(l->ended, &r, GO_NOW); /* there is room for it */
    lookup_drop(l);
}

static struct lookup *lookup_new(const char *host, const char *port)
{
    struct lookup *l = calloc(1, sizeof *l);

    if (!l || !(l->ended = go_chan_new(sizeof(int), 1))) {
        free(l);
        return NULL;
    }
    atomic_init(&l->holders, 2);
    l->has_host = host;
    l->has_port = port;
    strcpy(l->host, host ? host : "");
    strcpy(l->port, port ? port : "");
    return l;
}

static void lookup_leave(struct lookup **l)
{
    if (*l)
        lookup_drop(*l);
}

static int resolve_name(const char *host, const char *port, struct addrinfo **found, go_until until)
{
    __attribute__((cleanup(lookup_leave))) struct lookup *l = lookup_new(host, port);
    int r, result;

    if (!l)
        return -ENOMEM;
    r = go_spawn(look_up, &l, sizeof l);
    if (r < 0) {
        lookup_drop(l);
        return r;
    }
    r = go_chan_recv(l->ended, &result, until);
    if (r < 0)
        return r;
    *found = l->found;
    l->found = NULL;
    return result;
}

int go_resolve(const char *host, const char *port, struct addrinfo **found, go_until until)
{
    int r = until_over(g_self(), until);

    *found = NULL;
    if (r)
        return r;
    if ((host && strlen(host) >= NAME_BYTES_MAX) || (port && strlen(port) >= NAME_BYTES_MAX))
        return -EINVAL;
    r = find(host, port, AI_NUMERICHOST | AI_NUMERICSERV, found);
    if (r != -ENOENT)
        return r;
    return until.ns == GO_NS_NOW ? -EAGAIN : resolve_name(host, port, found, until);
}

/* ---- sockets ---- */

static NOINLINE int socket_new(int family)
{
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    return fd < 0 ? -errno : fd;
}

static bool is_tcp(int family)
{
    return family == AF_INET || family == AF_INET6;
}

static void set_option(int fd, int level, int option)
{
    int on = 1;

    setsockopt(fd, level, option, &on, sizeof on); /* without it one only waits longer */
}

/* Takes fd over: it is closed on failure. */
static go_fd adopt(int number)
{
    go_fd fd = netpoll_add(number, FD_SOCKET);

    if (fd < 0)
        close(number);
    return fd;
}

static NOINLINE go_fd listen_on(const struct addrinfo *where)
{
    int fd = socket_new(where->ai_family), r;

    if (fd < 0)
        return fd;
    set_option(fd, SOL_SOCKET, SO_REUSEADDR);
    set_option(fd, IPPROTO_TCP, TCP_NODELAY); /* its connections inherit it */
    if (bind(fd, where->ai_addr, where->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return adopt(fd);
    r = -errno;
    close(fd);
    return r;
}

static int resolve_to_listen(const char *host, const char *port, struct addrinfo **found)
{
    int r;

    if (host)
        return go_resolve(host, port, found, GO_FOREVER);
    r = find(NULL, port, AI_PASSIVE | AI_NUMERICSERV, found);
    return r == -ENOENT ? find(NULL, port, AI_PASSIVE, found) : r;
}

go_fd go_listen(const char *host, const char *port)
{
    struct addrinfo *found;
    go_fd fd;
    int r = resolve_to_listen(host, port, &found);

    if (r < 0)
        return r;
    fd = listen_on(found);
    freeaddrinfo(found);
    return fd;
}

/* A connection that went away while it waited is no concern of the caller. */
static NOINLINE int accept_once(int fd)
{
    int r;

    do
        r = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    while (r < 0 && (errno == EINTR || errno == ECONNABORTED));
    return r < 0 ? -errno : r;
}

static void use_end(struct fd **f)
{
    if (*f)
        netpoll_done(*f);
}

go_fd go_accept(go_fd fd, go_until until)
{
    __attribute__((cleanup(use_end))) struct fd *f = NULL;
    int r = until_over(g_self(), until);

    if (r)
        return r;
    go_checkpoint();
    r = netpoll_use(fd, &f);
    if (r <= 0)
        return r < 0 ? r : -EBADF;
    for (;;) {
        uint32_t edges = netpoll_edges(f);
        int got = accept_once(netpoll_number(f));

        if (got >= 0)
            return adopt(got);
        if (got != -EAGAIN || until.ns == GO_NS_NOW)
            return got;
        r = netpoll_wait_edge(f, GO_READABLE, edges, until);
        if (r < 0)
            return r;
    }
}

/* ---- connecting ---- */

static NOINLINE int connect_start(int fd, const struct sockaddr *address, socklen_t bytes)
{
    int r = connect(fd, address, bytes);

    return r < 0 && errno != EINTR ? -errno : r < 0 ? -EINPROGRESS : 0;
}

static NOINLINE int connect_result(int fd)
{
    int error;
    socklen_t bytes = sizeof error;

    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &bytes) < 0 ? -errno : -error;
}

static void fd_drop(go_fd *fd)
{
    if (*fd >= 0)
        go_fd_close(*fd);
}

/* Waits for a connection under way. Takes fd over: it is closed on failure. */
static go_fd connect_finish(go_fd fd, go_until until)
{
    __attribute__((cleanup(fd_drop))) go_fd pending = fd;
    int r = go_wait_fd(go_fd_number(fd), GO_WRITABLE, until);

    r = r < 0 ? r : connect_result(go_fd_number(fd));
    if (r < 0)
        return r;
    pending = -1;
    return fd;
}

go_fd go_connect(const struct sockaddr *address, socklen_t bytes, go_until until)
{
    int r = until_over(g_self(), until), number;
    go_fd fd;

    if (r)
        return r;
    number = socket_new(address->sa_family);
    if (number < 0)
        return number;
    if (is_tcp(address->sa_family))
        set_option(number, IPPROTO_TCP, TCP_NODELAY);
    r = connect_start(number, address, bytes);
    if (r < 0 && r != -EINPROGRESS) {
        close(number);
        return r;
    }
    fd = adopt(number);
    return fd < 0 || r == 0 ? fd : connect_finish(fd, until);
}

static void found_drop(struct addrinfo **found)
{
    if (*found)
        freeaddrinfo(*found);
}

go_fd go_dial(const char *host, const char *port, go_until until)
{
    __attribute__((cleanup(found_drop))) struct addrinfo *found = NULL;
    int r = go_resolve(host, port, &found, until);

    for (struct addrinfo *a = found; a && r >= 0; a = a->ai_next) {
        go_fd fd = go_connect(a->ai_addr, a->ai_addrlen, until);

        if (fd >= 0 || !a->ai_next || until_over(g_self(), until))
            return fd;
    }
    return r;
}
