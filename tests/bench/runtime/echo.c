/* An echo server and its 64 clients, all goroutines of this process, over loopback TCP. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "bench.h"
#include "goroutine_net.h"

enum { CONNECTIONS = 64, MESSAGE_BYTES = 64 };

/* 0 at the end of the stream. */
static int read_message(go_fd fd, char *message)
{
    ssize_t got, n;

    for (got = 0; got < MESSAGE_BYTES; got += n) {
        n = go_read(fd, message + got, (size_t)(MESSAGE_BYTES - got), GO_FOREVER);
        must(n < 0 ? (int)n : 0, "go_read");
        if (n == 0)
            return 0;
    }
    return 1;
}

static void write_message(go_fd fd, const char *message)
{
    ssize_t n = go_write(fd, message, MESSAGE_BYTES, GO_FOREVER);

    must(n < 0 ? (int)n : 0, "go_write");
}

static void serve(void *arg)
{
    go_fd fd = *(go_fd *)arg;
    char message[MESSAGE_BYTES];

    while (read_message(fd, message))
        write_message(fd, message);
    go_fd_close(fd);
}

struct client {
    go_fd fd;
    int64_t n;
    _Atomic uint64_t *answers;
    go_waitgroup *done;
};

static void ask(void *arg)
{
    struct client *c = arg;
    char message[MESSAGE_BYTES] = {0};
    uint64_t right = 0;

    for (int64_t i = 0; i < c->n; i++) {
        message[i % MESSAGE_BYTES]++;
        write_message(c->fd, message);
        must(read_message(c->fd, message) ? 0 : -EPIPE, "echo");
        right += message[i % MESSAGE_BYTES] == (char)(i / MESSAGE_BYTES + 1);
    }
    go_fd_close(c->fd);
    *c->answers += right;
    go_waitgroup_done(c->done);
}

/* As Go's connections are from the start. */
static go_fd without_delay(go_fd fd)
{
    int on = 1;

    must(fd < 0 ? (int)fd : 0, "connection");
    if (setsockopt(go_fd_number(fd), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0)
        must(-errno, "TCP_NODELAY");
    return fd;
}

/* The client's end; a goroutine serves the other. The kernel connects at once: there is room in the backlog. */
static go_fd client_new(go_fd listener, const struct sockaddr_in *address)
{
    go_fd client = without_delay(go_connect((const struct sockaddr *)address, sizeof *address, GO_FOREVER));
    go_fd server = without_delay(go_accept(listener, GO_FOREVER));

    must_spawn(serve, &server, sizeof server);
    return client;
}

uint64_t echo_64(struct run *r)
{
    _Atomic uint64_t answers = 0;
    go_waitgroup done = {0};
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    struct client c[CONNECTIONS];
    go_fd listener = go_listen("127.0.0.1", "0");

    must(listener < 0 ? (int)listener : 0, "go_listen");
    if (getsockname(go_fd_number(listener), (struct sockaddr *)&address, &size) < 0)
        must(-errno, "getsockname");
    for (int i = 0; i < CONNECTIONS; i++)
        c[i] = (struct client){client_new(listener, &address), r->n / CONNECTIONS, &answers, &done};
    go_fd_close(listener);
    go_waitgroup_add(&done, CONNECTIONS);
    run_begin(r);
    for (int i = 0; i < CONNECTIONS; i++)
        must_spawn(ask, &c[i], sizeof c[i]);
    go_waitgroup_wait(&done);
    run_end(r);
    return answers;
}
