/*
 * G86 between processes: the consumer takes two values of an endless pipeline and goes away.
 *
 * Pattern: cancel travels up a pipeline; every send of a stage can be told to stop.
 */
#include "parts.h"

/* Sends, unless the pipeline is cancelled before: then false. */
static bool send_or_stop(struct part *me, gc_chan out, gc_chan stop, int number)
{
    struct gc_value none = {0};
    char text[16];
    struct gc_case cases[] = {gc_case_recv(stop, &none), gc_case_of(GC_CASE_SEND, out)};
    int chosen;

    snprintf(text, sizeof text, "%d", number);
    cases[1].send = gc_string(text);
    chosen = gc_select(me->g, cases, 2, 0, GC_FOREVER);
    must(chosen >= 0);
    return chosen == 1;
}

static void generate(struct part *me)
{
    gc_chan out = chan_of(me, "numbers"), stop = chan_of(me, "stop");
    int number = 1;

    while (send_or_stop(me, out, stop, number))
        number++;
    close_chan(me, out);
    say(me, "generate has ended");
}

static void square(struct part *me)
{
    gc_chan in = chan_of(me, "numbers"), out = chan_of(me, "squares"), stop = chan_of(me, "stop");
    int number;

    while (recv_number(me, in, &number) && send_or_stop(me, out, stop, number * number))
        ;
    close_chan(me, out);
    say(me, "square has ended");
}

static void consumer(struct part *me)
{
    gc_chan in = chan_of(me, "squares");
    int number;

    for (int i = 0; i < 2; i++) {
        must(recv_number(me, in, &number));
        say(me, "%d", number);
    }
    until_waiting(me, in, 1, 0); /* the stages are on their way to give more */
    step_done(me, "stop");
}

/* "their values under way are gone, and their channels are closed" */
static void inspector(struct part *me)
{
    static const char *const names[] = {"numbers", "squares"};
    struct gc_chan_info info;

    step_wait(me, "stop");
    for (int i = 0; i < 2; i++) {
        char text[TEXT_BYTES];

        while (recv_text(me, chan_of(me, names[i]), text))
            ;
        must(gc_chan_stat(me->g, names[i], &info, GC_FOREVER) == 0);
        must(info.closed && info.length == 0 && info.senders == 0);
    }
}

static void left_early(void)
{
    /* "exactly 2 values" */
    must(said_times("1") == 1 && said_times("4") == 1 && part_lines.n == 4);
    /* "after the cancel every stage has ended" */
    must(said_times("generate has ended") == 1 && said_times("square has ended") == 1);
}

GUIDE_PARTS(G86, left_early, .channels = {{"numbers"}, {"squares"}, {"stop"}},
            .parts = {PART(generate), PART(square), PART(consumer), PART(inspector)});
