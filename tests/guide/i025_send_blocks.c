/*
 * G25 between processes: the third send on a channel of capacity 2 waits for a receive.
 *
 * Pattern: back-pressure of a bounded buffer.
 */
#include "parts.h"

static void sender(struct part *me)
{
    gc_chan messages = chan_of(me, "messages");

    for (int i = 1; i <= 3; i++) {
        send_text(me, messages, "msg%d", i);
        say(me, "Stored 'msg%d'", i);
    }
}

static void observer(struct part *me)
{
    gc_chan messages = chan_of(me, "messages");

    until_waiting(me, messages, 1, 0);
    must(gc_len(me->g, messages, GC_FOREVER) == 2);
    say(me, "the sender is parked");
    step_done(me, "gate");
}

static void receiver(struct part *me)
{
    gc_chan messages = chan_of(me, "messages");
    char text[TEXT_BYTES];

    step_wait(me, "gate");
    must(recv_text(me, messages, text));
    say(me, "Received '%s'", text);
    /* "after one receive it goes on" */
    until_waiting(me, messages, 0, 0);
    for (int i = 0; i < 2; i++) {
        must(recv_text(me, messages, text));
        say(me, "Received '%s'", text);
    }
}

static void send_blocks(void)
{
    /* "before the first receive: msg1 and msg2 stored, the sender parked on msg3, length 2" */
    must(said_before("Stored 'msg1'", "the sender is parked") &&
         said_before("Stored 'msg2'", "the sender is parked"));
    must(said_before("the sender is parked", "Stored 'msg3'"));
    /* "received msg1, msg2, msg3" */
    must(said_by("Received", LINES("Received 'msg1'", "Received 'msg2'", "Received 'msg3'")));
}

GUIDE_PARTS(G25, send_blocks, .channels = {{"messages", {.capacity = 2}}, {"gate"}},
            .parts = {PART(sender), PART(observer), PART(receiver)});
