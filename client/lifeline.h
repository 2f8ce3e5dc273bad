/* The client's end of the lifeline (endpoint.h): never blocks. */
#pragma once

#include <stdbool.h>

#include "endpoint.h"

/* What the daemon said, or that it is gone. */
struct lifeline_news {
    bool greeted; /* `greeting` is there */
    struct greeting greeting;
    int error; /* else: how it ended; 0: after BYE */
    char text[FAREWELL_TEXT_BYTES + 1];
};

/* A descriptor, non-blocking and close-on-exec; -ENOENT, -ECONNREFUSED: nobody there; other negative errno. */
int lifeline_open(const char *path);

/* 1: news; 0: nothing yet; the fd is the caller's. An end without a farewell is -ENETRESET: the daemon is gone,
 * or -ECONNREFUSED when it had not greeted (`greeted` of the last news). -EPROTO in `error`: not a daemon. */
int lifeline_read(int fd, struct lifeline_news *news);

/* What a farewell that was read elsewhere says. */
void lifeline_farewell(struct lifeline_news *news, const struct farewell *farewell);
