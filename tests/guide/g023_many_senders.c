/*
 * G23 Several senders, one channel.
 *
 * Pattern: fan-in on one channel. Each sender keeps its order; between senders there is none.
 */
#include "guide.h"

enum { SENDERS = 3, EACH = 3 };

struct sender {
    int id;
    go_chan *out;
};

static void send_own(void *arg)
{
    const struct sender *me = arg;

    for (int j = 0; j < EACH; j++)
        must(go_chan_send(me->out, &(int){me->id * 10 + j}, GO_FOREVER) == 0);
}

static void many_senders(void)
{
    go_chan *c = go_chan_new(sizeof(int), 0);
    int got[SENDERS * EACH], last[SENDERS + 1] = {0};

    for (int id = 1; id <= SENDERS; id++)
        must(go_spawn(send_own, &((struct sender){id, c}), sizeof(struct sender)) == 0);
    for (int i = 0; i < SENDERS * EACH; i++) {
        must(go_chan_recv(c, &got[i], GO_FOREVER) == 1);
        say("%d", got[i]);
        /* "each sender's own values in ascending order" */
        must(got[i] > last[got[i] / 10]);
        last[got[i] / 10] = got[i];
    }
    /* "the set {10, 11, 12, 20, 21, 22, 30, 31, 32}, in any order between senders" */
    must(ints_are_set(got, SENDERS * EACH, INTS(10, 11, 12, 20, 21, 22, 30, 31, 32)));
    until_live(1);
    go_chan_unref(c);
}

GUIDE_ROW(G23, many_senders);
