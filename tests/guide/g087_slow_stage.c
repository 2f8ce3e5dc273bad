/*
 * G87 A stage that is slower than the others is run by three goroutines; if it matters the order is restored behind them.
 *
 * Pattern: pipeline with a widened stage.
 */
#include "goroutine_patterns.h"
#include "guide.h"

enum { NUMBERS = 9, WORKERS = 3 };

struct slow {
    struct gate gates[NUMBERS + 1]; /* one for each number */
};

static void generate(go_emitter out, void *unused)
{
    for (int n = 1; n <= NUMBERS && go_emit(out, &n) == 0; n++)
        continue;
}

static int square_slowly(const void *in, void *out, void *arg)
{
    struct slow *slow = arg;
    int n = *(const int *)in;

    gate_pass(&slow->gates[n]);
    *(int *)out = n * n;
    return 1;
}

static int add_one(const void *in, void *out, void *unused)
{
    *(int *)out = *(const int *)in + 1;
    return 1;
}

static go_receiver start(struct slow *slow, bool ordered)
{
    struct go_stage_options options = {.workers = WORKERS, .ordered = ordered};
    go_receiver numbers = go_generate(generate, NULL, 0, sizeof(int), 0, NULL);

    return go_stage(go_stage(numbers, square_slowly, slow, sizeof(int), &options), add_one, NULL, sizeof(int),
                    NULL);
}

/* The first three numbers are held by a goroutine each; then they go on, the last first. */
static void release(struct slow *slow)
{
    for (int n = 1; n <= WORKERS; n++)
        gate_until(&slow->gates[n], 1);
    for (int n = NUMBERS; n >= 1; n--)
        gate_open(&slow->gates[n]);
}

static int collect(go_receiver results, int *values)
{
    int n = 0;

    while (n < NUMBERS && go_receiver_range(results, &values[n]))
        n++;
    must(go_receiver_recv(results, NULL, GO_FOREVER) == 0);
    go_generate_stop(results);
    return n;
}

static void slow_stage(void)
{
    struct slow slow = {0}, again = {0};
    go_receiver results = start(&slow, false);
    int values[NUMBERS], n;

    /* "all 3 goroutines of the slow stage are at work at once" */
    release(&slow);
    n = collect(results, values);
    /* "the results are {2, 5, 10, 17, 26, 37, 50, 65, 82}" */
    must(ints_are_set(values, (size_t)n, INTS(2, 5, 10, 17, 26, 37, 50, 65, 82)));
    results = start(&again, true);
    release(&again);
    n = collect(results, values);
    /* "ordered: exactly this sequence, though later ones were ready first" */
    must(ints_are(values, (size_t)n, INTS(2, 5, 10, 17, 26, 37, 50, 65, 82)));
    say("%d numbers, in any order and in order", n);
}

GUIDE_ROW(G87, slow_stage);
