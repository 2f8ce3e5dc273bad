/*
 * G26 between processes: five values through capacity 0 and through capacity 2; the receiver is held back.
 *
 * Pattern: how far a sender gets ahead.
 */
#include "parts.h"

static void send_five(struct part *me, const char *name)
{
    gc_chan c = chan_of(me, name);

    for (int i = 1; i <= 5; i++) {
        send_number(me, c, i);
        say(me, "%s: sent", name);
    }
}

static void unbuffered_sender(struct part *me)
{
    send_five(me, "unbuffered");
}

static void buffered_sender(struct part *me)
{
    send_five(me, "buffered");
}

static void receive_five(struct part *me, const char *name)
{
    gc_chan c = chan_of(me, name);
    int number;

    for (int i = 1; i <= 5; i++) {
        say(me, "%s: receive begins", name);
        /* "both deliver 1 to 5 in order" */
        must(recv_number(me, c, &number) && number == i);
    }
}

static void receiver(struct part *me)
{
    until_waiting(me, chan_of(me, "unbuffered"), 1, 0);
    until_waiting(me, chan_of(me, "buffered"), 1, 0);
    say(me, "gate opens");
    receive_five(me, "unbuffered");
    receive_five(me, "buffered");
}

/* Over all lines; *before: sends finished when the gate opened. */
static void count(const char *name, int capacity, int *before)
{
    char sent_line[TEXT_BYTES], begun_line[TEXT_BYTES];
    int sent = 0, begun = 0;

    snprintf(sent_line, sizeof sent_line, "%s: sent", name);
    snprintf(begun_line, sizeof begun_line, "%s: receive begins", name);
    for (size_t i = 0; i < part_lines.n; i++) {
        sent += strcmp(part_lines.line[i], sent_line) == 0;
        begun += strcmp(part_lines.line[i], begun_line) == 0;
        if (strcmp(part_lines.line[i], "gate opens") == 0)
            *before = sent;
        /* "sends finished less receives begun never exceeds the capacity" */
        must(sent - begun <= capacity);
    }
    must(sent == 5 && begun == 5);
}

static void compare_capacities(void)
{
    int unbuffered = -1, buffered = -1;

    count("unbuffered", 0, &unbuffered);
    count("buffered", 2, &buffered);
    /* "sends finished before the first receive: 0 and 2" */
    must(unbuffered == 0 && buffered == 2);
}

GUIDE_PARTS(G26, compare_capacities, .channels = {{"unbuffered"}, {"buffered", {.capacity = 2}}},
            .parts = {PART(unbuffered_sender), PART(buffered_sender), PART(receiver)});
