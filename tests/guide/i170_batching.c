/*
 * G170 between processes: ten thousand items one by one, and in groups of a hundred; what it saves is counted.
 *
 * Pattern: batching.
 */
#include "parts.h"

enum { ITEMS = 10000, GROUP = 100, NUMBER_BYTES = 12 };

/* Operations and frames that the session has used since the last look. */
static uint64_t frames_since(struct part *me, uint64_t *before)
{
    struct gc_about about;
    uint64_t frames;

    gc_about(me->g, &about);
    frames = about.frames_sent - *before;
    *before = about.frames_sent;
    return frames;
}

static void send_group(struct part *me, gc_chan items, int first, int n)
{
    struct gc_value values[GROUP];
    char text[GROUP][NUMBER_BYTES];

    for (int i = 0; i < n; i++) {
        snprintf(text[i], NUMBER_BYTES, "%d", first + i);
        values[i] = gc_string(text[i]);
    }
    must(gc_send_many(me->g, items, values, (size_t)n, GC_FOREVER) == n);
}

static void sender(struct part *me)
{
    gc_chan items = chan_of(me, "items");
    uint64_t before = 0, singly, grouped;
    int operations = 0;

    (void)frames_since(me, &before);
    for (int i = 0; i < ITEMS; i++, operations++)
        send_group(me, items, i, 1);
    must(operations == ITEMS);
    singly = frames_since(me, &before);
    operations = 0;
    for (int i = 0; i < ITEMS; i += GROUP, operations++)
        send_group(me, items, i, GROUP);
    /* "10,000 operations one by one, 100 in groups" */
    must(operations == ITEMS / GROUP);
    grouped = frames_since(me, &before);
    /* "remote frames are never more" */
    must(grouped <= singly);
    close_chan(me, items);
}

static void receiver(struct part *me)
{
    gc_chan items = chan_of(me, "items");
    struct gc_value values[GROUP] = {{0}};
    int next = 0, n;

    while ((n = gc_recv_many(me->g, items, values, GROUP, 0, GC_FOREVER)) > 0)
        for (int i = 0; i < n; i++, next++) {
            /* "the same 10,000 items in order both times" */
            must(number_of(&values[i]) == next % ITEMS);
            gc_value_clear(&values[i]);
        }
    must(n == 0 && next == 2 * ITEMS);
    say(me, "%d items, twice", ITEMS);
    step_done(me, "received");
}

static void accountant(struct part *me)
{
    struct gc_chan_info info;

    step_wait(me, "received");
    must(gc_chan_stat(me->g, "items", &info, GC_FOREVER) == 0);
    must(info.sent == 2 * ITEMS && info.received == 2 * ITEMS);
}

static void batching(void)
{
    must(said(LINES("10000 items, twice")));
}

GUIDE_PARTS(G170, batching, .channels = {{"items", {.capacity = 1000}}, {"received"}},
            .parts = {PART(sender), PART_WITH(receiver, .no_job = true), PART(accountant)});
