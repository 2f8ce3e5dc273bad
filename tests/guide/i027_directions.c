/*
 * G27 between processes: a handle may send, receive or close only as it was opened to.
 *
 * Pattern: direction is a right of the handle.
 */
#include "parts.h"

static gc_chan open_with(struct part *me, const char *name, unsigned rights)
{
    gc_chan c;

    must(gc_open(me->g, name,
                 &(struct gc_chan_options){.size = sizeof(struct gc_chan_options), .rights = rights}, &c,
                 GC_FOREVER) == 0);
    return c;
}

static void producer(struct part *me)
{
    gc_chan out = open_with(me, "numbers", GC_MAY_SEND | GC_MAY_CLOSE);
    struct gc_value v = {0};

    step_wait(me, "refused");
    must(gc_recv(me->g, out, &v, 0, GC_FOREVER) == -EPERM);
    for (int i = 1; i <= 5; i++)
        send_number(me, out, i);
    close_chan(me, out);
    send_number(me, open_with(me, "answer", GC_MAY_SEND), 42);
}

/* "it is EPERM, without effect" */
static void trespasser(struct part *me)
{
    gc_chan in = open_with(me, "numbers", GC_MAY_RECV);
    struct gc_chan_info info;

    must(gc_send(me->g, in, gc_string("666"), GC_FOREVER) == -EPERM);
    must(gc_close(me->g, in, GC_FOREVER) == -EPERM);
    must(gc_chan_info(me->g, in, &info, GC_FOREVER) == 0);
    must(info.sent == 0 && info.senders == 0 && !info.closed);
    step_done(me, "refused");
}

static void consumer(struct part *me)
{
    gc_chan in = open_with(me, "numbers", GC_MAY_RECV);
    int number;

    while (recv_number(me, in, &number))
        say(me, "Consumed: %d", number);
    must(recv_number(me, open_with(me, "answer", GC_MAY_RECV), &number));
    say(me, "%d", number);
}

static void directions(void)
{
    /* "consumed 1 to 5, and 42" */
    must(said(LINES("Consumed: 1", "Consumed: 2", "Consumed: 3", "Consumed: 4", "Consumed: 5", "42")));
}

GUIDE_PARTS(G27, directions, .channels = {{"numbers"}, {"answer"}, {"refused"}},
            .parts = {PART(producer), PART(trespasser), PART(consumer)});
