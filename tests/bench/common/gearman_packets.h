/* Packets of the protocol of gearmand, on one connection of this process. WHERE: a port of this machine. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum gearman_kind {
    GEARMAN_CAN_DO = 1,
    GEARMAN_PRE_SLEEP = 4,
    GEARMAN_NOOP = 6,
    GEARMAN_SUBMIT = 7,
    GEARMAN_CREATED = 8,
    GEARMAN_GRAB = 9,
    GEARMAN_NO_JOB = 10,
    GEARMAN_ASSIGN = 11,
    GEARMAN_COMPLETE = 13,
    GEARMAN_SUBMIT_BACKGROUND = 18,
};

struct gearman_header {
    char magic[4];
    uint32_t kind, bytes; /* big endian */
};

void gearman_connect(const char *where);
/* Writes the header of a packet with that many bytes; its size. */
size_t gearman_header(char *at, enum gearman_kind kind, size_t bytes);
/* A packet of at most 64 bytes. */
void gearman_say(enum gearman_kind kind, const void *data, size_t bytes);
/* Packets that were built with gearman_header. */
void gearman_write(const char *packets, size_t bytes);
/* The next packet: its data lives until the one after it. */
enum gearman_kind gearman_hear(const char **data, size_t *bytes);
/* Of a worker that has asked for a job: sleeps as the protocol wants it until there is one. Its data, as of gearman_hear. */
const char *gearman_take(size_t *bytes);
