/*
 * One direction of a connection: bytes that have come and are no whole frame yet, and frames that are kept back. Belongs
 * to the thread of the proxy.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "list.h"

struct flow {
    int from, to; /* descriptors of the pair */
    uint8_t *in;  /* in_n bytes, behind `gone` that have passed */
    size_t in_n, in_room, gone;
    bool holding, losing; /* keeps everything back; loses everything until a binding */
    struct list held;
    uint64_t shift; /* frames of ours put in: added to every number */
    uint64_t last;  /* number of the last frame that passed */
};

/* A socket that listens at a path, or is connected to it; -1: nobody listens there. */
int flow_socket(const char *path, bool listening);
void flow_init(struct flow *flow, int from, int to);
void flow_clear(struct flow *flow);
/* Reads what has come. False: the other side has ended. */
bool flow_read(struct flow *flow);
/* Writes, or keeps it back. False: the other side is gone. */
bool flow_emit(struct flow *flow, const uint8_t *bytes, size_t size);
/* Lets go what is kept back, and keeps nothing more. False: the other side is gone. */
bool flow_flush(struct flow *flow);
