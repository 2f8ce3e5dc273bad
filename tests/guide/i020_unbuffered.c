/*
 * G20 between processes: on a channel of capacity 0 send and receive meet, and the value goes straight across.
 *
 * Pattern: rendezvous.
 */
#include "parts.h"

static void text_sender(struct part *me)
{
    send_text(me, chan_of(me, "texts"), "Hello from goroutine!");
    say(me, "sent the text");
}

static void number_sender(struct part *me)
{
    send_number(me, chan_of(me, "numbers"), 42);
    say(me, "sent the number");
}

static void receiver(struct part *me)
{
    gc_chan texts = chan_of(me, "texts"), numbers = chan_of(me, "numbers");
    char text[TEXT_BYTES];
    int number;

    until_waiting(me, texts, 1, 0);
    until_waiting(me, numbers, 1, 0);
    /* "length and capacity are 0, even with a sender parked" */
    must(gc_len(me->g, texts, GC_FOREVER) == 0 && gc_cap(me->g, texts, GC_FOREVER) == 0);
    say(me, "receiving");
    must(recv_text(me, texts, text));
    say(me, "%s", text);
    must(recv_number(me, numbers, &number));
    say(me, "%d", number);
}

static void unbuffered(void)
{
    /* "the value arrives: "Hello from goroutine!", and 42" */
    must(said_times("Hello from goroutine!") == 1 && said_times("42") == 1);
    /* "the sender's "sent" flag is not set before the receive has begun" */
    must(said_before("receiving", "sent the text") && said_before("receiving", "sent the number"));
}

GUIDE_PARTS(G20, unbuffered, .channels = {{"texts"}, {"numbers"}},
            .parts = {PART(text_sender), PART(number_sender), PART(receiver)});
