/*
 * G23 between processes: three senders, one channel.
 *
 * Pattern: fan-in on one channel.
 */
#include "parts.h"

static void sender(struct part *me)
{
    gc_chan numbers = chan_of(me, "numbers");

    for (int j = 0; j < 3; j++)
        send_number(me, numbers, (me->index + 1) * 10 + j);
}

static void receiver(struct part *me)
{
    gc_chan numbers = chan_of(me, "numbers");
    int number;

    until_waiting(me, numbers, 3, 0); /* so that all three compete */
    for (int i = 0; i < 9; i++) {
        must(recv_number(me, numbers, &number));
        say(me, "%d", number);
    }
}

static void many_senders(void)
{
    /* "the set {10, 11, 12, 20, 21, 22, 30, 31, 32}, in any order between senders" */
    must(said_in_any_order(LINES("10", "11", "12", "20", "21", "22", "30", "31", "32")));
    /* "each sender's own values in ascending order" */
    must(said_by("1", LINES("10", "11", "12")) && said_by("2", LINES("20", "21", "22")) &&
         said_by("3", LINES("30", "31", "32")));
}

GUIDE_PARTS(G23, many_senders, .channels = {{"numbers"}}, .parts = {PARTS(3, sender), PART(receiver)});
