/*
 * G24 A buffered channel: first in, first out, and no waiting while there is room.
 *
 * Pattern: queue.
 */
#include "guide.h"

static void buffered(void)
{
    go_chan *c = go_chan_new(sizeof(int), 3);
    int got[3];

    for (int i = 1; i <= 3; i++)
        /* "no send waits: there is no receiver" */
        must(go_chan_send(c, &i, GO_NOW) == 0);
    /* "length 3, capacity 3" */
    must(go_chan_len(c) == 3 && go_chan_cap(c) == 3);
    /* "a fourth try is refused" */
    must(go_chan_send(c, &(int){4}, GO_NOW) == -EAGAIN);
    for (int i = 0; i < 3; i++) {
        must(go_chan_recv(c, &got[i], GO_FOREVER) == 1);
        say("%d", got[i]);
    }
    /* "received 1, 2, 3 in order" */
    must(ints_are(got, 3, INTS(1, 2, 3)));
    must(go_chan_len(c) == 0);
    go_chan_unref(c);
}

GUIDE_ROW(G24, buffered);
