/*
 * G166 A stress test: many items through many workers. When there is no time for it the run of the tests is told to be
 * short, and then the test says that it was left out; it does not count as passed.
 *
 * Pattern: stress test with a short mode.
 */
#include "again.h"
#include "guide.h"

enum { ITEMS = 1000, WORKERS = 20, ROUNDS = 20, EXIT_SKIPPED = 77 };

struct mill {
    go_chan *in, *out;
};

static void work(void *arg)
{
    const struct mill *mill = arg;
    int item;

    while (go_range(mill->in, &item))
        must(go_chan_send(mill->out, &item, GO_FOREVER) == 0);
}

static void send_items(void *arg)
{
    const struct mill *mill = arg;

    for (int i = 0; i < ITEMS; i++)
        must(go_chan_send(mill->in, &i, GO_FOREVER) == 0);
    go_chan_close(mill->in);
}

static void run_workers(void *arg)
{
    const struct mill *mill = arg;
    go_waitgroup workers = {0};

    for (int i = 0; i < WORKERS; i++)
        must(go_waitgroup_go(&workers, work, mill, sizeof *mill) == 0);
    go_waitgroup_wait(&workers);
    go_chan_close(mill->out);
}

/* How many came out, each of them once. */
static int run_items(size_t capacity)
{
    struct mill mill = {go_chan_new(sizeof(int), capacity), go_chan_new(sizeof(int), capacity)};
    bool seen[ITEMS] = {false};
    int n = 0, item;

    must(go_spawn(run_workers, &mill, sizeof mill) == 0);
    must(go_spawn(send_items, &mill, sizeof mill) == 0);
    while (go_range(mill.out, &item)) {
        must(!seen[item]);
        seen[item] = true;
        n++;
    }
    until_live(1);
    go_chan_unref(mill.in);
    go_chan_unref(mill.out);
    return n;
}

static void stress(void)
{
    for (int round = 0; round < ROUNDS; round++)
        /* "each round 1000 items go in, and the same 1000 come out, each once" */
        must(run_items((size_t)round % 3 * 5) == ITEMS);
    say("%d rounds of %d items", ROUNDS, ITEMS);
}

static void short_mode(void)
{
    struct again *run = run_again("TESTS_SHORT=1", "--test");

    /* "a short run leaves it out and tells it as skipped, not as passed: exit status 77, and why" */
    must(run->status == EXIT_SKIPPED && strstr(run->out, "left out of the short run: 20 rounds"));
    must(!strstr(run->out, "as it must be"));
    free(run);
}

GUIDE_ROW(G166, stress, .long_run = "20 rounds of 1000 items");
GUIDE_PART(G166, short_mode, .no_job = "it is a program that runs itself again");
