/*
 * G139 between processes: four sensors send their readings to one that sums them up, in windows of ten.
 *
 * Pattern: fan-in with aggregation.
 */
#include "parts.h"

enum { SENSORS = 4, READINGS = 100, WINDOW = 10 };

struct reading {
    int sensor, value;
};

static void sensor(struct part *me)
{
    gc_chan readings = chan_of(me, "readings");

    for (int i = 0; i < READINGS; i++) {
        struct reading reading = {me->index + 1, 1000 * (me->index + 1) + i};

        must(gc_send(me->g, readings, gc_bytes(&reading, sizeof reading), GC_FOREVER) == 0);
    }
    send_number(me, chan_of(me, "ended"), me->index);
}

static void closer(struct part *me)
{
    gc_chan ended = chan_of(me, "ended");
    int who;

    for (int i = 0; i < SENSORS; i++)
        must(recv_number(me, ended, &who));
    close_chan(me, chan_of(me, "readings"));
}

struct aggregate {
    long long sum, window_sum;
    int readings, windows;
};

static void add(struct part *me, struct aggregate *of, const struct reading *reading)
{
    of->sum += reading->value;
    of->window_sum += reading->value;
    if (++of->readings % WINDOW > 0)
        return;
    of->windows++;
    say(me, "sensor %d: mean %.1f", reading->sensor, (double)of->window_sum / WINDOW);
    of->window_sum = 0;
}

static void aggregator(struct part *me)
{
    gc_chan readings = chan_of(me, "readings");
    struct aggregate of[SENSORS] = {{0}};
    struct gc_value v = {0};
    int n = 0;

    for (; gc_range(me->g, readings, &v, 0, GC_FOREVER) > 0; n++) {
        struct reading reading;

        memcpy(&reading, v.data, sizeof reading);
        add(me, &of[reading.sensor - 1], &reading);
    }
    /* "400 readings" */
    must(n == SENSORS * READINGS);
    for (int i = 0; i < SENSORS; i++) {
        /* "the sum of each source is exact: 104950, 204950, 304950, 404950" */
        must(of[i].sum == 100000LL * (i + 1) + 4950);
        /* "10 windows of each source" */
        must(of[i].windows == READINGS / WINDOW);
    }
}

static void sensors(void)
{
    /* "each window holds 10 readings of its source in their order: means 1004.5, 1014.5, to 1094.5 of the first" */
    must(said_by("sensor 1", LINES("sensor 1: mean 1004.5", "sensor 1: mean 1014.5", "sensor 1: mean 1024.5",
                                   "sensor 1: mean 1034.5", "sensor 1: mean 1044.5", "sensor 1: mean 1054.5",
                                   "sensor 1: mean 1064.5", "sensor 1: mean 1074.5", "sensor 1: mean 1084.5",
                                   "sensor 1: mean 1094.5")));
}

GUIDE_PARTS(G139, sensors, .channels = {{"readings", {.element_bytes = sizeof(struct reading)}}, {"ended"}},
            .parts = {PARTS(SENSORS, sensor), PART(closer), PART(aggregator)});
