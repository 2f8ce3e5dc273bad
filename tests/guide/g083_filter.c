/*
 * G83 A pipeline with a filter: a stage need not pass on every value.
 *
 * Pattern: pipeline with a filter stage, from directed channels: a stage is a function that takes the channel to read from
 * and returns the one to go on with.
 */
#include "guide.h"

enum { NUMBERS = 10 };

struct stage {
    go_receiver in;
    go_sender out;
};

static void run_generate(void *arg)
{
    const struct stage *me = arg;

    for (int n = 1; n <= NUMBERS; n++)
        must(go_sender_send(me->out, &n, GO_FOREVER) == 0);
    must(go_sender_close(me->out) == 0);
}

static void run_square(void *arg)
{
    const struct stage *me = arg;
    int n;

    while (go_receiver_range(me->in, &n)) {
        n *= n;
        must(go_sender_send(me->out, &n, GO_FOREVER) == 0);
    }
    must(go_sender_close(me->out) == 0);
    go_receiver_unref(me->in);
}

static void run_keep_even(void *arg)
{
    const struct stage *me = arg;
    int n;

    while (go_receiver_range(me->in, &n))
        if (n % 2 == 0)
            must(go_sender_send(me->out, &n, GO_FOREVER) == 0);
    must(go_sender_close(me->out) == 0);
    go_receiver_unref(me->in);
}

/* The stage lets go of `in` when it ends; the answer belongs to the caller, who keeps it until the stage has closed it. */
static go_receiver start(void (*run)(void *stage), go_receiver in)
{
    go_chan *out = go_chan_new(sizeof(int), 0);
    struct stage stage = {in, go_chan_sender(out)};

    must(go_spawn(run, &stage, sizeof stage) == 0);
    return go_chan_receiver(out);
}

static void filter(void)
{
    go_receiver numbers = start(run_generate, go_chan_receiver(NULL));
    go_receiver results = start(run_keep_even, start(run_square, numbers));
    int values[NUMBERS], n = 0;

    while (n < NUMBERS && go_receiver_range(results, &values[n])) {
        say("%d", values[n]);
        n++;
    }
    /* "exactly 4, 16, 36, 64, 100, in this order" */
    must(ints_are(values, (size_t)n, INTS(4, 16, 36, 64, 100)));
    until_live(1);
    go_receiver_unref(results);
}

GUIDE_ROW(G83, filter);
