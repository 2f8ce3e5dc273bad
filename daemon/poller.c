#include "poller.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

int poller_init(struct poller *poller)
{
    *poller = (struct poller){.fd = epoll_create1(EPOLL_CLOEXEC)};
    return poller->fd < 0 ? -errno : 0;
}

void poller_destroy(struct poller *poller)
{
    if (poller->fd >= 0)
        close(poller->fd);
    poller->fd = -1;
}

int poller_add(struct poller *poller, struct source *source, int fd, uint32_t events,
               void (*ready)(struct source *source, uint32_t events))
{
    struct epoll_event event = {.events = events, .data.ptr = source};

    *source = (struct source){.fd = fd, .ready = ready};
    if (!epoll_ctl(poller->fd, EPOLL_CTL_ADD, fd, &event))
        return 0;
    source->fd = -1;
    return -errno;
}

void poller_change(struct poller *poller, struct source *source, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = source};

    epoll_ctl(poller->fd, EPOLL_CTL_MOD, source->fd, &event);
}

int poller_remove(struct poller *poller, struct source *source)
{
    int fd = source->fd;

    if (fd < 0 || !source->ready)
        return -1;
    epoll_ctl(poller->fd, EPOLL_CTL_DEL, fd, NULL);
    for (int i = 0; i < poller->n; i++)
        if (poller->told[i] == source)
            poller->told[i] = NULL;
    source->fd = -1;
    return fd;
}

int poller_wait(struct poller *poller, int timeout_ms)
{
    struct epoll_event events[POLLER_BATCH];
    int told = 0, n = epoll_wait(poller->fd, events, POLLER_BATCH, timeout_ms);

    if (n < 0)
        return errno == EINTR ? 0 : -errno;
    for (int i = 0; i < n; i++) {
        poller->told[i] = events[i].data.ptr;
        poller->events[i] = events[i].events;
    }
    poller->n = n;
    for (int i = 0; i < n; i++) {
        struct source *source = poller->told[i];
        if (!source)
            continue;
        source->ready(source, poller->events[i]);
        told++;
    }
    poller->n = 0;
    return told;
}
