/*
 * G93 between processes: what comes in goes out twice, to readers that are not equally fast.
 *
 * Pattern: tee.
 */
#include "parts.h"

static void source(struct part *me)
{
    gc_chan in = chan_of(me, "in");

    for (int i = 1; i <= 5; i++)
        send_number(me, in, i);
    close_chan(me, in);
}

/* Sends to both, in the order in which they are ready; false when it is cancelled while one stalls. */
static bool send_to_both(struct part *me, gc_chan a, gc_chan b, gc_chan stop, struct gc_value v)
{
    gc_chan open[2] = {a, b};
    struct gc_value none = {0};

    for (int i = 0; i < 2; i++) {
        struct gc_case cases[] = {gc_case_send(open[0], v), gc_case_send(open[1], v),
                                  gc_case_recv(stop, &none)};
        int chosen = gc_select(me->g, cases, 3, 0, GC_FOREVER);

        must(chosen >= 0);
        if (chosen == 2)
            return false;
        open[chosen] = GC_NIL; /* this case is off */
    }
    return true;
}

static void tee(struct part *me)
{
    gc_chan in = chan_of(me, "in"), a = chan_of(me, "a"), b = chan_of(me, "b"), stop = chan_of(me, "stop");
    struct gc_value v = {0};

    while (gc_range(me->g, in, &v, 0, GC_FOREVER) > 0)
        must(send_to_both(me, a, b, stop, v));
    close_chan(me, a);
    close_chan(me, b);
    /* "a cancel frees a tee that is stalled" */
    must(!send_to_both(me, chan_of(me, "nobody"), chan_of(me, "nobody_else"), stop, gc_string("lost")));
    say(me, "the stalled tee is free");
}

static void quick_reader(struct part *me)
{
    gc_chan a = chan_of(me, "a");
    int number;

    while (recv_number(me, a, &number))
        say(me, "quick %d", number);
}

/* Stalls before its first receive: the other has one value then, and waits for the second. */
static void slow_reader(struct part *me)
{
    gc_chan a = chan_of(me, "a"), b = chan_of(me, "b"), nobody = chan_of(me, "nobody");
    struct gc_chan_info info;
    int number;

    until_waiting(me, b, 1, 0);
    until_waiting(me, a, 0, 1);
    must(gc_chan_info(me->g, a, &info, GC_FOREVER) == 0);
    /* "a stalled reader holds the other back: it is one value ahead" */
    must(info.received == 1);
    say(me, "stalled");
    /* "no deadlock: when it reads again both go on" */
    while (recv_number(me, b, &number))
        say(me, "slow %d", number);
    until_waiting(me, nobody, 1, 0);
    step_done(me, "stop");
}

static void tee_to_two(void)
{
    /* "both get 1, 2, 3, 4, 5 in order, and both are closed" */
    must(said_by("quick", LINES("quick 1", "quick 2", "quick 3", "quick 4", "quick 5")));
    must(said_by("slow", LINES("slow 1", "slow 2", "slow 3", "slow 4", "slow 5")));
    must(said_before("stalled", "quick 2") && said_times("the stalled tee is free") == 1);
}

GUIDE_PARTS(G93, tee_to_two, .channels = {{"in"}, {"a"}, {"b"}, {"stop"}, {"nobody"}, {"nobody_else"}},
            .parts = {PART(source), PART(tee), PART(quick_reader), PART(slow_reader)});
