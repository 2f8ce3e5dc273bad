/*
 * G38 between processes: a select that receives from one process or sends to another, a thousand times.
 *
 * Pattern: exactly one case takes effect.
 */
#include "parts.h"

enum { SELECTS = 1000 };

/* Gives until it is told to stop: its value or the stop, never both. */
static void giver(struct part *me)
{
    gc_chan in = chan_of(me, "in"), stop = chan_of(me, "stop");
    struct gc_value none = {0};
    int given = 0;

    for (;;) {
        struct gc_case cases[] = {gc_case_send(in, gc_string("given")), gc_case_recv(stop, &none)};
        int chosen = gc_select(me->g, cases, 2, 0, GC_FOREVER);

        if (chosen == 1)
            break;
        must(chosen == 0 && cases[0].status == 0);
        given++;
    }
    send_number(me, chan_of(me, "tally"), given);
}

static void taker(struct part *me)
{
    gc_chan out = chan_of(me, "out");
    int number, taken = 0, sum = 0;

    while (recv_number(me, out, &number)) {
        taken++;
        sum += number;
    }
    send_text(me, chan_of(me, "sums"), "%d values, sum %d", taken, sum);
}

static void selector(struct part *me)
{
    gc_chan in = chan_of(me, "in"), out = chan_of(me, "out");
    int received = 0, sent = 0, sum = 0, given;
    char text[TEXT_BYTES], wanted[TEXT_BYTES];

    for (int i = 1; i <= SELECTS; i++) {
        struct gc_value v = {0};
        char number[16];
        struct gc_case cases[] = {gc_case_recv(in, &v), gc_case_send(out, gc_string(number))};
        int chosen;

        snprintf(number, sizeof number, "%d", i);
        cases[1].send.size = strlen(number);
        chosen = gc_select(me->g, cases, 2, 0, GC_FOREVER);
        must(cases[chosen].status == (chosen == 0 ? 1 : 0));
        received += chosen == 0;
        sent += chosen == 1;
        sum += chosen == 1 ? i : 0;
        gc_value_clear(&v);
    }
    step_done(me, "stop");
    close_chan(me, out);
    /* "exactly one case takes effect each time: sent + received = 1000" */
    must(sent + received == SELECTS);
    must(recv_number(me, chan_of(me, "tally"), &given) && given == received);
    /* "the values of send cases that lost appear nowhere" */
    snprintf(wanted, sizeof wanted, "%d values, sum %d", sent, sum);
    must(recv_text(me, chan_of(me, "sums"), text) && strcmp(text, wanted) == 0);
    say(me, "every select took effect once");
}

/* "a send or the end of a context: the context, and the value goes nowhere" */
static void context_case(struct part *me)
{
    gc_ctx *ctx = gc_ctx_new(me->g);
    gc_chan lonely = chan_of(me, "lonely");
    struct gc_chan_info info;

    must(ctx != NULL);
    gc_ctx_cancel(ctx);
    must(gc_send(me->g, lonely, gc_string("never"), gc_with(ctx)) == -ECANCELED);
    must(gc_chan_info(me->g, lonely, &info, GC_FOREVER) == 0 && info.sent == 0 && info.senders == 0);
    gc_ctx_free(ctx);
}

static void send_and_receive(void)
{
    must(said(LINES("every select took effect once")));
}

GUIDE_PARTS(G38, send_and_receive, .channels = {{"in"}, {"out"}, {"stop"}, {"tally"}, {"sums"}, {"lonely"}},
            .parts = {PART(giver), PART(taker), PART(selector), PART(context_case)});
