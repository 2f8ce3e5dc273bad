/*
 * G56 between processes: one process owns a counter; the others send it what to add, and ask it.
 *
 * Pattern: confinement; a service with an owner.
 */
#include "parts.h"

/* Adds until `add` is closed; whoever asks is told the number of that moment. */
static void owner(struct part *me)
{
    gc_chan add = chan_of(me, "add"), ask = chan_of(me, "ask"), answer = chan_of(me, "answer");
    int counter = 0;

    for (;;) {
        struct gc_value v = {0};
        struct gc_case cases[] = {gc_case_recv(add, &v), gc_case_recv(ask, &v)};
        int chosen = gc_select(me->g, cases, 2, 0, GC_FOREVER);

        must(chosen >= 0);
        if (cases[chosen].status == 0)
            break;
        if (chosen == 0)
            counter += number_of(&v);
        else
            send_number(me, answer, counter);
        gc_value_clear(&v);
    }
    say(me, "the owner has ended");
    step_done(me, "joined");
}

static void adder(struct part *me)
{
    gc_chan add = chan_of(me, "add");

    for (int i = 0; i < 25; i++)
        send_number(me, add, 1);
    send_text(me, chan_of(me, "ready"), "ready");
}

static void asker(struct part *me)
{
    gc_chan ready = chan_of(me, "ready");
    char text[TEXT_BYTES];
    int counter;

    for (int i = 0; i < 4; i++)
        must(recv_text(me, ready, text));
    send_text(me, chan_of(me, "ask"), "how many?");
    must(recv_number(me, chan_of(me, "answer"), &counter));
    say(me, "%d", counter);
    /* "the owner is closed and joined: nothing of it is left" */
    close_chan(me, chan_of(me, "add"));
    step_wait(me, "joined");
}

static void counter_with_owner(void)
{
    /* "exactly 100, read through the owner" */
    must(said(LINES("100", "the owner has ended")));
}

GUIDE_PARTS(G56, counter_with_owner, .channels = {{"add"}, {"ask"}, {"answer"}, {"ready"}, {"joined"}},
            .parts = {PART(owner), PARTS(4, adder), PART(asker)});
