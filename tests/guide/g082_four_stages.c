/*
 * G82 A pipeline of four stages: generate, square, add ten, keep what is even.
 *
 * Pattern: pipeline of ready-made stages. A stage is a function of one value; the library runs it between channels, and
 * calls nest as the stages follow each other.
 */
#include "goroutine_patterns.h"
#include "guide.h"

enum { NUMBERS = 10 };

static void generate(go_emitter out, void *unused)
{
    for (int n = 1; n <= NUMBERS && go_emit(out, &n) == 0; n++)
        continue;
}

static int square(const void *in, void *out, void *unused)
{
    int n = *(const int *)in;

    *(int *)out = n * n;
    return 1;
}

static int add_ten(const void *in, void *out, void *unused)
{
    *(int *)out = *(const int *)in + 10;
    return 1;
}

static int keep_even(const void *in, void *out, void *unused)
{
    int n = *(const int *)in;

    *(int *)out = n;
    return n % 2 == 0;
}

static go_receiver stage(go_receiver in, go_stage_fn fn)
{
    return go_stage(in, fn, NULL, sizeof(int), NULL);
}

static void four_stages(void)
{
    go_receiver numbers = go_generate(generate, NULL, 0, sizeof(int), 0, NULL);
    go_receiver results = stage(stage(stage(numbers, square), add_ten), keep_even);
    int values[NUMBERS], n = 0;

    must(results.from);
    while (n < NUMBERS && go_receiver_range(results, &values[n])) {
        say("%d", values[n]);
        n++;
    }
    /* "exactly 14, 26, 46, 74, 110, in this order" */
    must(ints_are(values, (size_t)n, INTS(14, 26, 46, 74, 110)));
    go_generate_stop(results);
}

GUIDE_ROW(G82, four_stages);
