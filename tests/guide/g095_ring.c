/*
 * G95 A channel that keeps the last three values: who sends never waits, and the oldest one gives way.
 *
 * Pattern: ring buffer. For measurements, of which only the latest count.
 */
#include "goroutine_patterns.h"
#include "guide.h"

enum { CAPACITY = 3, SENT = 10 };

static void ring(void)
{
    go_ring *ring = go_ring_new(sizeof(int), CAPACITY);
    int values[SENT], n = 0, oldest = 0, lost = 0;

    must(ring);
    for (int i = 1; i <= SENT; i++) {
        int dropped = go_ring_send(ring, &i, &oldest);

        /* "who sends never waits: 1 to 10 are sent without a reader" */
        must(dropped == (i > CAPACITY));
        lost += dropped;
        /* "the oldest one gives way" */
        must(!dropped || oldest == i - CAPACITY);
    }
    must(go_ring_close(ring) == 0);
    while (n < SENT && go_receiver_range(go_ring_receiver(ring), &values[n])) {
        say("Received: %d", values[n]);
        n++;
    }
    /* "received exactly 8, 9, 10" */
    must(ints_are(values, (size_t)n, INTS(8, 9, 10)));
    /* "7 are counted as dropped" */
    must(go_ring_dropped(ring) == 7 && lost == 7);
    go_ring_unref(ring);
}

GUIDE_ROW(G95, ring);
