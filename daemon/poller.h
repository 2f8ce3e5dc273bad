/*
 * An epoll set whose members are told by a function.
 *
 * A source may be removed, and its memory freed, from within any source's function, also one of the same
 * batch: poller_remove takes its event out of what is still to be told. Hub thread.
 */
#pragma once

#include <stdint.h>

struct source {
    int fd; /* the caller's; -1: not in the set */
    void (*ready)(struct source *source, uint32_t events);
};

enum { POLLER_BATCH = 256 };

struct poller {
    int fd;
    struct source *told[POLLER_BATCH];
    uint32_t events[POLLER_BATCH];
    int n;
};

/* 0 or negative errno value. */
int poller_init(struct poller *poller);
void poller_destroy(struct poller *poller);
/* Level-triggered. 0 or negative errno value, with source->fd = -1. */
int poller_add(struct poller *poller, struct source *source, int fd, uint32_t events,
               void (*ready)(struct source *source, uint32_t events));
/* Of a source in the set: other events. */
void poller_change(struct poller *poller, struct source *source, uint32_t events);
/* Does not close the descriptor, which it returns; -1 when it was not in the set. */
int poller_remove(struct poller *poller, struct source *source);
/* Waits at most timeout_ms (-1: for ever) and tells all that are ready. Count told, or negative errno value. */
int poller_wait(struct poller *poller, int timeout_ms);
