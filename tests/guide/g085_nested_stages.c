/*
 * G85 print(below_ten(twice(produce(10)))): a pipeline written as nested calls, and the same stages in another order.
 *
 * Pattern: pipeline, stages as functions from channel to channel. Each knows its input and nothing of its neighbours, so
 * they can be put together in any order.
 */
#include "goroutine_patterns.h"
#include "guide.h"

enum { VALUES_MAX = 10 };

static void count_up(go_emitter out, void *arg)
{
    for (int n = 1; n <= *(int *)arg && go_emit(out, &n) == 0; n++)
        continue;
}

static int doubled(const void *in, void *out, void *unused)
{
    *(int *)out = 2 * *(const int *)in;
    return 1;
}

static int if_below_ten(const void *in, void *out, void *unused)
{
    *(int *)out = *(const int *)in;
    return *(int *)out < 10;
}

static go_receiver produce(int last)
{
    return go_generate(count_up, &last, sizeof last, sizeof(int), 0, NULL);
}

static go_receiver twice(go_receiver in)
{
    return go_stage(in, doubled, NULL, sizeof(int), NULL);
}

static go_receiver below_ten(go_receiver in)
{
    return go_stage(in, if_below_ten, NULL, sizeof(int), NULL);
}

/* Fills in `values` and returns their number. */
static size_t print(go_receiver in, int *values)
{
    size_t n = 0;

    while (n < VALUES_MAX && go_receiver_range(in, &values[n]))
        say("%d", values[n++]);
    go_generate_stop(in);
    return n;
}

static void nested_stages(void)
{
    int values[VALUES_MAX];
    size_t n = print(below_ten(twice(produce(10))), values);

    /* "exactly 2, 4, 6, 8, in this order" */
    must(ints_are(values, n, INTS(2, 4, 6, 8)));
    n = print(twice(below_ten(produce(10))), values);
    /* "the same stages in another order: 2, 4, 6, 8, 10, 12, 14, 16, 18" */
    must(ints_are(values, n, INTS(2, 4, 6, 8, 10, 12, 14, 16, 18)));
}

GUIDE_ROW(G85, nested_stages);
