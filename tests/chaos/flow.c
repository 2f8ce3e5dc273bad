#include "flow.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { READ_BYTES = 65536 };

struct held {
    struct list link;
    size_t size;
    uint8_t bytes[];
};

int flow_socket(const char *path, bool listening)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), r;

    snprintf(address.sun_path, sizeof(address.sun_path), "%.100s", path);
    if (listening)
        r = bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -1 : listen(fd, 16);
    else
        r = connect(fd, (struct sockaddr *)&address, sizeof(address));
    if (fd < 0 || (r < 0 && listening))
        err(1, "proxy at %s", path);
    if (r < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

void flow_init(struct flow *flow, int from, int to)
{
    *flow = (struct flow){.from = from, .to = to};
    list_init(&flow->held);
}

void flow_clear(struct flow *flow)
{
    struct held *held, *after;

    list_each_safe (held, after, &flow->held, link) {
        list_remove(&held->link);
        free(held);
    }
    free(flow->in);
}

bool flow_read(struct flow *flow)
{
    if (flow->in_room - flow->in_n < READ_BYTES) {
        flow->in_room = 2 * flow->in_room + READ_BYTES;
        flow->in = realloc(flow->in, flow->in_room);
        if (!flow->in)
            err(1, "proxy");
    }
    ssize_t n = recv(flow->from, flow->in + flow->in_n, flow->in_room - flow->in_n, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    flow->in_n += n > 0 ? (size_t)n : 0;
    return n > 0;
}

static bool write_all(int fd, const uint8_t *bytes, size_t size)
{
    while (size) {
        ssize_t n = send(fd, bytes, size, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR)
            return false;
        bytes += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

bool flow_emit(struct flow *flow, const uint8_t *bytes, size_t size)
{
    if (!flow->holding)
        return write_all(flow->to, bytes, size);
    struct held *held = malloc(sizeof(*held) + size);
    if (!held)
        err(1, "proxy");
    held->size = size;
    memcpy(held->bytes, bytes, size);
    list_append(&flow->held, &held->link);
    return true;
}

bool flow_flush(struct flow *flow)
{
    struct held *held, *after;
    bool alive = true;

    flow->holding = false;
    list_each_safe (held, after, &flow->held, link) {
        alive = alive && write_all(flow->to, held->bytes, held->size);
        list_remove(&held->link);
        free(held);
    }
    return alive;
}
