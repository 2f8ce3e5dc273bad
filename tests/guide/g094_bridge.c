/*
 * G94 A channel that carries channels, read as if it were one; and three channels merged into one.
 *
 * Pattern: bridge, and merge. The bridge takes one channel after the other, so it keeps the order; a merge takes whatever
 * comes first.
 */
#include "goroutine_patterns.h"
#include "guide.h"

enum { VALUES = 6, PARTS = 3 };

struct part {
    int first, last;
};

static const struct part parts[PARTS] = {{1, 2}, {3, 3}, {4, 6}};

static void count(go_emitter out, void *arg)
{
    const struct part *part = arg;

    for (int n = part->first; n <= part->last && go_emit(out, &n) == 0; n++)
        continue;
}

static go_receiver numbers(const struct part *part)
{
    return go_generate(count, part, sizeof *part, sizeof(int), 0, NULL);
}

/* The channels are values themselves. */
static void send_channels(go_emitter out, void *unused)
{
    for (int i = 0; i < PARTS; i++) {
        go_receiver channel = numbers(&parts[i]);

        if (go_emit(out, &channel) < 0)
            go_generate_stop(channel); /* nobody takes it over */
    }
}

/* Returns how many values there were, VALUES at most. */
static size_t read_all(go_receiver in, int *values)
{
    size_t n = 0;

    while (n < VALUES && go_receiver_range(in, &values[n]))
        n++;
    must(go_receiver_recv(in, NULL, GO_FOREVER) == 0);
    go_generate_stop(in);
    return n;
}

static void bridge(void)
{
    go_receiver channels = go_generate(send_channels, NULL, 0, sizeof(go_receiver), 0, NULL), inputs[PARTS];
    int values[VALUES];
    size_t n = read_all(go_bridge(channels, sizeof(int), 0, NULL), values);

    /* "bridge of [1, 2], [3], [4, 5, 6]: exactly 1, 2, 3, 4, 5, 6" */
    must(ints_are(values, n, INTS(1, 2, 3, 4, 5, 6)));
    for (int i = 0; i < PARTS; i++)
        inputs[i] = numbers(&parts[i]);
    n = read_all(go_merge(inputs, PARTS, 0, NULL), values);
    /* "merge of the three: the set {1, 2, 3, 4, 5, 6}" */
    must(ints_are_set(values, n, INTS(1, 2, 3, 4, 5, 6)));
    say("%d values from %d channels, twice", VALUES, PARTS);
}

GUIDE_ROW(G94, bridge);
