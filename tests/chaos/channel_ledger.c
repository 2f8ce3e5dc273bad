/*
 * The outside witness of what went through a durable channel.
 *
 *     channel_ledger send FILE NAME THREADS   THREADS senders, each with a session of its own, send "SENDER NUMBER" over and
 *                                             over; "T SENDER NUMBER" is a line of FILE before each send, "S SENDER NUMBER"
 *                                             when it was acknowledged. Ends on SIGTERM.
 *     channel_ledger recv FILE NAME           receives; "R SENDER NUMBER FLAGGED" is a line of FILE before it acknowledges.
 *                                             Ends on SIGTERM.
 *     channel_ledger drain FILE NAME          the same until nothing is there
 *
 * Each line is followed by a newline on standard output, for who waits for progress.
 */
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "book.h"
#include "term.h"

enum { THREADS_MAX = 64, LINE_BYTES = 96, CAPACITY = 100, PATIENCE_MS = 100 };

static int ledger_fd;
static const char *name;

static void note(char what, const char *value, const char *rest)
{
    book_line(ledger_fd, "%c %s%s", what, value, rest);
    if (what != 'T')
        book_progress();
}

/* Where somebody has made it otherwise, as it is. */
static int open_or_make(gc_client *g, gc_chan *c)
{
    struct gc_chan_options options = {
        .size = sizeof options, .flags = GC_CREATE | GC_DURABLE, .capacity = CAPACITY};
    int r = gc_open(g, name, &options, c, GC_FOREVER);

    return r == -EEXIST ? gc_open(g, name, NULL, c, GC_FOREVER) : r;
}

static gc_chan must_open(gc_client *g)
{
    gc_chan c;
    int r;

    do
        r = open_or_make(g, &c);
    while (survivor_lost(r));
    if (r < 0)
        errx(1, "open: %s (%s)", gc_strerror(r), gc_why());
    return c;
}

static void *sender(void *number)
{
    gc_client *g = survivor();
    gc_chan c = must_open(g);
    char value[LINE_BYTES / 2];

    for (uint64_t i = 0; !stop; i++) {
        snprintf(value, sizeof value, "%d-%d %" PRIu64, getpid(), (int)(intptr_t)number, i);
        note('T', value, "");
        int r = gc_send(g, c, gc_string(value), GC_FOREVER);
        if (r == 0)
            note('S', value, "");
        else if (survivor_lost(r))
            c = must_open(g);
        else
            errx(1, "send: %s (%s)", gc_strerror(r), gc_why());
    }
    gc_disconnect(g);
    return NULL;
}

static int send_all(int threads)
{
    pthread_t thread[THREADS_MAX];

    for (int i = 0; i < threads; i++)
        if (pthread_create(&thread[i], NULL, sender, (void *)(intptr_t)i) != 0)
            errx(1, "cannot start sender %d", i);
    for (int i = 0; i < threads; i++)
        pthread_join(thread[i], NULL);
    return 0;
}

/* The line is there before the value is acknowledged. */
static void take(gc_client *g, struct gc_value *v)
{
    char value[LINE_BYTES / 2];

    snprintf(value, sizeof value, "%.*s", (int)v->size, (const char *)v->data);
    note('R', value, v->flags & GC_REDELIVERED ? " 1" : " 0");
    gc_ack(g, v); /* where that is lost the value comes again, with the flag */
    gc_value_clear(v);
}

static int receive(bool drain)
{
    gc_client *g = survivor();
    gc_chan c = must_open(g);

    while (!stop) {
        struct gc_value v;
        int r = gc_recv(g, c, &v, GC_HOLD, drain ? GC_NOW : gc_after_ms(PATIENCE_MS));

        if (r == 1)
            take(g, &v);
        else if (drain && r == -EAGAIN)
            break;
        else if (survivor_lost(r))
            c = must_open(g);
        else if (r != -ETIMEDOUT)
            errx(1, "receive: %s (%s)", gc_strerror(r), gc_why());
    }
    gc_disconnect(g);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 4 || (!strcmp(argv[1], "send") && argc < 5))
        errx(2, "usage: channel_ledger send FILE NAME THREADS | recv FILE NAME | drain FILE NAME");
    take_term();
    name = argv[3];
    ledger_fd = book_open(argv[2]);
    if (!strcmp(argv[1], "send"))
        return send_all(atoi(argv[4]) < THREADS_MAX ? atoi(argv[4]) : THREADS_MAX);
    return receive(!strcmp(argv[1], "drain"));
}
