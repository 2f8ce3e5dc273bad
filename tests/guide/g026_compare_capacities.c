/*
 * G26 Unbuffered against buffered: the capacity is how far the sender may be ahead.
 *
 * Pattern: rendezvous and bounded queue, side by side.
 */
#include "guide.h"

enum { VALUES = 5 };

struct sender {
    go_chan *out;
    atomic_int sent, receiving;
    int capacity;
};

static void send_values(void *arg)
{
    struct sender *me = arg;

    for (int i = 1; i <= VALUES; i++) {
        must(go_chan_send(me->out, &i, GO_FOREVER) == 0);
        atomic_fetch_add(&me->sent, 1);
        /* "sends finished less receives begun never exceeds the capacity" */
        must(atomic_load(&me->sent) - atomic_load(&me->receiving) <= me->capacity);
    }
}

static int sent_before_the_first_receive(int capacity)
{
    struct sender sender = {.out = go_chan_new(sizeof(int), (size_t)capacity), .capacity = capacity};
    int got[VALUES], before;

    must(go_spawn(send_values, &sender, 0) == 0);
    until_parked(1, "chan send");
    before = atomic_load(&sender.sent);
    for (int i = 0; i < VALUES; i++) {
        atomic_fetch_add(&sender.receiving, 1);
        must(go_chan_recv(sender.out, &got[i], GO_FOREVER) == 1);
    }
    /* "both deliver 1 to 5 in order" */
    must(ints_are(got, VALUES, INTS(1, 2, 3, 4, 5)));
    until_live(1);
    go_chan_unref(sender.out);
    return before;
}

static void compare_capacities(void)
{
    int unbuffered = sent_before_the_first_receive(0), buffered = sent_before_the_first_receive(2);

    say("unbuffered: %d sends done before the first receive", unbuffered);
    say("buffered: %d sends done before the first receive", buffered);
    /* "sends finished before the first receive: 0 and 2" */
    must(unbuffered == 0 && buffered == 2);
}

GUIDE_ROW(G26, compare_capacities);
