/*
 * G166 between processes: rounds of a thousand items through a named channel; what comes out is what went in.
 *
 * Pattern: stress test.
 */
#include "parts.h"

enum { ROUNDS = 2, ITEMS = 1000, SENDERS = 4, RECEIVERS = 4, EACH = ITEMS / SENDERS };

static void sender(struct part *me)
{
    gc_chan items = chan_of(me, "items");

    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < EACH; i++)
            send_text(me, items, "%d %d", round, me->index * EACH + i);
    send_number(me, chan_of(me, "ended"), me->index);
}

static void receiver(struct part *me)
{
    gc_chan items = chan_of(me, "items"), seen = chan_of(me, "seen");
    char item[TEXT_BYTES];

    while (recv_text(me, items, item))
        send_text(me, seen, "%s", item);
    send_number(me, chan_of(me, "ended"), me->index);
}

static void join(struct part *me, int n)
{
    gc_chan ended = chan_of(me, "ended");
    int who;

    for (int i = 0; i < n; i++)
        must(recv_number(me, ended, &who));
}

static void closer(struct part *me)
{
    join(me, SENDERS);
    close_chan(me, chan_of(me, "items"));
    join(me, RECEIVERS);
    close_chan(me, chan_of(me, "seen"));
}

static void accountant(struct part *me)
{
    static char times[ROUNDS][ITEMS];
    gc_chan seen = chan_of(me, "seen");
    char item[TEXT_BYTES];
    int round, id;

    memset(times, 0, sizeof times); /* a host may have run this before */
    while (recv_text(me, seen, item)) {
        must(sscanf(item, "%d %d", &round, &id) == 2);
        times[round][id]++;
    }
    /* "each round 1000 items go in, and the same 1000 come out, each once" */
    /* "the same over a named channel" */
    for (round = 0; round < ROUNDS; round++)
        for (id = 0; id < ITEMS; id++)
            must(times[round][id] == 1);
    say(me, "%d rounds of %d items", ROUNDS, ITEMS);
}

static void stress(void)
{
    must(said(LINES("2 rounds of 1000 items")));
}

GUIDE_PARTS(G166, stress, .channels = {{"items", {.capacity = 10}}, {"seen"}, {"ended"}},
            .parts = {PARTS(SENDERS, sender), PARTS(RECEIVERS, receiver), PART(closer), PART(accountant)});
