/* A durable channel: one process sends values, so many in each operation, another one receives and acknowledges them. */
#include <stdio.h>

#include "durable.h"
#include "goclient_chan.h"

static gc_client *g;
static gc_chan channel;

static void check(int r, const char *what)
{
    if (r < 0)
        errx(1, "%s: %s (%s)", what, gc_strerror(r), gc_why());
}

static void open_channel(const char *where)
{
    struct gc_options options = {
        .size = sizeof options, .endpoint = where, .absent_ms = 60000, .answer_ms = 60000};
    struct gc_chan_options wanted = {
        .size = sizeof wanted, .flags = GC_CREATE | GC_DURABLE, .capacity = AHEAD_MAX};
    char why[GC_WHY_BYTES];

    if (gc_connect(&options, &g, why) < 0)
        errx(1, "%s", why);
    check(gc_open(g, "bench", &wanted, &channel, GC_FOREVER), "open");
}

void ours_send(const char *where, size_t many)
{
    struct gc_value values[WINDOW];

    if (many > WINDOW)
        errx(2, "at most %d values at once", WINDOW);
    open_channel(where);
    for (size_t i = 0; i < many; i++)
        values[i] = gc_bytes(argument, ARGUMENT_BYTES);
    ready();
    for (;;) {
        int n = gc_send_many(g, channel, values, many, GC_FOREVER);
        check(n, "send");
        count(&tally->accepted, (uint64_t)n);
    }
}

void ours_receive(const char *where, size_t number)
{
    struct gc_value v = {0};
    gc_window *window;
    int r;

    open_channel(where);
    check(gc_window_open(g, channel, WINDOW, &window, GC_FOREVER), "window");
    ready();
    while ((r = gc_window_range(window, &v, 0, GC_FOREVER)) > 0)
        count(&tally->ended, 1);
    check(r, "receive");
}
