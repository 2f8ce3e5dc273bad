/*
 * G81 Numbers are generated, squared and doubled by three goroutines in a row.
 *
 * Pattern: pipeline. A stage ranges over its input, and closes its output when the input has ended.
 */
#include "guide.h"

enum { NUMBERS = 5, STAGES = 3 };

struct stage {
    go_chan *in, *out;
};

static void generate(void *arg)
{
    const struct stage *me = arg;

    for (int n = 1; n <= NUMBERS; n++)
        must(go_chan_send(me->out, &n, GO_FOREVER) == 0);
    must(go_chan_close(me->out) == 0);
}

static void square(void *arg)
{
    const struct stage *me = arg;
    int n;

    while (go_range(me->in, &n)) {
        n *= n;
        must(go_chan_send(me->out, &n, GO_FOREVER) == 0);
    }
    must(go_chan_close(me->out) == 0);
}

static void twice(void *arg)
{
    const struct stage *me = arg;
    int n;

    while (go_range(me->in, &n)) {
        n *= 2;
        must(go_chan_send(me->out, &n, GO_FOREVER) == 0);
    }
    must(go_chan_close(me->out) == 0);
}

static void pipeline(void)
{
    static void (*const functions[STAGES])(void *) = {generate, square, twice};
    go_chan *between[STAGES + 1] = {NULL};
    go_waitgroup ended = {0};
    int results[NUMBERS + 1], n = 0;

    for (int i = 0; i < STAGES; i++) {
        between[i + 1] = go_chan_new(sizeof(int), 0);
        must(go_waitgroup_go(&ended, functions[i], &((struct stage){between[i], between[i + 1]}),
                             sizeof(struct stage)) == 0);
    }
    until_parked(STAGES, "chan send");
    say("%d stages have work at the same time", parked("chan send"));
    while (n <= NUMBERS && go_range(between[STAGES], &results[n])) {
        say("%d", results[n]);
        n++;
    }
    /* "exactly 2, 8, 18, 32, 50, in this order" */
    must(ints_are(results, (size_t)n, INTS(2, 8, 18, 32, 50)));
    go_waitgroup_wait(&ended);
    /* "then every stage ends" */
    until_live(1);
    for (int i = 1; i <= STAGES; i++)
        go_chan_unref(between[i]);
}

GUIDE_ROW(G81, pipeline, .prints = {"3 stages have work at the same time"});
