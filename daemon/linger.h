/*
 * How long a thread looks on for the next event before it sleeps.
 *
 * Whoever was just written to often answers at once, and to wake a sleeper costs tens of microseconds where processors
 * go idle. Looking on spares that, and takes a processor while it lasts. So it is done only after a wait that was short:
 * who is quiet costs nothing, and one that comes too late, again and again, costs no more than half a processor.
 */
#pragma once

#include <stdint.h>

struct lingering {
    int64_t most_ns;   /* 0: never looks on */
    int64_t waited_ns; /* for the event before */
};

/* At most `most_us` microseconds. With one processor for this thread it never looks on: nobody else could act meanwhile. */
void linger_init(struct lingering *l, uint64_t most_us);
/* For how long to look on now. */
int64_t linger_ns(const struct lingering *l);
/* It took so long until something came, looking on and asleep. */
void linger_waited(struct lingering *l, int64_t ns);
