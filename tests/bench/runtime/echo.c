/* An echo server and its 64 clients, all goroutines of this process, over loopback TCP. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

enum { CONNECTIONS = 64, MESSAGE_BYTES = 64 };

static void wait_for(int fd, unsigned events)
{
    must(go_errno() == EAGAIN ? 0 : -go_errno(), "socket");
    must(go_wait_fd(fd, events, GO_FOREVER), "go_wait_fd");
}

/* 0 at the end of the stream. */
static int read_message(int fd, char *message)
{
    ssize_t got = 0, n;

    while (got < MESSAGE_BYTES) {
        n = read(fd, message + got, (size_t)(MESSAGE_BYTES - got));
        if (n == 0)
            return 0;
        if (n < 0)
            wait_for(fd, GO_READABLE);
        else
            got += n;
    }
    return 1;
}

static void write_message(int fd, const char *message)
{
    ssize_t put = 0, n;

    while (put < MESSAGE_BYTES) {
        n = write(fd, message + put, (size_t)(MESSAGE_BYTES - put));
        if (n < 0)
            wait_for(fd, GO_WRITABLE);
        else
            put += n;
    }
}

static void serve(void *arg)
{
    int fd = *(int *)arg;
    char message[MESSAGE_BYTES];

    while (read_message(fd, message))
        write_message(fd, message);
    close(fd);
}

struct client {
    int fd;
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
    close(c->fd);
    *c->answers += right;
    go_waitgroup_done(c->done);
}

static int listen_on_loopback(struct sockaddr_in *address)
{
    socklen_t size = sizeof *address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (fd < 0 || bind(fd, (struct sockaddr *)address, size) < 0 || listen(fd, CONNECTIONS) < 0 ||
        getsockname(fd, (struct sockaddr *)address, &size) < 0)
        must(-errno, "listen");
    return fd;
}

/* The client's end; a goroutine serves the other. The kernel connects at once: there is room in the backlog. */
static int client_new(int listener, const struct sockaddr_in *address)
{
    int on = 1, client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), server;

    if (client < 0 ||
        (connect(client, (const struct sockaddr *)address, sizeof *address) < 0 && errno != EINPROGRESS))
        must(-errno, "connect");
    server = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (server < 0 || setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0 ||
        setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0)
        must(-errno, "accept");
    must_spawn(serve, &server, sizeof server);
    return client;
}

uint64_t echo_64(struct run *r)
{
    _Atomic uint64_t answers = 0;
    go_waitgroup done = {0};
    struct sockaddr_in address;
    struct client c[CONNECTIONS];
    int listener = listen_on_loopback(&address);

    for (int i = 0; i < CONNECTIONS; i++)
        c[i] = (struct client){client_new(listener, &address), r->n / CONNECTIONS, &answers, &done};
    close(listener);
    go_waitgroup_add(&done, CONNECTIONS);
    run_begin(r);
    for (int i = 0; i < CONNECTIONS; i++)
        must_spawn(ask, &c[i], sizeof c[i]);
    go_waitgroup_wait(&done);
    run_end(r);
    return answers;
}
