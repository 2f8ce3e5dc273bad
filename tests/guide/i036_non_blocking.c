/*
 * G36 between processes: sends and receives that do not wait.
 *
 * Pattern: select with default.
 */
#include "parts.h"

static void parked_sender(struct part *me)
{
    step_wait(me, "sender_may");
    send_text(me, chan_of(me, "meet"), "from the parked sender");
}

static void parked_receiver(struct part *me)
{
    char text[TEXT_BYTES];

    step_wait(me, "receiver_may");
    must(recv_text(me, chan_of(me, "meet"), text));
    say(me, "received %s", text);
}

static void must_be_refused(struct part *me)
{
    gc_chan meet = chan_of(me, "meet"), full = chan_of(me, "full");
    struct gc_value v = {0};

    /* "on an empty channel "No message available", on a full one "Channel full, message not sent"" */
    if (gc_recv(me->g, meet, &v, 0, GC_NOW) == -EAGAIN)
        say(me, "No message available");
    must(gc_send(me->g, full, gc_string("fits"), GC_NOW) == 0);
    if (gc_send(me->g, full, gc_string("too much"), GC_NOW) == -EAGAIN)
        say(me, "Channel full, message not sent");
    /* "the default is never taken while a case is ready" */
    for (int i = 0; i < 100; i++) {
        struct gc_case cases[] = {gc_case_recv(meet, &v), gc_case_recv(full, &v)};

        must(gc_select(me->g, cases, 2, 0, GC_NOW) == 1);
        gc_value_clear(&v);
        must(gc_send(me->g, full, gc_string("again"), GC_NOW) == 0);
    }
    must(gc_recv(me->g, full, &v, 0, GC_NOW) == 1);
    gc_value_clear(&v);
}

static void trier(struct part *me)
{
    gc_chan meet = chan_of(me, "meet");
    struct gc_value v = {0};

    must_be_refused(me);
    /* "with a parked sender or receiver the try succeeds" */
    step_done(me, "sender_may");
    until_waiting(me, meet, 1, 0);
    must(gc_recv(me->g, meet, &v, 0, GC_NOW) == 1);
    say(me, "tried, and received %.*s", (int)v.size, (const char *)v.data);
    gc_value_clear(&v);
    step_done(me, "receiver_may");
    until_waiting(me, meet, 0, 1);
    must(gc_send(me->g, meet, gc_string("what was tried"), GC_NOW) == 0);
}

static void non_blocking(void)
{
    must(said(LINES("No message available", "Channel full, message not sent",
                    "tried, and received from the parked sender", "received what was tried")));
}

GUIDE_PARTS(G36, non_blocking,
            .channels = {{"meet"}, {"full", {.capacity = 1}}, {"sender_may"}, {"receiver_may"}},
            .parts = {PART(parked_sender), PART(parked_receiver), PART(trier)});
