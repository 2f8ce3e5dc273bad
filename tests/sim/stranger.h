/* The stranger, who keeps no rule of the protocol and is there for one event: mistakes.c, corners.c. */
#pragma once

#include "sim.h"

struct stranger {
    struct sim *sim;
    uint64_t conn, peer, frame, op;
    struct secret secret;
};

/* Sends a frame, whose number and version are filled in where they are not said. */
void stranger_says(struct stranger *s, const struct client_frame *with);
/* One operation, whose id is filled in where it is not said. */
void stranger_asks(struct stranger *s, struct request request);
/* corners.c: a few mistakes that need more than one operation, or that no client can send. */
void stranger_corners(struct stranger *s);
