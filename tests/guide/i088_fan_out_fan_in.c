/*
 * G88 between processes: three workers read one channel, and what they make comes together in another.
 *
 * Pattern: fan-out and fan-in.
 */
#include "parts.h"

enum { ITEMS = 10, WORKERS = 3 };

static void generate(struct part *me)
{
    gc_chan out = chan_of(me, "numbers");

    for (int i = 1; i <= ITEMS; i++)
        send_number(me, out, i);
    close_chan(me, out);
}

static void worker(struct part *me)
{
    gc_chan in = chan_of(me, "numbers"), out = chan_of(me, "merged");
    int number;

    while (recv_number(me, in, &number)) {
        send_text(me, out, "square %d", number * number);
        send_text(me, out, "tenfold %d", 10 * number);
    }
    send_number(me, chan_of(me, "ended"), me->index);
}

/* "the merged channel is closed once, after all inputs" */
static void closer(struct part *me)
{
    gc_chan ended = chan_of(me, "ended"), merged = chan_of(me, "merged");
    int worker;

    for (int i = 0; i < WORKERS; i++)
        must(recv_number(me, ended, &worker));
    close_chan(me, merged);
    must(gc_close(me->g, merged, GC_FOREVER) == -EPIPE);
}

static void printer(struct part *me)
{
    gc_chan in = chan_of(me, "merged");
    char text[TEXT_BYTES];

    while (recv_text(me, in, text))
        say(me, "%s", text);
}

static void fan_out_fan_in(void)
{
    for (int i = 1; i <= ITEMS; i++) {
        /* "the squares {1, 4, 9, 16, 25, 36, 49, 64, 81, 100}, each once" */
        must(said_times("square %d", i * i) == 1);
        /* "the tenfolds {10, 20, 30, 40, 50, 60, 70, 80, 90, 100}, each once" */
        must(said_times("tenfold %d", 10 * i) == 1);
    }
    must(part_lines.n == 2 * ITEMS);
}

GUIDE_PARTS(G88, fan_out_fan_in, .channels = {{"numbers"}, {"merged"}, {"ended"}},
            .parts = {PART(generate), PARTS(WORKERS, worker), PART(closer), PART(printer)});
