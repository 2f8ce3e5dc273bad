/*
 * G91 A function that returns a channel of even numbers: they are made when somebody takes them.
 *
 * Pattern: generator. It is lazy, and it ends with its context when its consumer wants no more.
 */
#include "goroutine_sync.h"
#include "guide.h"

enum { VALUES_MAX = 8 };

struct range {
    int max; /* -1: there is no end */
    atomic_int *made;
};

static void make_even(go_emitter out, void *arg)
{
    const struct range *range = arg;

    for (int n = 0; range->max < 0 || n <= range->max; n += 2) {
        atomic_fetch_add(range->made, 1);
        if (go_emit(out, &n) < 0)
            return;
    }
}

static go_receiver even(int max, atomic_int *made, go_ctx *ctx)
{
    return go_generate(make_even, &((struct range){max, made}), sizeof(struct range), sizeof(int), 0, ctx);
}

static void up_to_ten(void)
{
    atomic_int made = 0;
    go_receiver numbers = even(10, &made, NULL);
    int values[VALUES_MAX], n = 0;

    for (; n < VALUES_MAX && go_receiver_range(numbers, &values[n]); n++) {
        say("%d", values[n]);
        /* "lazy: at most one value is made ahead" */
        must(atomic_load(&made) <= n + 2);
    }
    /* "exactly 0, 2, 4, 6, 8, 10, then closed" */
    must(ints_are(values, (size_t)n, INTS(0, 2, 4, 6, 8, 10)));
    go_generate_stop(numbers);
}

static void without_end(void)
{
    go_ctx *ctx = go_ctx_new(go_ctx_background());
    atomic_int made = 0;
    go_receiver numbers = even(-1, &made, ctx);
    int value;

    for (int i = 0; i < 3; i++)
        must(go_receiver_recv(numbers, &value, GO_FOREVER) == 1 && value == 2 * i);
    until_parked(1, "chan send"); /* with the one value that is ahead */
    must(atomic_load(&made) == 4);
    go_ctx_cancel(ctx, 0, NULL);
    until_live(1);
    /* "one without end ends when its context is cancelled" */
    must(go_receiver_recv(numbers, &value, GO_FOREVER) == 0);
    go_generate_stop(numbers);
    go_ctx_unref(ctx);
}

static void generator(void)
{
    up_to_ten();
    until_live(1);
    without_end();
}

GUIDE_ROW(G91, generator);
