/*
 * G136 between processes: three sources, two stages and a sink; a monitor reads the depth of every queue.
 *
 * Pattern: pipeline with metrics.
 */
#include "parts.h"

enum { SOURCES = 3, ITEMS = 100, CAPACITY = 10, STAGES = 2, QUEUES = 3 };

static const char *const queues[QUEUES] = {"raw", "parsed", "enriched"};

static void source(struct part *me)
{
    gc_chan raw = chan_of(me, "raw");

    for (int i = 1; i <= ITEMS; i++)
        send_text(me, raw, "%d %d", me->index, i);
    send_number(me, chan_of(me, "ended"), me->index);
}

static void closer(struct part *me)
{
    gc_chan ended = chan_of(me, "ended");
    int who;

    for (int i = 0; i < SOURCES; i++)
        must(recv_number(me, ended, &who));
    close_chan(me, chan_of(me, "raw"));
}

static void stage(struct part *me, const char *from, const char *to, int factor)
{
    gc_chan in = chan_of(me, from), out = chan_of(me, to);
    char text[TEXT_BYTES];
    int number, value;

    while (recv_text(me, in, text)) {
        must(sscanf(text, "%d %d", &number, &value) == 2);
        send_text(me, out, "%d %d", number, factor * number + value);
    }
    close_chan(me, out);
}

static void parse(struct part *me)
{
    stage(me, "raw", "parsed", 0);
}

static void enrich(struct part *me)
{
    stage(me, "parsed", "enriched", 1000);
}

static void sink(struct part *me)
{
    gc_chan in = chan_of(me, "enriched");
    int number, value, sums[SOURCES] = {0}, out = 0;
    char text[TEXT_BYTES];

    step_wait(me, "gate");
    while (recv_text(me, in, text)) {
        must(sscanf(text, "%d %d", &number, &value) == 2);
        sums[number] += value;
        out++;
    }
    /* "the sum of each source is exact: 5050, 105050, 205050" */
    must(ints_are(sums, SOURCES, INTS(5050, 105050, 205050)) && out == SOURCES * ITEMS);
    step_done(me, "drained");
}

/* One line of what the daemon says of the queues. "depth never above the capacity" */
static uint64_t look(struct part *me, struct gc_chan_info *info)
{
    uint64_t waiting = 0;

    for (int i = 0; i < QUEUES; i++) {
        must(gc_chan_stat(me->g, queues[i], &info[i], GC_FOREVER) == 0);
        must(info[i].length <= CAPACITY);
        waiting += info[i].senders;
    }
    return waiting;
}

static void monitor(struct part *me)
{
    struct gc_chan_info info[QUEUES];

    while (look(me, info) != SOURCES + STAGES || info[0].sent != QUEUES * CAPACITY + STAGES)
        ;
    /* "while the sink is held the sources wait: all queues are full, and 32 items are in" */
    must(info[0].length == CAPACITY && info[1].length == CAPACITY && info[2].length == CAPACITY);
    step_done(me, "gate");
    while (look(me, info), info[2].received < SOURCES * ITEMS)
        ;
    step_wait(me, "drained");
    look(me, info); /* one queue is looked at after the other: only now they agree */
    say(me, "in %d, out %d, dropped %d", (int)info[0].sent, (int)info[2].received,
        (int)(info[0].dropped + info[1].dropped + info[2].dropped));
}

static void metrics(void)
{
    /* "in 300, out 300, dropped 0" */
    must(said(LINES("in 300, out 300, dropped 0")));
}

GUIDE_PARTS(G136, metrics,
            .channels = {{"raw", {.capacity = CAPACITY}},
                         {"parsed", {.capacity = CAPACITY}},
                         {"enriched", {.capacity = CAPACITY}},
                         {"ended"},
                         {"gate"},
                         {"drained"}},
            .parts = {PARTS(SOURCES, source), PART(closer), PART(parse), PART(enrich), PART(sink),
                      PART(monitor)});
