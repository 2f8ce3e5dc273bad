#include "stream.h"

#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int connect_to(int family, const void *address, socklen_t size, const char *where)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    if (fd < 0 || connect(fd, address, size) < 0)
        err(1, "connect to %s", where);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

int stream_connect(const char *where)
{
    struct sockaddr_un path = {.sun_family = AF_UNIX};
    struct sockaddr_in port = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    if (!strncmp(where, "unix:", 5)) {
        snprintf(path.sun_path, sizeof path.sun_path, "%s", where + 5);
        return connect_to(AF_UNIX, &path, sizeof path, where);
    }
    port.sin_port = htons((uint16_t)atoi(where));
    return connect_to(AF_INET, &port, sizeof port, where);
}

void write_all(int fd, const void *data, size_t size)
{
    const char *at = data;

    while (size) {
        ssize_t n = send(fd, at, size, MSG_NOSIGNAL);
        if (n < 0)
            err(1, "write to the server");
        at += n;
        size -= (size_t)n;
    }
}

void input_begin(struct input *in, int fd)
{
    *in = (struct input){.fd = fd, .room = 256 << 10};
    in->data = malloc(in->room + 1);
    if (!in->data)
        err(1, "a buffer");
}

static void read_more(struct input *in)
{
    if (in->at) {
        memmove(in->data, in->data + in->at, in->n - in->at);
        in->n -= in->at;
        in->at = 0;
    }
    ssize_t n = in->n < in->room ? recv(in->fd, in->data + in->n, in->room - in->n, 0) : 0;
    if (n <= 0)
        err(1, "the server says no more");
    in->n += (size_t)n;
}

const char *input_bytes(struct input *in, size_t bytes)
{
    while (in->n - in->at < bytes)
        read_more(in);
    return in->data + in->at;
}

const char *input_line(struct input *in)
{
    char *end, *line;

    while (!(end = memchr(in->data + in->at, '\n', in->n - in->at)))
        read_more(in);
    line = in->data + in->at;
    in->at = (size_t)(end - in->data) + 1;
    end[end > line && end[-1] == '\r' ? -1 : 0] = '\0';
    return line;
}
