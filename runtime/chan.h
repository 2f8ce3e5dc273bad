/*
 * Channels, as select sees them. All functions here need the channel's lock.
 *
 * Invariants (chan_check): a parked receiver means an empty buffer; a free slot means no parked sender.
 * Entries whose wait is over (a select that won elsewhere) may lie in the queues and do not count;
 * waiter_claim drops them.
 */
#pragma once

#include <stdbool.h>

#include "waiting.h"

struct go_chan {
    struct lock lock;
    bool closed;
    _Atomic int refs;
    size_t value_bytes, capacity;
    _Atomic size_t count; /* written under the lock */
    size_t head;          /* of the ring of values */
    struct list receivers, senders;
    struct bubble *bubble;
    struct go_group *group;
    unsigned char *buffer;
};

/* The `group` of a channel that something outside every group feeds: a timer. */
#define CHAN_NEVER_LOCAL ((struct go_group *)-1)

void chan_init(struct go_chan *c, size_t value_bytes, size_t capacity, unsigned char *buffer);

/* False: it would have to wait. True: *result is what the call returns, and a partner may be in `wakes`. */
bool chan_try_send(struct go_chan *c, const void *value, int *result, struct wake_list *wakes);
bool chan_try_recv(struct go_chan *c, void *value, int *result, struct wake_list *wakes);

/* False if it was closed already. */
bool chan_try_close(struct go_chan *c, struct wake_list *wakes);

/* Takes the lock itself: lets `done` end its wait when the channel is closed, at once if it is; and takes
 * that back. */
void chan_watch_close(struct go_chan *c, struct waiter *done);
void chan_unwatch(struct go_chan *c, struct waiter *done);

/* WAIT_GROUP and WAIT_BUBBLE as far as the channel allows them for g. */
unsigned chan_locality(const struct go_chan *c, const struct g *g);
