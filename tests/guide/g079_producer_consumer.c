/*
 * G79 One producer, three consumers, and results that end when the last consumer has.
 *
 * Pattern: producer and consumers. Every channel has one who closes it: the producer its items; who has joined the
 * consumers their results.
 */
#include "guide.h"

enum { CONSUMERS = 3, ITEMS = 10 };

struct plant {
    go_chan *items, *results;
    go_waitgroup consumers;
    atomic_int times_consumed[ITEMS + 1];
};

static void produce(void *arg)
{
    struct plant *plant = arg;

    for (int item = 1; item <= ITEMS; item++)
        must(go_chan_send(plant->items, &item, GO_FOREVER) == 0);
    must(go_chan_close(plant->items) == 0);
}

static void consume(void *arg)
{
    struct plant *plant = arg;
    int item;

    while (go_range(plant->items, &item)) {
        atomic_fetch_add(&plant->times_consumed[item], 1);
        item *= 2;
        must(go_chan_send(plant->results, &item, GO_FOREVER) == 0);
    }
}

static void join_consumers(void *arg)
{
    struct plant *plant = arg;

    go_waitgroup_wait(&plant->consumers);
    must(go_chan_close(plant->results) == 0);
}

static void producer_consumer(void)
{
    struct plant plant = {.items = go_chan_new(sizeof(int), 5), .results = go_chan_new(sizeof(int), 5)};
    int results[ITEMS + 1], n = 0;

    must(go_spawn(produce, &plant, 0) == 0);
    for (int i = 0; i < CONSUMERS; i++)
        must(go_waitgroup_go(&plant.consumers, consume, &plant, 0) == 0);
    must(go_spawn(join_consumers, &plant, 0) == 0);
    while (n <= ITEMS && go_range(plant.results, &results[n])) {
        say("Result: %d", results[n]);
        n++;
    }
    say("All work completed");
    /* "the results are {2, 4, 6, 8, 10, 12, 14, 16, 18, 20}" */
    must(ints_are_set(results, (size_t)n, INTS(2, 4, 6, 8, 10, 12, 14, 16, 18, 20)));
    /* "each item is consumed once" */
    for (int item = 1; item <= ITEMS; item++)
        must(atomic_load(&plant.times_consumed[item]) == 1);
    /* ""All work completed" is the last line" */
    must(said_last("All work completed") && said_lines() == ITEMS + 1);
    until_live(1);
    go_chan_unref(plant.items);
    go_chan_unref(plant.results);
}

GUIDE_ROW(G79, producer_consumer);
