/*
 * G172 Related work in one goroutine, and in one goroutine a step: the same result with fewer switches.
 *
 * Pattern: coarse grains. A goroutine is cheap; passing every small step between two of them is not.
 */
#include "guide.h"

enum { ITEMS = 1000, STEPS = 3 };

struct stage {
    go_chan *in, *out;
    int step;
};

static int64_t apply(int step, int64_t value)
{
    return step == 0 ? value * value : step == 1 ? value + 10 : 2 * value;
}

static uint64_t switches_now(void)
{
    struct go_stats stats;

    go_stats_read(&stats);
    return stats.switches;
}

static void one_step(void *arg)
{
    const struct stage *me = arg;
    int64_t value;

    while (go_range(me->in, &value)) {
        value = apply(me->step, value);
        must(go_chan_send(me->out, &value, GO_FOREVER) == 0);
    }
    must(go_chan_close(me->out) == 0);
}

static void produce(void *arg)
{
    go_chan *out = arg;

    for (int64_t i = 1; i <= ITEMS; i++)
        must(go_chan_send(out, &i, GO_FOREVER) == 0);
    must(go_chan_close(out) == 0);
}

/* A goroutine for each step, with channels between. */
static int64_t apart(void)
{
    go_chan *between[STEPS + 1];
    int64_t value, sum = 0;

    for (int i = 0; i <= STEPS; i++)
        between[i] = go_chan_new(sizeof value, 0);
    must(go_spawn(produce, between[0], 0) == 0);
    for (int i = 0; i < STEPS; i++)
        must(go_spawn(one_step, &((struct stage){between[i], between[i + 1], i}), sizeof(struct stage)) == 0);
    while (go_range(between[STEPS], &value))
        sum += value;
    until_live(1);
    for (int i = 0; i <= STEPS; i++)
        go_chan_unref(between[i]);
    return sum;
}

static void all_steps(void *arg)
{
    int64_t *sum = arg;

    for (int64_t i = 1; i <= ITEMS; i++) {
        int64_t value = i;

        for (int step = 0; step < STEPS; step++)
            value = apply(step, value);
        *sum += value;
    }
}

/* One goroutine for all of them. */
static int64_t together(void)
{
    go_waitgroup done = {0};
    int64_t sum = 0;

    must(go_waitgroup_go(&done, all_steps, &sum, 0) == 0);
    go_waitgroup_wait(&done);
    return sum;
}

static void fewer_switches(void)
{
    uint64_t start = switches_now(), middle, end;
    int64_t first = apart(), second;

    middle = switches_now();
    second = together();
    end = switches_now();
    say("apart: %llu switches, together: %llu", (unsigned long long)(middle - start),
        (unsigned long long)(end - middle));
    /* "the same result" */
    must(first == second);
    /* "the counter of switches, read as in G145, is lower for the grouped version" */
    must(end - middle < middle - start || guide_is_job()); /* in a host other jobs switch, too */
}

GUIDE_ROW(G172, fewer_switches);
