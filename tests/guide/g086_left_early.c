/*
 * G86 A pipeline whose consumer has seen enough after two values.
 *
 * Pattern: cancellation of a pipeline. Each stage waits to send or for the end of its context; without that it would wait
 * for ever for a consumer that has gone.
 */
#include "guide.h"

enum { NUMBERS = 5, WANTED = 2 };

struct stage {
    go_chan *in, *out;
    go_ctx *ctx;
};

/* Whether to go on. */
static bool pass_on(const struct stage *me, int value)
{
    return go_chan_send(me->out, &value, go_with(me->ctx)) == 0;
}

static void generate(void *arg)
{
    const struct stage *me = arg;
    int n = 1;

    while (n <= NUMBERS && pass_on(me, n))
        n++;
    say("generate ended before %d", n);
    must(go_chan_close(me->out) == 0);
}

static void square(void *arg)
{
    const struct stage *me = arg;
    int n;

    while (go_chan_recv(me->in, &n, go_with(me->ctx)) == 1 && pass_on(me, n * n))
        continue;
    say("square ended");
    must(go_chan_close(me->out) == 0);
}

static void left_early(void)
{
    go_ctx *ctx = go_ctx_new(go_ctx_background());
    go_chan *numbers = go_chan_new(sizeof(int), 0), *squares = go_chan_new(sizeof(int), 0);
    int values[WANTED];

    must(go_spawn(generate, &((struct stage){NULL, numbers, ctx}), sizeof(struct stage)) == 0);
    must(go_spawn(square, &((struct stage){numbers, squares, ctx}), sizeof(struct stage)) == 0);
    for (int i = 0; i < WANTED; i++)
        must(go_chan_recv(squares, &values[i], GO_FOREVER) == 1);
    /* "exactly 2 values" */
    must(ints_are(values, WANTED, INTS(1, 4)));
    until_parked(2, "chan send"); /* each stage holds a value that nobody wants */
    go_ctx_cancel(ctx, 0, NULL);
    until_live(1);
    /* "after the cancel every stage has ended" */
    must(said_in_any_order(LINES("generate ended before 4", "square ended")));
    /* "their values under way are gone, and their channels are closed" */
    must(go_chan_recv(squares, NULL, GO_FOREVER) == 0 && go_chan_recv(numbers, NULL, GO_FOREVER) == 0);
    go_chan_unref(numbers);
    go_chan_unref(squares);
    go_ctx_unref(ctx);
}

GUIDE_ROW(G86, left_early);
