/*
 * Calls on descriptors: each tries first and waits only where the kernel would have blocked.
 *
 * A call on an opened descriptor holds its record from beginning to end (struct use), also when it is unwound,
 * so that a close in the middle ends the call and not somebody else's connection. System calls stand in
 * functions of their own: errno must be read on the thread that made the call.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "goroutine_net.h"
#include "netpoll.h"
#include "waiting.h"

#define NOINLINE __attribute__((noinline))

/* ---- holding a record ---- */

struct use {
    struct fd *fd; /* NULL: not opened with go_fd_open */
};

static void use_end(struct use *use)
{
    if (use->fd)
        netpoll_done(use->fd);
}

#define USE_ENDS __attribute__((cleanup(use_end)))

/* ---- waiting ---- */

/* A plain thread, or somebody who does not want to wait. */
static NOINLINE int thread_wait_fd(int fd, unsigned events, go_until until)
{
    unsigned wanted =
        (events & GO_READABLE ? POLLIN | POLLRDHUP : 0u) | (events & GO_WRITABLE ? POLLOUT : 0u);
    struct pollfd p = {.fd = fd, .events = (short)wanted};

    for (;;) {
        int64_t left = until.ns == GO_NS_NOW ? 0 : until.ns == GO_NS_FOREVER ? -1 : until.ns - clock_ns();
        int64_t ms = left < 0 ? (until.ns == GO_NS_FOREVER ? -1 : 0) : left / 1000000 + 1;
        int err = until.ctx ? go_ctx_err(until.ctx) : 0;
        int n;

        if (err)
            return err;
        if (until.ctx && (ms < 0 || ms > 50))
            ms = 50; /* a plain thread cannot sleep for a descriptor and a context at once */
        n = poll(&p, 1, until.ns == GO_NS_NOW ? 0 : ms > INT32_MAX ? INT32_MAX : (int)ms);
        if (n > 0)
            return p.revents & POLLNVAL
                       ? -EBADF
                       : (int)(netpoll_ready_of((uint32_t)(unsigned short)p.revents) & events);
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n == 0 && until.ns == GO_NS_NOW)
            return -EAGAIN;
        if (n == 0 && until.ns != GO_NS_FOREVER && clock_ns() >= until.ns)
            return -ETIMEDOUT;
    }
}

static int opened_wait(struct fd *f, unsigned events, go_until until)
{
    uint32_t edges;
    int r;

    do {
        edges = netpoll_edges(f);
        r = thread_wait_fd(netpoll_number(f), events, GO_NOW);
        if (r == -EAGAIN && until.ns != GO_NS_NOW)
            r = netpoll_wait_edge(f, events, edges, until);
    } while (r == 0);
    return r;
}

int go_wait_fd(int fd, unsigned events, go_until until)
{
    USE_ENDS struct use use = {NULL};
    struct g *g = g_self();
    int r = until_over(g, until);

    if (r)
        return r;
    if (events == 0 || events & ~(GO_READABLE | GO_WRITABLE))
        return -EINVAL;
    if (fd < 0)
        return -EBADF;
    r = netpoll_use(fd, &use.fd);
    if (r < 0)
        return r;
    if (r > 0)
        return opened_wait(use.fd, events, until);
    if (g->thread || until.ns == GO_NS_NOW)
        return thread_wait_fd(fd, events, until);
    return netpoll_wait_once(fd, events, until);
}

/* ---- opening and closing ---- */

static enum fd_kind kind_of(int fd)
{
    int type;
    socklen_t bytes = sizeof type;

    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &bytes) < 0 ? FD_OTHER : FD_SOCKET;
}

go_fd go_fd_open(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    enum fd_kind kind;

    if (flags < 0)
        return -errno;
    kind = kind_of(fd);
    if (kind != FD_OTHER && !(flags & O_NONBLOCK) && fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return -errno;
    return netpoll_add(fd, kind);
}

int go_fd_close(go_fd fd)
{
    return netpoll_close_fd(fd);
}

/* ---- what would block a thread ---- */

struct transfer {
    int fd;
    char *data;
    size_t bytes;
    ssize_t result;
};

/* A socket has no file position that read(2) would look after; of no bytes read(2) waits for nothing. */
static NOINLINE ssize_t read_once(int fd, bool is_socket, void *buffer, size_t bytes)
{
    ssize_t n;

    do
        n = is_socket && bytes > 0 ? recv(fd, buffer, bytes, 0) : read(fd, buffer, bytes);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

/* Without SIGPIPE where the kernel lets us choose. */
static NOINLINE ssize_t write_once(int fd, bool is_socket, const void *data, size_t bytes)
{
    ssize_t n;

    do
        n = is_socket ? send(fd, data, bytes, MSG_NOSIGNAL) : write(fd, data, bytes);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

static int spare_read(void *arg)
{
    struct transfer *t = arg;

    t->result = read_once(t->fd, false, t->data, t->bytes);
    return 0;
}

static int spare_write(void *arg)
{
    struct transfer *t = arg;
    ssize_t n = 0;
    size_t done;

    for (done = 0; done < t->bytes && n >= 0; done += n > 0 ? (size_t)n : 0)
        n = write_once(t->fd, false, t->data + done, t->bytes - done);
    t->result = n < 0 ? n : (ssize_t)done;
    return 0;
}

static ssize_t on_spare_thread(int (*fn)(void *), struct transfer t)
{
    int r = go_blocking(fn, &t);

    return r < 0 ? r : t.result;
}

/* ---- reading and writing ---- */

static ssize_t opened_read(struct fd *f, char *buffer, size_t bytes, go_until until)
{
    bool is_socket = netpoll_kind(f) == FD_SOCKET;

    for (;;) {
        uint32_t edges = netpoll_edges(f);
        ssize_t n = read_once(netpoll_number(f), is_socket, buffer, bytes);
        int r;

        if (n != -EAGAIN || until.ns == GO_NS_NOW)
            return n;
        r = netpoll_wait_edge(f, GO_READABLE, edges, until);
        if (r < 0)
            return r;
    }
}

static ssize_t opened_write(struct fd *f, const char *data, size_t bytes, go_until until)
{
    bool is_socket = netpoll_kind(f) == FD_SOCKET;
    size_t done = 0;

    do {
        uint32_t edges = netpoll_edges(f);
        ssize_t n = write_once(netpoll_number(f), is_socket, data + done, bytes - done);
        int r = 0;

        if (n >= 0)
            done += (size_t)n;
        else if (n != -EAGAIN || until.ns == GO_NS_NOW)
            return n;
        else
            r = netpoll_wait_edge(f, GO_WRITABLE, edges, until);
        if (r < 0)
            return r;
    } while (done < bytes);
    return (ssize_t)done;
}

/* Begins a call: 1 for what polling tells of; 0 for what only a spare thread can do without blocking: a file, or a
 * descriptor that was not opened here. */
static int use_begin(go_fd fd, go_until until, struct use *use)
{
    int r = until_over(g_self(), until);

    if (r)
        return r;
    go_checkpoint();
    r = netpoll_use(fd, &use->fd);
    return r <= 0 ? r : netpoll_kind(use->fd) != FD_FILE;
}

ssize_t go_read(go_fd fd, void *buffer, size_t bytes, go_until until)
{
    USE_ENDS struct use use = {NULL};
    int r = use_begin(fd, until, &use);

    if (r < 0)
        return r;
    if (r == 0)
        return on_spare_thread(spare_read, (struct transfer){go_fd_number(fd), buffer, bytes, 0});
    return opened_read(use.fd, buffer, bytes, until);
}

ssize_t go_write(go_fd fd, const void *data, size_t bytes, go_until until)
{
    USE_ENDS struct use use = {NULL};
    int r = use_begin(fd, until, &use);

    if (r < 0)
        return r;
    if (r == 0)
        return on_spare_thread(spare_write,
                               (struct transfer){go_fd_number(fd), (char *)(uintptr_t)data, bytes, 0});
    return opened_write(use.fd, data, bytes, until);
}
