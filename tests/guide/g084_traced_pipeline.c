/*
 * G84 A pipeline that tells what each stage does: what happens to one number is in order, what happens to two is not.
 *
 * Pattern: pipeline with a trace. Stages work at the same time, on different numbers.
 */
#include "guide.h"

enum { NUMBERS = 5 };

struct item {
    int number; /* as generated */
    int value;
};

struct stage {
    const char *name;
    int power; /* the value is raised to it */
    go_chan *in, *out;
};

static void generate(void *arg)
{
    const struct stage *me = arg;

    for (int n = 1; n <= NUMBERS; n++) {
        say("%d: %s %d", n, me->name, n);
        must(go_chan_send(me->out, &((struct item){n, n}), GO_FOREVER) == 0);
    }
    must(go_chan_close(me->out) == 0);
}

static int raise_to(int base, int power)
{
    return power == 0 ? 1 : base * raise_to(base, power - 1);
}

static void run_stage(void *arg)
{
    const struct stage *me = arg;
    struct item item;

    while (go_range(me->in, &item)) {
        item.value = raise_to(item.value, me->power);
        say("%d: %s %d", item.number, me->name, item.value);
        must(go_chan_send(me->out, &item, GO_FOREVER) == 0);
    }
    must(go_chan_close(me->out) == 0);
}

static void traced_pipeline(void)
{
    go_chan *numbers = go_chan_new(sizeof(struct item), 0), *squares = go_chan_new(sizeof(struct item), 0);
    go_chan *cubes = go_chan_new(sizeof(struct item), 0);
    struct stage stages[] = {
        {"Generate", 1, NULL, numbers}, {"Square", 2, numbers, squares}, {"Cube", 3, squares, cubes}};
    struct item item;
    int values[NUMBERS + 1], n = 0;

    must(go_spawn(generate, &stages[0], sizeof stages[0]) == 0);
    must(go_spawn(run_stage, &stages[1], sizeof stages[1]) == 0);
    must(go_spawn(run_stage, &stages[2], sizeof stages[2]) == 0);
    while (n <= NUMBERS && go_range(cubes, &item)) {
        say("%d: Final %d", item.number, item.value);
        values[n++] = item.value;
    }
    /* "exactly 1, 64, 729, 4096, 15625, in this order" */
    must(ints_are(values, (size_t)n, INTS(1, 64, 729, 4096, 15625)));
    /* "for each item Generate, Square, Cube, Final, in this order" */
    must(said_by("1:", LINES("1: Generate 1", "1: Square 1", "1: Cube 1", "1: Final 1")));
    must(said_by("2:", LINES("2: Generate 2", "2: Square 4", "2: Cube 64", "2: Final 64")));
    must(said_by("3:", LINES("3: Generate 3", "3: Square 9", "3: Cube 729", "3: Final 729")));
    must(said_by("4:", LINES("4: Generate 4", "4: Square 16", "4: Cube 4096", "4: Final 4096")));
    must(said_by("5:", LINES("5: Generate 5", "5: Square 25", "5: Cube 15625", "5: Final 15625")));
    until_live(1);
    go_chan_unref(numbers);
    go_chan_unref(squares);
    go_chan_unref(cubes);
}

GUIDE_ROW(G84, traced_pipeline);
