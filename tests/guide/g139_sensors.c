/*
 * G139 Four sensors send their readings to one aggregator, which adds them up in windows of ten.
 *
 * Pattern: fan-in, with the state of all sources in one goroutine.
 */
#include "guide.h"

enum { SENSORS = 4, READINGS = 100, WINDOW = 10 };

struct reading {
    int sensor, value;
};

struct sensor {
    int number;
    go_chan *readings;
};

struct aggregate {
    long long sum, window_sum;
    int readings, windows;
};

static void run_sensor(void *arg)
{
    const struct sensor *me = arg;

    for (int i = 0; i < READINGS; i++) {
        struct reading reading = {me->number, 1000 * me->number + i};

        must(go_chan_send(me->readings, &reading, GO_FOREVER) == 0);
    }
}

static void add(struct aggregate *of, const struct reading *reading)
{
    of->sum += reading->value;
    of->window_sum += reading->value;
    if (++of->readings % WINDOW > 0)
        return;
    of->windows++;
    say("sensor %d, window %d: mean %.1f", reading->sensor, of->windows, (double)of->window_sum / WINDOW);
    of->window_sum = 0;
}

static void close_when_done(void *arg)
{
    const struct sensor *sensors = arg;
    go_waitgroup all = {0};

    for (int i = 0; i < SENSORS; i++)
        must(go_waitgroup_go(&all, run_sensor, &sensors[i], sizeof sensors[i]) == 0);
    go_waitgroup_wait(&all);
    go_chan_close(sensors[0].readings);
}

static void sensors(void)
{
    go_chan *readings = go_chan_new(sizeof(struct reading), 0);
    struct sensor all[SENSORS];
    struct aggregate of[SENSORS] = {{0}};
    struct reading reading;
    int n = 0;

    for (int i = 0; i < SENSORS; i++)
        all[i] = (struct sensor){i + 1, readings};
    must(go_spawn(close_when_done, all, 0) == 0);
    while (go_range(readings, &reading)) {
        add(&of[reading.sensor - 1], &reading);
        n++;
    }
    /* "400 readings" */
    must(n == SENSORS * READINGS);
    for (int i = 0; i < SENSORS; i++) {
        /* "the sum of each source is exact: 104950, 204950, 304950, 404950" */
        must(of[i].sum == 100000LL * (i + 1) + 4950);
        /* "10 windows of each source" */
        must(of[i].windows == READINGS / WINDOW && of[i].readings == READINGS);
    }
    /* "each window holds 10 readings of its source in their order: means 1004.5, 1014.5, to 1094.5 of the first" */
    must(said_by("sensor 1,", LINES("sensor 1, window 1: mean 1004.5", "sensor 1, window 2: mean 1014.5",
                                    "sensor 1, window 3: mean 1024.5", "sensor 1, window 4: mean 1034.5",
                                    "sensor 1, window 5: mean 1044.5", "sensor 1, window 6: mean 1054.5",
                                    "sensor 1, window 7: mean 1064.5", "sensor 1, window 8: mean 1074.5",
                                    "sensor 1, window 9: mean 1084.5", "sensor 1, window 10: mean 1094.5")));
    go_chan_unref(readings);
}

GUIDE_ROW(G139, sensors);
